"""Does it learn? Two hours of the miniature on synthetic Luxembourgish, and what came of it.

    python -m benchmarks.learning [--shared FOLDER] prepare PROJECT

makes a project that is ready to be trained on: 2,000 sentences read by espeak-ng.

    python -m benchmarks.learning train PROJECT

trains the miniature from random weights with the stage's own code, or goes on where it was stopped.

    python -m benchmarks.learning [--shared FOLDER] measure PROJECT

measures PROJECT/models/finetuned, a miniature, on the held-out sentences, and prints the tables.
The figures go into PROJECT/metrics/learning.json, the curves of PROJECT/metrics/train and a
sentence into learning.png beside it, and what was said into PROJECT/listening. The folder of the
sentences and of the published voice tables is ../shared unless said otherwise.
"""

import argparse
import os
from contextlib import AbstractContextManager, chdir
from pathlib import Path
from unittest.mock import patch

import kokoro.model
import soundfile

from benchmarks import lines, miniature, picture, readings, voice_table
from benchmarks.tables import as_table
from lbtts import params
from lbtts.acoustics.store.features import FeatureStore
from lbtts.corpus.manifest import read_manifest
from lbtts.evaluation import recogniser
from lbtts.evaluation.renditions import render, render_copy
from lbtts.models.kokoro.speech import KokoroSynthesiser
from lbtts.models.kokoro.voices.table import InitialVoice
from lbtts.models.kokoro.weights import checkpoint
from lbtts.records import read_json, write_json
from lbtts.release import report
from lbtts.text.tokens import read_token_plans
from lbtts.training import session

COLUMNS = {
    "phone_errors": "phones misheard, %",
    "phone_errors_timed": "likewise, recording's durations",
    "mcd": "MCD, recording's durations",
    "mcd_free": "MCD, own durations",
    "f0_rmse_cents": "F0 error, cents",
    "voicing_error": "voicing error",
    "duration_error": "duration error, units",
    "length_ratio": "length ratio",
}


def small() -> AbstractContextManager:
    """Inside, whoever builds a KModel builds a miniature."""
    return patch.object(kokoro.model, "Decoder", miniature.SmallDecoder)


def prepare(project: Path, sentences: Path) -> None:
    """Makes `project`, whose base is a miniature; `sentences` holds one a line."""
    origin = {"base": "random", "base_seed": 0}
    checkpoint.save_base(
        project / "models/base", miniature.random(), {}, miniature.config(), origin
    )
    readings.prepare(project, sentences)


def train(project: Path) -> None:
    """Trains a miniature in `project`; it goes to models/finetuned, its curves to metrics/train."""
    os.environ["DVC_ROOT"] = str(project)
    with chdir(project), small():
        session.train(params.load())


def measure(project: Path, published: Path) -> None:
    """Measures what was trained in `project`, writes it down and prints it."""
    p = params.load(project / "params.yaml")
    f0 = p.features.f0
    store = FeatureStore(project / "data/features.h5", f0)
    utterances = [store[i] for i in store.indices("test")]
    initial = InitialVoice.load(project / "models/voice/voice.safetensors")
    with small():
        model, table = checkpoint.load_finetuned(project / "models/finetuned")
    trained = KokoroSynthesiser(model, table)
    untrained = KokoroSynthesiser(miniature.random(), initial.table)

    length = voice_table.losses(model, table, initial, store, p)
    shape = voice_table.shapes({"initial": initial.table, "trained": table}, published)
    said = lines.speak(
        {
            "copy synthesis": lambda utterance: render_copy(utterance, f0),
            "trained": lambda utterance: render(trained, utterance),
            "untrained": lambda utterance: render(untrained, utterance),
        },
        utterances,
        f0,
        project / "listening",
    )
    sounds = {"recording": utterances[0].audio} | {
        name: soundfile.read(line.free[0], dtype="float32")[0] for name, line in said.items()
    }
    picture.draw(
        report.curves(project / "metrics/train"), sounds, f0, project / "metrics/learning.png"
    )

    manifest = read_manifest(project / "data/corpus/manifest.csv")
    audio = {name: str(project / entry.audio) for name, entry in manifest.items()}
    plans = {plan.id: plan for plan in read_token_plans(project / "data/alignment/spoken.jsonl")}
    training = [plan for plan in plans.values() if manifest[plan.id].split == "train"]
    figures = lines.summary(
        said,
        [Path(audio[utterance.id]) for utterance in utterances],
        [plans[utterance.id].labels for utterance in utterances],
        recogniser.train(training, audio),
        project / "listening",
    )
    found = {
        "utterances": len(utterances),
        "provenance": read_json(project / "models/finetuned/provenance.json"),
        "lines": figures,
        "held_out_loss": length,
        "voice_table": shape,
    }
    write_json(project / "metrics/learning.json", found)
    print(f"{len(utterances)} held-out sentences\n")
    print(as_table(figures, COLUMNS))
    print(as_table(length, {name: name for name in length["as trained"]}))
    print(as_table(shape, {name: name for name in ("initial", "trained", "published")}))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=["prepare", "train", "measure"])
    parser.add_argument("project", type=Path)
    parser.add_argument("--shared", type=Path, default=readings.ROOT.parent / "shared")
    given = parser.parse_args()
    project = given.project.resolve()
    match given.verb:
        case "prepare":
            prepare(project, given.shared / "g2p/lod_sentences.txt")
        case "train":
            train(project)
        case "measure":
            measure(project, given.shared / "kokoro")


if __name__ == "__main__":
    main()
