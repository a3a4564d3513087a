"""An n-gram model, interpolated and smoothed after Kneser and Ney with three discounts per order.

Every symbol is one character, so that n-grams are plain strings and the model two dictionaries.

Source: S. Chen and J. Goodman, "An empirical study of smoothing techniques for language modeling",
Computer Speech & Language 13 (1999), section 3.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

START, END = "\x01", "\x02"  # every sequence has these around it
FIRST = 0x100  # the character of the first other symbol


class NGrams:
    """A trained model: log probabilities of a symbol after others."""

    def __init__(self, order: int, scores: dict[str, float], backoffs: dict[str, float]) -> None:
        self.order = order
        self._scores = scores  # log probability of an n-gram's last symbol after the others
        self._backoffs = backoffs  # log weight of leaving a context for the next shorter one

    def score(self, context: str, symbol: str) -> float:
        """The log probability of `symbol` after `context`, at most `order` - 1 symbols."""
        score = 0.0
        while (seen := self._scores.get(context + symbol)) is None:
            score += self._backoffs.get(context, 0.0)
            context = context[1:]
        return score + seen

    def total(self, sequence: str) -> float:
        """The log probability of a whole sequence, START and END excluded; -inf if impossible."""
        whole = START + sequence + END
        if any(symbol not in self._scores for symbol in whole[1:]):
            return -math.inf
        return sum(
            self.score(whole[max(i + 1 - self.order, 0) : i], whole[i])
            for i in range(1, len(whole))
        )

    def symbols(self) -> frozenset[str]:
        """All symbols but START and END."""
        return frozenset(gram for gram in self._scores if len(gram) == 1) - {START, END}

    def arrays(self) -> dict[str, NDArray]:
        """The model as arrays to be saved."""
        arrays: dict[str, NDArray] = {"order": np.array(self.order)}
        for name, table in (("scores", self._scores), ("backoffs", self._backoffs)):
            arrays[f"{name}_of"] = np.frombuffer("\n".join(table).encode(), dtype=np.uint8)
            arrays[f"{name}_values"] = np.fromiter(table.values(), np.float32, len(table))
        return arrays

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray]) -> "NGrams":
        """The model in `arrays`.

        Raises:
            KeyError, ValueError: they hold no model.
        """
        scores, backoffs = (
            dict(
                zip(
                    arrays[f"{name}_of"].tobytes().decode().split("\n"),
                    arrays[f"{name}_values"].tolist(),
                    strict=True,
                )
            )
            for name in ("scores", "backoffs")
        )
        return cls(int(arrays["order"]), scores, backoffs)


def train(sequences: Sequence[str], order: int) -> NGrams:
    """A model of `sequences`, in single precision: just trained it equals the one in its file."""
    framed = [START + sequence + END for sequence in sequences]
    raw = [
        Counter(s[i : i + n] for s in framed for i in range(len(s) - n + 1))
        for n in range(1, order + 1)
    ]
    scores: dict[str, float] = {}
    backoffs: dict[str, float] = {}
    shorter: dict[str, float] = {}
    for n in range(1, order + 1):
        counts = raw[n - 1] if n == order else _continuations(raw[n - 1], raw[n])
        discounts = _discounts(counts)
        totals: Counter[str] = Counter()
        freed: dict[str, float] = defaultdict(float)
        for gram, count in counts.items():
            totals[gram[:-1]] += count
            freed[gram[:-1]] += discounts[min(count, 3)]
        current = {}
        for gram, count in counts.items():
            context = gram[:-1]
            lower = shorter[gram[1:]] if n > 1 else 1 / len(counts)
            kept = count - discounts[min(count, 3)] + freed[context] * lower
            current[gram] = kept / totals[context]
        scores |= {gram: math.log(p) for gram, p in current.items()}
        backoffs |= {context: math.log(freed[context] / totals[context]) for context in totals}
        shorter = current
    return NGrams(order, _single(scores), _single(backoffs))


def _single(table: dict[str, float]) -> dict[str, float]:
    values = np.fromiter(table.values(), np.float32, len(table)).tolist()
    return dict(zip(table, values, strict=True))


def _continuations(raw: Counter[str], longer: Counter[str]) -> Counter[str]:
    """How many symbols precede each n-gram; at a start, how often it occurs."""
    counts = Counter(gram[1:] for gram in longer)
    counts.update({gram: count for gram, count in raw.items() if gram[0] == START})
    counts.pop(START, None)
    return counts


def _discounts(counts: Counter[str]) -> tuple[float, float, float, float]:
    """What is taken off n-grams that occur 0, 1, 2, and 3 or more times."""
    of = Counter(count for count in counts.values() if count <= 4)
    n1, n2, n3, n4 = (max(of[i], 1) for i in (1, 2, 3, 4))
    y = n1 / (n1 + 2 * n2)
    raw = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return (0.0, *(min(max(d, 0.05), k - 0.05) for k, d in enumerate(raw, 1)))  # type: ignore[return-value]
