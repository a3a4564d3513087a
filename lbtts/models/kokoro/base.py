"""The weights that Kokoro starts from, and the voices published with them."""

from typing import Any

from lbtts.models.kokoro.weights import checkpoint, sources
from lbtts.params import Params
from lbtts.paths import BASE


def make(p: Params) -> dict[str, Any]:
    """Writes `models/base`; returns its origin and size, for the metrics.

    Raises:
        InputError: it cannot be loaded, is not the one asked for, or lacks a tensor.
    """
    start = sources.load(p.base)
    if start.origin["base"] == "random":
        print("base: RANDOM WEIGHTS. All later stages run, but the voice will be noise.")
    checkpoint.save_base(BASE, start.model, start.voices, start.config, start.origin)
    count = sum(tensor.numel() for tensor in start.model.parameters())
    return start.origin | {"parameters": count, "voices": len(start.voices)}
