"""The front end of a language: from written text to phonemes and to the token plan."""

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator

from misaki.token import MToken

from lbtts.errors import Reject
from lbtts.text.inventory import Inventory
from lbtts.text.tokens import Phone, Token, TokenPlan


class FrontEnd(ABC):
    """A grapheme-to-phoneme converter with the interface of misaki's G2P classes.

    A language must say how it phonemises; what else is here has an answer that fits a language
    without rules of its own.
    """

    inventory: Inventory

    @abstractmethod
    def __call__(self, text: str) -> tuple[str, list[MToken]]:
        """The phoneme string of `text`, in Kokoro's symbols, and one token per word or mark.

        A token whose `text` is not as written has `start` and `end` in its `_`: the place in `text`
        that it speaks.

        Raises:
            Reject: `text` has a character that no rule knows.
        """

    def token_plan(self, id: str, text: str) -> TokenPlan:
        """The token plan of one utterance, from the phonemes of its misaki tokens.

        A token with a phone is a word, whose phones are read from its symbols, the longest first.

        Raises:
            Reject: a character that no rule knows, a symbol that belongs to no phone, nothing to
                pronounce, or too many tokens.
        """
        words: list[str] = []
        phones: list[Phone] = []
        tokens: list[Token] = []
        for token in self(text)[1]:
            said = list(self._phones(token))
            for label, symbols in said:
                word = len(words) if label or symbols[0] in self._marks else None
                phone = len(phones) if label else None
                tokens += (Token(symbol, word, phone) for symbol in symbols)
                phones += [Phone(label, len(words))] * bool(label)
            words += [token.text.lower()] * any(label for label, _ in said)
            tokens += [Token(" ", None, None)] * bool(token.whitespace)
        if not phones:
            raise nothing_to_pronounce(text)
        return TokenPlan(id, text, tuple(words), tuple(phones), tuple(tokens))

    def is_guess(self, word: str) -> bool:
        """Whether the pronunciation of a spoken word is a guess that a person should check."""
        return False

    def noises(self, text: str) -> list[str]:
        """What stands in a transcript for sounds that are no speech, and is not spoken."""
        return []

    def romanised(self, text: str) -> tuple[str, list[str]]:
        """`text` in characters that the rules know, and the words that were changed for it."""
        return text, []

    @property
    def _marks(self) -> tuple[str, str]:
        return self.inventory.stress, self.inventory.second_stress

    def _phones(self, token: MToken) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Label and symbols of each phone of `token`; a mark or space has an empty label."""
        rest = token.phonemes or ""
        while rest:
            ends = range(min(len(rest), self.inventory.longest), 0, -1)
            end = next((n for n in ends if rest[:n] in self.inventory.labels), 0)
            is_letter = unicodedata.category(rest[0])[0] in "LM"
            if not end and is_letter and rest[0] not in self._marks:
                raise Reject(
                    f"{token.text!r}: {rest[0]!r} in {token.phonemes!r} belongs to no phone; "
                    f"see {self.inventory.defined_in}"
                )
            yield self.inventory.labels.get(rest[:end], ""), tuple(rest[: end or 1])
            rest = rest[end or 1 :]


def nothing_to_pronounce(text: str) -> Reject:
    """Why `text` without a single phone is rejected."""
    what = f"nothing in {text!r} can be pronounced" if text.strip() else "empty transcript"
    return Reject(f"{what}; write what is said, or take the recording out")
