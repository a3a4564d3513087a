"""The aligner's dictionary in MFA's form, `word<TAB>p1 p2 …`: written by g2p, read by align."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from lbtts.errors import InputError
from lbtts.text.inventory import Phones

Dictionary = Mapping[str, tuple[Phones, ...]]  # the pronunciations of each word


def write_dictionary(pronunciations: Iterable[tuple[str, Phones]], path: str | Path) -> None:
    """Writes words with their phones, sorted, each pair once."""
    lines = sorted({f"{word}\t{' '.join(phones)}\n" for word, phones in pronunciations})
    Path(path).write_text("".join(lines), encoding="utf-8", newline="\n")


def read_dictionary(path: str | Path) -> Dictionary:
    """The pronunciations of each word, in the order of the file.

    Raises:
        InputError: the file is missing or damaged.
    """
    found: dict[str, tuple[Phones, ...]] = defaultdict(tuple)
    try:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            word, phones = line.split("\t")
            found[word] += (tuple(phones.split()),)
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run `dvc repro g2p`") from None
    except ValueError as error:
        raise InputError(f"{path}: damaged ({error}); run `dvc repro -s -f g2p`") from None
    return found
