"""Does the audit find what is wrong with a recording? Faults are planted into a real corpus.

    python -m benchmarks.planted_faults [--shared FOLDER] [--each 4] [--jobs 0]

Of the Marylux sample `--each` utterances get each of ten faults, the others none. All of them go
through the corpus's own preparation and the aligner, then through the audit. Printed are, of each
fault, the measure that should see it, the area under its ROC curve against the clean utterances,
and how many of them are beyond LIMITS; and how many clean ones are.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import librosa
import numpy as np
import pandas as pd
import pyworld
import soundfile
import soxr
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from lbtts import params
from lbtts.alignment import kaldi
from lbtts.alignment.textgrid import AlignmentResult
from lbtts.corpus.audio import decode, prepare, write_flac
from lbtts.corpus.manifest import Entry
from lbtts.errors import Reject
from lbtts.grid import SAMPLE_RATE
from lbtts.inspection.audit import Audit, audit
from lbtts.languages.luxembourgish.g2p import LBG2P
from lbtts.text.tokens import TokenPlan

ROOT = Path(__file__).resolve().parent.parent
# Beyond these no clean utterance of the Marylux sample was; what the README proposes.
LIMITS = {
    "speaker": 8,
    "phone_errors": 3,
    "bandwidth": 6,
    "hum": 5,
    "comb_12": 4,
    "comb_25": 4,
    "clipping": 5,
    "click": 5,
    "end": 12,
    "spread": 3,
    "rate": 5,
}
Audio = NDArray[np.float64]
Change = Callable[[Audio, np.random.Generator], Audio]


def narrow(audio: Audio, _: np.random.Generator) -> Audio:
    """As from a telephone line: once at 8 kHz."""
    return soxr.resample(soxr.resample(audio, SAMPLE_RATE, 8000), 8000, SAMPLE_RATE)


def hum(audio: Audio, _: np.random.Generator, db: float = -35) -> Audio:
    time = np.arange(len(audio)) / SAMPLE_RATE
    waves = sum(np.sin(2 * np.pi * 50 * k * time + k) / k for k in (1, 2, 3))
    return audio + at_level(waves, audio, db)


def comb(audio: Audio, _: np.random.Generator, gain: float = 0.25, delay: int = 300) -> Audio:
    """An echo of 12.5 ms."""
    late = np.concatenate([np.zeros(delay), audio[:-delay]])
    return audio + gain * late


def clip(audio: Audio, _: np.random.Generator) -> Audio:
    """Too loud for the converter: half a percent of the samples is cut off."""
    limit = np.quantile(np.abs(audio), 0.995)
    return np.clip(audio, -limit, limit)


def click(audio: Audio, draw: np.random.Generator) -> Audio:
    """Two samples, as from a lost block."""
    changed = audio.copy()
    place = draw.integers(len(audio) // 5, 4 * len(audio) // 5)
    changed[place : place + 2] += 0.6 * np.abs(audio).max() * np.array([1, -0.6])
    return changed


def end_noise(audio: Audio, draw: np.random.Generator, db: float = -30) -> Audio:
    """Somebody moves, 0.2 s after the last word, for 0.4 s."""
    noise = np.convolve(draw.normal(size=round(0.4 * SAMPLE_RATE)), np.ones(12) / 12, "same")
    silence = np.zeros(round(0.2 * SAMPLE_RATE))
    return np.concatenate([audio, silence, at_level(noise, audio, db)])


def monotone(audio: Audio, _: np.random.Generator) -> Audio:
    """The same on one note, by WORLD."""
    f0, times = pyworld.harvest(audio, SAMPLE_RATE)
    envelope = pyworld.cheaptrick(audio, f0, times, SAMPLE_RATE)
    noise = pyworld.d4c(audio, f0, times, SAMPLE_RATE)
    level = np.where(f0 > 0, np.median(f0[f0 > 0]), 0)
    return pyworld.synthesize(level, envelope, noise, SAMPLE_RATE)


def twice_as_fast(audio: Audio, _: np.random.Generator) -> Audio:
    return librosa.effects.time_stretch(audio, rate=2)


def at_level(sound: Audio, audio: Audio, db: float) -> Audio:
    """`sound` so many dB above the level of `audio`."""
    level = np.sqrt(np.mean(np.square(audio)) / np.mean(np.square(sound)))
    return sound * level * 10 ** (db / 20)


# Each with the measure that should see it.
SIGNAL: Mapping[str, tuple[str, Change]] = {
    "8 kHz band": ("bandwidth", narrow),
    "hum": ("hum", hum),
    "comb": ("comb_12", comb),
    "clipping": ("clipping", clip),
    "click": ("click", click),
    "end noise": ("end", end_noise),
    "flat F0": ("spread", monotone),
    "double speed": ("rate", twice_as_fast),
}
SPEAKER, TEXT = "another speaker", "wrong text"
SEEN_BY = {SPEAKER: "speaker", TEXT: "phone_errors"} | {
    name: measure for name, (measure, _) in SIGNAL.items()
}


@dataclass(frozen=True)
class Corpus:
    """Plans, clips by id, and which utterances have which fault; the others have none."""

    plans: list[TokenPlan]
    audio: dict[str, str]
    fault: dict[str, str]


def plant(shared: Path, folder: Path, each: int, g2p: LBG2P, most: int | None = None) -> Corpus:
    """The Marylux sample, its clips in `folder`, with each fault in `each` utterances.

    Args:
        shared: the development data.
        folder: for the clips.
        each: at most eight, since there are so many of another speaker.
        g2p: which says unknown words too.
        most: utterances of the sample; None for all.
    """
    choice = params.load(ROOT / "profiles/folder.yaml").corpus
    lines = (shared / "marylux/metadata.csv").read_text(encoding="utf-8").splitlines()[:most]
    texts = dict(line.split("|", 1) for line in lines)
    draw = np.random.default_rng(0)
    chosen = draw.permutation(sorted(texts))[: each * len(SEEN_BY)].tolist()
    fault = {name: list(SEEN_BY)[k % len(SEEN_BY)] for k, name in enumerate(chosen)}
    strangers = sorted((shared / "ljspeech_sample/wavs").iterdir())[:each]
    stranger = dict(zip([n for n, f in fault.items() if f == SPEAKER], strangers, strict=True))
    swapped = [name for name, f in fault.items() if f == TEXT]
    told = dict(zip(swapped, swapped[1:] + swapped[:1], strict=True))

    corpus = Corpus([], {}, {})
    for name in texts:
        path = stranger.get(name, shared / f"marylux/wavs/{name}.flac")
        samples, rate = decode(path)
        try:
            if fault.get(name) in SIGNAL:
                clean = soxr.resample(samples, rate, SAMPLE_RATE).astype(np.float64)
                samples, rate = SIGNAL[fault[name]][1](clean, draw), SAMPLE_RATE
            clip = prepare(samples.astype(np.float32), rate, choice)
            plan = replace(g2p.token_plan(name, texts[told.get(name, name)]), id=name)
        except Reject:
            continue
        corpus.audio[name] = str(folder / f"{name}.flac")
        write_flac(Path(corpus.audio[name]), clip.samples)
        corpus.plans.append(plan)
        if name in fault:
            corpus.fault[name] = fault[name]
    return corpus


def examine(corpus: Corpus, jobs: int) -> Audit:
    """The audit of `corpus`, which is aligned for it."""
    p = params.load(ROOT / "profiles/folder.yaml")
    run = p.run.model_copy(update={"jobs": jobs})
    entries = {
        name: Entry(name, "train", "", audio=path, samples=soundfile.info(path).frames)
        for name, path in corpus.audio.items()
    }
    with TemporaryDirectory() as folder:
        aligned = kaldi.align(corpus.plans, {}, entries, p.align.kaldi, run, Path(folder))
        ends = {
            name: found.phones[-1].end
            for name, found in aligned
            if isinstance(found, AlignmentResult)
        }
        return audit(
            corpus.plans,
            corpus.audio,
            ends,
            voice=p.voice,
            f0=p.features.f0.quick(),
            run=run,
            keep=Path(folder) / "audit",
        )


def areas(corpus: Corpus, found: Audit) -> pd.DataFrame:
    """One row a fault: `measure`, `auc`, how many have it and how many of them are `beyond`."""
    beyond = found.beyond(LIMITS)
    clean = [plan.id for plan in corpus.plans if plan.id not in corpus.fault]
    rows = {}
    for fault, measure in SEEN_BY.items():
        names = [name for name, f in corpus.fault.items() if f == fault]
        distances = found.distances[measure].fillna(0)
        truth = [0] * len(clean) + [1] * len(names)
        rows[fault] = {
            "measure": measure,
            "auc": roc_auc_score(truth, distances[clean + names]),
            "least": distances[names].min(),
            "clean": distances[clean].max(),
            "utterances": len(names),
            "beyond": sum(name in beyond for name in names),
        }
    rows["none"] = {
        "measure": "",
        "utterances": len(clean),
        "beyond": sum(name in beyond for name in clean),
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--most", type=int)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        corpus = plant(given.shared, Path(folder), given.each, LBG2P(), given.most)
        found = examine(corpus, given.jobs)
    print(areas(corpus, found).to_string(float_format="{:.3f}".format, na_rep=""))
    clean = [plan.id for plan in corpus.plans if plan.id not in corpus.fault]
    for name, reason in found.beyond(LIMITS).items():
        if name in clean:
            print(f"{name}: {reason}")


if __name__ == "__main__":
    main()
