"""Predicted naturalness of speech, without a reference, by DNSMOS."""

import numpy as np
import soxr
from numpy.typing import NDArray
from speechmos import dnsmos

from lbtts.grid import SAMPLE_RATE

_RATE = 16_000  # Hz; the networks were trained at it


def opinion(audio: NDArray[np.float32]) -> dict[str, float]:
    """Predicted mean opinion scores, 1 to 5, more is better: `dnsmos` (overall) and `dnsmos_p808`.

    It was trained on noisy and cleaned recordings, so it responds to hiss, buzz and dullness. It
    ignores whose voice it is and whether the words are right. Clean synthetic speech often scores
    higher than a recording.

    Args:
        audio: [S] float32, 24 kHz; what is louder than 1 is clipped.

    Returns:
        NaN for both if the audio is silent.

    Source: Reddy, Gopal and Cutler, "DNSMOS P.835", ICASSP 2022, and "DNSMOS", ICASSP 2021, with
    the networks of speechmos 0.0.1.1.
    """
    if not audio.any():
        return {"dnsmos": float("nan"), "dnsmos_p808": float("nan")}
    resampled = soxr.resample(audio, SAMPLE_RATE, _RATE).clip(-1, 1)
    scores = dnsmos.run(resampled, _RATE)
    return {"dnsmos": float(scores["ovrl_mos"]), "dnsmos_p808": float(scores["p808_mos"])}
