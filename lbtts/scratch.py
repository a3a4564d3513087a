"""Scratch folders: temporary files of a stage that later runs may reuse."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lbtts.errors import InputError


def scratch_folder(name: str) -> Path:
    """The folder `$DVC_ROOT/scratch/<name>`, made if it does not exist.

    DVC sets DVC_ROOT to the real project, also for experiments in a temporary copy.
    """
    folder = Path(os.environ.get("DVC_ROOT", ".")) / "scratch" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """The folder of that name, see `scratch_folder`, locked during the block.

    A command that `lbtts.child` starts in the block also holds the lock until it ends.

    Raises:
        InputError: another process holds it.
    """
    folder = scratch_folder(name)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{folder}: the same work is running in another process; wait for it or stop it"
            ) from None
        os.set_inheritable(lock.fileno(), True)
        yield folder
