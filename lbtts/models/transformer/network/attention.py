"""Attention with a cache, feed-forward blocks and positions.

Shapes: B utterances, T places of the queries, S of the keys, D width, H heads.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LONGEST = 5000  # places that have a position


def positions(width: int) -> Tensor:
    """Sinusoidal positions [LONGEST, width].

    Source: Vaswani et al., https://arxiv.org/abs/1706.03762, section 3.5.
    """
    place = torch.arange(LONGEST).unsqueeze(1)
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    table = torch.zeros(LONGEST, width)
    table[:, 0::2] = torch.sin(place * rate)
    table[:, 1::2] = torch.cos(place * rate)
    return table


@dataclass
class Cache:
    """Keys and values [B, H, S, D/H] of the places so far, of which `length` are filled."""

    keys: Tensor
    values: Tensor
    length: int = 0


class Attention(nn.Module):
    """Multi-head scaled dot-product attention."""

    def __init__(self, width: int, heads: int) -> None:
        """Makes the four projections; `width` is a multiple of `heads`."""
        super().__init__()
        self._heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """What each place of `x` [B, T, D] attends to in `memory` [B, S, D]: [B, T, D].

        Args:
            x: queries.
            memory: keys and values.
            mask: bool, true where attention is allowed, to be broadcast to [B, H, T, S].
            causal: whether a place sees only itself and earlier ones.
        """
        query, key, value = self._split(self.query(x)), *self.project(memory)
        found = F.scaled_dot_product_attention(query, key, value, mask, is_causal=causal)
        return self._joined(found)

    def project(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [B, H, S, D/H] of `memory`."""
        return self._split(self.key(memory)), self._split(self.value(memory))

    def cache(self, batch: int, places: int) -> Cache:
        """An empty cache for `places` places."""
        shape = (batch, self._heads, places, self.key.out_features // self._heads)
        empty = self.key.weight.new_zeros(shape)
        return Cache(empty, empty.clone())

    def step(self, x: Tensor, cache: Cache) -> Tensor:
        """What the next place x [B, 1, D] attends to among itself and the cached ones."""
        key, value = self.project(x)
        end = cache.length + 1
        cache.keys[:, :, cache.length : end], cache.values[:, :, cache.length : end] = key, value
        cache.length = end
        return self.look(x, cache.keys[:, :, :end], cache.values[:, :, :end])

    def look(self, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """What x [B, T, D] attends to among projected keys and values [B, H, S, D/H]."""
        return self._joined(
            F.scaled_dot_product_attention(self._split(self.query(x)), keys, values)
        )

    def _split(self, x: Tensor) -> Tensor:
        batch, places, width = x.shape
        return x.view(batch, places, self._heads, width // self._heads).transpose(1, 2)

    def _joined(self, x: Tensor) -> Tensor:
        return self.out(x.transpose(1, 2).flatten(2))


class FeedForward(nn.Sequential):
    """Two linear layers with ReLU between them."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        """Widens to `inner` and back."""
        super().__init__(
            nn.Linear(width, inner), nn.ReLU(), nn.Dropout(dropout), nn.Linear(inner, width)
        )
