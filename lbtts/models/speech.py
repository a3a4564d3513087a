"""The interface between evaluation and an acoustic model: it speaks tokens."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Speaker(Protocol):
    """Something with a voice; the same tokens always give the same audio."""

    def speak(self, tokens: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Audio [S] float32 at 24 kHz and units [T] int64 of `tokens` [T], durations predicted."""


class Synthesiser(Speaker, Protocol):
    """A network with a voice, whose durations can be given."""

    def speak_in_time(
        self, tokens: NDArray[np.int64], units: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Audio [600 x sum of units] float32 of `tokens` [T] with given durations."""
