"""One script per DVC stage: read, call the library, write. Run as `python -m stages.<name>`."""

import errno
import resource
import signal
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from types import FrameType, TracebackType

from lbtts.errors import InputError, first_line, no_memory, not_written

_REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EROFS: "make it writable",
    errno.EACCES: "give this user the right to use it",
    errno.EPERM: "give this user the right to use it",
    errno.EMFILE: "raise `ulimit -n`, or lower run.jobs",
    errno.ENOMEM: "free some memory, or lower run.jobs",
}
_HANDLES = 256  # with fewer, torch's loaders lose batches in silence and training waits for ever
_FULL = "free some space if the disk is full"
_NO_MEMORY = "not enough memory; lower run.jobs, or close other programs"


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Says in one line what happened while the stage's modules were being loaded."""
    if issubclass(kind, KeyboardInterrupt):
        print("interrupted: nothing was begun; run the same command", file=sys.stderr)
    elif no_memory(error):
        print(f"error: {_NO_MEMORY}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _uncaught


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
    signal.signal(signal.SIGTERM, _interrupt)
    again = (
        "finished work is kept; run the same command to continue"
        if resumes
        else "nothing is kept; run the same command to start the stage again"
    )
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(f"interrupted: {again}")
    except OSError as error:
        if error.errno is None:
            raise
        remedy = _REMEDIES.get(error.errno, "look at it")
        where = error.filename2 or error.filename or "while reading or writing"
        sys.exit(f"error: {where}: {error.strerror}; {remedy}; {again}")
    except (MemoryError, BrokenProcessPool) as error:
        sys.exit(f"error: {_NO_MEMORY} ({first_line(error)}); {again}")
    except Exception as error:
        if no_memory(error):
            sys.exit(f"error: {_NO_MEMORY}; {again}")
        if not_written(error):
            sys.exit(f"error: a file cannot be written ({first_line(error)}); {_FULL}; {again}")
        raise


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Ends the program on SIGTERM as Ctrl-C does, so that its files are closed."""
    raise KeyboardInterrupt
