"""Fundamental frequency on the frame grid."""

import numpy as np
import pyworld
from numpy.typing import NDArray

from lbtts.errors import Reject
from lbtts.grid import FRAME_RATE, HOP, SAMPLE_RATE
from lbtts.params import F0

_PERIOD = 1000 / FRAME_RATE  # 12.5 ms


def track(audio: NDArray[np.float32], choice: F0) -> NDArray[np.float32]:
    """F0 in Hz, [F] float32, 0 where unvoiced; frame i is centred on sample 300 i.

    Args:
        audio: [S] float32 in -1..1, 24 kHz, S = 300 F.
        choice: method and range.

    Raises:
        Reject: no frame is voiced.

    Source: WORLD (Morise et al. 2016), through pyworld: Harvest, or DIO refined by StoneMask.
    """
    samples = audio.astype(np.float64)
    tracker = pyworld.harvest if choice.method == "harvest" else pyworld.dio
    f0, times = tracker(
        samples,
        SAMPLE_RATE,
        f0_floor=choice.floor,
        f0_ceil=choice.ceiling,
        frame_period=_PERIOD,
    )
    if choice.method == "dio":
        f0 = pyworld.stonemask(samples, f0, times, SAMPLE_RATE)
    if not f0.any():
        raise Reject(
            f"no voiced frame between {choice.floor:g} and {choice.ceiling:g} Hz; "
            "listen to it, or widen features.f0"
        )
    return f0[: len(audio) // HOP].astype(np.float32)
