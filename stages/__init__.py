"""One script per DVC stage: read, call the library, write. Run as `python -m stages.<name>`."""

import sys
from collections.abc import Callable

from lbtts.errors import InputError


def run(main: Callable[[], None], resumes: bool = False) -> None:
    """Runs a stage; bad input ends it with status 1 and one line on standard error.

    Args:
        main: the stage.
        resumes: whether it keeps partial results when it is interrupted.
    """
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(
            "interrupted: finished work is kept; run the same command to continue"
            if resumes
            else "interrupted: nothing is kept; run the same command to start the stage again"
        )
