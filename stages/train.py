"""Trains the model.

python -m stages.train                  trains; `run.processes` of them share each step
python -m stages.train --estimate       estimates the cost of the run from a few trial steps
python -m stages.train --replay FILE    runs a failed step again
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lbtts import params
from lbtts.training import session
from stages import run


def main(options: Sequence[str] = ()) -> None:
    """Trains, estimates or replays, as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--estimate", action="store_true", help="estimate memory, time and disk")
    mode.add_argument("--replay", type=Path, metavar="FILE", help="run a failed step again")
    arguments = parser.parse_args(options)
    if arguments.estimate:
        print(session.estimate(params.load()))
    elif arguments.replay:
        session.replay(arguments.replay)
    else:
        session.train(params.load())


if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]), resumes=True)
