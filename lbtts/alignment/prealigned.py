"""Existing TextGrids: a published alignment of the corpus, or a person's corrections."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path

from lbtts.alignment import textgrid
from lbtts.alignment.pronunciation import SpokenPhone, as_spoken, matched, recognised
from lbtts.alignment.textgrid import AlignmentResult, Interval
from lbtts.corpus.manifest import Entry
from lbtts.errors import InputError, Reject
from lbtts.text.inventory import Inventory
from lbtts.text.tokens import TokenPlan

_ENDING = ".textgrid"  # in any case


def align(
    plans: Sequence[TokenPlan], entries: Mapping[str, Entry], folder: Path, inventory: Inventory
) -> Iterator[tuple[str, AlignmentResult | Reject]]:
    """The id of each plan with the words and phones of its TextGrid, timed from the audio's start.

    Args:
        plans: sorted by id.
        entries: of the manifest, by id; each TextGrid is timed from the start of the recording.
        folder: with one `<id>.TextGrid` per utterance, in any capitalisation; its tier `phones` is
            needed, `words` says which word each phone belongs to.
        inventory: the language's phones.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder}: not found; align.backend: textgrid needs one TextGrid per utterance there"
        )
    grids: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() == _ENDING:
            grids[path.stem.casefold()].append(path)
    for plan in plans:
        try:
            grid = textgrid.read(_grid_of(plan.id, folder, grids), wordless=True)
            entry = entries[plan.id]
            start = entry.start_seconds
            words = tuple(Interval(w.start - start, w.end - start, w.label) for w in grid.words)
            phones = _on_audio(recognised(grid.phones, inventory), start, entry.seconds)
            yield plan.id, AlignmentResult(phones, entry.seconds, words=words)
        except Reject as reason:
            yield plan.id, reason


def _grid_of(name: str, folder: Path, grids: Mapping[str, Sequence[Path]]) -> Path:
    """The TextGrid of an utterance: with exactly its name, or the only one that differs in case.

    Raises:
        Reject: there is none, or several that differ only in case.
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


def corrections(
    folder: Path, plans: Sequence[TokenPlan], inventory: Inventory
) -> dict[str, AlignmentResult | Reject]:
    """Alignments corrected by a person, by id, from the TextGrids in `folder`.

    Raises:
        InputError: a TextGrid belongs to no plan; its correction would be ignored silently.
    """
    known = {plan.id for plan in plans}
    found: dict[str, AlignmentResult | Reject] = {}
    for path in sorted(folder.glob("*.TextGrid")):
        if path.stem not in known:
            raise InputError(f"{path}: no utterance has this name; rename or remove the correction")
        try:
            grid = textgrid.read(path)
            found[path.stem] = AlignmentResult(recognised(grid.phones, inventory), grid.seconds)
        except Reject as reason:
            found[path.stem] = reason
    return found


def follow_words(
    plan: TokenPlan, words: Sequence[Interval], phones: Sequence[Interval], inventory: Inventory
) -> tuple[TokenPlan, tuple[Interval, ...]] | None:
    """The plan with the phones of a TextGrid that assigns phones to words.

    A word of the TextGrid may be several words of the plan, as with a clitic, or be spelled
    differently, as an abbreviation. Then the cheapest edit distributes the phones, and a word that
    gets none is removed from the plan. Affricates are joined. The stress stays on its syllable.

    Args:
        plan: as it was planned.
        words: of the TextGrid; a phone belongs to the one nearest to its middle.
        phones: of the TextGrid, canonical.
        inventory: the language's phones.

    Returns:
        As `pronunciation.follow`; None if less than half of the transcript is in the TextGrid.

    Raises:
        Reject: a word is in one of them only, or has no phone.
    """
    groups = _groups([_letters(w.label) for w in words], [_letters(w) for w in plan.words])
    if groups is None:
        return None
    own: list[list[Interval]] = [[] for _ in words]
    for phone in phones:
        own[min(range(len(words)), key=lambda k: _distance(phone, words[k]))].append(phone)
    spoken: list[list[SpokenPhone]] = [[] for _ in plan.words]
    for theirs, ours in groups:
        said = _joined([phone for word in theirs for phone in own[word]], inventory)
        if not ours or not said:
            names = [plan.words[k] for k in ours] or [words[k].label for k in theirs]
            lacking = "transcript lacks" if not ours else "TextGrid has no phone for"
            raise Reject(f"the {lacking} {' '.join(names)!r}; compare the two")
        planned = [k for k, phone in enumerate(plan.phones) if phone.word in ours]
        here = ours[0]
        for found in matched([plan.phones[k].label for k in planned], said, inventory):
            index = None if found.planned is None else planned[found.planned]
            here = here if index is None else plan.phones[index].word
            spoken[here].append(SpokenPhone(found.interval, index))
    return as_spoken(plan, spoken, inventory)


def _letters(word: str) -> str:
    """A word for comparison: lower case, without apostrophes, hyphens and other marks."""
    return "".join(c for c in unicodedata.normalize("NFC", word).casefold() if c.isalnum())


def _groups(theirs: Sequence[str], ours: Sequence[str]) -> list[tuple[range, range]] | None:
    """Matching words of both, in the smallest groups with equal letters; None if most differ."""
    groups: list[tuple[range, range]] = []
    agreed = 0
    matcher = SequenceMatcher(None, theirs, ours, autojunk=False)
    for _, i, i_end, j, j_end in matcher.get_opcodes():
        while i < i_end or j < j_end:
            left, right = _first_equal(theirs[i:i_end], ours[j:j_end])
            if left:
                agreed += len("".join(ours[j : j + right]))
            else:
                left, right = i_end - i, j_end - j
            groups.append((range(i, i + left), range(j, j + right)))
            i, j = i + left, j + right
    return groups if 2 * agreed >= len("".join(ours)) else None


def _first_equal(theirs: Sequence[str], ours: Sequence[str]) -> tuple[int, int]:
    """The number of words of each in the shortest equal prefix; 0 and 0 if there is none."""
    left = right = 1
    while left <= len(theirs) and right <= len(ours):
        one, other = "".join(theirs[:left]), "".join(ours[:right])
        if one == other:
            return left, right
        left, right = (left + 1, right) if len(one) < len(other) else (left, right + 1)
    return 0, 0


def _distance(phone: Interval, word: Interval) -> float:
    middle = (phone.start + phone.end) / 2
    return max(word.start - middle, middle - word.end, 0.0)


def _joined(phones: Sequence[Interval], inventory: Inventory) -> list[Interval]:
    """The phones; neighbours that are one phone of the inventory, such as t and s, are joined."""
    joined: list[Interval] = []
    for phone in phones:
        pair = inventory.canonical([joined[-1].label, phone.label]) if joined else ()
        if len(pair) == 1:
            joined[-1] = Interval(joined[-1].start, phone.end, pair[0])
        else:
            joined.append(phone)
    return joined


def _on_audio(phones: Sequence[Interval], start: float, seconds: float) -> tuple[Interval, ...]:
    moved = []
    for phone in phones:
        begin, end = max(0.0, phone.start - start), min(seconds, phone.end - start)
        if begin >= end:
            raise Reject(
                f"phone {phone.label!r} at {phone.start:.3f} s lies in what was trimmed off; "
                "raise corpus.trim_db or fix the TextGrid"
            )
        moved.append(Interval(round(begin, 6), round(end, 6), phone.label))
    return tuple(moved)
