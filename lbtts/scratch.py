"""Space for what a stage needs while it runs and may want to find again."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lbtts.errors import InputError


def scratch_folder(name: str) -> Path:
    """The folder `$DVC_ROOT/scratch/<name>`, which it makes.

    DVC sets DVC_ROOT, to the real project also for experiments that it runs in a temporary copy.
    """
    folder = Path(os.environ.get("DVC_ROOT", ".")) / "scratch" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """The folder of that name, see `scratch_folder`, locked while the block lasts.

    A command started in it by `lbtts.child` holds the lock too, until it has ended.

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
