"""Kokoro's speech before and after fine-tuning, with its own durations or given ones."""

import numpy as np
import torch
from kokoro import KModel
from numpy.typing import NDArray
from torch import Tensor

from lbtts.models.kokoro.network.trainable import Kokoro, in_network_time
from lbtts.models.kokoro.voices.table import InitialVoice, VoiceTable
from lbtts.models.kokoro.weights.checkpoint import load_base, load_finetuned, load_tensors
from lbtts.models.kokoro.weights.facts import table_row
from lbtts.models.randomness import seeded_noise
from lbtts.paths import BASE, FINETUNED, VOICE

_NOISE = 0  # seed of SineGen's noise: the same tokens always sound the same


def base() -> "KokoroSynthesiser":
    """The base with the initial voice table, without training (zero shot)."""
    return KokoroSynthesiser(load_base(BASE), InitialVoice.load(VOICE).table)


def stranger() -> "KokoroSynthesiser | None":
    """The base with its own voice that is nearest to the speaker: somebody else.

    None where the base has no voices of its own.
    """
    nearest = InitialVoice.load(VOICE).nearest
    if not nearest:
        return None
    return KokoroSynthesiser(load_base(BASE), load_tensors(BASE / "voices.safetensors")[nearest])


def finetuned() -> "KokoroSynthesiser":
    """The fine-tuned network with its voice table."""
    return KokoroSynthesiser(*load_finetuned(FINETUNED))


class KokoroSynthesiser:
    """A network with a voice table; see `Synthesiser`."""

    def __init__(self, model: KModel, table: Tensor) -> None:
        """Takes a KModel in eval mode and a table [510, 1, 256] float32."""
        self._model = model
        self._table = table
        self._network = Kokoro(model, VoiceTable(table))

    def speak(self, tokens: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Audio [S] float32 and units [T] int64 as stock kokoro speaks `tokens` [T]."""
        with seeded_noise(_NOISE):
            audio, units = self._model.forward_with_tokens(*self._inputs(tokens))
        return audio.cpu().numpy(), units.cpu().numpy()

    def speak_in_time(
        self, tokens: NDArray[np.int64], units: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Audio [600 x sum of units] float32 with given durations and predicted F0 and energy."""
        given = in_network_time(torch.from_numpy(units.astype(np.int64))[None])
        given = given.to(self._model.device)
        with torch.no_grad(), seeded_noise(_NOISE):
            made = self._network.forward_train(*self._inputs(tokens), teacher_dur=given)
        return made.audio[0].cpu().numpy()

    def _inputs(self, tokens: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        row = self._table[table_row(len(tokens))]
        device = self._model.device
        return torch.from_numpy(tokens.astype(np.int64))[None].to(device), row.to(device)
