"""LJSpeech's TextGrids in the form in which they are published, made from an alignment.

Source of the form: the Montreal Forced Aligner 1 and 2 with `english_us_arpa`: tiers `words` and
`phones` over the whole recording, words in lower case, ARPAbet with stress digits, silence `sil` or
`sp` or empty.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from praatio import textgrid as praatio

from lbtts.alignment import textgrid
from lbtts.corpus.manifest import Entry
from lbtts.languages.english.phones import INVENTORY
from lbtts.text.tokens import TokenPlan

_SPELLED = {label: name for name, label in INVENTORY.spellings.items() if name.isupper()}
_COARSE = {"ɾ": "t", "ɐ": "ə", "ᵊ": "ə", "ᵻ": "ɪ", "ɜ": "ʌ"}


def arpabet(plan: TokenPlan, digits: bool = True) -> list[str]:
    """The ARPAbet of a plan's phones."""
    marks = {
        after.phone: "12"[before.symbol == INVENTORY.second_stress]
        for before, after in pairwise(plan.tokens)
        if before.symbol in (INVENTORY.stress, INVENTORY.second_stress)
    }
    spelled = []
    for number, label in enumerate(plan.labels):
        name = _SPELLED[_COARSE.get(label, label)].rstrip("012")
        vowel = label in INVENTORY.vowels and digits
        spelled.append(f"{name}{marks.get(number, '0')}" if vowel else name)
    return spelled


def write(
    plans: Iterable[TokenPlan],
    entries: Mapping[str, Entry],
    aligned: Path,
    folder: Path,
    *,
    recordings: Mapping[str, float],
    form: str = "long_textgrid",
    words: bool = True,
    digits: bool = True,
) -> None:
    """Writes one grid per plan into `folder`.

    Args:
        plans: with the phones that were spoken.
        entries: of the manifest; grids are timed from the start of the recordings.
        aligned: folder of the alignment.
        folder: made if it does not exist.
        recordings: seconds of each grid.
        form: praatio's name of the long or short form.
        words: whether there is a tier `words`.
        digits: whether vowels have stress digits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for plan in plans:
        found = textgrid.read(aligned / f"{plan.id}.TextGrid")
        start, seconds = entries[plan.id].start_seconds, recordings[plan.id]
        phones = [
            replace(phone, label=name)
            for phone, name in zip(found.phones, arpabet(plan, digits), strict=True)
        ]
        grid = praatio.Textgrid(0, seconds)
        for name, intervals in ([("words", found.words)] if words else []) + [("phones", phones)]:
            rows = [
                (max(0, i.start + start), min(i.end + start, seconds), i.label) for i in intervals
            ]
            silence = [("sil", 0.0, rows[0][0])] if name == "phones" else []
            rows = [(begin, end, label) for label, begin, end in silence if end > begin] + rows
            grid.addTier(praatio.IntervalTier(name, rows, 0, seconds))
        grid.save(str(folder / f"{plan.id}.TextGrid"), form, includeBlankSpaces=True)
