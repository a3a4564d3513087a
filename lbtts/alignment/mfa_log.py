"""What the Montreal Forced Aligner says on standard error, in one line.

Its log lines begin with a level, its usage errors stand in boxes, and an exception is told by its
name with a colon, a blank line and then, on lines of its own, what happened.
"""

import re
import signal

_BOX = re.compile(r"[│╭╮╰╯─]+")
_FAULT = re.compile(r"\w(Error|Exception|NotFound)\b|does not exist|command not found")
_TOLD_TWICE = re.compile(r"^(?:\w+\.)*(\w+): \1:")
_WARNING = "WARNING "
_WRAPPER = "ERROR conda.cli"  # what `conda run` adds after the words of the command


def failure(status: int, said: str) -> str:
    """What became of a run that ended with `status`, and MFA's own words about it."""
    lines = _lines(said)
    faults = [k for k, line in enumerate(lines) if _FAULT.search(line)]
    at = faults[-1] if faults else len(lines) - 1
    message = lines[at] if lines else "no message"
    while message.endswith(":") and at + 1 < len(lines):
        at += 1
        message += f" {lines[at]}"
    message = _TOLD_TWICE.sub(r"\1:", message)
    if status >= 0:
        return f"failed with status {status}: {message}"
    name = signal.Signals(-status).name
    reason = "; if memory ran out, lower align.mfa.jobs" if -status == signal.SIGKILL else ""
    last = f"; its last words: {lines[-1]}" if lines else ""
    return f"was ended by {name}{reason}{last}"


def warnings(said: str) -> list[str]:
    """Its warnings, each once, in order."""
    found = (line.removeprefix(_WARNING) for line in _lines(said) if line.startswith(_WARNING))
    return list(dict.fromkeys(found))


def _lines(said: str) -> list[str]:
    """The lines without boxes, blanks and what a wrapper says."""
    bare = (" ".join(_BOX.sub(" ", line).split()) for line in said.splitlines())
    return [line for line in bare if line and not line.startswith(_WRAPPER)]
