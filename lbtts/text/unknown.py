"""Pronunciations of words that no lexicon has: an n-gram model over graphones.

The model is interpolated and smoothed after Kneser and Ney with three discounts per order; a beam
search finds the best sequence of graphones for a word. Each graphone is one character, so that
n-grams are plain strings and the model two dictionaries.

Source: S. Chen and J. Goodman, "An empirical study of smoothing techniques for language modeling",
Computer Speech & Language 13 (1999), section 3.
"""

import math
import unicodedata
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from lbtts.errors import InputError
from lbtts.text.graphones import Graphone, Phones, align, alignable

ORDER = 6  # 8 scores no better on unseen words and takes twice the room
_BEAM = 16
_WIDTH = 8.0  # nats below the best hypothesis
_START, _END, _FIRST = "\x01", "\x02", 0x100  # characters of word start, end, first graphone


class UnknownWords:
    """A trained model: `model(word)` guesses the pronunciation of a word."""

    def __init__(
        self, graphones: Sequence[Graphone], scores: dict[str, float], backoffs: dict[str, float]
    ) -> None:
        self._graphones = list(graphones)
        self._scores = scores  # log probability of an n-gram's last graphone after the others
        self._backoffs = backoffs  # log weight of leaving a context for the next shorter one
        self._makes = {chr(_FIRST + i): phones for i, (_, phones) in enumerate(graphones)}
        self._choices: dict[str, list[str]] = defaultdict(list)
        for i, (letter, _) in enumerate(graphones):
            self._choices[letter].append(chr(_FIRST + i))

    def __call__(self, word: str) -> Phones:
        """The phones of `word`, lower case; empty where it has no letter that was trained on."""
        hypotheses = [(0.0, _START)]
        steps = [self._choices[c] for c in map(self._trained, word) if c]
        for choices in [*steps, [_END]]:
            best: dict[str, tuple[float, str]] = {}
            for score, history in hypotheses:
                for graphone in choices:
                    extended = history + graphone
                    new = score + self._score(history[1 - ORDER :], graphone)
                    context = extended[1 - ORDER :]
                    if context not in best or new > best[context][0]:
                        best[context] = (new, extended)
            ranked = sorted(best.values(), reverse=True)[:_BEAM]
            hypotheses = [h for h in ranked if h[0] > ranked[0][0] - _WIDTH]
        return tuple(
            phone for graphone in hypotheses[0][1][1:-1] for phone in self._makes[graphone]
        )

    def _trained(self, letter: str) -> str:
        base = unicodedata.normalize("NFD", letter)[0]
        return next((c for c in (letter, base) if c in self._choices), "")

    def _score(self, context: str, graphone: str) -> float:
        score = 0.0
        while (seen := self._scores.get(context + graphone)) is None:
            score += self._backoffs.get(context, 0.0)
            context = context[1:]
        return score + seen

    def save(self, path: str | Path) -> None:
        """Writes the model; same model, same bytes."""
        arrays = {
            "letters": np.array([letter for letter, _ in self._graphones]),
            "phones": np.array([" ".join(phones) for _, phones in self._graphones]),
        }
        for name, table in (("scores", self._scores), ("backoffs", self._backoffs)):
            arrays[f"{name}_of"] = np.frombuffer("\n".join(table).encode(), dtype=np.uint8)
            arrays[f"{name}_values"] = np.fromiter(table.values(), np.float32, len(table))
        with Path(path).open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> "UnknownWords":
        """The model in `path`.

        Raises:
            InputError: the file is missing or is no model.
        """
        try:
            with np.load(path) as file:
                graphones = [
                    (str(letter), tuple(str(phones).split()))
                    for letter, phones in zip(file["letters"], file["phones"], strict=True)
                ]
                scores, backoffs = (
                    dict(
                        zip(
                            file[f"{name}_of"].tobytes().decode().split("\n"),
                            file[f"{name}_values"].tolist(),
                            strict=True,
                        )
                    )
                    for name in ("scores", "backoffs")
                )
        except FileNotFoundError:
            raise InputError(f"{path}: not found; run `dvc repro g2p`") from None
        except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: no model ({error}); run `dvc repro g2p`") from None
        return cls(graphones, scores, backoffs)


def train(entries: Iterable[tuple[str, Phones]]) -> UnknownWords:
    """A model of (word, phones) entries; takes about 15 s for 35,000 words on one core.

    Entries whose letters cannot make their phones, acronyms mostly, are left out.
    """
    usable = [(word, phones) for word, phones in entries if alignable(word, phones)]
    characters: dict[Graphone, str] = {}
    sequences = [
        _START
        + "".join(characters.setdefault(g, chr(_FIRST + len(characters))) for g in graphones)
        + _END
        for graphones in align(usable)
    ]
    scores, backoffs = (_as_saved(table) for table in _kneser_ney(sequences))
    return UnknownWords(list(characters), scores, backoffs)


def _as_saved(table: dict[str, float]) -> dict[str, float]:
    """The table in single precision, so that a model just trained equals the one in its file."""
    values = np.fromiter(table.values(), np.float32, len(table)).tolist()
    return dict(zip(table, values, strict=True))


def _kneser_ney(sequences: Sequence[str]) -> tuple[dict[str, float], dict[str, float]]:
    """Log probabilities of n-grams and log back-off weights of contexts, up to ORDER."""
    raw = [
        Counter(s[i : i + n] for s in sequences for i in range(len(s) - n + 1))
        for n in range(1, ORDER + 1)
    ]
    scores: dict[str, float] = {}
    backoffs: dict[str, float] = {}
    shorter: dict[str, float] = {}
    for n in range(1, ORDER + 1):
        counts = raw[n - 1] if n == ORDER else _continuations(raw[n - 1], raw[n])
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
    return scores, backoffs


def _continuations(raw: Counter[str], longer: Counter[str]) -> Counter[str]:
    """How many different graphones precede each n-gram; at a word's start, how often it occurs."""
    counts = Counter(gram[1:] for gram in longer)
    counts.update({gram: count for gram, count in raw.items() if gram[0] == _START})
    counts.pop(_START, None)
    return counts


def _discounts(counts: Counter[str]) -> tuple[float, float, float, float]:
    """What is taken off n-grams that occur 0, 1, 2, and 3 or more times."""
    of = Counter(count for count in counts.values() if count <= 4)
    n1, n2, n3, n4 = (max(of[i], 1) for i in (1, 2, 3, 4))
    y = n1 / (n1 + 2 * n2)
    raw = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return (0.0, *(min(max(d, 0.05), k - 0.05) for k, d in enumerate(raw, 1)))  # type: ignore[return-value]
