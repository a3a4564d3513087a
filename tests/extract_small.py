"""Runs the stage `features` and notes every utterance that is measured; a program, to be killed.

python -m tests.extract_small LOG, in the project's folder
"""

import sys

from lbtts.acoustics.measuring import survey
from stages import features, run

measured = survey._attempt


def noted(utterance, *rest):
    """Appends the id to LOG and measures, in whichever process this is."""
    with open(LOG, "a") as log:
        log.write(f"{utterance.id}\n")
    return measured(utterance, *rest)


if __name__ == "__main__":
    LOG = sys.argv[1]
    survey._attempt = noted
    run(features.main)
