"""Where the known words come from: configured lists, merged; some words are held out."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lbtts.download import download
from lbtts.errors import InputError
from lbtts.params import Source
from lbtts.records import sha256
from lbtts.scratch import scratch
from lbtts.text.inventory import Inventory, Phones
from lbtts.text.lexicon import Entries, parse_phones, read_entries, read_lines

_COLUMNS = {"word", "phones", "split"}  # of a table that says which words to hold out


@dataclass(frozen=True)
class Words:
    """The words of all sources, and which of them the model for unknown words learns from."""

    entries: Entries
    source: dict[str, str]  # name of the source of each word
    held_out: frozenset[str]  # for scoring the model
    passed_over: frozenset[str]  # in neither training nor scoring

    def training(self) -> list[tuple[str, Phones]]:
        """What the model for unknown words learns from, by word."""
        apart = self.held_out | self.passed_over
        return sorted((w, phones) for w, phones in self.entries.items() if w not in apart)

    def scoring(self) -> list[tuple[str, Phones]]:
        """What it is scored on, by word."""
        return sorted((word, self.entries[word]) for word in self.held_out)


def gather(
    sources: Sequence[Source],
    test_share: float,
    inventory: Inventory,
    packaged: Callable[[], Entries],
) -> Words:
    """The words of `sources`, the first that has a word counting.

    Args:
        sources: in order of trust.
        test_share: share held out of the sources that name no words for it.
        inventory: the phones of the language, in whose labels the entries come back.
        packaged: gives the entries of `kind: packaged`.

    Raises:
        InputError: a source is missing, broken or not what its sum says.
    """
    entries: Entries = {}
    of: dict[str, str] = {}
    held_out: set[str] = set()
    passed_over: set[str] = set()
    for source in sources:
        found, splits = _read(source, inventory, packaged)
        new = {word: phones for word, phones in found.items() if word not in entries}
        entries |= new
        of |= dict.fromkeys(new, source.name)
        if splits:
            held_out |= {word for word in new if splits[word] == "test"}
            passed_over |= {word for word in new if splits[word] not in ("test", "train")}
        else:
            held_out |= {word for word in new if _drawn(word, test_share)}
    return Words(entries, of, frozenset(held_out), frozenset(passed_over))


def _drawn(word: str, share: float) -> bool:
    """Whether `word` is held out: by its own hash, so that other words change nothing."""
    return int(hashlib.sha256(word.encode()).hexdigest()[:8], 16) < share * 16**8


def _read(
    source: Source, inventory: Inventory, packaged: Callable[[], Entries]
) -> tuple[Entries, dict[str, str]]:
    """The entries of a source, and the split of each word where it has that column."""
    if source.at is None:
        return packaged(), {}
    path = Path(source.at) if source.kind == "file" else _fetched(source)
    try:
        lines = read_lines(path)
    except InputError as error:
        raise InputError(f"lexicon.sources: {source.name}: {error}") from None
    if source.kind == "file" and source.sha256 and (found := sha256(path)) != source.sha256:
        raise InputError(
            f"lexicon.sources: {source.name}: {path} has the SHA-256 {found}, not "
            f"{source.sha256}; if it is what you want, write its sum into params.yaml"
        )
    header = lines[0].split("\t") if lines else []
    if not set(header) >= _COLUMNS:
        return read_entries(path, inventory), {}
    entries: Entries = {}
    splits: dict[str, str] = {}
    for number, line in enumerate(lines[1:], 2):
        row = dict(zip(header, line.split("\t"), strict=False))
        if not set(row) >= _COLUMNS:
            raise InputError(f"{path}:{number}: fewer columns than the header")
        if row["word"] not in entries:
            word = row["word"]
            entries[word] = parse_phones(path, number, word, row["phones"], inventory)
            splits[word] = row["split"]
    return entries, splits


def _fetched(source: Source) -> Path:
    """The file at a source's address, kept in scratch by its sum."""
    assert source.at is not None and source.sha256 is not None
    with scratch(f"lexicon-{source.sha256[:16]}") as folder:
        path = folder / "dictionary"
        try:
            download(source.at, path, source.sha256)
        except InputError as error:
            raise InputError(
                f"lexicon.sources: {source.name}: {error}; or fetch it elsewhere and use kind: file"
            ) from None
    return path
