"""Is the demo's voice understood? What `make repro` exported, heard beside what it began with.

    python -m benchmarks.demo_voice [PROJECT]

Everything is said through stock kokoro: the base with the voice table that training began with
(zero shot), and the exported checkpoint with its exported table. A phone recogniser listens that
was trained on what the base itself reads of the training sentences: its phones are exact by
construction, and it knows Kokoro's sound rather than a synthesiser's. Beside
them stand the recordings, a recording of another sentence, and white noise. What was said stays in
PROJECT/scratch/demo_voice, the figures go into PROJECT/metrics/demo_voice.json.
"""

import argparse
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import soundfile
import torch
from kokoro import KModel
from torch import Tensor
from tqdm import tqdm

from benchmarks import lines
from benchmarks.tables import as_table
from lbtts import params
from lbtts.acoustics.store.features import FeatureStore
from lbtts.corpus.manifest import read_manifest
from lbtts.evaluation import recogniser
from lbtts.evaluation.renditions import render
from lbtts.grid import SAMPLE_RATE
from lbtts.models.kokoro.speech import KokoroSynthesiser
from lbtts.models.kokoro.weights import checkpoint
from lbtts.params import Kaldi
from lbtts.records import write_json
from lbtts.text.tokens import TokenPlan, read_token_plans

COLUMNS = {
    "phone_errors": "phones misheard, %",
    "phone_errors_timed": "likewise, recording's durations",
    "dnsmos": "DNSMOS overall",
    "dnsmos_p808": "DNSMOS P.808",
    "f0_rmse_cents": "F0 error, cents",
    "duration_error": "duration error, units",
}
LISTENER = Kaldi(gaussians=400, iterations=20, beam=100, training_utterances=600)


def stock(folder: Path, weights: str) -> KModel:
    """Stock kokoro with a checkpoint of `folder`; its silent failures are looked for."""
    model = KModel(
        repo_id="demo", config=str(folder / "config.json"), model=str(folder / weights)
    ).eval()
    saved = torch.load(folder / weights, map_location="cpu", weights_only=True)
    loaded = model.state_dict()
    for part, state in saved.items():
        for key, tensor in state.items():
            assert torch.equal(loaded[f"{part}.{key}"], tensor), f"{part}.{key} was not loaded"
    return model


def read_aloud(
    model: KModel, begun: Tensor, voices: dict[str, Tensor], plans: list[TokenPlan], folder: Path
) -> tuple[list[TokenPlan], dict[str, str]]:
    """What the base reads of `plans`: the plans under new ids, and their files by id.

    Each is read with the table that training begins with, and by one of the base's own voices.
    """
    spoken, audio = [], {}
    folder.mkdir(parents=True, exist_ok=True)
    names = cycle(voices)
    for plan in tqdm(plans, desc="read", unit="utt"):
        other = next(names)
        for name, table in {"begun": begun, other: voices[other]}.items():
            path = folder / f"{plan.id}-{name}.flac"
            sound, _ = KokoroSynthesiser(model, table).speak(np.array(plan.input_ids))
            soundfile.write(path, np.clip(sound, -1, 1), SAMPLE_RATE, subtype="PCM_16")
            spoken.append(replace(plan, id=path.stem))
            audio[path.stem] = str(path)
    return spoken, audio


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("project", type=Path, nargs="?", default=Path("."))
    project = parser.parse_args().project.resolve()
    p = params.load(project / "params.yaml")
    folder = project / "scratch/demo_voice"
    store = FeatureStore(project / "data/features.h5", p.features.f0)
    manifest = read_manifest(project / "data/corpus/manifest.csv")
    plans = {plan.id: plan for plan in read_token_plans(project / "data/alignment/spoken.jsonl")}
    training = [plan for plan in plans.values() if manifest[plan.id].split == "train"]
    utterances = [store[i] for i in store.indices("test")]

    base = stock(project / "models/base", "model.pth")
    exported = stock(project / "models/export", "kokoro-lb.pth")
    voices = checkpoint.load_tensors(project / "models/base/voices.safetensors")
    begun = checkpoint.load_tensors(project / "models/voice/voice.safetensors")["table"]
    table = project / "models/export/voices" / f"{p.export.voice}.pt"
    systems = {
        "base, zero shot": KokoroSynthesiser(base, begun),
        "fine-tuned": KokoroSynthesiser(exported, torch.load(table, weights_only=True)),
    }
    said = lines.speak(
        {name: lambda u, s=system: render(s, u) for name, system in systems.items()},
        utterances,
        p.features.f0,
        folder,
    )
    figures = lines.summary(
        said,
        [project / manifest[u.id].audio for u in utterances],
        [plans[u.id].labels for u in utterances],
        recogniser.train(*read_aloud(base, begun, voices, training, folder / "read"), LISTENER),
        folder,
    )
    write_json(project / "metrics/demo_voice.json", {"utterances": len(utterances), **figures})
    print(f"{len(utterances)} held-out sentences\n")
    print(as_table(figures, COLUMNS))


if __name__ == "__main__":
    main()
