"""A command that does not outlive the process that started it, however that one ends.

Between the two stands a keeper, this file run as a script. It starts the command in a group of its
own and waits for it, or for the end of a pipe whose other end the caller alone holds: the system
closes it when the caller is gone, killed or not. Then the keeper ends the whole group, for the
command may be a wrapper, such as `conda run`, and start others. Locks that the caller made
inheritable are held by the command too.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

_LOOK = 0.2  # seconds between two looks at the command
_GRACE = 5.0  # seconds that it has to end by itself


def run(command: Sequence[str], environment: Mapping[str, str], errors: IO[str]) -> int:
    """The exit status of a command, negative for the signal that ended it; it has no input.

    Args:
        command: program and arguments.
        environment: all variables that it sees.
        errors: an open file for its standard error; its standard output is the caller's.
    """
    leash, ours = os.pipe()
    os.set_inheritable(leash, True)
    try:
        keeper = subprocess.Popen(
            [sys.executable, "-I", __file__, str(leash), *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=errors,
            close_fds=False,  # for the leash and the locks; all else is closed by default
            start_new_session=True,  # out of reach of the terminal's Ctrl-C
        )
    finally:
        os.close(leash)
    try:
        return keeper.wait()
    finally:  # with Ctrl-C too
        os.close(ours)
        keeper.wait()


def _keep(leash: int, command: Sequence[str]) -> int:
    """Runs the command until it ends or the leash is let go; its exit status."""
    os.set_inheritable(leash, False)
    child = subprocess.Popen(command, close_fds=False, start_new_session=True)
    while child.poll() is None:
        if select.select([leash], [], [], _LOOK)[0]:
            _signal(child, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                child.wait(_GRACE)
            break
    if child.returncode != 0:
        _signal(child, signal.SIGKILL)  # and what it may have left behind
    return child.wait()


def _signal(child: subprocess.Popen, number: signal.Signals) -> None:
    """Sends a signal to the command and all that it started."""
    with suppress(ProcessLookupError):  # they have ended
        os.killpg(child.pid, number)


if __name__ == "__main__":
    status = _keep(int(sys.argv[1]), sys.argv[2:])
    if status < 0:  # ends as the command did, so that the caller learns of it
        if -status not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)
