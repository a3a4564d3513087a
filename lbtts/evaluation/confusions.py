"""Which sounds are taken for which: the errors of a recogniser, counted and compared."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from lbtts.text.inventory import Phones

NOTHING = ""  # stands for the phone where one is missing or too many

Errors = NDArray[np.float64]
Counts = Counter[tuple[str, str]]


@dataclass(frozen=True)
class Confusion:
    """A phone that is taken for another.

    Attributes:
        said: what was to be said; empty where nothing was.
        heard: what was heard; empty where nothing was.
        count: how often.
        expected: how often it would be as in the recordings.
    """

    said: str
    heard: str
    count: int
    expected: float


def error_counts(
    heard: Iterable[Sequence[str]], said: Iterable[Sequence[str]]
) -> tuple[Errors, Errors]:
    """Errors and units of each text, [K] and [K], for `lbtts.evaluation.bootstrap.rate`.

    An error is a phone, word or letter that is wrong, missing or too many. A text can have more
    errors than it has units.
    """
    pairs = list(zip(heard, said, strict=True))
    errors = [Levenshtein.distance(guess, truth) for guess, truth in pairs]
    return np.array(errors, np.float64), np.array([len(truth) for _, truth in pairs], np.float64)


def error_rate(heard: Iterable[Sequence[str]], said: Iterable[Sequence[str]]) -> float:
    """Phones or words wrong, missing or too many, in percent of those that were to be said.

    It passes 100 where more is heard than was said.
    """
    errors, units = error_counts(heard, said)
    return float(100 * errors.sum() / units.sum())


def counted(heard: Iterable[Phones], said: Iterable[Phones]) -> tuple[Counts, Counts]:
    """How often each (said, heard) occurs that are not equal, and how often each said, NOTHING.

    NOTHING as what was said counts the phones of all texts: so many places something could be put.
    """
    wrong: Counts = Counter()
    chances: Counts = Counter()
    for guess, truth in zip(heard, said, strict=True):
        chances.update((phone, NOTHING) for phone in truth)
        chances[NOTHING, NOTHING] += len(truth)
        for edit in Levenshtein.editops(truth, guess):
            gone = NOTHING if edit.tag == "insert" else truth[edit.src_pos]
            come = NOTHING if edit.tag == "delete" else guess[edit.dest_pos]
            wrong[gone, come] += 1
    return wrong, chances


def beyond(
    heard: Iterable[Phones],
    said: Iterable[Phones],
    recordings_heard: Iterable[Phones],
    recordings_said: Iterable[Phones],
    most: int = 10,
) -> list[Confusion]:
    """The confusions that a voice has more of than the recordings have, the greatest excess first.

    What the recogniser mixes up in the recordings too is its own fault, not the voice's. An excess
    below one is left out. Which of several equal alignments of two sequences is counted is the
    library's choice, so a single count means little.
    """
    wrong, chances = counted(heard, said)
    usual, usual_chances = counted(recordings_heard, recordings_said)
    found = []
    for (phone, other), count in wrong.items():
        possible = usual_chances[phone, NOTHING]
        share = usual[phone, other] / possible if possible else 0.0
        expected = share * chances[phone, NOTHING]
        if count - expected >= 1:
            found.append(Confusion(phone, other, count, round(expected, 2)))
    return sorted(found, key=lambda c: (c.expected - c.count, c.said, c.heard))[:most]
