"""The causal decoder: frame after frame, each from the earlier ones and the text at its place.

A step makes `frames_per_step` frames. Shapes: B utterances, N steps, R frames a step, D width.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lbtts.models.transformer.mel import N_MELS
from lbtts.models.transformer.network.attention import (
    LONGEST,
    Attention,
    Cache,
    FeedForward,
    positions,
)

_PRENET_DROPOUT = 0.5  # Source: Shen et al., "Tacotron 2", https://arxiv.org/abs/1712.05884


class DecoderLayer(nn.Module):
    """Causal self-attention, attention to the text and feed-forward, each after a layer norm."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        """Makes the layer."""
        super().__init__()
        self.attention, self.attention_norm = Attention(width, heads), nn.LayerNorm(width)
        self.cross, self.cross_norm = Attention(width, heads), nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, inner, dropout)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        """The layer's output [B, N, D]; `mask` [B, 1, N, N] says which memory a step may see."""
        normed = self.attention_norm(x)
        x = x + self.dropout(self.attention(normed, normed, causal=True))
        x = x + self.dropout(self.cross(self.cross_norm(x), memory, mask))
        return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))

    def step(self, x: Tensor, cache: Cache, memory: tuple[Tensor, Tensor]) -> Tensor:
        """The output [B, 1, D] of the next step; `memory` are keys and values that it may see."""
        x = x + self.attention.step(self.attention_norm(x), cache)
        x = x + self.cross.look(self.cross_norm(x), *memory)
        return x + self.feed_forward(self.feed_forward_norm(x))


@dataclass
class Going:
    """Where an utterance stands that is spoken step by step.

    memory: [B, N, D], text of each step.
    projected: keys and values of the memory for each layer.
    caches: of each layer's earlier steps.
    """

    memory: Tensor
    projected: list[tuple[Tensor, Tensor]]
    caches: list[Cache]
    step: int = 0


class Prenet(nn.Sequential):
    """The previous frame through a bottleneck, so that the text counts too."""

    def __init__(self, width: int, bottleneck: int) -> None:
        """Makes two layers."""
        super().__init__(
            nn.Linear(N_MELS, bottleneck),
            nn.ReLU(),
            nn.Dropout(_PRENET_DROPOUT),
            nn.Linear(bottleneck, width),
        )


class Decoder(nn.Module):
    """Predicts the frames and the end of each step.

    The durations are known, so a step looks only at the text up to `window` steps away, and the
    text of its own frames is added to its input: nothing has to be learnt about where to look.
    """

    def __init__(
        self,
        *,
        width: int,
        heads: int,
        inner: int,
        layers: int,
        bottleneck: int,
        frames_per_step: int,
        window: int,
        dropout: float,
    ) -> None:
        """Makes the layers."""
        super().__init__()
        self._window = window
        self.prenet = Prenet(width, bottleneck)
        self.stack = nn.Linear(frames_per_step * width, width)
        self.layers = nn.ModuleList(
            DecoderLayer(width, heads, inner, dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.mel = nn.Linear(width, frames_per_step * N_MELS)
        self.stop = nn.Linear(width, 1)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("positions", positions(width), persistent=False)

    def remember(self, regulated: Tensor) -> Tensor:
        """The memory [B, N, D] of `regulated` [B, R N, D], with positions."""
        batch, frames, width = regulated.shape
        per_step = self.stack.in_features // width
        stacked = self.stack(regulated.reshape(batch, frames // per_step, per_step * width))
        return stacked + self._positions(0, stacked.shape[1])

    def begin(self, history: Tensor, memory: Tensor) -> Tensor:
        """The input of the first layer [B, N, D], from the frame before each step [B, N, 80]."""
        return self.dropout(self.prenet(history) + memory)

    def mask(self, steps: Tensor, longest: int) -> Tensor:
        """[B, 1, N, N]: true where a step may see the memory; every step sees its own place."""
        place = torch.arange(longest, device=steps.device)
        apart = (place[:, None] - place).abs()
        there = (place < steps[:, None])[:, None, None]
        return (apart <= self._window) & there | (apart == 0)

    def finish(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised frames [B, R N, 80] and stop logits [B, N] from the last layer's [B, N, D]."""
        x = self.norm(x)
        return self.mel(x).reshape(len(x), -1, N_MELS), self.stop(x).squeeze(-1)

    def start(self, memory: Tensor, most: int) -> Going:
        """An utterance that is spoken in at most `most` steps."""
        layers: list[DecoderLayer] = list(self.layers)  # type: ignore[arg-type]
        return Going(
            memory,
            [layer.cross.project(memory) for layer in layers],
            [layer.attention.cache(len(memory), most) for layer in layers],
        )

    def step(self, before: Tensor, going: Going) -> tuple[Tensor, Tensor]:
        """The frames [B, R, 80] and stop logit [B] of the next step, in time linear in the steps.

        After the end of the memory its last place is repeated.

        Args:
            before: [B, 80], the frame before it.
            going: changed in place.
        """
        last = going.memory.shape[1] - 1
        place = min(going.step, last)
        x = self.prenet(before[:, None]) + going.memory[:, place : place + 1]
        if going.step > last:  # the position of the step itself
            x = x + self._positions(going.step, 1) - self._positions(last, 1)
        seen = slice(max(0, place - self._window), place + self._window + 1)
        for layer, cache, (keys, values) in zip(
            self.layers, going.caches, going.projected, strict=True
        ):
            x = layer.step(x, cache, (keys[:, :, seen], values[:, :, seen]))  # type: ignore[operator]
        going.step += 1
        frames, stop = self.finish(x)
        return frames, stop[:, 0]

    def _positions(self, first: int, count: int) -> Tensor:
        if first + count > LONGEST:
            raise ValueError(f"{first + count} steps; positions are known for {LONGEST}")
        table: Tensor = self.positions  # type: ignore[assignment]
        return table[first : first + count]
