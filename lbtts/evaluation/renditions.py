"""Held-out utterances as several systems speak them.

The fine-tuned voice is compared with a ceiling, copy synthesis of the recording by WORLD, and a
floor, the base network with the initial voice before training.
"""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lbtts.acoustics.store.features import Utterance
from lbtts.evaluation.copy_synthesis import copy_synthesis
from lbtts.models.speech import Synthesiser
from lbtts.params import F0

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Rendition:
    """One utterance as one system speaks it.

    Attributes:
        timed: [S] float32, with the recording's durations.
        free: [S'] float32, with its own durations.
        units: [T] int64, its own durations; None for copy synthesis.
        seconds: computation time of `free`; None for copy synthesis.
    """

    timed: Array
    free: Array
    units: NDArray[np.int64] | None
    seconds: float | None


def render(synthesiser: Synthesiser, utterance: Utterance) -> Rendition:
    """`utterance` as `synthesiser` speaks it."""
    start = time.perf_counter()
    free, units = synthesiser.speak(utterance.tokens)
    seconds = time.perf_counter() - start
    timed = synthesiser.speak_in_time(utterance.tokens, utterance.units)
    return Rendition(timed, free, units, seconds)


def render_copy(utterance: Utterance, f0: F0) -> Rendition:
    """Copy synthesis of the recording of `utterance` by WORLD."""
    audio = copy_synthesis(utterance.audio, utterance.f0, f0.floor)
    return Rendition(audio, audio, None, None)
