"""What a rule of the normaliser is given, a match with its surroundings, and what it returns."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Context:
    """A match of the normaliser, with what is before and after it."""

    text: str  # cleaned
    match: re.Match[str]
    spoken: list[str]  # the last words already said, oldest first

    @property
    def after(self) -> str:
        """The text after the match."""
        return self.text[self.match.end() :]

    @property
    def previous(self) -> str:
        """The word said before, lower case; empty at the start."""
        return self.spoken[-1].lower() if self.spoken else ""


Reading = tuple[list[str], int]  # the words, and where in the cleaned text reading goes on

_NEXT_WORD = re.compile(r"[ \"(]*([^\W\d_]+)")


def next_word(text: str) -> str:
    """The first word of `text`, after spaces, quotation marks and brackets; else nothing."""
    match = _NEXT_WORD.match(text)
    return match[1] if match else ""
