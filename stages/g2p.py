"""Converts transcripts to token plans, and writes the aligner's dictionary."""

from collections.abc import Sequence

import pandas as pd
from tqdm import tqdm

from lbtts import languages, params, paths
from lbtts.corpus.manifest import accepted, read_manifest
from lbtts.errors import InputError, Reject, check_rejects
from lbtts.records import write_json
from lbtts.text.coverage import guesses, metrics, unspoken
from lbtts.text.dictionary import write_dictionary
from lbtts.text.inventory import Phones
from lbtts.text.lexicon import read_variants
from lbtts.text.tokens import TokenPlan, write_token_plans
from stages import run


def pronunciations(plans: Sequence[TokenPlan]) -> set[tuple[str, Phones]]:
    """Every word of the plans with its planned pronunciation and those of the user's additions."""
    planned = {entry for plan in plans for entry in plan.pronunciations()}
    words = {word for word, _ in planned}
    own = read_variants(paths.ADDITIONS).items()
    return planned | {(w.lower(), p) for w, several in own for p in several if w.lower() in words}


def main() -> None:
    """Writes data/g2p and metrics/g2p.json."""
    p = params.load()
    front_end = languages.get(p.language).front_end(paths.ADDITIONS, paths.LEXICON)
    utterances = accepted(read_manifest(paths.MANIFEST))
    if not utterances:
        raise InputError(f"{paths.MANIFEST}: no accepted utterance; see its column reason")
    plans: list[TokenPlan] = []
    rejects: list[tuple[str, str]] = []
    for name, entry in tqdm(utterances.items(), desc="g2p", unit="utt"):
        try:
            plans.append(front_end.token_plan(name, entry.text))
        except Reject as reject:
            rejects.append((name, str(reject)))

    guessed = guesses(plans, front_end)
    paths.G2P.mkdir(parents=True, exist_ok=True)
    write_token_plans(plans, paths.PLANNED)
    write_dictionary(pronunciations(plans), paths.DICTIONARY)
    unspoken(plans, front_end).to_csv(paths.NOISES, index=False, lineterminator="\n")
    guessed.to_csv(paths.OOV, index=False, lineterminator="\n")
    pd.DataFrame(rejects, columns=["id", "reason"]).to_csv(
        paths.G2P_REJECTS, index=False, lineterminator="\n"
    )
    write_json(
        paths.metrics("g2p"),
        {"utterances": len(plans), "rejected": len(rejects), **metrics(plans, guessed, front_end)},
    )
    check_rejects("g2p", len(rejects), len(utterances), p.run.max_rejected, str(paths.G2P_REJECTS))


if __name__ == "__main__":
    run(main)
