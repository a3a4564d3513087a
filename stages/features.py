"""Measures mel, F0 and energy and writes them with audio and durations into one file."""

from tqdm import tqdm

from lbtts import params, paths
from lbtts.acoustics.measuring.assembly import assemble
from lbtts.acoustics.measuring.cache import MeasureCache
from lbtts.acoustics.measuring.extraction import timed_utterances
from lbtts.acoustics.measuring.report import write_report
from lbtts.acoustics.measuring.survey import survey
from lbtts.alignment.timing import read_timings
from lbtts.corpus.audited import rejected as audited_out
from lbtts.corpus.manifest import read_manifest
from lbtts.errors import check_rejects
from lbtts.records import write_json
from lbtts.scratch import scratch
from lbtts.text.tokens import each_token_plan
from lbtts.workers import workers
from stages import run


def main() -> None:
    """Measures what no earlier run has measured, then writes all in the order of ids."""
    p = params.load()
    out = audited_out(paths.AUDIT)
    timings = [timing for timing in read_timings(paths.DURATIONS) if timing.id not in out]
    utterances = timed_utterances(
        timings, read_manifest(paths.MANIFEST), each_token_plan(paths.SPOKEN)
    )
    with scratch("features") as folder, MeasureCache(folder, p.features.f0) as cache:
        with workers(p.run, ordered=False) as parallel:
            found = survey(utterances, cache, p.features.f0, parallel)
        tqdm.write(
            f"measured {found.measured} of {len(utterances)} utterances; the others were cached"
        )
        rows = assemble(utterances, found, cache, p.features, paths.FEATURES)

    write_report(rows, paths.FEATURES_REPORT)
    rejected = sum(bool(row.reason) for row in rows)
    counts = {
        "utterances": len(utterances) - rejected,
        "rejected": rejected,
        "suspect": sum(bool(row.suspicion) for row in rows),
    }
    write_json(paths.metrics("features"), counts | found.pitch.metrics())
    check_rejects(
        "features", rejected, len(utterances), p.run.max_rejected, str(paths.FEATURES_REPORT)
    )


if __name__ == "__main__":
    run(main, resumes=True)
