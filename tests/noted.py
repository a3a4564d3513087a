"""Runs a stage and notes every utterance that it begins to work on; a program, to be killed.

python -m tests.noted STAGE LOG, in the project's folder
"""

import sys

from stages import run


def note(name):
    """Appends a name to LOG, in whichever process this is."""
    with open(LOG, "a") as log:
        log.write(f"{name}\n")


def features():
    """The stage, which notes what it measures."""
    from lbtts.acoustics.measuring import survey
    from stages.features import main

    measured = survey._attempt

    def attempt(utterance, *rest):
        note(utterance.id)
        return measured(utterance, *rest)

    survey._attempt = attempt
    main()


def align():
    """The stage, which notes what it aligns, and `model` when it trains one."""
    from lbtts.alignment import kaldi
    from stages.align import main

    trained, aligned = kaldi.train, kaldi._align

    def train(*given):
        note("model")
        return trained(*given)

    def some(model, utterances, beam):
        for _, entry in utterances:
            note(entry.id)
        return aligned(model, utterances, beam)

    kaldi.train, kaldi._align, kaldi._TASK = train, some, 1
    main()


if __name__ == "__main__":
    STAGE, LOG = sys.argv[1:]
    run({"align": align, "features": features}[STAGE])
