"""English text to Kokoro's phonemes: misaki, espeak-ng for words that it does not know."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from misaki.token import MToken

from lbtts.errors import Reject
from lbtts.espeak import transcribe
from lbtts.languages.english import tagging
from lbtts.languages.english.numbers import in_words
from lbtts.languages.english.phones import INVENTORY
from lbtts.text.front_end import FrontEnd
from lbtts.text.lexicon import parse_phones, read_lines

_VOICE = "en-us"  # of espeak-ng
_SYLLABIC = re.compile("([nml])\u0329")
_MARKS = (INVENTORY.stress, INVENTORY.second_stress)
_LONGEST_IPA = 3  # letters of a spelling
_RATING = 2  # of a fallback, in misaki's scale of 1 to 5
_NOISE = re.compile(r"\[[^\]]*\](?!\()|<[^>]*>")


class EnglishFrontEnd(FrontEnd):
    """American English as misaki reads it."""

    inventory = INVENTORY

    def __init__(self, additions: Path | None = None) -> None:
        """Loads misaki's lexicon.

        Args:
            additions: a file of one's own pronunciations, which come first: `word<TAB>phones`, with
                ˈ before the stressed vowel; else the first vowel is stressed.

        Raises:
            InputError: the file is missing or broken.
        """
        self._guessed: set[str] = set()
        self._reader = tagging.reader(self._guess)
        for word, phonemes in () if additions is None else _read_additions(additions):
            for written in (word, word.lower(), word.capitalize()):
                self._reader.lexicon.golds[written] = phonemes

    def __call__(self, text: str) -> tuple[str, list[MToken]]:
        """The phoneme string of `text` and one token per word or mark.

        Raises:
            Reject: a letter is not Latin, or nothing says how a word is pronounced.
        """
        for character in text:
            if character.isalpha() and not unicodedata.name(character, "").startswith("LATIN"):
                raise Reject(f"{character!r} is no Latin letter; write the word as it is spoken")
        spoken = " ".join(in_words(_NOISE.sub(" ", text)).split())
        if not spoken:
            return "", []
        _, tokens = self._reader(spoken)
        for token in tokens:
            if token.phonemes is None:
                raise Reject(f"{token.text!r} has no pronunciation; add it to data/additions.tsv")
        tokens[-1].whitespace = ""
        return "".join(f"{token.phonemes}{token.whitespace}" for token in tokens), tokens

    def is_guess(self, word: str) -> bool:
        """Whether espeak-ng pronounced it."""
        return word in self._guessed

    def noises(self, text: str) -> list[str]:
        """What stands in brackets or tags."""
        return _NOISE.findall(text)

    def _guess(self, token: MToken) -> tuple[str, int]:
        """espeak-ng's pronunciation of a token, as misaki calls it, and a rating."""
        self._guessed.add(token.text.lower())
        return _written(transcribe(token.text, _VOICE)), _RATING


def _written(phones: Iterable[str]) -> str:
    """Kokoro's symbols for espeak's phones, which may hold several of ours, as `ɑːɹ` does."""
    return "".join(_symbols(_SYLLABIC.sub("ᵊ\\1", phone)) for phone in phones)


def _symbols(phone: str) -> str:
    written = ""
    while phone:
        if phone[0] in _MARKS:
            written, phone = written + phone[0], phone[1:]
            continue
        for length in range(min(_LONGEST_IPA, len(phone)), 0, -1):
            label = _label(phone[:length])
            if label is not None:
                written += "".join(INVENTORY.symbols[label])
                break
        phone = phone[length:]  # a sound that English lacks is left out
    return written


def _label(spelling: str) -> str | None:
    return spelling if spelling in INVENTORY.symbols else INVENTORY.spellings.get(spelling)


def _read_additions(path: Path) -> Iterable[tuple[str, str]]:
    """The words of a file of additions with their phonemes.

    Raises:
        InputError: it is missing, or a line is no entry.
    """
    for number, line in enumerate(read_lines(path), 1):
        if line.strip() and not line.startswith("#"):
            word, _, said = line.partition("\t")
            said = said.rsplit("\t", 1)[-1]
            labels = parse_phones(path, number, word, said, INVENTORY)
            yield word, _stressed(labels, _stressed_vowel(said))


def _stressed_vowel(said: str) -> int:
    """Which of its vowels has the stress mark, from 0; the first if none has."""
    marked = [phone for phone in said.split() if _is_vowel(phone)]
    return next((k for k, phone in enumerate(marked) if INVENTORY.stress in phone), 0)


def _is_vowel(phone: str) -> bool:
    return any(label in INVENTORY.vowels for label in INVENTORY.canonical([phone]))


def _stressed(labels: Iterable[str], stressed: int) -> str:
    written, vowels = "", 0
    for label in labels:
        if label in INVENTORY.vowels:
            written += INVENTORY.stress * (vowels == stressed)
            vowels += 1
        written += "".join(INVENTORY.symbols[label])
    return written
