"""Converts boundaries in seconds to whole 25 ms units, one count per token."""

from lbtts import params, paths
from lbtts.alignment.conversion import convert
from lbtts.alignment.report import read_report
from lbtts.alignment.timing import write_timings
from lbtts.corpus.manifest import read_manifest
from lbtts.errors import InputError, check_rejects
from lbtts.records import write_json
from lbtts.text.tokens import read_token_plans
from stages import run


def main() -> None:
    """Converts every aligned utterance; lists each with its units or the reason why not."""
    p = params.load()
    aligned = {row.id for row in read_report(paths.ALIGNMENT_REPORT) if row.accepted}
    plans = [plan for plan in read_token_plans(paths.SPOKEN) if plan.id in aligned]
    if not plans:
        raise InputError(f"{paths.ALIGNMENT_REPORT}: no aligned utterance; see its reasons")
    converted = convert(plans, read_manifest(paths.MANIFEST), paths.ALIGNMENT)
    write_timings(converted.rows, paths.DURATIONS)
    write_json(paths.metrics("durations"), converted.metrics())
    check_rejects(
        "durations", converted.rejected, len(plans), p.run.max_rejected, str(paths.DURATIONS)
    )


if __name__ == "__main__":
    run(main)
