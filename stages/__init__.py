"""One script per DVC stage: read, call the library, write. Run as `python -m stages.<name>`."""

import atexit
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable
from multiprocessing import current_process
from types import FrameType, TracebackType

from lbtts import faults

_HANDLES = 256  # with fewer, torch's loaders lose batches in silence and training waits for ever

# How long one of libgomp's threads spins while it waits for another, before it sleeps. With its own
# 300,000 turns, two threads that share a core with another program take three times as long as with
# 20,000; where they have the cores to themselves, these cost 1 %. Read when torch is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Says in one line what happened while the stage's modules were being loaded.

    It ends the program at once: without memory, what Python still does at its end fails too, and
    says so hundreds of times.
    """
    if line := faults.line(error, "nothing was begun; run the same command"):
        print(line, file=sys.stderr, flush=True)
        os._exit(1)
    sys.__excepthook__(kind, error, trace)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Ends the program on SIGTERM as Ctrl-C does, so that its files are closed."""
    raise KeyboardInterrupt


if current_process().name == "MainProcess":  # its workers load the stage too
    sys.excepthook = _uncaught
    signal.signal(signal.SIGTERM, _interrupt)
    atexit.register(gc.freeze)  # or Python looks through all of torch for garbage at its end: 1 s


def run(main: Callable[[], None], resumes: bool = False) -> None:
    """Runs a stage; what it cannot do ends it with status 1 and one line on standard error.

    A fault of the program itself keeps its traceback.

    Args:
        main: the stage.
        resumes: whether it keeps partial results when it is interrupted.
    """
    if sys.getfilesystemencoding() != "utf-8":
        sys.exit("error: the locale is not UTF-8, so file names would be spoilt; set PYTHONUTF8=1")
    if (handles := resource.getrlimit(resource.RLIMIT_NOFILE)[0]) < _HANDLES:
        sys.exit(
            f"error: at most {handles} files may be open at a time; raise it: `ulimit -n 1024`"
        )
    again = (
        "finished work is kept; run the same command to continue"
        if resumes
        else "nothing is kept; run the same command to start the stage again"
    )
    try:
        main()
    except (Exception, KeyboardInterrupt) as error:
        if line := faults.line(error, again):
            sys.exit(line)
        raise
