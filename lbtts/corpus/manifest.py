"""The corpus as every later stage reads it: the manifest and the held-out split."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lbtts.errors import InputError

MANIFEST = Path("data/corpus/manifest.csv")
COLUMNS = ["id", "split", "audio", "text", "seconds", "status", "reason", "start"]


def assign_splits(
    given: Mapping[str, str | None], usable: Collection[str], test_share: float
) -> dict[str, str]:
    """The split of each id: the given one, else by a hash of the id.

    An id's split does not change when others come or go, unless no usable one would be left to
    train on or to test with: then the usable id nearest to that side moves there.

    Args:
        given: id → split of its source, None where it has none.
        usable: those of the ids that were not rejected.
        test_share: expected share of `test` among those without a split.
    """
    splits = {
        name: split or ("test" if _hash(name) < test_share else "train")
        for name, split in given.items()
    }
    for split, nearest in (("test", min), ("train", max)):
        if usable and split not in {splits[name] for name in usable}:
            splits[nearest(usable, key=_hash)] = split
    return splits


def _hash(name: str) -> float:
    """A number in 0..1, evenly spread over names."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


def write_manifest(rows: Iterable[Mapping[str, Any]], path: Path = MANIFEST) -> None:
    """Writes one row per utterance, sorted by id; of each mapping only the manifest's columns."""
    table = pd.DataFrame(sorted(rows, key=lambda row: row["id"]), columns=COLUMNS)
    table.to_csv(path, index=False, lineterminator="\n")


def read_manifest(path: str | Path = MANIFEST) -> pd.DataFrame:
    """The manifest as strings, empty where there is no value.

    Columns: id, split (train or test), audio, text, seconds, status (ok or rejected), reason, start
    (second of the recording at which the clip begins).

    Raises:
        InputError: there is none, or it has other columns.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: not found; run `dvc repro corpus`")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if list(table.columns) != COLUMNS:
        raise InputError(
            f"{path}: its columns are not {','.join(COLUMNS)}; run `dvc repro -f corpus`"
        )
    return table


def accepted(manifest: pd.DataFrame) -> pd.DataFrame:
    """The rows of usable utterances, renumbered."""
    return manifest[manifest["status"] == "ok"].reset_index(drop=True)
