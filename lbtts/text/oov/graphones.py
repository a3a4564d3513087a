"""Which letters make which phones: alignment of words with their pronunciations.

Every letter makes no, one or two phones; a pair of a letter and what it makes is a graphone.
Expectation maximisation finds the alignment, over all words of a batch at once.

Source: M. Bisani and H. Ney, "Joint-sequence models for grapheme-to-phoneme conversion", Speech
Communication 50 (2008), with graphones of one letter, which they found to work best.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lbtts.text.inventory import Phones

Graphone = tuple[str, Phones]  # letter, the phones that it makes

MAX_PHONES = 2  # of one letter: x makes k s
_ITERATIONS = 8
_BATCH = 4000  # words
_PRIOR = (0.1, 1.0, 0.05)  # of a letter making no, one, two phones; only the order matters


@dataclass(frozen=True)
class _Batch:
    words: NDArray[np.int64]  # [word, letter]
    makes: NDArray[np.int64]  # [word, phone position, number of phones]: id of that output
    letters: NDArray[np.int64]  # [word], number of letters
    phones: NDArray[np.int64]  # [word], number of phones


def alignable(word: str, phones: Sequence[str]) -> bool:
    """Whether the letters of `word` can make `phones`."""
    return 0 < len(phones) <= MAX_PHONES * len(word)


def align(entries: Sequence[tuple[str, Phones]]) -> list[list[Graphone]]:
    """The most likely graphones of every entry; all entries must be alignable.

    The result depends on the entries and their order alone.
    """
    letters = {c: i for i, c in enumerate(sorted({c for word, _ in entries for c in word}))}
    labels = {p: i for i, p in enumerate(sorted({p for _, phones in entries for p in phones}), 1)}
    outputs = (len(labels) + 1) ** MAX_PHONES  # id: first label + size * second label
    size = np.arange(outputs)
    sizes = np.select([size == 0, size <= len(labels)], [0, 1], 2)
    table = np.array(_PRIOR)[sizes] * np.ones((len(letters), 1))
    table /= table.sum(axis=1, keepdims=True)

    order = sorted(range(len(entries)), key=lambda k: (len(entries[k][0]), len(entries[k][1])))
    batches = [
        _batch([entries[k] for k in order[i : i + _BATCH]], letters, labels)
        for i in range(0, len(order), _BATCH)
    ]
    for _ in range(_ITERATIONS):
        counts = np.zeros(table.size)
        for batch in batches:
            _expect(batch, table, counts)
        table = counts.reshape(table.shape)
        table /= np.maximum(table.sum(axis=1, keepdims=True), 1e-12)
    with np.errstate(divide="ignore"):
        log_table = np.log(table)
    return [_best(word, phones, letters, labels, log_table) for word, phones in entries]


def _batch(
    entries: Sequence[tuple[str, Phones]], letters: dict[str, int], labels: dict[str, int]
) -> _Batch:
    width = max(len(word) for word, _ in entries)
    length = max(len(phones) for _, phones in entries)
    words = np.zeros((len(entries), width), dtype=np.int64)
    first = np.zeros((len(entries), length + MAX_PHONES), dtype=np.int64)
    for row, (word, phones) in enumerate(entries):
        words[row, : len(word)] = [letters[c] for c in word]
        first[row, : len(phones)] = [labels[p] for p in phones]
    now, then = first[:, : length + 1], first[:, 1 : length + 2]
    makes = np.stack([np.zeros_like(now), now, now + (len(labels) + 1) * then], axis=2)
    return _Batch(
        words,
        makes,
        np.array([len(word) for word, _ in entries]),
        np.array([len(phones) for _, phones in entries]),
    )


def _expect(batch: _Batch, table: NDArray[np.float64], counts: NDArray[np.float64]) -> None:
    """Adds to `counts` the expected uses of every graphone: forward-backward."""
    n, width = batch.words.shape
    length = batch.makes.shape[1] - 1
    steps = [
        (i, j, k)
        for i in range(width)
        for j in range(length + 1)
        for k in range(MAX_PHONES + 1)
        if j + k <= length
    ]
    likelihood = {}
    forward = np.zeros((width + 1, length + 1, n))
    forward[0, 0] = 1
    for i, j, k in steps:
        inside = (i < batch.letters) & (j + k <= batch.phones)
        p = np.where(inside, table[batch.words[:, i], batch.makes[:, j, k]], 0)
        likelihood[i, j, k] = p
        forward[i + 1, j + k] += forward[i, j] * p
    backward = np.zeros_like(forward)
    backward[batch.letters, batch.phones, np.arange(n)] = 1
    for i, j, k in reversed(steps):
        backward[i, j] += likelihood[i, j, k] * backward[i + 1, j + k]
    total = np.where(backward[0, 0] > 0, backward[0, 0], np.inf)
    for i, j, k in steps:
        posterior = forward[i, j] * likelihood[i, j, k] * backward[i + 1, j + k] / total
        np.add.at(counts, batch.words[:, i] * table.shape[1] + batch.makes[:, j, k], posterior)


def _best(
    word: str,
    phones: Phones,
    letters: dict[str, int],
    labels: dict[str, int],
    table: NDArray[np.float64],
) -> list[Graphone]:
    """The single best alignment: Viterbi."""
    ids = [labels[p] for p in phones]
    paths: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for letter in word:
        row = table[letters[letter]]
        extended: dict[int, tuple[float, tuple[int, ...]]] = {}
        for j, (score, path) in paths.items():
            for k in range(min(MAX_PHONES, len(ids) - j) + 1):
                output = sum(ids[j + m] * (len(labels) + 1) ** m for m in range(k))
                new = score + float(row[output])
                if j + k not in extended or new > extended[j + k][0]:
                    extended[j + k] = (new, (*path, k))
        paths = extended
    graphones = []
    at = 0
    for letter, k in zip(word, paths[len(ids)][1], strict=True):
        graphones.append((letter, phones[at : at + k]))
        at += k
    return graphones
