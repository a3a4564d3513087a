"""The layout of the feature file: what it holds of each utterance, and in which datasets.

Axes: F frames of all utterances, S samples, T tokens with BOS and EOS, n utterances sorted by id.
"""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lbtts import grid
from lbtts.params import F0

VERSION = 2  # of the layout
SPLITS = ("train", "test")  # by their number in the dataset `split`
N_MELS = 80
FULL_SCALE = np.float32(2**15)  # of int16 audio
AXES = ("frame", "sample", "token")
COLUMNS: dict[str, tuple[tuple[int, ...], str, str]] = {  # shape of one entry, dtype, axis
    "mel": ((N_MELS,), "f2", "frame"),
    "f0": ((), "f4", "frame"),
    "energy": ((), "f4", "frame"),
    "audio": ((), "i2", "sample"),
    "tokens": ((), "u1", "token"),
    "units": ((), "u1", "token"),
}
GRID = {"sample_rate": grid.SAMPLE_RATE, "hop": grid.HOP, "unit": grid.SAMPLES_PER_UNIT}


@dataclass(frozen=True)
class Arrays:
    """The measures of an utterance as they are stored: F frames, S = 300 F samples."""

    mel: NDArray[np.float16]  # [F, 80], natural log
    f0: NDArray[np.float32]  # [F], Hz, 0 where unvoiced
    energy: NDArray[np.float32]  # [F], log norm
    audio: NDArray[np.int16]  # [S], 24 kHz


@dataclass(frozen=True)
class Crop:
    """A crop of an utterance as it is read; `tokens` and `units` are of the whole utterance."""

    id: str
    tokens: NDArray[np.int64]  # [T], input ids with BOS and EOS
    units: NDArray[np.int64]  # [T]
    f0: NDArray[np.float32]  # [F], Hz, 0 where unvoiced
    energy: NDArray[np.float32]  # [F], log norm
    audio: NDArray[np.float32]  # [S], -1..1


@dataclass(frozen=True)
class Utterance(Crop):
    """A whole utterance."""

    mel: NDArray[np.float32]  # [F, 80], natural log


def tracking(f0_params: F0) -> str:
    """The parameters of the F0 tracker, as the file stores them."""
    return json.dumps(f0_params.model_dump(), sort_keys=True)
