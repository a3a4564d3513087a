"""Small corpora made on the spot: buzzing audio whose pitch and durations are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from lbtts.acoustics.measuring import mel
from lbtts.acoustics.store.layout import FULL_SCALE, Arrays
from lbtts.acoustics.store.writer import FeatureWriter
from lbtts.alignment.timing import Timing, write_timings
from lbtts.corpus.audited import write_audit
from lbtts.corpus.manifest import Entry, write_manifest
from lbtts.errors import Reject
from lbtts.grid import FRAME_RATE, HOP, SAMPLE_RATE
from lbtts.params import F0
from lbtts.text.tokens import Phone, Token, TokenPlan, write_token_plans
from tests.conftest import ROOT

HARVEST = F0(method="harvest", floor=60, ceiling=500, silence_db=30)
SYMBOLS = "moiən"
FIRST_ID = 43  # ids of Kokoro's letters begin here


def write_features(path: Path, units: dict[str, list[int]], test: tuple[str, ...] = ("c",)) -> None:
    """A feature file of buzzes: each id with its units a token; those in `test` are held out."""
    with FeatureWriter(path, HARVEST) as writer:
        for number, (name, durations) in enumerate(units.items()):
            tokens = [0, *(FIRST_ID + i % 20 for i in range(len(durations) - 2)), 0]
            split = "test" if name in test else "train"
            writer.add(name, split, tokens, durations, buzz(sum(durations), number))


def equal_utterances(folder: Path, ids: str) -> Path:
    """A feature file of buzzes of equal length, one for each letter; the last is held out."""
    path = folder / "features.h5"
    write_features(path, {name: [4, *([3, 2, 4] * 3), 4] for name in ids}, test=(ids[-1],))
    return path


def buzz(units: int, seed: int) -> Arrays:
    """A gliding sawtooth in a little noise, with its true F0."""
    frames = 2 * units
    f0 = 120 + 20 * np.sin(np.arange(frames) / FRAME_RATE * 5 + seed)
    phase = np.cumsum(np.repeat(f0, HOP)) / SAMPLE_RATE
    noise = np.random.default_rng(seed).standard_normal(len(phase))
    audio = np.round((0.2 * (phase % 1 - 0.5) + 0.002 * noise) * FULL_SCALE).astype(np.int16)
    log_mel = mel.log_mel(audio / FULL_SCALE)
    return Arrays(log_mel.astype(np.float16), f0.astype(np.float32), mel.energy(log_mel), audio)


def write_project(folder: Path, ids: list[str]) -> Path:
    """A project before the stage `features`: a buzz for each id, growing by five units each.

    The third one has a cut, the fourth is held out; `v` was rejected by an earlier stage.
    """
    (folder / "data/corpus/audio").mkdir(parents=True)
    (folder / "data/alignment").mkdir()
    params = (ROOT / "profiles/demo.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(
        params.replace("max_rejected: 0.05", "max_rejected: 0.3"), encoding="utf-8"
    )
    manifest, plans = [], []
    timings: list[Timing | tuple[str, Reject]] = [("v", Reject("misaligned"))]
    tokens = tuple(Token(symbol, 0, phone) for phone, symbol in enumerate(SYMBOLS))
    phones = tuple(Phone(symbol, 0) for symbol in SYMBOLS)
    for number, name in enumerate(ids):
        units = [4, *[6 + number] * len(SYMBOLS), 4]
        cuts = ((1200, 1800),) if number == 2 else ()
        audio = f"data/corpus/audio/{name}.flac"
        soundfile.write(
            folder / audio, buzz(sum(units) + len(cuts), seed=number).audio, SAMPLE_RATE
        )
        split = "test" if number == 3 else "train"
        manifest.append(Entry(name, split, "Moien", audio=audio))
        plans.append(TokenPlan(name, "Moien", ("moien",), phones, tokens))
        timings.append(Timing(name, tuple(units), cuts))
    write_manifest(manifest, folder / "data/corpus/manifest.csv")
    write_token_plans(plans, folder / "data/alignment/spoken.jsonl")
    write_timings(reversed(timings), folder / "data/durations.csv")
    audit = pd.DataFrame({"worst": 1.0, "measure": "hum"}, index=ids)
    write_audit(audit, {}, folder / "data/audit.csv")
    return folder
