"""Finds where each phone lies, one TextGrid an utterance."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

from lbtts import params
from lbtts.alignment import kaldi, mfa, textgrid
from lbtts.alignment.textgrid import Alignment
from lbtts.corpus import read_manifest
from lbtts.errors import Reject, check_rejects
from lbtts.params import Params
from lbtts.records import write_json
from lbtts.scratch import scratch
from lbtts.text.tokens import Plan, read_plans
from stages import run

OUT = Path("data/alignment")
REPORT = OUT / "report.csv"
DICTIONARY = Path("data/g2p/lexicon.dict")


def align(p: Params, plans: list[Plan]) -> Iterator[tuple[str, Alignment | Reject]]:
    """Each plan's id with what the chosen backend makes of it."""
    manifest = read_manifest().set_index("id")
    audio = manifest["audio"].to_dict()
    if p.align.backend == "kaldi":
        seconds = {plan.id: float(manifest.at[plan.id, "seconds"]) for plan in plans}
        yield from kaldi.align(plans, audio, seconds, p.align.kaldi, p.run.workers)
    else:
        with scratch("mfa") as folder:
            yield from mfa.align(
                plans, audio, DICTIONARY, p.align.mfa, p.run.workers, folder / "run"
            )


def main() -> None:
    """Aligns with the chosen backend; lists every utterance with its score or its reason."""
    p = params.load()
    backend = p.align.backend
    plans = read_plans("data/g2p/utterances.jsonl")
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    scores: list[float] = []
    rejected = 0
    with REPORT.open("w", encoding="utf-8", newline="") as file:
        report = csv.writer(file, lineterminator="\n")
        report.writerow(["id", "status", "reason", "backend", "score"])
        for name, result in align(p, plans):
            if isinstance(result, Reject):
                rejected += 1
                report.writerow([name, "rejected", result, backend, ""])
                continue
            textgrid.write(result, OUT / f"{name}.TextGrid")
            report.writerow([name, "ok", "", backend, result.score])
            if result.score is not None:
                scores.append(result.score)
    figures: dict[str, str | int | float] = {
        "backend": backend,
        "aligned": len(plans) - rejected,
        "rejected": rejected,
    }
    if scores:
        figures |= {
            "score_mean": round(sum(scores) / len(scores), 4),
            "score_min": min(scores),
        }
    write_json("metrics/align.json", figures)
    check_rejects("align", rejected, len(plans), p.run.max_rejected, str(REPORT))


if __name__ == "__main__":
    run(main)
