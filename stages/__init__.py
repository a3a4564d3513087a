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
}
_HANDLES = 256  # with fewer, torch's loaders lose batches in silence and training waits for ever
_FULL = "free some space if the disk is full"
_NO_MEMORY = "not enough memory; lower run.jobs, raise `ulimit -v`, or close other programs"

_UNLOADED = (ImportError, OSError, SystemError)  # of libraries that there are, with no more said


def _line(error: BaseException, again: str) -> str | None:
    """The line that says what could not be done; None for a fault of the program itself."""
    if isinstance(error, InputError):
        return f"error: {error}"
    if isinstance(error, KeyboardInterrupt):
        return f"interrupted: {again}"
    if _starved(error):
        return f"error: {_NO_MEMORY} ({first_line(error)}); {again}"
    if isinstance(error, OSError) and error.errno is not None:
        remedy = _REMEDIES.get(error.errno, "look at it")
        where = error.filename2 or error.filename or "while reading or writing"
        return f"error: {where}: {error.strerror}; {remedy}; {again}"
    if not_written(error):
        return f"error: a file cannot be written ({first_line(error)}); {_FULL}; {again}"
    return None


def _starved(error: BaseException) -> bool:
    """Whether memory ran out.

    Where the address space is limited, a library that cannot be loaded is taken for too large, for
    many do not say why.
    """
    limited = resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
    unloaded = type(error) in _UNLOADED and getattr(error, "errno", None) is None
    return no_memory(error) or isinstance(error, BrokenProcessPool) or (limited and unloaded)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Says in one line what happened while the stage's modules were being loaded."""
    if line := _line(error, "nothing was begun; run the same command"):
        print(line, file=sys.stderr)
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
    except (Exception, KeyboardInterrupt) as error:
        if line := _line(error, again):
            sys.exit(line)
        raise


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Ends the program on SIGTERM as Ctrl-C does, so that its files are closed."""
    raise KeyboardInterrupt
