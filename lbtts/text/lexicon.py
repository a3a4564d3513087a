"""Known pronunciations: one's own additions, lbtts's supplement, and the configured sources.

Source of the packaged list: gruut-lang-lb (MIT), whose 35,600 words are transcriptions of the
Lëtzebuerger Online Dictionnaire (CC0).
"""

import importlib.util
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path

from lbtts.errors import InputError
from lbtts.languages.luxembourgish.phones import canonical
from lbtts.text.inventory import Phones

SUPPLEMENT = Path(__file__).parent.parent / "languages/luxembourgish/supplement.tsv"
NAMES = Path(__file__).parent.parent / "languages/luxembourgish/names.tsv"
# In the folder that the stage `lexicon` writes: the known words, the model for unknown ones, and
# what tells the language of the latter
LEXICON, MODEL, LANGUAGES = KNOWN = ("lexicon.dict", "model.npz", "languages.npz")

Entries = dict[str, Phones]


def read_entries(path: str | Path) -> Entries:
    """The likeliest pronunciation of each word in a file that `read_variants` reads."""
    return {word: phones[0] for word, phones in read_variants(path).items()}


def read_variants(path: str | Path) -> dict[str, tuple[Phones, ...]]:
    """The pronunciations in a file of `word<TAB>phones`, or of any MFA dictionary.

    Phones may be spelled in any way the phone inventory knows. The likeliest pronunciation of a
    word comes first, equals in the order of the file; what is in brackets stands for noise, not for
    a word.

    Raises:
        InputError: the file is missing, is not UTF-8, or has a line that is no entry.
    """
    found: dict[str, list[tuple[float, Phones]]] = defaultdict(list)
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip() or line.startswith("#"):
            continue
        word, *fields = line.strip().split("\t")
        if word[0] in "[<" and fields[-1:] in (["spn"], ["sil"]):
            continue
        phones = parse_phones(path, number, word, fields[-1] if fields else "")
        probability = _probability(fields[0]) if len(fields) > 1 else 1.0
        found[word].append((-probability, phones))
    return {
        word: tuple(phones for _, phones in sorted(several, key=lambda each: each[0]))
        for word, several in found.items()
    }


def read_lines(path: str | Path) -> list[str]:
    """The lines of a text file.

    Raises:
        InputError: it is missing or not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        hint = "; `git checkout` brings an empty one back" if Path(path).stem == "additions" else ""
        raise InputError(f"{path}: not found{hint}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None


def parse_phones(path: str | Path, number: int, word: str, phones: str) -> Phones:
    """The phones in line `number` of a file, in canonical labels.

    Raises:
        InputError: there are none, or one is not in the phone inventory.
    """
    try:
        labels = canonical(phones.split())
    except ValueError as error:
        raise InputError(
            f"{path}:{number}: {word}: {error}; see lbtts/languages/luxembourgish/phones.py"
        ) from None
    if not labels:
        raise InputError(f"{path}:{number}: expected word<TAB>phones, got {word + phones!r}")
    return labels


def _probability(field: str) -> float:
    try:
        return float(field)
    except ValueError:
        return 1.0


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
            entries.setdefault(word, canonical(phones.split()))
    return entries
