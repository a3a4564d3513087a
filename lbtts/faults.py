"""What a stage could not do, as one line with the remedy."""

import errno
import resource
from concurrent.futures.process import BrokenProcessPool

from lbtts.errors import InputError, first_line, no_memory, not_written

_REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EROFS: "make it writable",
    errno.EACCES: "give this user the right to use it",
    errno.EPERM: "give this user the right to use it",
    errno.EMFILE: "raise `ulimit -n`, or lower run.jobs",
}
_FULL = "free some space if the disk is full"
_NO_MEMORY = "not enough memory; lower run.jobs, raise `ulimit -v`, or close other programs"
_UNLOADED = (ImportError, OSError, SystemError)  # of libraries that there are, with no more said


def line(error: BaseException, again: str) -> str | None:
    """The line that says what could not be done; None for a fault of the program itself.

    Args:
        error: what ended the stage.
        again: what is kept, and how to go on.
    """
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
