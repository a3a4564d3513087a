"""Compares where lbtts and two voices of espeak-ng stress common words.

    python -m benchmarks.stress [FILE]

FILE is a table with the columns word, from_start and from_end: the number of the stressed syllable,
counted from either end; whichever of the two fits counts, since not all split vowels alike. By
default it is the one beside this module. lbtts reads what the stage `lexicon` wrote, or without it
the packaged words.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from lbtts import paths
from lbtts.espeak import transcribe
from lbtts.languages.luxembourgish.g2p import LBG2P
from lbtts.languages.luxembourgish.lexicon import LEARNT
from lbtts.languages.luxembourgish.phones import STRESS, VOWELS, canonical

Places = tuple[int | None, int]  # the stressed vowel, from 0 on, and how many vowels there are


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", nargs="?", type=Path, default=Path(__file__).with_suffix(".tsv"))
    words = read(parser.parse_args().list)
    complete = all((paths.LEXICON / name).exists() for name in LEARNT)
    g2p = LBG2P(known=paths.LEXICON if complete else None)
    print(f"{len(words)} words\n\n| | main stress right |\n|---|---|")
    show("espeak-ng `lb`", lambda word: of_espeak(word, "lb"), words)
    show("espeak-ng `de`", lambda word: of_espeak(word, "de"), words)
    show("lbtts", lambda word: of_lbtts(word, g2p), words)


def read(path: Path) -> list[tuple[str, int, int]]:
    """Word, and its stressed syllable from the start and from the end."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith(("#", "word\t"))]
    return [(word, int(from_start), int(from_end)) for word, from_start, from_end in rows]


def show(name: str, says: Callable[[str], Places], words: Sequence[tuple[str, int, int]]) -> None:
    """Prints a row: words with the right stress, in percent."""
    right = sum(is_right(says(word), start, end) for word, start, end in words)
    print(f"| {name} | {100 * right / len(words):.1f} % |")


def is_right(said: Places, from_start: int, from_end: int) -> bool:
    """Whether the stressed vowel is where it should be, by either way of counting."""
    at, count = said
    return at is not None and (at + 1 == from_start or count - at == from_end)


def of_lbtts(word: str, g2p: LBG2P) -> Places:
    """The stressed vowel as the front end has it."""
    said = g2p.pronounce(word)
    vowels = [i for i, phone in enumerate(said.phones) if phone in VOWELS]
    return (None if said.stress.main is None else vowels.index(said.stress.main)), len(vowels)


def of_espeak(word: str, voice: str) -> Places:
    """The stressed vowel as espeak-ng has it: the last main stress of what it says."""
    at, count = None, 0
    for said in transcribe(word, voice):
        try:
            vowel = any(label in VOWELS for label in canonical([said]))
        except ValueError:  # a phone of its own, mostly a vowel with an r
            vowel = said.strip("ˈˌ")[:1] in "aeiouyæøœɐɑɒɔəɛɜɪʊʏ"
        if vowel:
            at = count if STRESS in said else at
            count += 1
    return at, count


if __name__ == "__main__":
    main()
