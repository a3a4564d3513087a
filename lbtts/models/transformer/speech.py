"""The baseline's speech before and after training, with its own durations or given ones."""

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from lbtts import params
from lbtts.grid import units_to_samples
from lbtts.models.transformer import weights
from lbtts.models.transformer.network.model import Spoken, Transformer
from lbtts.models.transformer.vocoders import Vocoder, on_grid, vocoder
from lbtts.paths import BASE, FINETUNED

Array = NDArray[np.float32]


def base() -> "TransformerSynthesiser":
    """The untrained network."""
    return TransformerSynthesiser(weights.load(BASE), _vocoder())


def finetuned() -> "TransformerSynthesiser":
    """The trained network."""
    return TransformerSynthesiser(weights.load(FINETUNED), _vocoder())


def stranger() -> None:
    """Nobody: the baseline has no other voice."""


def _vocoder() -> Vocoder:
    section = params.load().transformer
    return vocoder(section.vocoder, section.hifigan)


class TransformerSynthesiser:
    """A network with a vocoder; see `Synthesiser`."""

    def __init__(self, network: Transformer, vocoder: Vocoder) -> None:
        """Takes a network in evaluation mode, on its device."""
        self._network, self._vocoder = network, vocoder
        self._device = next(network.parameters()).device

    def speak(self, tokens: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
        """Audio [S] float32 and units [T] int64 of `tokens` [T]; faults are printed."""
        spoken = self.spoken(tokens)
        for fault in spoken.faults:
            tqdm.write(f"speech of {len(tokens)} tokens: {fault}")
        return on_grid(self._audio(spoken)), spoken.units.cpu().numpy()

    def speak_in_time(self, tokens: NDArray[np.int64], units: NDArray[np.int64]) -> Array:
        """Audio [600 x sum of units] float32 with given durations."""
        spoken = self.spoken(tokens, units)
        return on_grid(self._audio(spoken), units_to_samples(int(units.sum())))

    def spoken(self, tokens: NDArray[np.int64], units: NDArray[np.int64] | None = None) -> Spoken:
        """The mel of `tokens` [T], with the network's own durations or with `units` [T]."""
        given = None if units is None else self._tensor(units)
        return self._network.inference(self._tensor(tokens), given)

    def _audio(self, spoken: Spoken) -> Array:
        return self._vocoder.audio(spoken.mel.float().cpu().numpy())

    def _tensor(self, values: NDArray[np.int64]) -> torch.Tensor:
        return torch.from_numpy(values.astype(np.int64))[None].to(self._device)
