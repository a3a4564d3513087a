"""Does the baseline learn to speak? English made by Kokoro, the small transformer, a recogniser.

    python -m benchmarks.baseline prepare PROJECT [--sentences N] [--voice FILE]

makes a project: N sentences (2,000) read by the base that pip brings, their TextGrids from
Kokoro's own durations, and all data stages. FILE is a table of Kokoro's,
../shared/kokoro/af_heart.bin unless said otherwise.

    python -m benchmarks.baseline train PROJECT

trains the network of profiles/baseline_small.yaml, and

    python -m benchmarks.baseline measure PROJECT

prints word errors of Whisper base on held-out sentences, and how far Kaldi's boundaries are from
the true ones. Every verb goes on where it was stopped.
"""

import argparse
import os
import shutil
from contextlib import chdir
from pathlib import Path

import numpy as np
import soundfile
import torch
from tqdm import tqdm

from benchmarks import english
from benchmarks.sentences import sentences
from benchmarks.tables import as_table
from benchmarks.whisper import whisper_base
from lbtts import languages, params, paths
from lbtts.acoustics.store.features import FeatureStore
from lbtts.alignment import textgrid
from lbtts.alignment.backends import Aligner
from lbtts.alignment.textgrid import AlignmentResult, Interval, from_phones
from lbtts.corpus.manifest import read_manifest
from lbtts.evaluation.bootstrap import rate
from lbtts.evaluation.words import word_errors
from lbtts.grid import SAMPLE_RATE
from lbtts.models.kokoro.speech import KokoroSynthesiser
from lbtts.models.kokoro.weights import checkpoint
from lbtts.models.kokoro.weights import sources as base
from lbtts.models.transformer import mel as mels
from lbtts.models.transformer import speech, weights
from lbtts.models.transformer.vocoders import GriffinLim, on_grid
from lbtts.records import write_json
from lbtts.speaking.words import heard
from lbtts.text.tokens import TokenPlan, read_token_plans
from lbtts.training import session
from stages import align, audit, corpus, durations, features, g2p, lexicon
from stages import base as base_stage
from stages import voice as voice_stage

ROOT = Path(__file__).parent.parent
COLUMNS = {
    "word_errors": "words misheard, %",
    "low": "95 % from",
    "high": "to",
    "mel": "mel L1, normalised",
    "length": "length, of the recording's",
}


def prepare(project: Path, count: int, voice: Path) -> None:
    """Makes the corpus and runs the stages before training."""
    raw = project / "data/raw/spoken"
    for folder in (raw / "wavs", raw / "textgrids", project / "data/corrections"):
        folder.mkdir(parents=True, exist_ok=True)
    for source, target in (
        ("profiles/baseline_small.yaml", "params.yaml"),
        ("data/additions.tsv", "data/additions.tsv"),
    ):
        if not (project / target).exists():
            shutil.copy(ROOT / source, project / target)
    texts = {f"spoken-{k:04d}": text for k, text in enumerate(sentences(count), 1)}
    lines = "".join(f"{name}|{text}\n" for name, text in texts.items())
    (raw / "metadata.csv").write_text(lines, encoding="utf-8")
    read_aloud(texts, raw, voice)
    with chdir(project):
        for stage in (corpus, lexicon, g2p, align, durations, audit, features):
            stage.main()
        base_stage.main()
        voice_stage.main()


def read_aloud(texts: dict[str, str], raw: Path, voice: Path) -> None:
    """Writes the audio and the TextGrid of each text that has none."""
    missing = [name for name in texts if not (raw / f"textgrids/{name}.TextGrid").exists()]
    if not missing:
        return
    front_end = languages.get("en").front_end(None, None)
    speaker = KokoroSynthesiser(base.load(english.PIP).model, checkpoint.load_voice(voice))
    for name in tqdm(missing, initial=len(texts) - len(missing), total=len(texts), unit="utt"):
        plan = front_end.token_plan(name, texts[name])
        audio, units = speaker.speak(np.array(plan.input_ids))
        soundfile.write(raw / f"wavs/{name}.flac", audio, SAMPLE_RATE)
        grid = from_phones(plan, true_phones(plan, units), len(audio) / SAMPLE_RATE)
        unfinished = raw / f"{name}.part"
        textgrid.write(grid, unfinished)
        unfinished.rename(raw / f"textgrids/{name}.TextGrid")


def true_phones(plan: TokenPlan, units: np.ndarray) -> list[Interval]:
    """Where the phones of a plan lie, from Kokoro's units [T]; stress marks belong to vowels."""
    edges = heard(units)
    spans: dict[int, Interval] = {}
    marked = None
    for number, token in enumerate(plan.tokens, 1):
        begin, end = edges[number : number + 2].tolist()
        if token.phone is None:
            marked = begin if token.word is not None and marked is None else marked
            marked = None if token.word is None else marked
            continue
        before = spans.get(token.phone)
        begin = before.start if before else (begin if marked is None else marked)
        spans[token.phone] = Interval(begin, end, plan.phones[token.phone].label)
        marked = None
    return [spans[k] for k in range(len(plan.phones))]


def train(project: Path) -> None:
    """Trains, or goes on."""
    os.environ["DVC_ROOT"] = str(project)
    with chdir(project):
        session.train(params.load())


def measure(project: Path) -> None:
    """Measures what was trained, writes it into metrics/baseline.json and prints it."""
    with chdir(project):
        p = params.load()
        found = {"aligner": boundaries(p)}
        print(found["aligner"])
        found |= spoken(p, project)
        write_json(Path("metrics/baseline.json"), found)
    print(as_table(found["systems"], COLUMNS))


def spoken(p: params.Params, project: Path) -> dict:
    """Word errors and distances of all systems on the held-out sentences of the report."""
    store = FeatureStore(paths.FEATURES, p.features.f0)
    texts = {plan.id: plan.text for plan in read_token_plans(paths.SPOKEN)}
    listener = whisper_base(project / "scratch/whisper")
    trained, untrained, vocoder = speech.finetuned(), speech.base(), GriffinLim()
    audio: dict[str, list] = {}
    apart: dict[str, list] = {}
    chosen = store.held_out("report", p.evaluate.utterances)
    scale = weights.load(paths.FINETUNED).scale.numpy()
    for index in tqdm(chosen, unit="utt", desc="speak"):
        utterance = store[int(index)]
        target = mels.log_mel(utterance.audio.astype(np.float32))
        audio.setdefault("recording", []).append(utterance.audio)
        audio.setdefault("copy synthesis", []).append(on_grid(vocoder.audio(target)))
        for name, system in (("trained", trained), ("untrained", untrained)):
            audio.setdefault(name, []).append(system.speak(utterance.tokens)[0])
            timed = system.spoken(utterance.tokens, utterance.units).mel.numpy()
            apart.setdefault(name, []).append(float(np.abs((timed - target) / scale).mean()))
            if name == "trained":
                timed = on_grid(vocoder.audio(timed))
                audio.setdefault("trained, durations given", []).append(timed)
    truth = [texts[store.ids[index]] for index in chosen]
    lengths = sum(map(len, audio["recording"]))
    rows = {}
    for name, said in audio.items():
        rows[name] = _row(listener, said, truth) | {
            "length": sum(map(len, said)) / lengths,
            "mel": float(np.mean(apart[name])) if name in apart else float("nan"),
        }
    front_end = languages.get("en").front_end(None, None)
    plans = [front_end.token_plan("x", text) for text in english.SENTENCES]
    said = [trained.speak(np.array(plan.input_ids))[0] for plan in plans]
    rows["trained, sentences of other words"] = _row(listener, said, english.SENTENCES)
    folder = Path("listening")
    folder.mkdir(exist_ok=True)
    for name, several in audio.items():
        soundfile.write(folder / f"{name}.flac", np.concatenate(several[:5]), SAMPLE_RATE)
    return {"utterances": len(chosen), "systems": rows}


def _row(listener, said, truth) -> dict[str, float]:
    heard = [listener.hear(audio) for audio in tqdm(said, desc="listen", unit="utt")]
    found = rate(*word_errors(heard, truth)).times(100)
    return {"word_errors": found.value, "low": found.low, "high": found.high}


def boundaries(p: params.Params) -> dict[str, float]:
    """How far the starts of phones are from the true ones, by the backend kaldi, in ms."""
    inventory = languages.get(p.language).inventory
    plans = read_token_plans(paths.SPOKEN)
    entries = read_manifest(paths.MANIFEST)
    aligner = Aligner(
        entries, paths.DICTIONARY, paths.raw(p.corpus.name) / "textgrids", inventory, p.align, p.run
    )
    kaldi, true = (dict(aligner.results(name, plans)) for name in ("kaldi", "textgrid"))
    apart = []
    for plan in plans:
        one, other = kaldi[plan.id], true[plan.id]
        if not isinstance(one, AlignmentResult) or not isinstance(other, AlignmentResult):
            continue
        if [i.label for i in one.phones] == [i.label for i in other.phones]:
            apart += [a.start - b.start for a, b in zip(one.phones, other.phones, strict=True)]
    away = 1000 * np.abs(apart)
    return {
        "phones": len(apart),
        "median_ms": float(np.median(away)),
        "p95_ms": float(np.quantile(away, 0.95)),
        "within_20_ms": float((away <= 20).mean()),
        "bias_ms": float(1000 * np.median(apart)),
    }


def main() -> None:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=["prepare", "train", "measure"])
    parser.add_argument("project", type=Path)
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--voice", type=Path, default=ROOT.parent / "shared/kokoro/af_heart.bin")
    given = parser.parse_args()
    project = given.project.resolve()
    match given.verb:
        case "prepare":
            prepare(project, given.sentences, given.voice)
        case "train":
            train(project)
        case "measure":
            measure(project)


if __name__ == "__main__":
    main()
