"""Random numbers for sequences of different lengths, and again when a layer is recomputed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Self

import torch
from torch import Tensor

from lbtts.models.randomness import UtteranceNoise


class SequenceNoise(UtteranceNoise):
    """As `UtteranceNoise`, but padding takes no numbers, so its length changes none."""

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        """Makes a generator for each row; see `over` for the lengths."""
        super().__init__(seeds, device)
        self._device = device
        self._lengths: list[int] = []

    def over(self, lengths: Tensor) -> Self:
        """The same, for tensors [B, T, ...] whose row b has `lengths[b]` places."""
        other = type(self)((), self._device)
        other._generators, other._lengths = self._generators, lengths.tolist()
        return other

    def remembering(self) -> tuple[AbstractContextManager, AbstractContextManager]:
        """The `context_fn` of `torch.utils.checkpoint`: recomputing draws the same numbers."""
        states = [generator.get_state() for generator in self._generators]
        return nullcontext(), self._again(states)

    @contextmanager
    def _again(self, states: Sequence[Tensor]) -> Iterator[None]:
        copy = type(self)(range(len(states)), self._device)
        copy._lengths = self._lengths
        for generator, state in zip(copy._generators, states, strict=True):
            generator.set_state(state)
        with copy:
            yield

    def _rows(self, fill: Callable[[Tensor, torch.Generator], Tensor], like: Tensor) -> Tensor:
        drawn = torch.zeros_like(like, requires_grad=False)
        for row, generator, length in zip(drawn, self._generators, self._lengths, strict=True):
            fill(row[:length], generator)
        return drawn
