"""What a language must provide: everything that g2p, alignment, export and speaking ask of it."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from lbtts.text.front_end import FrontEnd
from lbtts.text.inventory import Inventory

if TYPE_CHECKING:  # who only speaks needs no parameters
    from lbtts.params import Lexicon


class Language(ABC):
    """A language that voices can be trained for.

    To add one, make a folder beside `luxembourgish` whose `__init__.py` has a subclass of this and
    `LANGUAGE`, an instance of it. `params.yaml` chooses it by `language: <code>`;
    tests/test_languages.py runs the contract over it.

    Each method imports its part of the folder inside, so that nobody loads more than they ask for:
    the aligner wants the inventory, not the front end.
    """

    code: ClassVar[str]  # ISO 639
    name: ClassVar[str]  # in English, for the model card
    letter: ClassVar[str]  # `lang_code` of KPipeline; must not be another language's
    example: ClassVar[str]  # a sentence for the model card, all of which can be spoken
    learnt: ClassVar[tuple[str, ...]] = ()  # names of the files that `learn` writes

    @property
    @abstractmethod
    def inventory(self) -> Inventory:
        """The phones, how Kokoro writes them, and which spellings of them are accepted."""

    @abstractmethod
    def front_end(self, additions: Path | None, known: Path | None) -> FrontEnd:
        """What turns text into phonemes; without torch.

        Args:
            additions: a file of a person's own pronunciations, which come first (see
                `lbtts.text.lexicon.read_variants`); None for none.
            known: the folder that `learn` has filled; None where there is no such folder.

        Raises:
            InputError: a file is missing or broken.
        """

    def learn(self, lexicon: "Lexicon", workers: int, folder: Path) -> dict[str, float]:
        """Writes the files `learnt`, from the configured lexicon, into `folder`, which exists.

        A language that learns nothing writes nothing. Same input, same bytes.

        Returns:
            Metrics: numbers of words, errors on words that it has not seen.

        Raises:
            InputError: a source is missing or broken, or has no words to learn from.
        """
        return {}
