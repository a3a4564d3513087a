"""Turns transcripts into token plans and the aligner's dictionary."""

from pathlib import Path

import pandas as pd

from lbtts import languages, params
from lbtts.corpus.manifest import MANIFEST, accepted, read_manifest
from lbtts.errors import InputError, check_rejects
from lbtts.records import write_json
from lbtts.text.coverage import guesses, metrics, unspoken
from lbtts.text.lexicon import write_dictionary
from lbtts.text.tokens import write_token_plans
from lbtts.text.transcripts import pronunciations, token_plans
from stages import run

ADDITIONS, KNOWN = Path("data/additions.tsv"), Path("data/lexicon")
OUT = Path("data/g2p")
REJECTS = OUT / "rejects.csv"
METRICS = Path("metrics/g2p.json")


def main() -> None:
    """Writes data/g2p and metrics/g2p.json."""
    p = params.load()
    front_end = languages.get(p.language).front_end(ADDITIONS, KNOWN)
    utterances = accepted(read_manifest(MANIFEST))
    if utterances.empty:
        raise InputError(f"{MANIFEST}: no accepted utterance; see its column reason")
    texts = zip(utterances["id"], utterances["text"], strict=True)
    plans, rejects = token_plans(texts, len(utterances), front_end)
    guessed = guesses(plans, front_end)
    rejected = pd.DataFrame(rejects, columns=["id", "reason"])

    OUT.mkdir(parents=True, exist_ok=True)
    write_token_plans(plans, OUT / "utterances.jsonl")
    write_dictionary(pronunciations(plans, ADDITIONS, front_end), OUT / "lexicon.dict")
    unspoken(plans, front_end).to_csv(OUT / "noises.csv", index=False, lineterminator="\n")
    guessed.to_csv(OUT / "oov.csv", index=False, lineterminator="\n")
    rejected.to_csv(REJECTS, index=False, lineterminator="\n")
    counts = {"utterances": len(plans), "rejected": len(rejects)}
    write_json(METRICS, counts | metrics(plans, guessed, front_end))
    check_rejects("g2p", len(rejects), len(utterances), p.run.max_rejected, str(REJECTS))


if __name__ == "__main__":
    run(main)
