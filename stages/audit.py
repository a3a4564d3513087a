"""Compares every recording with the rest of the corpus: who does not belong to it?"""

from lbtts import params, paths
from lbtts.alignment import textgrid
from lbtts.alignment.timing import read_timings
from lbtts.corpus.audited import write_audit
from lbtts.corpus.manifest import read_manifest
from lbtts.errors import check_rejects
from lbtts.inspection.audit import audit
from lbtts.records import write_json
from lbtts.scratch import scratch
from lbtts.text.tokens import each_token_plan
from stages import run


def main() -> None:
    """Audits what has durations; takes out what is beyond the limits in `audit.reject_beyond`."""
    p = params.load()
    timed = {timing.id for timing in read_timings(paths.DURATIONS)}
    entries = read_manifest(paths.MANIFEST)
    plans = [plan for plan in each_token_plan(paths.SPOKEN) if plan.id in timed]
    audio = {plan.id: entries[plan.id].audio for plan in plans}
    with scratch("audit") as folder:
        found = audit(
            plans,
            audio,
            {p.id: textgrid.last_word(paths.ALIGNMENT / f"{p.id}.TextGrid") for p in plans},
            voice=p.voice,
            f0=p.features.f0.quick(),
            run=p.run,
            keep=folder,
            dnsmos=p.audit.dnsmos,
        )
    reasons = found.beyond(p.audit.reject_beyond)
    write_audit(found.table(), reasons, paths.AUDIT)
    write_json(paths.metrics("audit"), {"utterances": len(plans), "rejected": len(reasons)})
    check_rejects("audit", len(reasons), len(plans), p.run.max_rejected, str(paths.AUDIT))


if __name__ == "__main__":
    run(main, resumes=True)
