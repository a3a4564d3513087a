"""Aligns phones with the audio, one TextGrid per utterance, and rates each alignment."""

import shutil

from lbtts import languages, params, paths
from lbtts.alignment.backends import Aligner
from lbtts.alignment.outcome import report, spoken
from lbtts.alignment.prealigned import corrections
from lbtts.alignment.report import CORRECTED, summary, write_report
from lbtts.corpus.manifest import read_manifest
from lbtts.errors import check_rejects
from lbtts.records import write_json
from lbtts.text.dictionary import read_dictionary
from lbtts.text.tokens import read_token_plans, write_token_plans
from stages import run


def main() -> None:
    """Aligns with the chosen backend; lists every utterance with its measures or its reason."""
    p = params.load()
    inventory = languages.get(p.language).inventory
    planned = read_token_plans(paths.PLANNED)
    aligner = Aligner(
        read_manifest(paths.MANIFEST),
        paths.DICTIONARY,
        paths.raw(p.corpus.name) / "textgrids",
        inventory,
        p.align,
        p.run,
    )
    dictionary = read_dictionary(paths.DICTIONARY)
    corrected = corrections(paths.CORRECTIONS, planned, inventory)
    shutil.rmtree(paths.ALIGNMENT, ignore_errors=True)
    paths.ALIGNMENT.mkdir(parents=True)
    found = aligner.results(p.align.backend, planned)
    results = ((name, corrected.get(name, result)) for name, result in found)
    outcome = spoken(planned, results, dictionary, inventory, paths.ALIGNMENT)
    write_token_plans(outcome.plans, paths.SPOKEN)
    apart = {}
    if p.align.second is not None and outcome.plans:
        second = aligner.results(p.align.second, outcome.plans)
        apart = outcome.disagreements(second, inventory)
    sources = {plan.id: CORRECTED if plan.id in corrected else p.align.backend for plan in planned}
    rows = report(outcome, sources, apart, p.align.quality)
    write_report(rows, paths.ALIGNMENT_REPORT)

    measured = {"corrected": len(corrected), "variants": outcome.variants} | summary(rows)
    write_json(paths.metrics("align"), {"backend": p.align.backend} | measured)
    rejected = sum(not row.accepted for row in rows)
    limit = p.run.max_rejected
    check_rejects("align", rejected, len(rows), limit, str(paths.ALIGNMENT_REPORT))


if __name__ == "__main__":
    run(main, resumes=True)
