"""Pronunciations: a person's own additions, and configured sources."""

from collections import defaultdict
from pathlib import Path

from lbtts.errors import InputError
from lbtts.text.inventory import Inventory, Phones

Entries = dict[str, Phones]


def read_entries(path: str | Path, inventory: Inventory) -> Entries:
    """The likeliest pronunciation of each word in a file that `read_variants` reads."""
    return {word: phones[0] for word, phones in read_variants(path, inventory).items()}


def read_variants(path: str | Path, inventory: Inventory) -> dict[str, tuple[Phones, ...]]:
    """The pronunciations in a file of `word<TAB>phones`, or of any MFA dictionary.

    Phones may be spelled in any way that `inventory` accepts. The likeliest pronunciation of a
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
        phones = parse_phones(path, number, word, fields[-1] if fields else "", inventory)
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


def parse_phones(
    path: str | Path, number: int, word: str, phones: str, inventory: Inventory
) -> Phones:
    """The phones in line `number` of a file, in canonical labels.

    Raises:
        InputError: there are none, or one is not in the phone inventory.
    """
    try:
        labels = inventory.canonical(phones.split())
    except ValueError as error:
        raise InputError(f"{path}:{number}: {word}: {error}; see {inventory.defined_in}") from None
    if not labels:
        raise InputError(f"{path}:{number}: expected word<TAB>phones, got {word + phones!r}")
    return labels


def _probability(field: str) -> float:
    try:
        return float(field)
    except ValueError:
        return 1.0
