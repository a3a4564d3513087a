"""The recordings that are least like the rest of the corpus: worst first, to hear and to judge."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import soundfile

from lbtts.corpus.manifest import Entry
from lbtts.inspection.audit import AUDITED
from lbtts.page import panels, png, render, wav

_PLAYED = 24  # with audio: some 5 MB
_LISTED = 300  # rows of the table
_REMARKABLE = 6.0  # deviations; a good recording is hardly ever beyond


def page(audit: pd.DataFrame, entries: Mapping[str, Entry], source: Path, title: str) -> str:
    """The whole page as HTML; equal input gives equal bytes.

    Args:
        audit: from `lbtts.corpus.audited.read_audit`.
        entries: of the manifest, by id.
        source: of the audit, for the reader.
        title: its heading.
    """
    columns = [name for name in AUDITED if audit[name].notna().any()]
    figure, axes = panels(columns, across=5, width=12, height=1.8)
    for axis, name in zip(axes, columns, strict=True):
        axis.hist(audit[name].dropna(), bins=40, color="#555")
    return render(
        "inspection/audit.html.jinja",
        title=title,
        count=len(audit),
        rejected=int((audit["status"] == "rejected").sum()),
        remarkable=int((audit["worst"] > _REMARKABLE).sum()),
        limit=_REMARKABLE,
        meanings={name: AUDITED[name].meaning for name in columns},
        usual={name: _number(audit[name].median()) for name in columns},
        charts=png(figure),
        played=[
            _row(name, row, columns) | _recording(entries[str(name)])
            for name, row in audit.head(_PLAYED).iterrows()
        ],
        rows=[_row(name, row, columns) for name, row in audit.head(_LISTED).iterrows()],
        source=source.as_posix(),
    )


def _row(name: object, row: pd.Series, columns: list[str]) -> dict[str, object]:
    return {
        "id": name,
        "status": row["status"],
        "reason": row["reason"],
        "worst": f"{row['worst']:.1f}",
        "measure": AUDITED[row["measure"]].meaning,
        "numbers": [_number(row[column]) for column in columns],
    }


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3g}"


def _recording(entry: Entry) -> dict[str, object]:
    return {"text": entry.text, "audio": wav(soundfile.read(entry.audio, dtype="float32")[0])}
