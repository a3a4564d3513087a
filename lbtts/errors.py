"""Errors in the input: `InputError` ends the run, `Reject` removes one utterance."""


class InputError(Exception):
    """Ends a stage with one line that names the file or key, what is wrong, and the remedy."""


class Reject(Exception):
    """Rejects one utterance, with the reason for the stage's report."""


def first_line(error: BaseException) -> str:
    """The first line of an exception's message; its type if there is no message."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


_NO_MEMORY = (
    "DefaultCPUAllocator",  # torch
    "failed to map segment",  # the loader of libraries
    "can't start new thread",
    "Cannot allocate memory",  # torch's shared memory, with the system's words
    "std::bad_alloc",  # onnxruntime
)
_NOT_WRITTEN = (
    "No space left on device",  # safetensors
    "PytorchStreamWriter failed",  # torch
    "inline_container.cc",  # torch, when it then closes the file
    "System error.",  # libsndfile
    "database or disk is full",  # SQLite
)


def no_memory(error: BaseException) -> bool:
    """Whether memory ran out, now or before `error` came of it; libraries say it in many ways."""
    if isinstance(error, MemoryError) or any(text in str(error) for text in _NO_MEMORY):
        return True
    before = error.__cause__ or error.__context__
    return before is not None and no_memory(before)


def not_written(error: BaseException) -> bool:
    """Whether a file could not be written, which many libraries say in their own way."""
    return any(text in str(error) for text in _NOT_WRITTEN)


def check_rejects(stage: str, rejected: int, total: int, limit: float, report: str) -> None:
    """Checks that the share of rejected utterances is within `limit`.

    Args:
        stage: its name, for the message.
        rejected: utterances rejected by this stage.
        total: utterances it was given.
        limit: largest tolerated share, 0 to 1 (`run.max_rejected` in params.yaml).
        report: the file that lists every rejected utterance with its reason.

    Raises:
        InputError: every utterance, or more than `limit` was rejected.
    """
    if rejected >= total:
        raise InputError(
            f"{stage}: {rejected} of {total} utterances rejected, so none is left; see the reasons "
            f"in {report}"
        )
    if rejected > limit * total:
        raise InputError(
            f"{stage}: {rejected} of {total} utterances rejected, more than "
            f"run.max_rejected = {limit:g} allows; see the reasons in {report}, then fix the "
            "data or raise the limit"
        )
