"""Alignments as TextGrid files of Praat: reading and writing."""

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from praatio import textgrid
from praatio.utilities import textgrid_io
from praatio.utilities.errors import PraatioException

from lbtts.errors import Reject, first_line
from lbtts.text.tokens import TokenPlan

_ROUNDING = 1e-3  # seconds by which intervals may overlap


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of speech with its word or phone; times in seconds from the start of the audio."""

    start: float
    end: float
    label: str


@dataclass(frozen=True)
class Alignment:
    """Where an utterance's words and phones lie; what is between them is silence."""

    words: tuple[Interval, ...]
    phones: tuple[Interval, ...]
    seconds: float  # length of the audio


@dataclass(frozen=True, slots=True)
class AlignmentResult:
    """The alignment that a backend finds for one utterance, before it is compared with the plan.

    phones: in order; what lies between them is silence.
    seconds: length of the audio.
    words: where the words lie, if the backend assigns phones to words.
    score: how well the phones fit, higher is better; each backend has its own scale.
    worst: the same for the worst 0.3 s, if the backend gives it.
    beam: with which the path was found, if the backend has one.
    """

    phones: tuple[Interval, ...]
    seconds: float
    words: tuple[Interval, ...] = field(default=(), kw_only=True)
    score: float | None = None
    worst: float | None = None
    beam: float | None = None


def from_phones(plan: TokenPlan, phones: Sequence[Interval], seconds: float) -> Alignment:
    """The alignment of a plan with these phones; words start and end with their phones."""
    words = []
    for number, group in groupby(range(len(phones)), key=lambda k: plan.phones[k].word):
        own = [phones[k] for k in group]
        words.append(Interval(own[0].start, own[-1].end, plan.words[number]))
    return Alignment(tuple(words), tuple(phones), seconds)


def write(alignment: Alignment, path: str | Path) -> None:
    """Writes a long TextGrid with the tiers `words` and `phones`, silence as empty intervals."""
    grid = textgrid.Textgrid(0, alignment.seconds)
    for name, intervals in (("words", alignment.words), ("phones", alignment.phones)):
        entries = [(i.start, i.end, i.label) for i in intervals]
        grid.addTier(textgrid.IntervalTier(name, entries, 0, alignment.seconds))
    grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)


def read(path: str | Path, wordless: bool = False) -> Alignment:
    """The alignment in a TextGrid, without its empty intervals.

    Intervals that overlap by up to a millisecond (rounding) are separated; praatio's own reader
    would refuse the file. In MFA's TextGrids of several speakers the tiers are `NAME - words` etc.

    Args:
        path: of the file, in Praat's long or short form.
        wordless: whether it may lack the tier `words`.

    Raises:
        Reject: the file is missing or damaged, or has no tiers `words` and `phones`.
    """
    try:
        raw = Path(path).read_bytes()
        encoding = "utf-16" if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8"
        grid = textgrid_io.parseTextgridStr(raw.decode(encoding).removeprefix("\ufeff"))
        words = _intervals(_tier(grid["tiers"], "words", optional=wordless))
        phones = _intervals(_tier(grid["tiers"], "phones"))
        return Alignment(words, phones, float(grid["xmax"]))
    except FileNotFoundError:
        raise Reject(f"{path}: no TextGrid; run `dvc repro align`") from None
    except (PraatioException, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        reason = first_line(error)
        raise Reject(f"{path}: not a TextGrid with tiers words and phones ({reason})") from None


def last_word(path: str | Path) -> float:
    """Second at which the last word ends; raises as `read` does."""
    return read(path).words[-1].end


def _tier(tiers: Sequence[Mapping[str, Any]], name: str, optional: bool = False) -> dict[str, Any]:
    """The tier of that name; an empty one if it is missing and optional.

    Raises:
        ValueError: there is none, or one for each of several speakers.
    """
    found = [t for t in tiers if t["name"].lower() == name]
    found = found or [t for t in tiers if t["name"].lower().endswith(f" - {name}")]
    if len(found) == 1:
        return dict(found[0])
    if not found and optional:
        return {"class": "IntervalTier", "name": name, "entries": ()}
    there = ", ".join(t["name"] for t in tiers) or "no tier"
    raise ValueError(f"{len(found) or 'no'} tiers {name}; it has {there}")


def _intervals(tier: Mapping[str, Any]) -> tuple[Interval, ...]:
    """The intervals of a tier as praatio parses it, in order.

    Raises:
        ValueError: it is not a tier of intervals, or they are not in order.
    """
    if tier["class"] != "IntervalTier":
        raise ValueError(f"tier {tier['name']} is one of points")
    intervals: list[Interval] = []
    now = 0.0
    for begin, end, label in tier["entries"]:
        start, stop = float(begin), float(end)
        if start < now - _ROUNDING or stop < start:
            raise ValueError(f"intervals overlap at {start:g} s in tier {tier['name']}")
        start = max(start, now)
        now = max(start, stop)
        intervals.append(Interval(start, now, label))
    return tuple(intervals)
