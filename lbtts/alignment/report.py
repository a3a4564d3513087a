"""What became of every utterance at the aligner's hands, as a table and as figures."""

from collections.abc import Mapping

import pandas as pd

from lbtts.alignment.quality import judge, measures, trust
from lbtts.alignment.textgrid import Found
from lbtts.errors import Reject
from lbtts.params import Quality

CORRECTED = "corrected"  # the backend of what a person aligned


def report(
    source: Mapping[str, str],
    found: Mapping[str, Found],
    rejects: Mapping[str, Reject],
    choice: Quality,
) -> pd.DataFrame:
    """One row an utterance: status, reason, backend, verdict, trust, and the measures behind it.

    Args:
        source: backend of each utterance, in the order of the rows.
        found: what was aligned; together with `rejects` all of them.
        rejects: why the others were not.
        choice: the bounds of the verdicts; what a person corrected is kept in any case.
    """
    table = measures(found)
    table.insert(0, "trust", trust(table).round(3))
    rows = []
    for name, backend in source.items():
        row: dict[str, str | float | None] = {"id": name, "backend": backend}
        if name in rejects:
            row |= {"status": "rejected", "reason": str(rejects[name])}
        elif backend == CORRECTED:
            row |= {"status": "ok", "verdict": "keep"}
        else:
            judgement = judge(table["trust"][name], choice)
            status = "rejected" if judgement.verdict == "reject" else "ok"
            row |= {"status": status, "verdict": judgement.verdict, "reason": judgement.reason}
        if name in found:
            row["beam"] = found[name].beam
        rows.append(row)
    columns = ["status", "reason", "backend", "verdict", "beam"]
    return pd.DataFrame(rows).set_index("id").reindex(columns=columns).join(table.round(4))


def summary(table: pd.DataFrame) -> dict[str, float]:
    """Counts and means of a report; a mean of nothing is left out."""
    means = {
        "score_mean": table["score"].mean(),
        "score_min": table["score"].min(),
        "duration_z_mean": table["duration_z_mean"].mean(),
        "rate": table["rate"].mean(),
    }
    if "disagreement_ms" in table:
        means["disagreement_ms"] = table["disagreement_ms"].median()
    return {
        "aligned": int((table["status"] == "ok").sum()),
        "rejected": int((table["status"] == "rejected").sum()),
        "suspect": int((table["verdict"] == "suspect").sum()),
    } | {name: round(float(mean), 4) for name, mean in means.items() if pd.notna(mean)}
