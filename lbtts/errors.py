"""The two ways in which input can be bad: the run cannot go on, or one utterance cannot."""


class InputError(Exception):
    """Ends a stage with one line that names the file or key, what is wrong, and the remedy."""


class Reject(Exception):
    """Takes one utterance out, with the reason that goes into the stage's report."""


def first_line(error: BaseException) -> str:
    """The first line of what an exception says, its type where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def check_rejects(stage: str, rejected: int, total: int, limit: float, report: str) -> None:
    """Lets a stage pass whose share of rejected utterances is within `limit`.

    Args:
        stage: its name, for the message.
        rejected: utterances rejected by this stage.
        total: utterances it was given.
        limit: largest tolerated share, 0 to 1 (`run.max_rejected` in params.yaml).
        report: the file that lists every rejected utterance with its reason.

    Raises:
        InputError: nothing survived, or more than `limit` was rejected.
    """
    if rejected >= total or rejected > limit * total:
        raise InputError(
            f"{stage}: {rejected} of {total} utterances rejected, more than "
            f"run.max_rejected = {limit:g} allows; see the reasons in {report}, then fix the "
            "data or raise the limit"
        )
