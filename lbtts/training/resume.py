"""Where a run keeps its state, so that it can be killed at any moment and continue exactly."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from lbtts.errors import InputError
from lbtts.model.checkpoint import sha256

VERSION = 1  # raise it when old states stop being continuations of the same run


def fingerprint(params: dict[str, Any], inputs: list[Path]) -> str:
    """A name for the run that these parameters and input files determine, 16 hexadecimal digits.

    Args:
        params: everything that shapes the run but how long it lasts, JSON types only.
        inputs: files whose contents count; their paths do not.
    """
    parts = {"version": VERSION, "params": params, "inputs": [sha256(path) for path in inputs]}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


@contextmanager
def scratch(run: str) -> Iterator[Path]:
    """The run's own folder below `$DVC_ROOT/scratch`, locked while the block lasts.

    DVC sets DVC_ROOT, to the real project also for experiments that it runs in a temporary copy.

    Raises:
        InputError: another process holds it.
    """
    folder = Path(os.environ.get("DVC_ROOT", ".")) / "scratch" / "train" / run
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{folder}: the same training is running in another process; wait for it or stop it"
            ) from None
        yield folder


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
