"""The lexicon as a memory: for each letter of a word, what known words suggest that it makes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lbtts.text import analogy, contexts
from lbtts.text.analogy import TRUSTS, Analogies
from lbtts.text.contexts import Contexts

KINDS = analogy.KINDS + contexts.KINDS
__all__ = ["KINDS", "TRUSTS", "Proposals"]


class Proposals:
    """Analogies and contexts of the same words."""

    def __init__(self, words: Sequence[str], made: Sequence[Sequence[int]]) -> None:
        """Takes the words in.

        Args:
            words: each once; of at most 125 different letters.
            made: of every word, the number of what each letter makes, from 0.
        """
        order = sorted(range(len(words)), key=words.__getitem__)
        self._words = [words[i] for i in order]
        self._made = [list(made[i]) for i in order]
        letters = sorted({letter for word in words for letter in word})
        self._ids = {letter: i for i, letter in enumerate(letters, 1)}
        self._analogies = Analogies(self._words, self._made)
        self._contexts = Contexts([self._numbers(word) for word in self._words], self._made)

    def __call__(self, word: str) -> NDArray[np.int64]:
        """For a word that is not among those taken in: [letter, KINDS, 2] int64.

        The last axis holds a proposed output + 1 and how far it can be trusted, below TRUSTS; both
        are 0 where there is no proposal.
        """
        return np.concatenate(
            [self._analogies(word), self._contexts([self._numbers(word)])], axis=1
        )

    def for_training(self) -> list[tuple[str, list[int], NDArray[np.int64]]]:
        """Every word taken in, what its letters make, and what the other words propose."""
        numbers = [self._numbers(word) for word in self._words]
        by_context = self._contexts(numbers, self._made)
        ends = np.cumsum([len(word) for word in self._words])[:-1]
        return [
            (word, made, np.concatenate([self._analogies(word), rows], axis=1))
            for word, made, rows in zip(
                self._words, self._made, np.split(by_context, ends), strict=True
            )
        ]

    def _numbers(self, word: str) -> list[int]:
        return [self._ids.get(letter, 0) for letter in word]

    def arrays(self) -> dict[str, NDArray]:
        """The words and what they make as arrays to be saved."""
        return {
            "words": np.frombuffer("\n".join(self._words).encode(), dtype=np.uint8),
            "made": np.array([output for word in self._made for output in word], dtype=np.int16),
        }

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray]) -> "Proposals":
        """The proposals in `arrays`.

        Raises:
            KeyError: they hold none.
        """
        words = arrays["words"].tobytes().decode().split("\n")
        ends = np.cumsum([len(word) for word in words]).tolist()
        made = arrays["made"].tolist()
        starts = [0, *ends[:-1]]
        return cls(words, [made[s:e] for s, e in zip(starts, ends, strict=True)])
