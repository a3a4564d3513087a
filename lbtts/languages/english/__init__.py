"""English: its phones, its numbers, and how misaki reads it."""

from pathlib import Path

from lbtts.languages.language import Language
from lbtts.text.front_end import FrontEnd
from lbtts.text.inventory import Inventory


class English(Language):
    """American English, as misaki writes it for Kokoro."""

    code = "en"
    name = "English"
    letter = "a"
    example = "Hello, how are you today?"

    @property
    def inventory(self) -> Inventory:
        """The phones of misaki's lexicon."""
        from lbtts.languages.english.phones import INVENTORY

        return INVENTORY

    def front_end(self, additions: Path | None, known: Path | None) -> FrontEnd:
        """misaki with its lexicon; nothing is learnt, so `known` is not read."""
        from lbtts.languages.english.g2p import EnglishFrontEnd

        return EnglishFrontEnd(additions)


LANGUAGE = English()
