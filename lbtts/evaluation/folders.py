"""Systems as folders of audio files that are named by utterance, whoever made them."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import soxr

from lbtts.corpus.audio import SUFFIXES, decode
from lbtts.errors import InputError, Reject, first_line
from lbtts.evaluation.prompt import Prompt, Readings, from_plan
from lbtts.grid import SAMPLE_RATE
from lbtts.text.tokens import read_token_plans


def read_folder(folder: Path) -> Readings:
    """The audio files of `folder`, mono at 24 kHz, by name without its ending, sorted.

    Raises:
        InputError: there is no such folder, it has no audio file, or one cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give one of audio files named by utterance")
    found = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            try:
                samples, rate = decode(path)
            except Reject as reason:
                raise InputError(str(reason)) from reason
            found[path.stem] = soxr.resample(samples, rate, SAMPLE_RATE)
    if not found:
        raise InputError(f"{folder}: no audio files; name them by utterance, such as 0001.wav")
    return found


def names(folders: Sequence[Path]) -> dict[str, Path]:
    """A name for each folder: its own, with its parents' where two have the same."""
    for parts in range(1, 1 + max(len(folder.resolve().parts) for folder in folders)):
        found = {"/".join(folder.resolve().parts[-parts:]): folder for folder in folders}
        if len(found) == len(folders):
            return found
    raise InputError("two of the folders are one; give each system once")


def in_common(systems: Mapping[str, Readings]) -> list[str]:
    """The utterances that every system has, sorted.

    Raises:
        InputError: there are none.
    """
    common = sorted(set.intersection(*(set(readings) for readings in systems.values())))
    if not common:
        raise InputError(
            f"{', '.join(systems)}: no utterance in common; name the files of all systems alike"
        )
    return common


def read_prompts(path: Path) -> list[Prompt]:
    """The prompts in `path`: token plans (.jsonl), or rows `id|text` with no phones.

    Raises:
        InputError: the file is missing or is neither.
    """
    if path.suffix == ".jsonl":
        return [from_plan(plan) for plan in read_token_plans(path)]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise InputError(f"{path}: not readable ({reason}); give id|text rows") from error
    if bad := [number for number, row in enumerate(rows, 1) if len(row) < 2]:
        raise InputError(f"{path}: line {bad[0]}: not `id|text`; separate the two by |")
    return [Prompt(row[0], row[-1]) for row in rows]
