"""Running a command that ends when the process that started it ends, for whatever reason.

A supervisor, this file run as a script, stands between the two. It starts the command in its own
process group and waits for it, or for the end of a pipe. Only the caller holds the other end of the
pipe, and the system closes it when the caller ends, even if it is killed. Then the supervisor ends
the whole group, because the command may be a wrapper, such as `conda run`, that starts others. The
command also holds locks that the caller made inheritable.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

_LOOK = 0.2  # seconds between two checks of the command
_GRACE = 5.0  # seconds that it has to end by itself


def run(command: Sequence[str], environment: Mapping[str, str], errors: IO[str]) -> int:
    """The exit status of a command, negative for the signal that ended it; it has no input.

    Args:
        command: program and arguments.
        environment: all variables that it sees.
        errors: an open file for its standard error; its standard output is the caller's.
    """
    pipe, ours = os.pipe()
    os.set_inheritable(pipe, True)
    try:
        supervisor = subprocess.Popen(
            [sys.executable, "-I", __file__, str(pipe), *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=errors,
            close_fds=False,  # for the pipe and the locks; all others are closed by default
            start_new_session=True,  # out of reach of the terminal's Ctrl-C
        )
    finally:
        os.close(pipe)
    try:
        return supervisor.wait()
    finally:  # with Ctrl-C too
        os.close(ours)
        supervisor.wait()


def _supervise(pipe: int, command: Sequence[str]) -> int:
    """Runs the command until it ends or the pipe is closed; its exit status."""
    os.set_inheritable(pipe, False)
    child = subprocess.Popen(command, close_fds=False, start_new_session=True)
    while child.poll() is None:
        if select.select([pipe], [], [], _LOOK)[0]:
            _signal(child, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                child.wait(_GRACE)
            break
    if child.returncode != 0:
        _signal(child, signal.SIGKILL)  # and processes that it has left running
    return child.wait()


def _signal(child: subprocess.Popen, number: signal.Signals) -> None:
    """Sends a signal to the command and all that it started."""
    with suppress(ProcessLookupError):  # they have ended
        os.killpg(child.pid, number)


if __name__ == "__main__":
    status = _supervise(int(sys.argv[1]), sys.argv[2:])
    if status < 0:  # ends by the same signal, so the caller sees it
        if -status not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)
