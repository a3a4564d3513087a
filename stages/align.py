"""Finds where each phone lies, one TextGrid an utterance."""

import csv
import os
import shutil
from pathlib import Path

from lbtts import params
from lbtts.alignment import kaldi, mfa, textgrid
from lbtts.corpus import read_manifest
from lbtts.errors import Reject, check_rejects
from lbtts.records import write_json
from lbtts.text.tokens import read_plans
from stages import run

OUT = Path("data/alignment")
REPORT = OUT / "report.csv"
DICTIONARY = Path("data/g2p/lexicon.dict")


def main() -> None:
    """Aligns with the chosen backend; lists every utterance with its score or its reason."""
    p = params.load()
    choice = p.align
    plans = read_plans("data/g2p/utterances.jsonl")
    manifest = read_manifest().set_index("id")
    audio = manifest["audio"].to_dict()
    if choice.backend == "kaldi":
        seconds = {name: float(manifest.at[name, "seconds"]) for name in (q.id for q in plans)}
        results = kaldi.align(plans, audio, seconds, choice.kaldi, p.run.workers)
    else:
        scratch = Path(os.environ.get("DVC_ROOT", ".")) / "scratch" / "mfa"
        results = mfa.align(plans, audio, DICTIONARY, choice.mfa, p.run.workers, scratch)

    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    scores: list[float] = []
    rejected = 0
    with REPORT.open("w", encoding="utf-8", newline="") as file:
        report = csv.writer(file, lineterminator="\n")
        report.writerow(["id", "status", "reason", "backend", "score"])
        for name, result in results:
            if isinstance(result, Reject):
                rejected += 1
                report.writerow([name, "rejected", result, choice.backend, ""])
                continue
            textgrid.write(result, OUT / f"{name}.TextGrid")
            report.writerow([name, "ok", "", choice.backend, result.score])
            if result.score is not None:
                scores.append(result.score)
    figures: dict[str, str | int | float] = {
        "backend": choice.backend,
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
