"""Where a run keeps its state, so that it can be killed at any moment and continue exactly."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch

from lbtts.errors import InputError
from lbtts.records import sha256

VERSION = 1  # raise it whenever the same parameters and inputs train to other weights


def fingerprint(params: dict[str, Any], inputs: list[Path], recipe: int) -> str:
    """A name for the run that parameters and input files determine, 16 hexadecimal digits.

    Code counts by the two versions that a person raises, not by its text: a run that takes days
    must survive a corrected comment.

    Args:
        params: everything that shapes the run but how long it lasts, JSON types only.
        inputs: files whose contents count; their paths do not.
        recipe: version of the model's recipe.
    """
    parts = {
        "params": params,
        "contents": [sha256(path) for path in inputs],
        "versions": [VERSION, recipe],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def save(state: dict[str, Any], path: Path) -> None:
    """Writes `state` so that `path` holds either the old or the new one, whole, at any moment.

    Raises:
        InputError: it cannot be written, for want of space for example; the old one is kept.
    """
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        partial.unlink(missing_ok=True)
        raise InputError(
            f"{path}: could not be written ({error}); free some space and run again"
        ) from error


def load(path: Path) -> dict[str, Any] | None:
    """The state that `save` wrote, on the CPU, or None where there is none."""
    return torch.load(path, map_location="cpu", weights_only=True) if path.exists() else None
