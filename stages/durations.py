"""Turns boundaries in seconds into whole 25 ms units, one count a token."""

import csv
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from lbtts import params
from lbtts.alignment import textgrid
from lbtts.alignment.durations import Durations, durations
from lbtts.corpus.manifest import read_manifest
from lbtts.errors import InputError, Reject, check_rejects
from lbtts.grid import SAMPLE_RATE, UNIT_RATE, samples_to_units
from lbtts.records import write_json
from lbtts.text.tokens import TokenPlan, read_token_plans
from stages import run

ALIGNMENT = Path("data/alignment")
OUT = Path("data/durations.csv")


def convert(plan: TokenPlan, seconds: str) -> Durations:
    """The durations of one utterance, from its TextGrid and the length in the manifest."""
    alignment = textgrid.read(ALIGNMENT / f"{plan.id}.TextGrid")
    return durations(plan, alignment, samples_to_units(round(float(seconds) * SAMPLE_RATE)))


def main() -> None:
    """Converts every aligned utterance; lists each with its units or the reason why not."""
    p = params.load()
    report = pd.read_csv(ALIGNMENT / "report.csv", dtype=str, keep_default_na=False)
    aligned = set(report[report["status"] == "ok"]["id"])
    plans = [
        plan for plan in read_token_plans("data/alignment/utterances.jsonl") if plan.id in aligned
    ]
    if not plans:
        raise InputError(f"{ALIGNMENT}/report.csv: no aligned utterance; see its reasons")
    seconds = read_manifest().set_index("id")["seconds"]
    found: list[Durations] = []
    with OUT.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "status", "reason", "units", "cuts"])
        for plan in tqdm(plans, desc="durations", unit="utt"):
            try:
                result = convert(plan, seconds[plan.id])
            except Reject as reason:
                table.writerow([plan.id, "rejected", reason, "", ""])
                continue
            found.append(result)
            cuts = ";".join(f"{begin}:{end}" for begin, end in result.cuts)
            table.writerow([plan.id, "ok", "", " ".join(map(str, result.units)), cuts])
    rejected = len(plans) - len(found)
    units = [n for result in found for n in result.units]
    cut = sum(end - begin for result in found for begin, end in result.cuts)
    write_json(
        "metrics/durations.json",
        {
            "utterances": len(found),
            "rejected": rejected,
            "hours": round(sum(units) / UNIT_RATE / 3600, 4),
            "units_per_token": round(sum(units) / max(1, len(units)), 3),
            "seconds_cut": cut / SAMPLE_RATE,
            "rounding_ms": round(
                1000 / UNIT_RATE * sum(r.shift for r in found) / max(1, len(found)), 3
            ),
        },
    )
    check_rejects("durations", rejected, len(plans), p.run.max_rejected, str(OUT))


if __name__ == "__main__":
    run(main)
