"""The standard error of the Montreal Forced Aligner, reduced to one line.

Its log lines start with a level, its usage errors are printed in boxes, and an exception is printed
as its name with a colon, a blank line and then, on separate lines, the message.
"""

import re
import signal

_BOX = re.compile(r"[│╭╮╰╯─]+")
_FAULT = re.compile(r"\w(Error|Exception|NotFound)\b|does not exist|command not found")
_REPEATED = re.compile(r"^(?:\w+\.)*(\w+): \1:")
_WARNING = "WARNING "
_WRAPPER = "ERROR conda.cli"  # added by `conda run` after the output of the command


def failure(status: int, said: str) -> str:
    """Why a run ended with `status`, with MFA's own message."""
    lines = _lines(said)
    faults = [k for k, line in enumerate(lines) if _FAULT.search(line)]
    at = faults[-1] if faults else len(lines) - 1
    message = lines[at] if lines else "no message"
    while message.endswith(":") and at + 1 < len(lines):
        at += 1
        message += f" {lines[at]}"
    message = _REPEATED.sub(r"\1:", message)
    if status >= 0:
        return f"failed with status {status}: {message}"
    name = signal.Signals(-status).name
    reason = "; if memory ran out, lower align.mfa.jobs" if -status == signal.SIGKILL else ""
    last = f"; its last line: {lines[-1]}" if lines else ""
    return f"was ended by {name}{reason}{last}"


def warnings(said: str) -> list[str]:
    """Its warnings, each once, in order."""
    found = (line.removeprefix(_WARNING) for line in _lines(said) if line.startswith(_WARNING))
    return list(dict.fromkeys(found))


def _lines(said: str) -> list[str]:
    """The lines without boxes, blanks and messages of a wrapper."""
    bare = (" ".join(_BOX.sub(" ", line).split()) for line in said.splitlines())
    return [line for line in bare if line and not line.startswith(_WRAPPER)]
