"""What letters make in the lexicon where the letters around them are the same.

Three more proposals for every letter of a word, beside those of lbtts.text.analogy: what the letter
mostly makes in the widest known context that reaches to both sides, mostly to the left, and mostly
to the right.

Source of the idea: W. Daelemans and A. van den Bosch, "Language-independent data-oriented
grapheme-to-phoneme conversion", in Progress in Speech Synthesis (1997), with its widening contexts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Letters to the left and to the right, widest first
_CHAINS = (
    ((4, 4), (3, 3), (2, 2), (1, 1)),
    ((5, 1), (4, 1), (3, 1), (2, 0)),
    ((1, 5), (1, 4), (1, 3), (0, 2)),
)
KINDS = len(_CHAINS)
_REACH = 5
_BITS = 7  # of a letter's number; nine letters fill 63 bits
_SURE = 4  # occurrences that make an unanimous context certain

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class _Table:
    """Contexts of one shape: how often each occurs, its two most frequent outputs and how often."""

    keys: Ints  # [context], sorted
    total: Ints
    outputs: Ints  # [context, 2]
    counts: Ints  # [context, 2]


class Contexts:
    """The contexts of all letters of a lexicon."""

    def __init__(self, words: Sequence[Sequence[int]], outputs: Sequence[Sequence[int]]) -> None:
        """Counts.

        Args:
            words: of every word the numbers of its letters, 1 to 127.
            outputs: of every word the numbers of what its letters make, from 0.
        """
        rows, letters = _frame(words)
        made = np.array([output for word in outputs for output in word], dtype=np.int64)
        self._tables = {
            shape: _count(_keys(rows, letters, shape), made) for chain in _CHAINS for shape in chain
        }

    def __call__(
        self, words: Sequence[Sequence[int]], own: Sequence[Sequence[int]] | None = None
    ) -> Ints:
        """Proposals for all letters of `words`, one after the other.

        Args:
            words: of every word the numbers of its letters; 0 for one never seen.
            own: for words that were counted, their outputs, which are then taken off.

        Returns:
            [letter, KINDS, 2] int64: output + 1 and trust, 1 to 16; both 0 where there is none.
        """
        rows, letters = _frame(words)
        mine = None if own is None else np.array([o for word in own for o in word], dtype=np.int64)
        proposals = np.zeros((len(letters), KINDS, 2), dtype=np.int64)
        for kind, chain in enumerate(_CHAINS):
            open_ = np.ones(len(letters), dtype=bool)
            for level, shape in enumerate(chain):
                output, trust = _best(self._tables[shape], _keys(rows, letters, shape), mine)
                found = open_ & (trust > 0)
                proposals[found, kind, 0] = output[found] + 1
                proposals[found, kind, 1] = 4 * level + trust[found]
                open_ &= ~found
        return proposals


def _frame(words: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    """All words in one row with _REACH edges between them, and where their letters stand in it."""
    edge = [2**_BITS - 1] * _REACH
    row = list(edge)
    places: list[int] = []
    for word in words:
        places += range(len(row), len(row) + len(word))
        row += [*word, *edge]
    return np.array(row, dtype=np.int64), np.array(places, dtype=np.int64)


def _keys(row: Ints, places: Ints, shape: tuple[int, int]) -> Ints:
    """[letter]: the letters around each, as one number."""
    left, right = shape
    keys = np.zeros(len(places), dtype=np.int64)
    for offset in range(-left, right + 1):
        keys = (keys << _BITS) | row[places + offset]
    return keys


def _count(keys: Ints, made: Ints) -> _Table:
    order = np.lexsort((made, keys))
    keys, made = keys[order], made[order]
    fresh = np.r_[True, (keys[1:] != keys[:-1]) | (made[1:] != made[:-1])]
    starts = np.flatnonzero(fresh)
    pair_counts = np.diff(np.r_[starts, len(keys)])
    pair_keys, pair_made = keys[starts], made[starts]
    by_size = np.lexsort((pair_made, -pair_counts, pair_keys))
    pair_keys, pair_made, pair_counts = (a[by_size] for a in (pair_keys, pair_made, pair_counts))
    firsts = np.flatnonzero(np.r_[True, pair_keys[1:] != pair_keys[:-1]])
    total = np.add.reduceat(pair_counts, firsts)
    has_second = np.diff(np.r_[firsts, len(pair_keys)]) > 1
    seconds = np.where(has_second, firsts + 1, firsts)
    outputs = np.stack([pair_made[firsts], pair_made[seconds]], axis=1)
    counts = np.stack([pair_counts[firsts], pair_counts[seconds] * has_second], axis=1)
    return _Table(pair_keys[firsts], total, outputs, counts)


def _best(table: _Table, keys: Ints, own: Ints | None) -> tuple[Ints, Ints]:
    """The most frequent output of each letter; trust 0 none, 1 divided, 2 mostly, 3, 4 always."""
    at = np.minimum(np.searchsorted(table.keys, keys), len(table.keys) - 1)
    known = table.keys[at] == keys
    total, outputs = table.total[at].copy(), table.outputs[at]
    counts = table.counts[at].copy()
    if own is not None:
        total -= 1
        counts -= outputs == own[:, None]
    second = counts[:, 1] > counts[:, 0]
    rows = np.arange(len(keys))
    output, count = outputs[rows, second * 1], counts[rows, second * 1]
    always = 3 + (total >= _SURE)
    trust = np.where(count == total, always, np.where(2 * count > total, 2, 1))
    return output, np.where(known & (total > 0), trust, 0)
