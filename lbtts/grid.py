"""The time grid of Kokoro-82M and every conversion between its rates.

There are three rates: samples (24,000/s), frames of mel, F0 and energy (80/s) and duration units
(40/s). Each is a multiple of the next, so every conversion between them is whole-numbered.

Source: kokoro 0.9.4. `KModel.forward_with_tokens` repeats each token by its duration, the decoder
and F0Ntrain upsample by two, the generator by 10 x 6 x 5 = 300 (`istftnet` in config.json).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

SAMPLE_RATE = 24_000  # Hz
HOP = 300  # samples between frames of mel, F0 and energy
FRAMES_PER_UNIT = 2
SAMPLES_PER_UNIT = HOP * FRAMES_PER_UNIT  # 600 samples, 25 ms
FRAME_RATE = SAMPLE_RATE // HOP  # 80 frames/s
UNIT_RATE = SAMPLE_RATE // SAMPLES_PER_UNIT  # 40 units/s

MIN_UNITS = 1  # KModel clamps every predicted duration to at least one unit
MAX_UNITS = 50  # `max_dur` in config.json: the width of the duration projection
MAX_TOKENS = 510  # KPipeline's limit on a phoneme string: context 512 less BOS and EOS


def units_to_samples(units: int) -> int:
    """Samples in a whole number of duration units."""
    return units * SAMPLES_PER_UNIT


def units_to_frames(units: int) -> int:
    """Mel, F0 and energy frames in a whole number of duration units."""
    return units * FRAMES_PER_UNIT


def samples_to_units(samples: int) -> int:
    """Duration units that fill `samples` exactly.

    Raises:
        ValueError: `samples` is not a multiple of 600, that is, the audio is off the grid.
    """
    units, rest = divmod(samples, SAMPLES_PER_UNIT)
    if rest:
        raise ValueError(
            f"{samples} samples are not a whole number of {SAMPLES_PER_UNIT}-sample units"
        )
    return units


def samples_to_grid(samples: int) -> int:
    """The smallest number of samples on the unit grid that holds `samples`."""
    return -(-samples // SAMPLES_PER_UNIT) * SAMPLES_PER_UNIT


def seconds_to_units(seconds: ArrayLike) -> NDArray[np.float64]:
    """Positions in duration units, unrounded, float64, of positions in seconds."""
    return np.asarray(seconds, dtype=np.float64) * UNIT_RATE


def samples_to_seconds(samples: int) -> float:
    """Seconds of `samples` at 24 kHz."""
    return samples / SAMPLE_RATE
