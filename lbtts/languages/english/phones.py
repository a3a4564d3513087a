"""The phone inventory of American English: every phone, its Kokoro symbols, other spellings of it.

Labels are IPA. Kokoro writes a diphthong with one capital letter, as misaki does. The spellings are
ARPAbet's, as in CMUdict and in TextGrids of MFA's older models, and espeak-ng's.

Source: misaki 0.9.4, EN_PHONES.md; ARPAbet in IPA as in CMUdict 0.7b.
"""

# ruff: noqa: SIM905  (lists of sounds are read more easily as text)

from lbtts.text.inventory import Inventory

_WRITTEN = {  # otherwise than by the label itself
    "eɪ": "A", "aɪ": "I", "oʊ": "O", "aʊ": "W", "ɔɪ": "Y", "ɝ": "ɜɹ", "ɚ": "əɹ", "ɾ": "T",
}  # fmt: skip
_MONOPHTHONGS = "i ɪ ɛ æ ɑ ɔ u ʊ ʌ ɜ ə ɐ ᵊ ᵻ ɝ ɚ".split()
_DIPHTHONGS = "eɪ aɪ oʊ aʊ ɔɪ".split()
_CONSONANTS = "p b t d k ɡ m n ŋ f v θ ð s z ʃ ʒ h j w l ɹ ɾ ʧ ʤ".split()

VOWELS = frozenset(_MONOPHTHONGS + _DIPHTHONGS)
SCHWAS = frozenset("ə ɐ ᵊ ᵻ ɚ".split())
LABELS = (*_MONOPHTHONGS, *_DIPHTHONGS, *_CONSONANTS)

_ARPABET_VOWELS = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AY": "aɪ", "EH": "ɛ", "ER": "ɝ",
    "EY": "eɪ", "IH": "ɪ", "IY": "i", "OW": "oʊ", "OY": "ɔɪ", "UH": "ʊ", "UW": "u",
}  # fmt: skip
_UNSTRESSED = {"AH": "ə", "ER": "ɚ"}  # so are most of those without a digit
_ARPABET_CONSONANTS = {
    "B": "b", "CH": "ʧ", "D": "d", "DH": "ð", "DX": "ɾ", "F": "f", "G": "ɡ", "HH": "h", "JH": "ʤ",
    "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ŋ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ",
    "T": "t", "TH": "θ", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
_ESPEAK = {
    "a": "æ", "e": "eɪ", "o": "ɔ", "ɒ": "ɑ", "ɜː": "ɝ", "ɑː": "ɑ", "ɔː": "ɔ", "iː": "i", "uː": "u",
    "oː": "ɔ", "aː": "ɑ", "eː": "eɪ", "y": "i", "ø": "ɝ", "œ": "ɝ",
    "r": "ɹ", "g": "ɡ", "x": "k", "ç": "h", "ɬ": "l", "ɫ": "l", "ʔ": "t", "ʁ": "ɹ", "ʍ": "w",
    "tʃ": "ʧ", "dʒ": "ʤ",
}  # fmt: skip

INVENTORY = Inventory(
    symbols={label: tuple(_WRITTEN.get(label, label)) for label in LABELS},
    vowels=VOWELS,
    schwas=SCHWAS,
    defined_in="lbtts/languages/english/phones.py",
    spellings={
        **_ARPABET_CONSONANTS,
        **{f"{name}{digit}": v for name, v in _ARPABET_VOWELS.items() for digit in "12"},
        **{f"{name}0": v for name, v in (_ARPABET_VOWELS | _UNSTRESSED).items()},
        **_ARPABET_VOWELS,
        **_UNSTRESSED,
        **_ESPEAK,
    },
    joined={("t", "ʃ"): "ʧ", ("d", "ʒ"): "ʤ"},
    # What ARPAbet and most aligners do not tell apart
    finer={
        "t": frozenset("ɾ"),
        "d": frozenset("ɾ"),
        "ə": frozenset("ɐᵊʌ"),
        "ʌ": frozenset("əɐ"),
        "ɪ": frozenset("ᵻ"),
        "ɚ": frozenset("ɝ"),
        "ɝ": frozenset("ɚ"),
    },
)  # fmt: skip
