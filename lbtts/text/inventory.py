"""The phone inventory: the labels of a language's phones, and how Kokoro writes each of them.

G2P, the aligner's dictionary, the tokens, the transfer of durations and speaking all read one
`Inventory`, that of the configured language; no other code knows a phone symbol.

The inventory is invertible label by label. It says nothing about strings of symbols: in some
languages `iə` is one phone in one word and two phones in another.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from lbtts.text.vocab import VOCAB

Phones = tuple[str, ...]  # canonical labels of the phones of a word

# Marks of stress, syllables, ties, voicelessness and syllabicity
_NO_PHONE = str.maketrans("", "", "ˈˌ.'‿\u035c\u0361\u0325\u030a\u0329\u032f")


@dataclass(frozen=True, eq=False)
class Inventory:
    """The phones of one language. A label is IPA, in NFD.

    The stress marks are those of Kokoro's vocabulary, in which they stand directly before the
    stressed vowel.
    """

    stress: ClassVar[str] = "ˈ"
    second_stress: ClassVar[str] = "ˌ"

    symbols: Mapping[str, tuple[str, ...]]  # canonical label: Kokoro's symbols for it, in order
    vowels: frozenset[str]
    schwas: frozenset[str]  # the reduced vowels
    defined_in: str  # path of the module to add a spelling to, for messages
    spellings: Mapping[str, str] = field(default_factory=dict)  # what else is accepted: its label
    joined: Mapping[tuple[str, str], str] = field(default_factory=dict)  # two labels that are one
    # what a coarser set of phones, such as an aligner's, does not tell from a label
    finer: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses an inventory that loses a phone on the way to Kokoro or back.

        Raises:
            ValueError: Kokoro has no such symbol, two phones have the same symbols, or a vowel or a
                spelling belongs to no phone.
        """
        for label, symbols in self.symbols.items():
            unknown = [symbol for symbol in symbols if symbol not in VOCAB]
            if unknown or not symbols:
                raise ValueError(f"phone {label!r}: Kokoro has no symbol {unknown}")
            if self.labels["".join(symbols)] != label:
                raise ValueError(f"phone {label!r} has the same symbols as another")
        others = {*self.spellings.values(), *self.joined.values(), *self.vowels}
        others = others.union(self.finer, *self.finer.values())
        lost = sorted(others - self.symbols.keys()) + sorted(self.schwas - self.vowels)
        if lost:
            raise ValueError(f"{lost} are spellings, vowels or schwas of no phone")

    def canonical(self, phones: Iterable[str]) -> Phones:
        """The canonical labels of one word's phones in any of the known spellings.

        Affricates are joined; a long or doubled consonant becomes a single one; stress marks, tie
        bars and the marks of voicelessness and syllabicity are taken off.

        Raises:
            ValueError: a phone is not in the inventory.
        """
        labels: list[str] = []
        for phone in phones:
            label = self._found.get(phone)
            if label is None:
                label = self._found[phone] = self._find(phone)
            if labels and (labels[-1], label) in self.joined:
                labels[-1] = self.joined[labels[-1], label]
            elif label and (label in self.vowels or labels[-1:] != [label]):
                labels.append(label)
        return tuple(labels)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The label of every phone, by its Kokoro symbols in one string."""
        return {"".join(symbols): label for label, symbols in self.symbols.items()}

    @cached_property
    def longest(self) -> int:
        """Symbols of the phone that has most."""
        return max(map(len, self.labels))

    @cached_property
    def _accepted(self) -> dict[str, str]:
        """The label of every spelling, in NFD."""
        spellings = {**dict(zip(self.symbols, self.symbols, strict=True)), **self.spellings}
        return {unicodedata.normalize("NFD", s): label for s, label in spellings.items()}

    @cached_property
    def _found(self) -> dict[str, str]:
        """The label of every phone that was asked for."""
        return {}

    def _find(self, phone: str) -> str:
        bare = unicodedata.normalize("NFD", phone).translate(_NO_PHONE)
        for spelling in (bare, bare.removesuffix("ː")):
            label = self._accepted.get(spelling, "")
            if label and (spelling == bare or label not in self.vowels):
                return label
        if bare:
            raise ValueError(f"phone {phone!r} is not in the phone inventory")
        return ""
