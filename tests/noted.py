"""Runs a stage and notes every utterance that it begins to work on; a program, to be killed.

python -m tests.noted STAGE LOG, in the project's folder
"""

import sys

from lbtts.acoustics.measuring import survey
from lbtts.alignment import kaldi
from stages import align, features, run

measured, trained, aligned = survey._attempt, kaldi.train, kaldi._align


def note(name):
    """Appends a name to LOG, in whichever process this is."""
    with open(LOG, "a") as log:
        log.write(f"{name}\n")


def measure(utterance, *rest):
    """Notes the id and measures."""
    note(utterance.id)
    return measured(utterance, *rest)


def train(*given):
    """Notes that the aligner's model is trained, and trains it."""
    note("model")
    return trained(*given)


def align_some(model, utterances, beam):
    """Notes the ids and aligns."""
    for _, entry in utterances:
        note(entry.id)
    return aligned(model, utterances, beam)


if __name__ == "__main__":
    STAGE, LOG = sys.argv[1:]
    survey._attempt = measure
    kaldi.train, kaldi._align, kaldi._TASK = train, align_some, 1
    run({"align": align, "features": features}[STAGE].main)
