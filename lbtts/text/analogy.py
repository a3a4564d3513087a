"""What the words of a lexicon make of the letters that they share with another word.

For every letter of a word there are three proposals: of the longest known word inside it, of the
known word with the longest common beginning, and of the one with the longest common end. The
network of lbtts.text.tagger hears them and learns how far each can be trusted.

Source of the idea: M. Dedina and H. Nusbaum, "PRONOUNCE: a program for pronunciation by analogy",
Computer Speech & Language 5 (1991).
"""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

KINDS = 3  # inside, beginning, end
TRUSTS = 30  # kinds of trust: how much is shared, and how near to its edge the letter stands

_SHORTEST = 4  # letters of a known word inside another
_LONGEST = 14
_FAR = 6  # letters from the edge of what is shared; beyond, distance tells nothing more


class Analogies:
    """The known words, and for each letter of each the number of its output."""

    def __init__(self, words: Sequence[str], outputs: Sequence[Sequence[int]]) -> None:
        """Sorts the words.

        Args:
            words: each once.
            outputs: of every word, one number a letter, from 0.
        """
        self._outputs = {w: tuple(made) for w, made in zip(words, outputs, strict=True)}
        self._forward = sorted(self._outputs)
        self._backward = sorted(word[::-1] for word in self._outputs)

    def __call__(self, word: str) -> NDArray[np.int64]:
        """Proposals for `word` by known words other than itself.

        Returns:
            [letter, KINDS, 2] int64: output + 1 and trust, both 0 where there is none.
        """
        proposals = np.zeros((len(word), KINDS, 2), dtype=np.int64)
        self._inside(word, proposals[:, 0])
        self._beginning(word, self._forward, 1, proposals[:, 1])
        self._beginning(word[::-1], self._backward, -1, proposals[::-1, 2])
        return proposals

    def _inside(self, word: str, proposals: NDArray[np.int64]) -> None:
        longest = [0] * len(word)
        for start in range(len(word) - _SHORTEST + 1):
            for end in range(start + _SHORTEST, min(start + _LONGEST, len(word)) + 1):
                length = end - start
                made = self._outputs.get(word[start:end]) if length < len(word) else None
                if made is None:
                    continue
                for at in range(start, end):
                    if length > longest[at]:
                        longest[at] = length
                        edge = 1 if at == start else 2 if at == end - 1 else 0
                        trust = 3 * (min(length, 9) - _SHORTEST) + edge + 1
                        proposals[at] = made[at - start] + 1, trust

    def _beginning(
        self, word: str, words: list[str], step: int, proposals: NDArray[np.int64]
    ) -> None:
        """Proposals of the word in sorted `words` that begins most like `word`, letter by letter.

        With a `step` of -1 all words are reversed.
        """
        near = bisect_left(words, word)
        others = (other for other in words[max(near - 1, 0) : near + 2] if other != word)
        shared, _, other = max(
            ((_shared(word, other), -len(other), other) for other in others), default=(0, 0, "")
        )
        made = self._outputs[other[::step]][::step] if shared else ()
        for at in range(shared):
            trust = 1 + min(shared - 1 - at, _FAR) + (_FAR + 1) * min(max(shared - 3, 0), 3)
            proposals[at] = made[at] + 1, trust

    def arrays(self) -> dict[str, NDArray]:
        """The words and their outputs as arrays to be saved."""
        made = [output for word in self._forward for output in self._outputs[word]]
        return {
            "words": np.frombuffer("\n".join(self._forward).encode(), dtype=np.uint8),
            "made": np.array(made, dtype=np.int16),
        }

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray]) -> "Analogies":
        """The analogies in `arrays`.

        Raises:
            KeyError: they hold none.
        """
        words = arrays["words"].tobytes().decode().split("\n")
        ends = np.cumsum([len(word) for word in words]).tolist()
        made = arrays["made"].tolist()
        starts = [0, *ends[:-1]]
        return cls(words, [made[s:e] for s, e in zip(starts, ends, strict=True)])


def _shared(a: str, b: str) -> int:
    """How many letters two words have in common from the first on."""
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count
