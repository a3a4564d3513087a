"""What a writer can tell the voice within a text, in brackets.

[Esch](/ˈæʃ/) says how a word, or several, are pronounced: Kokoro's own link form.
[pause:0.5s], [pause:300ms] is silence of that length.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lbtts.errors import InputError
from lbtts.text.vocab import VOCAB

LONGEST_PAUSE = 60.0  # seconds
_MARKUP = re.compile(
    r"\[pause:[ ]?(?P<length>\d{1,6}(?:\.\d{1,6})?)[ ]?(?P<unit>ms|s)\]"
    r"|\[(?P<words>[^\[\]\n]+)\]\(/(?P<phonemes>[^/\n]*)/\)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Written:
    """Text from `start` to `end`; `phonemes` where the writer gives its pronunciation."""

    start: int
    end: int
    phonemes: str | None = None


@dataclass(frozen=True)
class Pause:
    """Silence in seconds."""

    seconds: float


def parse(text: str) -> Iterator[Written | Pause]:
    """The parts of `text` in their order; its brackets of other kinds are text.

    Raises:
        InputError: Kokoro has no such symbol, or a pause is longer than `LONGEST_PAUSE`.
    """
    at = 0
    for match in _MARKUP.finditer(text):
        if match.start() > at:
            yield Written(at, match.start())
        at = match.end()
        if match["unit"]:
            yield _pause(match)
        else:
            yield Written(*match.span("words"), known(match["phonemes"], match[0]))
    if at < len(text):
        yield Written(at, len(text))


def known(phonemes: str, written: str) -> str:
    """`phonemes`, all of which Kokoro knows.

    Args:
        phonemes: Kokoro's symbols.
        written: what to name in the message.

    Raises:
        InputError: there is none, or Kokoro has no such symbol and would drop it silently.
    """
    unknown = sorted({symbol for symbol in phonemes if symbol not in VOCAB})
    if unknown:
        named = ", ".join(f"{symbol!r} (U+{ord(symbol):04X})" for symbol in unknown)
        remedy = "write ɡ (U+0261)" if "g" in unknown else "see `vocab` in config.json"
        raise InputError(f"{written}: Kokoro has no symbol {named}; {remedy}")
    if not phonemes.strip():
        raise InputError(f"{written}: no phonemes between the slashes; write them or take it out")
    return phonemes.strip()


def _pause(match: re.Match[str]) -> Pause:
    seconds = float(match["length"]) / (1000 if match["unit"].lower() == "ms" else 1)
    if seconds > LONGEST_PAUSE:
        raise InputError(f"{match[0]}: a pause lasts at most {LONGEST_PAUSE:g} s")
    return Pause(seconds)
