"""Boundaries in seconds converted to whole duration units, one count per token, none lost.

The rule, written once:

1. BOS starts at 0 and EOS ends at the end of the audio. The tokens of a phone share its interval:
   stress marks before it take one unit each if the phone is long enough, its symbols (the length
   mark is one of them) share the rest equally.
2. A pause between words is shared equally by its spaces and punctuation; before the first word BOS
   shares too, and after the last word EOS. A gap between phones of one word belongs to the phone
   before it.
3. Boundaries, not durations, are rounded, and each token gets at least one unit: see
   `rounding.whole_boundaries`.
4. A token of a pause that is still longer than 50 units is shortened to 50, and the audio too: the
   middle of its span is cut out. A phone that is longer than 50 units is an alignment error.

So units x 600 = samples for every utterance, after the cuts.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from lbtts.alignment.rounding import whole_boundaries
from lbtts.alignment.textgrid import Alignment, Interval
from lbtts.alignment.timing import Timing
from lbtts.errors import Reject
from lbtts.grid import MAX_UNITS, MIN_UNITS, seconds_to_units, units_to_samples
from lbtts.text.tokens import Token, TokenPlan

_LENGTH_TOLERANCE = 1.0  # units by which the lengths of TextGrid and audio may differ


def durations(plan: TokenPlan, alignment: Alignment, total: int) -> tuple[Timing, float]:
    """The durations of an utterance, by the rule above, and how far rounding moved its phones.

    The second is the mean distance in units between the true and the rounded start of a phone.

    Args:
        plan: its tokens and the phones they belong to.
        alignment: where the phones lie.
        total: length of the audio in units.

    Raises:
        Reject: the alignment has other phones or another length than the audio, the audio is too
            short for its tokens, or a phone lasts longer than 50 units.
    """
    _check(plan, alignment, total)
    true = _boundaries(plan.tokens, alignment.phones, total)
    rounded = whole_boundaries(true, total)
    units = np.diff(rounded)
    pause = [True, *(token.word is None for token in plan.tokens), True]
    long = [i for i in np.flatnonzero(units > MAX_UNITS) if not pause[i]]
    if long:
        token = plan.tokens[long[0] - 1]
        raise Reject(
            f"{token.symbol!r} in {plan.words[token.word or 0]!r} lasts {units[long[0]]} units, "
            f"more than {MAX_UNITS}: misaligned; compare the transcript with the recording"
        )
    excess = np.maximum(units - MAX_UNITS, 0)
    cuts = []
    for i in np.flatnonzero(excess):
        begin = units_to_samples(int(rounded[i]) + MAX_UNITS // 2)
        cuts.append((begin, begin + units_to_samples(int(excess[i]))))
    first = [i + 1 for i, t in enumerate(plan.tokens) if t.phone is not None]
    shift = float(np.abs(rounded[first] - true[first]).mean())
    return Timing(plan.id, tuple(int(n) for n in units - excess), tuple(cuts)), shift


def _check(plan: TokenPlan, alignment: Alignment, total: int) -> None:
    found = tuple(phone.label for phone in alignment.phones)
    if found != plan.labels:
        raise Reject(
            f"aligned phones are not the plan's: {' '.join(found)} | {' '.join(plan.labels)}"
        )
    if abs(seconds_to_units(alignment.seconds) - total) > _LENGTH_TOLERANCE:
        raise Reject(
            f"TextGrid of {alignment.seconds:.3f} s for audio of {total} units; align it again"
        )
    if total < (len(plan.tokens) + 2) * MIN_UNITS:
        raise Reject(
            f"{total} units for {len(plan.tokens) + 2} tokens: too short for its transcript; "
            "compare it with the recording"
        )


def _boundaries(tokens: Sequence[Token], phones: Sequence[Interval], total: int) -> np.ndarray:
    """Unrounded starts of BOS, each token and EOS, and the end: [len(tokens) + 3] in units."""
    starts = np.clip(seconds_to_units([p.start for p in phones]), 0, total)
    ends = np.clip(seconds_to_units([p.end for p in phones]), 0, total)
    last_of_word = _last_of_word(tokens, len(phones))
    ends = np.where(last_of_word, ends, np.append(starts[1:], total))  # rule 2, second sentence

    boundaries = np.zeros(len(tokens) + 3)
    boundaries[-1] = total
    for begin, end, phone in _runs(tokens):
        if phone is None:  # a pause; BOS and EOS join it at the edges
            first, last = begin == 0, end == len(tokens)
            left = 0.0 if first else ends[_phone_before(tokens, begin)]
            right = float(total) if last else starts[_phone_after(tokens, end)]
            share = np.linspace(left, right, end - begin + first + last + 1)
            boundaries[begin + 1 - first : end + 1 + last] = share[:-1]
        else:
            marks = sum(token.phone is None for token in tokens[begin:end])
            symbols = end - begin - marks
            length = ends[phone] - starts[phone]
            mark = MIN_UNITS if length >= end - begin else max(0.0, length) / (end - begin)
            symbol = (length - marks * mark) / symbols
            widths = [0.0, *[mark] * marks, *[symbol] * symbols]
            boundaries[begin + 1 : end + 1] = starts[phone] + np.cumsum(widths)[:-1]
    return boundaries


def _runs(tokens: Sequence[Token]) -> list[tuple[int, int, int | None]]:
    """Stretches of tokens (begin, end) that belong to one phone, or None for one pause.

    The edges are pauses even when they hold no token, since BOS and EOS lie there.
    """
    owner: list[int | None] = []
    following: int | None = None
    for token in reversed(tokens):
        if token.word is None:
            following = None
        elif token.phone is not None:
            following = token.phone
        owner.append(following)
    owner.reverse()
    runs: list[tuple[int, int, int | None]] = []
    for i, phone in enumerate(owner):
        if runs and runs[-1][2] == phone:
            runs[-1] = (runs[-1][0], i + 1, phone)
        else:
            runs.append((i, i + 1, phone))
    if runs[0][2] is not None:
        runs.insert(0, (0, 0, None))
    if runs[-1][2] is not None:
        runs.append((len(tokens), len(tokens), None))
    return runs


def _last_of_word(tokens: Sequence[Token], phones: int) -> np.ndarray:
    """[phones] bool: a pause token or the end follows the phone."""
    last = np.zeros(phones, bool)
    last[-1] = True
    for before, after in pairwise(tokens):
        if before.phone is not None and after.word is None:
            last[before.phone] = True
    return last


def _phone_before(tokens: Sequence[Token], index: int) -> int:
    return next(t.phone for t in reversed(tokens[:index]) if t.phone is not None)


def _phone_after(tokens: Sequence[Token], index: int) -> int:
    return next(t.phone for t in tokens[index:] if t.phone is not None)
