"""The phoneme contract: every Luxembourgish phone, its Kokoro symbols, and foreign spellings of it.

Labels follow the IPA convention of the Lëtzebuerger Online Dictionnaire and of Peter Gilles'
dictionary for the Montreal Forced Aligner. This is the only module that knows a phone symbol.

The contract holds label by label, in both directions. It says nothing about strings of symbols:
`iə` is one phone in "Lidd" but two in "Famillien".
"""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

import unicodedata
from collections.abc import Iterable
from functools import cache

_NASAL = "\u0303"
_MONOPHTHONGS = (
    "i iː y yː e eː ø øː œ œː ɛ ɛː æ æː aː ɑ ɔ ɔː o oː u uː ə ɐ "
    f"ɑ{_NASAL}ː ɛ{_NASAL}ː ɔ{_NASAL}ː œ{_NASAL}ː"
).split()
_DIPHTHONGS = "ɜɪ əʊ ɑɪ ɑʊ æːɪ æːʊ iə uə ɔɪ".split()
_CONSONANTS = "p b t d k ɡ m n ɲ ŋ f v θ ð s z ʃ ʒ ɕ ʑ χ ʁ h j w ɥ l ɹ ʦ ʣ ʧ ʤ".split()

VOWELS = frozenset(_MONOPHTHONGS + _DIPHTHONGS)
SCHWAS = frozenset({"ə", "ɐ"})
NASALS = frozenset(label for label in VOWELS if _NASAL in label)
LABELS = (*_MONOPHTHONGS, *_DIPHTHONGS, *_CONSONANTS)

VOICED = dict(zip("p t k f s ʃ χ ɕ ʦ".split(), "b d ɡ v z ʒ ʁ ʑ ʣ".split(), strict=True))

STRESS, SECOND_STRESS = "ˈ", "ˌ"
FINAL_N = "n"  # what the Eifeler Regel takes off a word
LINKING_S = "s"  # between the parts of a compound

# Kokoro has no trained embedding for ʑ; its ʝ is the nearest voiced palatal. Its diphthongs have
# a short first half.
_EXCEPTIONS = {"ʑ": "ʝ", "æːɪ": "æɪ", "æːʊ": "æʊ"}
SYMBOLS: dict[str, tuple[str, ...]] = {
    label: tuple(_EXCEPTIONS.get(label, label)) for label in LABELS
}
_LABEL_OF = {"".join(symbols): label for label, symbols in SYMBOLS.items()}

_AFFRICATES = {("t", "s"): "ʦ", ("t", "ʃ"): "ʧ", ("d", "ʒ"): "ʤ", ("d", "z"): "ʣ"}
_FOREIGN = {
    **{"".join(pair): affricate for pair, affricate in _AFFRICATES.items()},
    # gruut and Gilles
    "ʀ": "ʁ", "g": "ɡ", "oɪ": "ɔɪ", "æɪ": "æːɪ", "æʊ": "æːʊ",
    # espeak-ng, and the spellings of other dictionaries
    "r": "ʁ", "X": "χ", "x": "χ", "ɳ": "ŋ", "ç": "ɕ", "ʝ": "ʑ", "ʏ": "y", "ɪ": "i", "ʊ": "u",
    "ɜ": "ə", "a": "ɑ", "ɑː": "aː", "ai": "ɑɪ", "au": "ɑʊ", "aɪ": "ɑɪ", "aʊ": "ɑʊ",
    "ɛɪ": "æːɪ", "ei": "ɜɪ", "əɪ": "ɜɪ",
    "ou": "əʊ", "oʊ": "əʊ", "ɔʏ": "ɔɪ", "ɔy": "ɔɪ", "ɑ" + _NASAL: f"ɑ{_NASAL}ː",
    "a" + _NASAL: f"ɑ{_NASAL}ː", f"a{_NASAL}ː": f"ɑ{_NASAL}ː", "ɛ" + _NASAL: f"ɛ{_NASAL}ː",
    "e" + _NASAL: f"ɛ{_NASAL}ː", f"e{_NASAL}ː": f"ɛ{_NASAL}ː", "ɔ" + _NASAL: f"ɔ{_NASAL}ː",
    "o" + _NASAL: f"ɔ{_NASAL}ː", f"o{_NASAL}ː": f"ɔ{_NASAL}ː", "œ" + _NASAL: f"œ{_NASAL}ː",
}  # fmt: skip
# Marks of stress, syllables, ties, voicelessness and syllabicity
_NO_PHONE = str.maketrans("", "", "ˈˌ.'‿\u035c\u0361\u0325\u030a\u0329\u032f")


def canonical(phones: Iterable[str]) -> tuple[str, ...]:
    """The canonical labels of one word's phones in any of the known spellings.

    Affricates are joined; a long or doubled consonant becomes a single one; stress marks, tie bars
    and the marks of voicelessness and syllabicity are taken off.

    Raises:
        ValueError: a phone has no place in the contract.
    """
    labels: list[str] = []
    for phone in phones:
        label = _canonical(phone)
        if labels and (labels[-1], label) in _AFFRICATES:
            labels[-1] = _AFFRICATES[labels[-1], label]
        elif label and (label in VOWELS or labels[-1:] != [label]):
            labels.append(label)
    return tuple(labels)


@cache
def _canonical(phone: str) -> str:
    bare = unicodedata.normalize("NFD", phone.replace("ç", "ɕ")).translate(_NO_PHONE)
    for spelling in (bare, bare.removesuffix("ː")):
        label = _FOREIGN.get(spelling, spelling)
        if label in SYMBOLS and (spelling == bare or label not in VOWELS):
            return label
    if bare:
        raise ValueError(f"phone {phone!r} is not in the phoneme contract")
    return ""


def label_of(symbols: str) -> str:
    """The label whose Kokoro symbols are `symbols`: the inverse of `SYMBOLS`.

    Raises:
        ValueError: no phone is written so.
    """
    if symbols not in _LABEL_OF:
        raise ValueError(f"{symbols!r} are not the symbols of one phone")
    return _LABEL_OF[symbols]
