"""A miniature of the baseline, and batches for it."""

import torch

from lbtts.models.transformer.network.model import Transformer
from lbtts.params import Architecture

SHAPE = Architecture(
    width=32,
    heads=4,
    feed_forward=48,
    encoder_layers=2,
    decoder_layers=3,
    bottleneck=16,
    frames_per_step=2,
    window=4,
    dropout=0.1,
)
UNITS = torch.tensor([[6, 3, 1, 4, 2, 5], [4, 2, 7, 3, 0, 0]])
TOKENS = torch.tensor([[0, 43, 50, 61, 44, 0], [0, 51, 47, 0, 0, 0]])


def network(**changes) -> Transformer:
    """A seeded miniature in evaluation mode."""
    torch.manual_seed(0)
    return Transformer(SHAPE.model_copy(update=changes)).eval()


def history(model: Transformer, units: torch.Tensor = UNITS) -> torch.Tensor:
    """Random frames before each step, [B, N, 80]."""
    steps = int(model.on_grid(units)[1].max())
    return torch.randn(len(units), steps, 80, generator=torch.Generator().manual_seed(1))
