"""The weights that Kokoro starts from, and their own voices."""

from typing import Any

from lbtts.models.kokoro.weights import checkpoint, sources
from lbtts.params import Params
from lbtts.paths import BASE


def make(p: Params) -> dict[str, Any]:
    """Writes `models/base`; returns where it comes from and its size.

    Raises:
        InputError: it cannot be had, is another one than was asked for, or lacks a tensor.
    """
    start = sources.load(p.base)
    if start.origin["base"] == "random":
        print("base: RANDOM WEIGHTS. Everything downstream runs, but the voice will be noise.")
    checkpoint.save_base(BASE, start.model, start.voices, start.config, start.origin)
    count = sum(tensor.numel() for tensor in start.model.parameters())
    return start.origin | {"parameters": count, "voices": len(start.voices)}
