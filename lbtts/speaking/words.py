"""When each word of the written text is spoken, from the durations of its symbols."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from misaki.token import MToken
from numpy.typing import NDArray

from lbtts.grid import UNIT_RATE
from lbtts.speaking.phonemiser import span


@dataclass(frozen=True)
class Word:
    """A word as written, or several that are read as one, and what was said for it.

    Attributes:
        text: as written, without the punctuation around it.
        start: seconds from the start of the speech.
        end: likewise.
        place: start and end of `text` in the input.
        phonemes: Kokoro's symbols.
    """

    text: str
    start: float
    end: float
    place: tuple[int, int]
    phonemes: str
    following: str  # what is written between it and the next word of the chunk


_MARKUP = re.compile(r"^\]\(/[^/\n]*/\)|\[$|\[pause:[^\]]*\]", re.IGNORECASE)  # see `markup`


def words(
    tokens: Sequence[MToken], units: NDArray[np.int64], text: str, offset: int, seconds: float
) -> tuple[Word, ...]:
    """The words of a chunk in order.

    What was written without a space or mark between is one word: d'Haus, 12-17.

    Args:
        tokens: of the chunk, as `phonemise` yields them.
        units: [n + 2] of 25 ms, of BOS, the chunk's n symbols, and EOS.
        text: what was phonemised.
        offset: its place in the input.
        seconds: when the chunk starts.
    """
    edges = seconds + np.concatenate([[0], np.cumsum(units)]) / UNIT_RATE
    found: list[Word] = []
    at, joins, spaced = 1, False, False  # BOS is first
    for token in tokens:
        symbols = token.phonemes or ""
        first, last = at, at + len(symbols)
        at = last + bool(token.whitespace)
        if not any(symbol.isalpha() for symbol in symbols):
            joins = False
            continue
        start, end = span(token)
        before = found[-1].place[1] - offset if found else 0
        if found and (joins and text[before:start].strip() == text[before:start]):
            word = found.pop()
            start, end = word.place[0] - offset, max(before, end)
            phonemes, begun = word.phonemes + spaced * " " + symbols, word.start
        else:
            phonemes, begun = symbols, float(edges[first])
        place = (offset + start, offset + end)
        found.append(Word(text[start:end], begun, float(edges[last]), place, phonemes, ""))
        joins, spaced = True, bool(token.whitespace)
    nexts = [word.place[0] - offset for word in found[1:]]
    nexts += [span(tokens[-1])[1]] if found else []
    return tuple(
        replace(word, following=_MARKUP.sub("", text[word.place[1] - offset : until]))
        for word, until in zip(found, nexts, strict=True)
    )
