"""The alignment report, report.csv: one row for each utterance of the stage align."""

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from lbtts.records import read_rows

Status = Literal["keep", "suspect", "reject"]

CORRECTED = "corrected"  # the backend of what a person aligned
_DISAGREEMENT = "disagreement_ms"  # a column that exists only after two backends
_COLUMNS = {"status": "verdict", "confidence": "trust"}  # field of `Row` → column of the file


@dataclass(frozen=True, slots=True)
class Row:
    """One utterance; unknown numbers are NaN.

    reason: why it is rejected, or suspect.
    status: None where it could not be aligned at all; the column `verdict` of the file, whose own
        column `status` is `ok` or `rejected`.
    beam: with which the best path was found.
    confidence: see `quality.confidence`; the column `trust` of the file. The measures that it is
        made from follow, see `quality.Measures`.
    disagreement_ms: mean distance to the starts of phones that the second backend found.
    """

    id: str
    reason: str
    backend: str
    status: Status | None
    beam: float = math.nan
    confidence: float = math.nan
    score: float = math.nan
    worst: float = math.nan
    duration_z_mean: float = math.nan
    duration_z_max: float = math.nan
    longest_phone: float = math.nan
    longest_silence: float = math.nan
    shortest_share: float = math.nan
    rate: float = math.nan
    disagreement_ms: float = math.nan

    @property
    def accepted(self) -> bool:
        """Whether the later stages use it."""
        return self.status in ("keep", "suspect")


def summary(rows: Iterable[Row]) -> dict[str, float]:
    """Counts and means of a report, for the metrics; a mean of no values is left out."""
    table = pd.DataFrame([asdict(row) | {"accepted": row.accepted} for row in rows])
    means = {
        "score_mean": table["score"].mean(),
        "score_min": table["score"].min(),
        "duration_z_mean": table["duration_z_mean"].mean(),
        "rate": table["rate"].mean(),
        "disagreement_ms": table["disagreement_ms"].median(),
    }
    return {
        "aligned": int(table["accepted"].sum()),
        "rejected": int((~table["accepted"]).sum()),
        "suspect": int((table["status"] == "suspect").sum()),
    } | {name: round(float(mean), 4) for name, mean in means.items() if pd.notna(mean)}


def write_report(rows: Iterable[Row], path: str | Path) -> None:
    """Writes the rows in their order; unknown numbers are left empty."""
    rows = list(rows)
    names = [field.name for field in fields(Row)]
    if all(math.isnan(row.disagreement_ms) for row in rows):
        names.remove(_DISAGREEMENT)
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "status", *map(_column, names[1:])])
        for row in rows:
            values = (getattr(row, name) for name in names[1:])
            known = ("" if value is None or value != value else value for value in values)
            table.writerow([row.id, "ok" if row.accepted else "rejected", *known])


def read_report(path: str | Path) -> list[Row]:
    """The rows of a report, in their order.

    Raises:
        InputError: it is missing, lacks a column or has invalid values.
    """
    return read_rows(path, "align", _row)


def _row(row: Mapping[str, str]) -> Row:
    values: dict[str, Any] = {}
    for field in fields(Row):
        name = _column(field.name)
        text = row.get(name, "") if name == _DISAGREEMENT else row[name]
        values[field.name] = float(text or "nan") if field.type is float else text
    decided = values.pop("status") or None
    if decided not in (None, *get_args(Status)):
        raise ValueError(f"{row['id']}: {decided!r} is not a status")
    return Row(**values, status=decided)


def _column(name: str) -> str:
    """The column of a field of `Row`."""
    return _COLUMNS.get(name, name)
