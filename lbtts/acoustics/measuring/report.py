"""The report of the stage features, features_report.csv: one row for each utterance."""

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lbtts.records import read_rows

COLUMNS = ["id", "status", "reason", "suspicion", "voiced", "outside", "jumps"]


@dataclass(frozen=True)
class Row:
    """One utterance; unknown numbers are NaN.

    reason: why it was rejected, empty if it was accepted.
    suspicion: why its F0 is suspect, empty if it is not.
    voiced, outside, jumps: see `pitch.PitchStatistics`.
    """

    id: str
    reason: str = ""
    suspicion: str = ""
    voiced: float = math.nan
    outside: float = math.nan
    jumps: float = math.nan


def write_report(rows: Iterable[Row], path: str | Path) -> None:
    """Writes the rows in their order, numbers with four decimals."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in rows:
            numbers = (row.voiced, row.outside, row.jumps)
            written = ("" if math.isnan(n) else f"{n:.4f}" for n in numbers)
            status = "rejected" if row.reason else "ok"
            table.writerow([row.id, status, row.reason, row.suspicion, *written])


def read_report(path: str | Path) -> list[Row]:
    """The rows of a report, in their order.

    Raises:
        InputError: it is missing, or has other columns or values than `write_report` writes.
    """
    return read_rows(path, "features", _row)


def _row(row: Mapping[str, str]) -> Row:
    voiced, outside, jumps = (float(row[name] or "nan") for name in COLUMNS[4:])
    return Row(row["id"], row["reason"], row["suspicion"], voiced, outside, jumps)
