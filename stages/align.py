"""Finds where each phone lies, one TextGrid an utterance, and judges what came out."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from lbtts import params
from lbtts.alignment import kaldi, mfa, prealigned, textgrid
from lbtts.alignment.pronunciation import Dictionary, follow, read_dictionary
from lbtts.alignment.quality import disagreement
from lbtts.alignment.report import CORRECTED, report, summary
from lbtts.alignment.textgrid import Found
from lbtts.corpus.manifest import read_manifest
from lbtts.errors import Reject, check_rejects
from lbtts.params import Backend, Params
from lbtts.records import write_json
from lbtts.scratch import scratch
from lbtts.text.tokens import TokenPlan, read_token_plans, write_token_plans
from stages import run

OUT = Path("data/alignment")
REPORT = OUT / "report.csv"
PLANS = OUT / "utterances.jsonl"
DICTIONARY = Path("data/g2p/lexicon.dict")
CORRECTIONS = Path("data/corrections")


def align(
    backend: Backend, p: Params, plans: Sequence[TokenPlan], dictionary: Dictionary
) -> Iterator[tuple[str, Found | Reject]]:
    """Each plan's id with what a backend makes of it."""
    manifest = read_manifest().set_index("id").loc[[plan.id for plan in plans]]
    audio, seconds = manifest["audio"].to_dict(), manifest["seconds"].astype(float).to_dict()
    match backend:
        case "kaldi":
            yield from kaldi.align(plans, dictionary, audio, seconds, p.align.kaldi, p.run.workers)
        case "mfa":
            with scratch("mfa") as folder:
                yield from mfa.align(
                    plans, audio, DICTIONARY, p.align.mfa, p.run.workers, folder / "run"
                )
        case "textgrid":
            starts = manifest["start"].astype(float).to_dict()
            folder = Path("data/raw") / p.corpus.name / "textgrids"
            yield from prealigned.align(plans, folder, starts, seconds)


def followed(
    plan: TokenPlan, result: Found | Reject, dictionary: Dictionary
) -> tuple[TokenPlan, Found] | Reject:
    """The plan as it was heard, and its phones, if they are of this plan."""
    if isinstance(result, Reject):
        return result
    try:
        plan, phones = prealigned.told(plan, result.words, result.phones) or follow(
            plan, result.phones, dictionary
        )
    except Reject as reason:
        return reason
    return plan, replace(result, phones=phones)


def main() -> None:
    """Aligns with the chosen backend; lists every utterance with its figures or its reason."""
    p = params.load()
    plans = read_token_plans("data/g2p/utterances.jsonl")
    dictionary = read_dictionary(DICTIONARY)
    corrected = prealigned.corrections(CORRECTIONS, plans)
    results = dict(align(p.align.backend, p, plans, dictionary)) | corrected
    source = {plan.id: CORRECTED if plan.id in corrected else p.align.backend for plan in plans}

    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    heard: list[TokenPlan] = []
    found: dict[str, Found] = {}
    rejects: dict[str, Reject] = {}
    for plan in tqdm(plans, desc="write", unit="utt"):
        result = followed(plan, results[plan.id], dictionary)
        if isinstance(result, Reject):
            rejects[plan.id] = result
            continue
        heard.append(result[0])
        found[plan.id] = result[1]
        alignment = textgrid.from_phones(result[0], result[1].phones, result[1].seconds)
        textgrid.write(alignment, OUT / f"{plan.id}.TextGrid")
    write_token_plans(heard, PLANS)
    table = report(source, found, rejects, p.align.quality)
    if p.align.second is not None and heard:
        others = dict(align(p.align.second, p, heard, dictionary))
        table["disagreement_ms"] = pd.Series(
            {
                name: disagreement(found[name], other)
                for name, other in others.items()
                if isinstance(other, Found)
            }
        ).round(2)
    table.to_csv(REPORT, lineterminator="\n")

    planned = {plan.id: plan.phones for plan in plans}
    variants = sum(plan.phones != planned[plan.id] for plan in heard)
    figures = {"backend": p.align.backend, "corrected": len(corrected), "variants": variants}
    write_json("metrics/align.json", figures | summary(table))
    rejected = int((table["status"] == "rejected").sum())
    check_rejects("align", rejected, len(plans), p.run.max_rejected, str(REPORT))


if __name__ == "__main__":
    run(main)
