"""The saved state of a run, with which a killed run continues exactly."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch

from lbtts.errors import InputError, first_line
from lbtts.records import sha256

VERSION = 1  # raise it whenever the same parameters and inputs give other weights


def fingerprint(params: dict[str, Any], inputs: list[Path], recipe: int) -> str:
    """The name of a run, from its parameters and input files, 16 hexadecimal digits.

    Code counts only by the two versions that a person raises: a corrected comment must not end a
    run of several days.

    Args:
        params: all that affect the run except its length, JSON types only.
        inputs: files; their contents count, their paths do not.
        recipe: version of the model's recipe.
    """
    parts = {
        "params": params,
        "contents": [sha256(path) for path in inputs],
        "versions": [VERSION, recipe],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def save(state: dict[str, Any], path: Path) -> None:
    """Writes `state` to `path` atomically: it always holds the whole old or the whole new one.

    Raises:
        InputError: it cannot be written, for example because the disk is full; the old one is kept.
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
    """The state that `save` wrote, on the CPU; None if there is none.

    Raises:
        InputError: it is damaged.
    """
    if not path.exists():
        return None
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(saved, dict):
            raise TypeError(f"holds a {type(saved).__name__}")
    except Exception as error:  # torch.load raises whatever pickle, zip or the OS raise
        raise InputError(
            f"{path}: not a saved run ({first_line(error)}); remove it, and the run starts over"
        ) from error
    return saved
