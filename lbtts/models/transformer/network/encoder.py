"""The text encoder, the duration predictor and the length regulator.

Shapes: B utterances, T tokens with BOS and EOS, F frames, D width.
"""

import torch
from torch import Tensor, nn

from lbtts.models.transformer.network.attention import Attention, FeedForward, positions
from lbtts.text.vocab import N_TOKEN

_PLACES = 4  # what is told of a frame's place in its token
_LONG = 8.0  # frames of a long token, for the scale


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each after a layer norm and added to its input."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        """Makes the layer."""
        super().__init__()
        self.attention, self.attention_norm = Attention(width, heads), nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, inner, dropout)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """The layer's output [B, T, D]; `mask` [B, 1, 1, T] is true for tokens."""
        normed = self.attention_norm(x)
        x = x + self.dropout(self.attention(normed, normed, mask))
        return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


class TokenEmbedding(nn.Module):
    """Kokoro's symbols with their positions."""

    def __init__(self, width: int, dropout: float) -> None:
        """Makes the table."""
        super().__init__()
        self.symbols = nn.Embedding(N_TOKEN, width)
        self.register_buffer("positions", positions(width), persistent=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, T, D] of `tokens` [B, T] int64."""
        table: Tensor = self.positions  # type: ignore[assignment]
        return self.dropout(self.symbols(tokens) + table[: tokens.shape[1]])


class DurationPredictor(nn.Sequential):
    """The logarithm of the units of each token, [B, T, 1]."""

    def __init__(self, width: int, dropout: float) -> None:
        """Makes an MLP of two layers."""
        super().__init__(
            nn.LayerNorm(width),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, 1),
        )


class LengthRegulator(nn.Module):
    """Repeats each token for its frames, and tells each frame its place in the token.

    Source: Ren et al., "FastSpeech", https://arxiv.org/abs/1905.09263, section 3.2. The place is an
    addition: without it a decoder that sees no later frame cannot tell when the token ends.
    """

    def __init__(self, width: int) -> None:
        """Makes the projection of the places."""
        super().__init__()
        self.place = nn.Linear(_PLACES, width)

    def forward(self, encoded: Tensor, frames: Tensor) -> Tensor:
        """[B, F, D], F the frames of the longest utterance; zeros after the end of the others.

        Args:
            encoded: [B, T, D].
            frames: [B, T] int64, of each token; 0 for padding.
        """
        ends = frames.cumsum(1)
        time = torch.arange(int(ends[:, -1].max()), device=frames.device).expand(len(frames), -1)
        owner = torch.searchsorted(ends, time.contiguous(), right=True)
        inside = time < ends[:, -1:]
        owner = owner.clamp(max=frames.shape[1] - 1)
        length = frames.gather(1, owner).clamp(min=1)
        elapsed = time - (ends.gather(1, owner) - length)
        left = (length - elapsed).clamp(min=1)
        place = torch.stack([elapsed / length, elapsed / _LONG, left / _LONG, 1 / left], -1)
        repeated = encoded.gather(1, owner.unsqueeze(-1).expand(-1, -1, encoded.shape[-1]))
        return (repeated + self.place(place.clamp(0, 4).to(encoded))) * inside.unsqueeze(-1)
