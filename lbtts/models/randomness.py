"""Random numbers that depend on the utterance, not on its place in a batch.

Dropout and the source's noise are drawn row by row, each row from its own generator. So every
utterance gets the same numbers, whether a step is divided among processes or micro-batches, or
again after memory has run out, and the result is the same up to the rounding of sums.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


@contextmanager
def seeded_noise(seed: int) -> Iterator[None]:
    """A context in which torch's random numbers, also SineGen's noise, follow from `seed` alone."""
    devices = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def utterance_seeds(*run: int, indices: Sequence[int]) -> list[int]:
    """A seed for each utterance, from the numbers `run` (seed and step, say) and its index."""
    words = (
        np.random.SeedSequence((*run, index)).generate_state(1, np.uint64) for index in indices
    )
    return [int(word[0]) & (2**63 - 1) for word in words]


class UtteranceNoise(TorchFunctionMode):
    """A context: `torch.rand`, `torch.randn_like`, dropout draw row b of [B, …] from `seeds[b]`."""

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        """Makes a generator on `device` for each row."""
        super().__init__()
        self._generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.rand:
            return self.uniform(*args[1:])
        if func is torch.randn_like:
            return self._rows(lambda row, g: row.normal_(generator=g), args[0])
        if func is F.dropout:
            return self._dropout(*args, **kwargs)
        return func(*args, **kwargs)

    def uniform(self, *shape: int) -> Tensor:
        """Numbers in [0, 1), [B, *shape] float32."""
        device = self._generators[0].device
        empty = torch.empty(len(self._generators), *shape, device=device)
        return self._rows(lambda row, g: row.uniform_(generator=g), empty)

    def _dropout(
        self, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Tensor:
        if not training or p == 0:
            return x
        kept = self._rows(lambda row, g: row.bernoulli_(1 - p, generator=g), x)
        return x * kept / (1 - p)

    def _rows(self, fill: Callable[[Tensor, torch.Generator], Tensor], like: Tensor) -> Tensor:
        drawn = torch.empty_like(like, requires_grad=False)
        assert len(drawn) == len(self._generators), "one row for each utterance"
        for row, generator in zip(drawn, self._generators, strict=True):
            fill(row, generator)
        return drawn
