"""The words whose pronunciation is known, and the files of what is learnt from them.

Source of the packaged list: gruut-lang-lb (MIT), whose 35,600 words are transcriptions of the
Lëtzebuerger Online Dictionnaire (CC0).
"""

import importlib.util
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from lbtts.errors import InputError
from lbtts.languages.luxembourgish.phones import FINAL_N, INVENTORY
from lbtts.text.inventory import Phones
from lbtts.text.lexicon import Entries
from lbtts.text.oov.unknown import UnknownWords, combine, graphone_sequences

SUPPLEMENT = Path(__file__).with_name("supplement.tsv")
NAMES = Path(__file__).with_name("names.tsv")
# In the folder that the stage `lexicon` fills: the known words, the model for unknown ones, and
# what tells which language the latter are from
LEXICON, MODEL, ORIGIN = LEARNT = ("lexicon.dict", "model.npz", "languages.npz")


def packaged_entries() -> Entries:
    """The pronunciations in gruut-lang-lb.

    Raises:
        InputError: the package is not installed.
    """
    package = importlib.util.find_spec("gruut_lang_lb")
    if package is None or package.origin is None:
        raise InputError("package gruut-lang-lb not found; pip install gruut-lang-lb")
    database = Path(package.origin).with_name("lexicon.db")
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT word, phonemes FROM word_phonemes ORDER BY word, pron_order"
        )
        entries: Entries = {}
        for word, phones in rows:
            entries.setdefault(word, INVENTORY.canonical(phones.split()))
    return entries


def learn_ngrams(entries: Sequence[tuple[str, Phones]]) -> UnknownWords:
    """A model of n-grams alone of (word, phones) entries: 20 s for 35,000 words on one core."""
    widened = dict(without_n(entries)) | dict(entries)
    return combine(graphone_sequences(sorted(widened.items())), INVENTORY)


def without_n(entries: Sequence[tuple[str, Phones]]) -> list[tuple[str, Phones]]:
    """The words in -en among `entries`, without their n.

    Lexicons list such words only in full, but before most consonants they are written and said so.
    """
    return [
        (word[:-1], phones[:-1])
        for word, phones in entries
        if word.endswith("en") and phones[-1] == FINAL_N and len(phones) > 1
    ]
