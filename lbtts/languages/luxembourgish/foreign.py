"""French, German and English words: what espeak-ng says, in the phones of the inventory.

Source of the pronunciations: espeak-ng's voices. Phones that the inventory lacks become the nearest
ones that speakers of Luxembourgish use in loans.
"""

from lbtts.espeak import transcribe
from lbtts.languages.luxembourgish.phones import VOWELS, canonical
from lbtts.text.inventory import Phones

_VOICES = {"fr": "fr", "de": "de", "en": "en"}
_NEAREST = {  # what espeak says that `canonical` does not know or would take for something else
    "fr": {"œ̃": "ɛ̃ː", "ɔ̃": "ɔ̃ː", "ɛ̃": "ɛ̃ː", "ɑ̃": "ɑ̃ː", "ə": "ə", "a": "ɑ"},
    "de": {"ɜ": "ɐ", "ɾ": "ʁ", "ɔø": "ɔɪ", "ɔʏ": "ɔɪ", "pf": "p f", "ʊɐ": "uə", "iɐ": "iː ɐ"},
    "en": {
        "eɪ": "eː", "əʊ": "əʊ", "ɒ": "ɔ", "ɜː": "œː", "ʌ": "ɑ", "ɐ": "ə", "eə": "ɛː", "iə": "iə",
        "ʊə": "uə", "aɪə": "ɑɪ ə", "aɪ": "ɑɪ", "aʊ": "ɑʊ", "aʊə": "ɑʊ ə", "oː": "ɔː", "ɔː": "ɔː",
        "ɫ": "l", "ɚ": "ɐ", "əl": "ə l", "n̩": "ə n", "l̩": "ə l", "ʔ": "", "ɾ": "t", "ʍ": "w",
        "a": "æ", "aː": "aː", "ɹ": "ɹ", "iː": "iː", "i": "i", "ɡ": "ɡ", "ɛ": "æ", "ɪ": "i",
    },
}  # fmt: skip
_STRESS = "ˈ"
_SECONDARY = "ˌ"


def pronounce(word: str, language: str) -> tuple[Phones, int | None] | None:
    """The phones of a foreign word and the index of its stressed vowel; None where espeak fails.

    Args:
        word: with its accents.
        language: fr, de or en.
    """
    nearest = _NEAREST[language]
    phones: list[str] = []
    stressed = None
    for said in transcribe(word, _VOICES[language]):
        bare = said.replace(_STRESS, "").replace(_SECONDARY, "").strip("-")
        try:
            labels = canonical(nearest.get(bare, bare).split())
        except ValueError:
            labels = canonical(nearest.get(bare.rstrip("ː"), "").split())
        if _STRESS in said and stressed is None:
            vowels = [i for i, label in enumerate(labels) if label in VOWELS]
            stressed = len(phones) + vowels[0] if vowels else None
        phones += labels
    if not any(label in VOWELS for label in phones):
        return None
    return tuple(phones), stressed
