"""TextGrids that somebody else made: a corpus's published alignment, or one's own corrections."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lbtts.alignment import textgrid
from lbtts.alignment.pronunciation import recognised
from lbtts.alignment.textgrid import Found, Interval
from lbtts.errors import InputError, Reject
from lbtts.text.tokens import Plan


def align(
    plans: Sequence[Plan], folder: Path, starts: Mapping[str, float], seconds: Mapping[str, float]
) -> Iterator[tuple[str, Found | Reject]]:
    """Each plan's id with the phones of `<folder>/<id>.TextGrid`, on the clip's own time.

    Args:
        plans: sorted by id.
        folder: with one TextGrid an utterance, tiers `words` and `phones`.
        starts: second of the grid's time at which each clip begins.
        seconds: length of each clip.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder}: not found; align.backend: textgrid needs one TextGrid an utterance there"
        )
    for plan in plans:
        try:
            grid = textgrid.read(folder / f"{plan.id}.TextGrid")
            length = seconds[plan.id]
            yield plan.id, Found(_on_clip(grid.phones, starts[plan.id], length), length)
        except Reject as reason:
            yield plan.id, reason


def corrections(folder: Path, plans: Sequence[Plan]) -> dict[str, Found | Reject]:
    """What was corrected by hand, by id: grids of the clips themselves, in `folder`.

    Raises:
        InputError: a grid belongs to no plan, so that the correction would go unnoticed.
    """
    known = {plan.id for plan in plans}
    found: dict[str, Found | Reject] = {}
    for path in sorted(folder.glob("*.TextGrid")):
        if path.stem not in known:
            raise InputError(f"{path}: no utterance has this name; rename or remove the correction")
        try:
            grid = textgrid.read(path)
            found[path.stem] = Found(recognised(grid.phones), grid.seconds)
        except Reject as reason:
            found[path.stem] = reason
    return found


def _on_clip(phones: Sequence[Interval], start: float, seconds: float) -> tuple[Interval, ...]:
    moved = []
    for phone in recognised(phones):
        begin, end = max(0.0, phone.start - start), min(seconds, phone.end - start)
        if begin >= end:
            raise Reject(
                f"phone {phone.label!r} at {phone.start:.3f} s lies in what was trimmed off; "
                "raise corpus.trim_db or mend the TextGrid"
            )
        moved.append(Interval(round(begin, 6), round(end, 6), phone.label))
    return tuple(moved)
