"""The phone inventory of Luxembourgish: every phone, its Kokoro symbols, other spellings of it.

Labels follow the IPA convention of the Lëtzebuerger Online Dictionnaire and of Peter Gilles'
dictionary for the Montreal Forced Aligner.
"""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

from lbtts.text.inventory import Inventory

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

FINAL_N = "n"  # what the Eifeler Regel takes off a word
LINKING_S = "s"  # between the parts of a compound

# Kokoro has no trained embedding for ʑ; its ʝ is the nearest voiced palatal. Its diphthongs have
# a short first half.
_EXCEPTIONS = {"ʑ": "ʝ", "æːɪ": "æɪ", "æːʊ": "æʊ"}
SYMBOLS: dict[str, tuple[str, ...]] = {
    label: tuple(_EXCEPTIONS.get(label, label)) for label in LABELS
}

_AFFRICATES = {("t", "s"): "ʦ", ("t", "ʃ"): "ʧ", ("d", "ʒ"): "ʤ", ("d", "z"): "ʣ"}
_SPELLINGS = {
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

INVENTORY = Inventory(
    symbols=SYMBOLS,
    vowels=VOWELS,
    schwas=SCHWAS,
    defined_in="lbtts/languages/luxembourgish/phones.py",
    spellings=_SPELLINGS,
    joined=_AFFRICATES,
)
STRESS, SECOND_STRESS = INVENTORY.stress, INVENTORY.second_stress
canonical = INVENTORY.canonical
