"""Luxembourgish: its phones, its numbers, how it is written and stressed."""

from pathlib import Path
from typing import TYPE_CHECKING

from lbtts.languages.language import Language
from lbtts.text.front_end import FrontEnd
from lbtts.text.inventory import Inventory

if TYPE_CHECKING:
    from lbtts.params import Lexicon


class Luxembourgish(Language):
    """Luxembourgish, as the Lëtzebuerger Online Dictionnaire has it."""

    code = "lb"
    name = "Luxembourgish"
    letter = "l"
    example = "Moien, wéi geet et?"
    learnt = ("lexicon.dict", "model.npz", "languages.npz")

    @property
    def inventory(self) -> Inventory:
        """The phones of the LOD."""
        from lbtts.languages.luxembourgish.phones import INVENTORY

        return INVENTORY

    def front_end(self, additions: Path | None, known: Path | None) -> FrontEnd:
        """The rules and lexicons of `lbtts.languages.luxembourgish.g2p`."""
        from lbtts.languages.luxembourgish.g2p import LBG2P

        return LBG2P(additions, known)

    def learn(self, lexicon: "Lexicon", workers: int, folder: Path) -> dict[str, float]:
        """The known words, the model for unknown ones, and that of their origin."""
        from lbtts.languages.luxembourgish.learning import learn

        return learn(lexicon, workers, folder)


LANGUAGE = Luxembourgish()
