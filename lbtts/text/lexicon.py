"""Known pronunciations: one's own additions, lbtts's supplement, and the packaged lexicon.

Source of the packaged lexicon: gruut-lang-lb (MIT), whose 35,600 words are transcriptions of the
Lëtzebuerger Online Dictionnaire (CC0).
"""

import importlib.util
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from lbtts.errors import InputError
from lbtts.text.graphones import Phones
from lbtts.text.phones import canonical

SUPPLEMENT = Path(__file__).with_name("supplement.tsv")

Entries = dict[str, Phones]


def read_entries(path: str | Path) -> Entries:
    """The pronunciations in a file of `word<TAB>phones`, or of any MFA dictionary.

    Phones may be spelled in any way the phoneme contract knows. Of several pronunciations of a
    word the first counts; probabilities between word and phones are passed over.

    Raises:
        InputError: the file is missing, is not UTF-8, or has a line that is no entry.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError(f"{path}: not found; `git checkout` brings an empty one back") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    entries: Entries = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        word, *fields = line.strip().split("\t")
        try:
            phones = canonical(fields[-1].split() if fields else ())
        except ValueError as error:
            raise InputError(
                f"{path}:{number}: {word}: {error}; see lbtts/text/phones.py"
            ) from None
        if not phones:
            raise InputError(f"{path}:{number}: expected word<TAB>phones, got {line.strip()!r}")
        entries.setdefault(word, phones)
    return entries


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


def write_dictionary(pronunciations: Iterable[tuple[str, Phones]], path: str | Path) -> None:
    """Writes an MFA dictionary: `word<TAB>p1 p2 …`, sorted, each pair once."""
    lines = sorted({f"{word}\t{' '.join(phones)}\n" for word, phones in pronunciations})
    Path(path).write_text("".join(lines), encoding="utf-8", newline="\n")
