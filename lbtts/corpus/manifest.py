"""The manifest, which every later stage reads, and the held-out split."""

import csv
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lbtts.grid import SAMPLE_RATE, samples_to_seconds
from lbtts.records import read_rows

COLUMNS = ["id", "split", "audio", "text", "seconds", "status", "reason", "start"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One utterance of the corpus.

    split: `train` or `test`.
    text: its transcript.
    reason: why it was rejected, empty if it was accepted; only accepted ones have the following.
    audio: path of its audio.
    samples: length of the audio, at 24 kHz.
    start: sample of the recording, at 24 kHz, at which the audio starts; negative if silence was
        added before the recording.
    """

    id: str
    split: str
    text: str
    reason: str = ""
    audio: str = ""
    samples: int = 0
    start: int = 0

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return samples_to_seconds(self.samples)

    @property
    def start_seconds(self) -> float:
        """Second of the recording at which the audio starts."""
        return samples_to_seconds(self.start)


def assign_splits(
    given: Mapping[str, str | None], usable: Collection[str], test_share: float
) -> dict[str, str]:
    """The split of each id: the given one, else by a hash of the id.

    The split of an id does not depend on the other ids, unless a split would have no usable
    utterance: then the usable id with the nearest hash moves there.

    Args:
        given: id → split of its source, None where it has none.
        usable: the ids that were not rejected.
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


def write_manifest(entries: Iterable[Entry], path: str | Path) -> None:
    """Writes one row per utterance, sorted by id; times in seconds."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for e in sorted(entries, key=lambda entry: entry.id):
            if e.reason:
                table.writerow([e.id, e.split, "", e.text, "", "rejected", e.reason, ""])
            else:
                seconds, start = e.seconds, e.start_seconds
                table.writerow([e.id, e.split, e.audio, e.text, seconds, "ok", "", start])


def read_manifest(path: str | Path) -> dict[str, Entry]:
    """The entries of the manifest by id, rejected ones included, in the order of the file.

    Raises:
        InputError: it is missing, lacks a column, or a row is damaged.
    """
    return {entry.id: entry for entry in read_rows(path, "corpus", _entry)}


def _entry(row: Mapping[str, str]) -> Entry:
    if row["status"] == "rejected":
        return Entry(row["id"], row["split"], row["text"], row["reason"])
    samples, start = (round(float(row[name]) * SAMPLE_RATE) for name in ("seconds", "start"))
    return Entry(
        row["id"], row["split"], row["text"], audio=row["audio"], samples=samples, start=start
    )


def accepted(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """The utterances that were not rejected."""
    return {name: entry for name, entry in entries.items() if not entry.reason}
