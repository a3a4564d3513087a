"""A language of ten words: what another language has to bring, and nothing more.

Its four sounds are those that `tests.tones` can say, so that an aligner can find them.
"""

from pathlib import Path

from misaki.token import MToken

from lbtts.errors import Reject
from lbtts.languages.language import Language
from lbtts.params import Lexicon
from lbtts.text.dictionary import write_dictionary
from lbtts.text.front_end import FrontEnd
from lbtts.text.inventory import Inventory, Phones
from lbtts.text.lexicon import read_entries

INVENTORY = Inventory(
    symbols={label: (label,) for label in "siou"},
    vowels=frozenset("iou"),
    schwas=frozenset(),
    defined_in="tests/toy_language.py",
    spellings={"z": "s"},
)
_LISTED = ("so", "si", "su", "iso", "oso", "usi", "isu", "osi", "uso", "sio")
WORDS = {word: tuple(word) for word in _LISTED}


class ToyFrontEnd(FrontEnd):
    """Words are said as they are listed, with the stress on the first vowel."""

    inventory = INVENTORY

    def __init__(self, entries: dict[str, Phones]) -> None:
        self._entries = entries

    def __call__(self, text: str) -> tuple[str, list[MToken]]:
        tokens = []
        for word in text.rstrip(".").split():
            if word.lower() not in self._entries:
                raise Reject(f"{word!r} is not one of the ten words")
            tokens.append(MToken(word, tag="", whitespace=" ", phonemes=self._said(word.lower())))
        if tokens:
            tokens[-1].whitespace = ""
        tokens += [MToken(".", tag="", whitespace="", phonemes=".")] * text.endswith(".")
        return "".join(f"{token.phonemes}{token.whitespace}" for token in tokens), tokens

    def _said(self, word: str) -> str:
        phones = self._entries[word]
        stressed = next(i for i, phone in enumerate(phones) if phone in INVENTORY.vowels)
        return "".join([*phones[:stressed], INVENTORY.stress, *phones[stressed:]])


class Toy(Language):
    """Ten words."""

    code = "art"
    name = "Toy"
    letter = "y"
    example = "Iso so osi."
    learnt = ("words.dict",)

    @property
    def inventory(self) -> Inventory:
        return INVENTORY

    def front_end(self, additions: Path | None, known: Path | None) -> FrontEnd:
        entries = WORDS if known is None else read_entries(known / self.learnt[0], INVENTORY)
        own = {} if additions is None else read_entries(additions, INVENTORY)
        return ToyFrontEnd(entries | own)

    def learn(self, lexicon: Lexicon, workers: int, folder: Path) -> dict[str, float]:
        write_dictionary(WORDS.items(), folder / self.learnt[0])
        return {"words": len(WORDS)}


LANGUAGE = Toy()
