"""When each word of the written text is spoken, from the durations of its symbols."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from misaki.token import MToken
from numpy.typing import NDArray

from lbtts.grid import SAMPLE_RATE, UNIT_RATE
from lbtts.models.kokoro.weights.facts import LEAD
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
        following: what is written between it and the next word of the chunk.
    """

    text: str
    start: float
    end: float
    place: tuple[int, int]
    phonemes: str
    following: str


_MARKUP = re.compile(r"^\]\(/[^/\n]*/\)|\[$|\[pause:[^\]]*\]", re.IGNORECASE)  # see `markup`


_QUIET = 0.03  # of a chunk's loudest 5 ms: where a pause begins and ends, -30 dB
_CLOSURE = 0.12  # seconds: shorter silence within speech is part of a sound, as in [t]
_STEP = SAMPLE_RATE // 200  # samples, 5 ms


def heard(units: NDArray[np.int64]) -> NDArray[np.float64]:
    """When each token of `units` [T] begins to sound, and the last one ends, [T + 1] seconds."""
    return np.maximum(np.concatenate([[0], np.cumsum(units)]) - LEAD, 0) / UNIT_RATE


def words(
    tokens: Sequence[MToken],
    units: NDArray[np.int64],
    audio: NDArray[np.float32],
    text: str,
    offset: int,
    seconds: float,
) -> tuple[Word, ...]:
    """The words of a chunk in order.

    What was written without a space or mark between is one word: d'Haus, 12-17. Half of the time of
    the space between two words is of each. Before and after a mark, silence is of neither.

    Args:
        tokens: of the chunk, as `phonemise` yields them.
        units: [n + 2] of 25 ms, of BOS, the chunk's n symbols, and EOS.
        audio: [S] float32 of the chunk.
        text: what was phonemised.
        offset: its place in the input.
        seconds: when the chunk starts.
    """
    edges = heard(units)
    spaces = np.append(units, 0) / UNIT_RATE / 2
    found: list[_Said] = []
    at, joins, spaced = 1, False, False  # BOS is first
    for token in tokens:
        symbols = token.phonemes or ""
        first, last = at, at + len(symbols)
        at = last + bool(token.whitespace)
        if not any(symbol.isalpha() for symbol in symbols):
            joins = False
            continue
        start, end = span(token)
        stop = edges[last] + spaces[last] * bool(token.whitespace)
        before = found[-1].end if found else 0
        if joins and text[before:start].strip() == text[before:start]:
            found[-1].end, found[-1].stop = max(before, end), stop
            found[-1].phonemes += spaced * " " + symbols
        else:
            begin = edges[first] - spaces[first - 1] * joins
            found.append(_Said(start, end, begin, stop, symbols, pause_before=not joins))
        joins, spaced = True, bool(token.whitespace)
    _leave_out_silence(found, audio)
    return tuple(_words(found, tokens, text, offset, seconds))


@dataclass
class _Said:
    start: int  # in the text
    end: int
    begin: float  # seconds in the chunk
    stop: float
    phonemes: str
    pause_before: bool


def _leave_out_silence(found: Sequence[_Said], audio: NDArray[np.float32]) -> None:
    """Moves starts and ends that are next to a pause to where the sound starts and ends.

    A pause is the longest silence from the first quarter of the word before it, whose last duration
    may be all silence, to the middle of the word after it.
    """
    steps = len(audio) // _STEP
    loudness = np.sqrt((audio[: steps * _STEP].reshape(steps, _STEP) ** 2).mean(1))
    quiet = np.flatnonzero(loudness <= _QUIET * loudness.max(initial=0.0))
    runs = np.split(quiet, np.flatnonzero(np.diff(quiet) > 1) + 1)
    silences = [
        (run[0] * _STEP / SAMPLE_RATE, (run[-1] + 1) * _STEP / SAMPLE_RATE)
        for run in runs
        if len(run)
    ]
    for before, after in zip([None, *found], [*found, None], strict=True):
        unmarked = bool(before and after and not after.pause_before)
        low = before.begin + (before.stop - before.begin) / 4 if before else 0.0
        high = len(audio) / SAMPLE_RATE
        if after:
            high = after.begin if unmarked else (after.begin + after.stop) / 2
        parts = [(max(start, low), min(end, high)) for start, end in silences]
        start, end = max(parts, key=lambda part: part[1] - part[0], default=(0.0, 0.0))
        if end - start <= (_CLOSURE if unmarked else 0):
            continue
        if before:
            before.stop = start
        if after and not unmarked:  # else the silence may be the closure of its first sound
            after.begin = end


def _words(
    found: Sequence[_Said], tokens: Sequence[MToken], text: str, offset: int, seconds: float
) -> Iterator[Word]:
    untils = [said.start for said in found[1:]] + [span(tokens[-1])[1]]
    for said, until in zip(found, untils, strict=False):
        yield Word(
            text[said.start : said.end],
            _milliseconds(seconds + said.begin),
            _milliseconds(seconds + said.stop),
            (offset + said.start, offset + said.end),
            said.phonemes,
            _MARKUP.sub("", text[said.end : until]),
        )


def _milliseconds(seconds: float) -> float:
    """`seconds` to three digits; sums of the same edges to the same ones."""
    return round(round(float(seconds), 6), 3)
