"""Copy synthesis: the recording analysed and resynthesised by a vocoder, a voice's ceiling."""

import numpy as np
import pyworld
from numpy.typing import NDArray

from lbtts.grid import FRAME_RATE, SAMPLE_RATE

Array = NDArray[np.float32]


def copy_synthesis(audio: Array, f0: Array, floor: float) -> Array:
    """Copy synthesis [S] float32: `audio` made again from its F0, envelope and aperiodicity.

    The loss is due to the vocoder, not to a model.

    Args:
        audio: [S] float32.
        f0: [F] Hz, 0 where unvoiced, 80 frames/s.
        floor: lowest F0 in Hz of the tracker.

    Source: Morise et al., "WORLD", IEICE 2016, as implemented in pyworld.
    """
    signal, pitch = audio.astype(np.float64), f0.astype(np.float64)
    times = np.arange(len(f0)) / FRAME_RATE
    envelope = pyworld.cheaptrick(signal, pitch, times, SAMPLE_RATE, f0_floor=floor)
    size = 2 * (envelope.shape[1] - 1)
    noise = pyworld.d4c(signal, pitch, times, SAMPLE_RATE, fft_size=size)
    made = pyworld.synthesize(pitch, envelope, noise, SAMPLE_RATE, 1000 / FRAME_RATE)
    return np.pad(made[: len(audio)], (0, max(0, len(audio) - len(made)))).astype(np.float32)
