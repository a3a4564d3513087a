"""Small corpora made on the spot: buzzing audio whose pitch and durations are known."""

from pathlib import Path

import numpy as np

from lbtts.acoustics import mel
from lbtts.acoustics.extraction import FULL_SCALE, Extracted
from lbtts.acoustics.features import FeatureWriter
from lbtts.grid import FRAME_RATE, HOP, SAMPLE_RATE
from lbtts.params import F0

HARVEST = F0(method="harvest", floor=60, ceiling=500, silence_db=30)
FIRST_ID = 43  # ids of Kokoro's letters begin here


def write_features(path: Path, units: dict[str, list[int]], test: tuple[str, ...] = ("c",)) -> None:
    """A feature file of buzzes: each id with its units a token; those in `test` are held out."""
    with FeatureWriter(path, HARVEST) as writer:
        for number, (name, durations) in enumerate(units.items()):
            tokens = [0, *(FIRST_ID + i % 20 for i in range(len(durations) - 2)), 0]
            split = "test" if name in test else "train"
            writer.add(name, split, tokens, durations, buzz(sum(durations), number))


def buzz(units: int, seed: int) -> Extracted:
    """A gliding sawtooth in a little noise, with its true F0."""
    frames = 2 * units
    f0 = 120 + 20 * np.sin(np.arange(frames) / FRAME_RATE * 5 + seed)
    phase = np.cumsum(np.repeat(f0, HOP)) / SAMPLE_RATE
    noise = np.random.default_rng(seed).standard_normal(len(phase))
    audio = np.round((0.2 * (phase % 1 - 0.5) + 0.002 * noise) * FULL_SCALE).astype(np.int16)
    log_mel = mel.log_mel(audio / FULL_SCALE)
    return Extracted(log_mel.astype(np.float16), f0.astype(np.float32), mel.energy(log_mel), audio)
