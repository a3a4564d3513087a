"""Converts transcripts to token plans, and writes the aligner's dictionary."""

import pandas as pd

from lbtts import languages, params, paths
from lbtts.corpus.manifest import accepted, read_manifest
from lbtts.errors import InputError, check_rejects
from lbtts.records import write_json
from lbtts.text.coverage import guesses, metrics, unspoken
from lbtts.text.dictionary import write_dictionary
from lbtts.text.tokens import write_token_plans
from lbtts.text.transcripts import pronunciations, token_plans
from stages import run


def main() -> None:
    """Writes data/g2p and metrics/g2p.json."""
    p = params.load()
    front_end = languages.get(p.language).front_end(paths.ADDITIONS, paths.LEXICON)
    utterances = accepted(read_manifest(paths.MANIFEST))
    if not utterances:
        raise InputError(f"{paths.MANIFEST}: no accepted utterance; see its column reason")
    texts = ((name, entry.text) for name, entry in utterances.items())
    plans, rejects = token_plans(texts, len(utterances), front_end)
    guessed = guesses(plans, front_end)
    rejected = pd.DataFrame(rejects, columns=["id", "reason"])

    paths.G2P.mkdir(parents=True, exist_ok=True)
    write_token_plans(plans, paths.PLANNED)
    write_dictionary(pronunciations(plans, paths.ADDITIONS, front_end), paths.DICTIONARY)
    unspoken(plans, front_end).to_csv(paths.NOISES, index=False, lineterminator="\n")
    guessed.to_csv(paths.OOV, index=False, lineterminator="\n")
    rejected.to_csv(paths.G2P_REJECTS, index=False, lineterminator="\n")
    counts = {"utterances": len(plans), "rejected": len(rejects)}
    write_json(paths.metrics("g2p"), counts | metrics(plans, guessed, front_end))
    check_rejects("g2p", len(rejects), len(utterances), p.run.max_rejected, str(paths.G2P_REJECTS))


if __name__ == "__main__":
    run(main)
