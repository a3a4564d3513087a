"""Where a word is stressed, by rule: no reachable source of pronunciations marks it.

Kokoro was trained on phonemes of espeak-ng and misaki, which put the stress mark directly before
the stressed vowel, not before its syllable; so does lbtts.
"""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

from collections.abc import Sequence

from lbtts.text.phones import NASALS, SCHWAS, VOWELS

FUNCTION_WORDS = frozenset(
    "a an awer oder datt dat ob wann wa well wéi ewéi mä mee s "
    "de den der dem e en eng enger engem déi dee deen där le la les des du un une "
    "et se si hien hie ech mir mer dir iech mech dech sech eis him hir hinnen em "
    "mäi mäin meng menger mengem däi däin deng denger dengem säi säin seng senger sengem "
    "hire hiren hirer hirem eise eisen eiser eisem "
    "am um vum zum beim mam nom vun vu fir mat bei op no zu ze aus ëm duerch iwwer ënner bis "
    "ass sinn sin war waren ware huet hunn hu hat haten hate ginn gi gëtt gouf och net do".split()
)
_UNSTRESSED_PREFIXES = ("be", "ge", "ver", "er", "zer", "ent")
_INFLECTIONS = {
    "éier": "en e t s", "ioun": "en e s", "éit": "en e s", "ei": "en e", "ie": "n", "ik": "",
    "ant": "en e in", "ent": "en e in", "eur": "en e s", "ell": "en e t", "ist": "en e in",
    "age": "n", "ur": "en e", "ett": "en e", "ette": "n", "ée": "en ë", "é": "s",
}  # fmt: skip
_STRESSED_ENDINGS = tuple(
    ending + inflection
    for ending, inflections in _INFLECTIONS.items()
    for inflection in ["", *inflections.split()]
)
_SHORTEST_WITH_ENDING = 5  # letters; shorter ones are simple words: "Bei", "Bett"


def stressed_vowel(word: str, phones: Sequence[str]) -> int | None:
    """Index into `phones` of the vowel that carries the stress of `word` (lower case).

    None for a function word or a word without a vowel. Otherwise the last full vowel before a
    French or Latin ending, the second syllable after an unstressed prefix, or the first syllable.
    """
    vowels = [i for i, phone in enumerate(phones) if phone in VOWELS]
    if not vowels or word in FUNCTION_WORDS:
        return None
    first = vowels[0]
    full = [i for i in vowels if phones[i] not in SCHWAS]
    if full and len(word) >= _SHORTEST_WITH_ENDING and word.endswith(_STRESSED_ENDINGS):
        return full[-1]
    later = [i for i in full if i > first]
    if later and word.startswith(_UNSTRESSED_PREFIXES):
        reduced = phones[first] in SCHWAS
        if reduced or (word.startswith("ent") and phones[first] not in NASALS):
            return later[0]
    return first
