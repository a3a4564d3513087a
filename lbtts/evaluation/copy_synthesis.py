"""Copy synthesis: the recording itself through a vocoder and back, the ceiling of a voice."""

import numpy as np
import pyworld
from numpy.typing import NDArray

from lbtts.grid import FRAME_RATE, SAMPLE_RATE

Array = NDArray[np.float32]


def copy_synthesis(audio: Array, f0: Array, floor: float) -> Array:
    """Copy synthesis [S] float32: F0, envelope and aperiodicity of `audio`, and audio from them.

    What is lost here is lost to any vocoder of its kind, not to the model.

    Args:
        audio: [S] float32.
        f0: [F] Hz, 0 where unvoiced, 80 frames/s.
        floor: lowest F0 in Hz that was looked for.

    Source: Morise et al., "WORLD", IEICE 2016, as implemented in pyworld.
    """
    signal, pitch = audio.astype(np.float64), f0.astype(np.float64)
    times = np.arange(len(f0)) / FRAME_RATE
    envelope = pyworld.cheaptrick(signal, pitch, times, SAMPLE_RATE, f0_floor=floor)
    size = 2 * (envelope.shape[1] - 1)
    noise = pyworld.d4c(signal, pitch, times, SAMPLE_RATE, fft_size=size)
    made = pyworld.synthesize(pitch, envelope, noise, SAMPLE_RATE, 1000 / FRAME_RATE)
    return np.pad(made[: len(audio)], (0, max(0, len(audio) - len(made)))).astype(np.float32)
