"""The recordings that are least like the rest of the corpus: worst first, to hear and to judge."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import soundfile

from lbtts.corpus.manifest import Entry
from lbtts.inspection.audit import AUDITED
from lbtts.page import histograms, number, png, render, wav

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
    return render(
        "inspection/audit.html.jinja",
        title=title,
        count=len(audit),
        rejected=int((audit["status"] == "rejected").sum()),
        remarkable=int((audit["worst"] > _REMARKABLE).sum()),
        limit=_REMARKABLE,
        meanings={name: AUDITED[name].meaning for name in columns},
        usual={name: number(audit[name].median()) for name in columns},
        charts=png(histograms(audit, columns, across=5, width=12, height=1.8)),
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
        "numbers": [number(row[column]) for column in columns],
    }


def _recording(entry: Entry) -> dict[str, object]:
    return {"text": entry.text, "audio": wav(soundfile.read(entry.audio, dtype="float32")[0])}
