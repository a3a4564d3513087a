"""TextGrids that somebody else made: a corpus's published alignment, or one's own corrections."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lbtts.alignment import textgrid
from lbtts.alignment.pronunciation import recognised
from lbtts.alignment.textgrid import Found, Interval
from lbtts.errors import InputError, Reject
from lbtts.text.tokens import Plan

_ENDING = ".textgrid"  # in any case


def align(
    plans: Sequence[Plan], folder: Path, starts: Mapping[str, float], seconds: Mapping[str, float]
) -> Iterator[tuple[str, Found | Reject]]:
    """Each plan's id with the words and phones of its grid in `folder`, on the clip's own time.

    Args:
        plans: sorted by id.
        folder: with one `<id>.TextGrid` an utterance, however its letters are capitalised; tier
            `phones`, and `words` to say which phones are whose.
        starts: second of the grid's time at which each clip begins.
        seconds: length of each clip.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder}: not found; align.backend: textgrid needs one TextGrid an utterance there"
        )
    grids: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() == _ENDING:
            grids[path.stem.casefold()].append(path)
    for plan in plans:
        try:
            grid = textgrid.read(_grid_of(plan.id, folder, grids), wordless=True)
            start, length = starts[plan.id], seconds[plan.id]
            words = tuple(Interval(w.start - start, w.end - start, w.label) for w in grid.words)
            yield plan.id, Found(_on_clip(grid.phones, start, length), length, words=words)
        except Reject as reason:
            yield plan.id, reason


def _grid_of(name: str, folder: Path, grids: Mapping[str, Sequence[Path]]) -> Path:
    """The grid of an utterance: of exactly its name, or of the only one that differs in case.

    Raises:
        Reject: there is none, or several that differ in case alone.
    """
    candidates = grids.get(name.casefold(), ())
    exact = [path for path in candidates if path.stem == name]
    if len(exact or candidates) > 1:
        names = ", ".join(path.name for path in exact or candidates)
        raise Reject(f"{folder}: {names} are all for this utterance; leave one of them")
    if not candidates:
        raise Reject(
            f"{folder}/{name}.TextGrid: not found; put it there, or take another align.backend"
        )
    return (exact or candidates)[0]


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
