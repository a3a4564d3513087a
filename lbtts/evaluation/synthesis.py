"""Speech to compare: by a fine-tuned network, freely or in a recording's time, and by copying."""

import numpy as np
import pyworld
import torch
from kokoro import KModel
from numpy.typing import NDArray
from torch import Tensor

from lbtts.models.kokoro.weights.facts import table_row
from lbtts.grid import FRAME_RATE, SAMPLE_RATE
from lbtts.models.kokoro.network.trainable import Kokoro
from lbtts.models.kokoro.voices.table import VoiceTable
from lbtts.models.randomness import seeded_noise

_NOISE = 0  # seed of SineGen's noise: the same tokens always sound the same

Array = NDArray[np.float32]


class Synthesiser:
    """A network with the voice table it speaks with."""

    def __init__(self, model: KModel, table: Tensor) -> None:
        """Takes a KModel in eval mode and a table [510, 1, 256] float32."""
        self._model = model
        self._table = table
        self._teacher = Kokoro(model, VoiceTable(table))

    def speak(self, tokens: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
        """Audio [S] float32 and units [T] int64 as stock kokoro speaks `tokens` [T]."""
        with seeded_noise(_NOISE):
            audio, units = self._model.forward_with_tokens(*self._inputs(tokens))
        return audio.numpy(), units.numpy()

    def speak_in_time(self, tokens: NDArray[np.int64], units: NDArray[np.int64]) -> Array:
        """Audio [600 x sum of units] float32 in given time; F0 and energy are the model's own."""
        given = torch.from_numpy(units.astype(np.int64))[None]
        with torch.no_grad(), seeded_noise(_NOISE):
            made = self._teacher.forward_train(*self._inputs(tokens), teacher_dur=given)
        return made.audio[0].numpy()

    def _inputs(self, tokens: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(tokens.astype(np.int64))[None], self._table[table_row(len(tokens))]


def copy(audio: Array, f0: Array, floor: float) -> Array:
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
