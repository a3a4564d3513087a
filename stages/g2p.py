"""Turns transcripts into token plans and the aligner's dictionary."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from lbtts import languages, params
from lbtts.corpus.manifest import MANIFEST, accepted, read_manifest
from lbtts.errors import InputError, Reject, check_rejects
from lbtts.records import write_json
from lbtts.text.coverage import guesses, metrics, unspoken
from lbtts.text.inventory import Phones
from lbtts.text.lexicon import read_variants, write_dictionary
from lbtts.text.tokens import TokenPlan, write_token_plans
from stages import run

ADDITIONS, KNOWN = Path("data/additions.tsv"), Path("data/lexicon")
OUT = Path("data/g2p")
REJECTS = OUT / "rejects.csv"
METRICS = Path("metrics/g2p.json")


def pronunciations(plans: Sequence[TokenPlan]) -> set[tuple[str, Phones]]:
    """Every word of the plans as it is planned, and as one's own additions say it may be heard."""
    planned = {entry for plan in plans for entry in plan.pronunciations()}
    words = {word for word, _ in planned}
    own = read_variants(ADDITIONS).items()
    return planned | {(w.lower(), p) for w, several in own for p in several if w.lower() in words}


def main() -> None:
    """Writes data/g2p and metrics/g2p.json."""
    p = params.load()
    front_end = languages.get(p.language).front_end(ADDITIONS, KNOWN)
    utterances = accepted(read_manifest(MANIFEST))
    if utterances.empty:
        raise InputError(f"{MANIFEST}: no accepted utterance; see its column reason")
    plans: list[TokenPlan] = []
    rejects: list[tuple[str, str]] = []
    pairs = zip(utterances["id"], utterances["text"], strict=True)
    for name, text in tqdm(pairs, desc="g2p", total=len(utterances), unit="utt"):
        try:
            plans.append(front_end.token_plan(name, text))
        except Reject as reject:
            rejects.append((name, str(reject)))

    guessed = guesses(plans, front_end)
    OUT.mkdir(parents=True, exist_ok=True)
    write_token_plans(plans, OUT / "utterances.jsonl")
    write_dictionary(pronunciations(plans), OUT / "lexicon.dict")
    unspoken(plans, front_end).to_csv(OUT / "noises.csv", index=False, lineterminator="\n")
    guessed.to_csv(OUT / "oov.csv", index=False, lineterminator="\n")
    pd.DataFrame(rejects, columns=["id", "reason"]).to_csv(
        REJECTS, index=False, lineterminator="\n"
    )
    write_json(
        METRICS,
        {"utterances": len(plans), "rejected": len(rejects), **metrics(plans, guessed, front_end)},
    )
    check_rejects("g2p", len(rejects), len(utterances), p.run.max_rejected, str(REJECTS))


if __name__ == "__main__":
    run(main)
