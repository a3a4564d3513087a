"""The durations of an utterance's tokens: one row of durations.csv."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lbtts.errors import Reject
from lbtts.records import read_rows

COLUMNS = ["id", "status", "reason", "units", "cuts"]


@dataclass(frozen=True)
class Timing:
    """The durations of one utterance, on the time grid.

    units: of BOS, every token and EOS, each 1 to 50.
    cuts: spans of samples, begin and end, to cut out of the audio, ascending.
    """

    id: str
    units: tuple[int, ...]
    cuts: tuple[tuple[int, int], ...] = ()


def write_timings(timings: Iterable[Timing | tuple[str, Reject]], path: str | Path) -> None:
    """Writes one row per utterance, in the order given: its timing, or its id and why it has none.

    Units are separated by spaces; cuts are written as `begin:end;begin:end`.
    """
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for timing in timings:
            if isinstance(timing, Timing):
                cuts = ";".join(f"{begin}:{end}" for begin, end in timing.cuts)
                table.writerow([timing.id, "ok", "", " ".join(map(str, timing.units)), cuts])
            else:
                name, reason = timing
                table.writerow([name, "rejected", reason, "", ""])


def read_timings(path: str | Path) -> list[Timing]:
    """The accepted utterances of durations.csv, sorted by id.

    Raises:
        InputError: the file is missing, or a row of it is damaged.
    """
    timings = filter(None, read_rows(path, "durations", _timing))
    return sorted(timings, key=lambda timing: timing.id)


def _timing(row: Mapping[str, str]) -> Timing | None:
    """The timing of one row, None if the utterance was rejected."""
    if row["status"] != "ok":
        return None
    cuts = []
    try:
        for span in filter(None, row["cuts"].split(";")):
            begin, end = map(int, span.split(":"))
            cuts.append((begin, end))
        return Timing(row["id"], tuple(int(n) for n in row["units"].split()), tuple(cuts))
    except ValueError as error:
        raise ValueError(f"{row['id']}: {error}") from None
