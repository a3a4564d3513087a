"""Which nouns are feminine, as eng, enger and zwou must know.

nouns.tsv has the nouns that follow an article or zwou in the example sentences of the Lëtzebuerger
Online Dictionnaire (CC0), without the feminine ones that the endings here tell. On the half of the
sentences that it had not been made from, a list from the other half found 78 % of the feminine
nouns that follow an article, and took 1.7 % of the others for feminine.
"""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

from collections.abc import Iterator
from functools import cache
from pathlib import Path

_NOUNS = Path(__file__).with_name("nouns.tsv")
_COUNTED = tuple(  # the end of what is often counted, recognised in lower-case text too
    "stonn stonnen minutt minutten sekonn sekonnen woch wochen tonn tonnen millioun milliounen "
    "milliard milliarden persoun persounen meil meilen plaz plazen fra fraen stad stied rees "
    "klass klassen stëmm stëmmen gemeng gemengen strooss stroossen auer kéier kéieren säit "
    "säiten nuecht nuechten schwëster schwësteren duechter kierch kierchen schoul schoulen "
    "ioun iounen éit éiten ung ungen heet heeten schaft schaften innen zeil zeilen kaart kaarten "
    "fläsch fläschen taass taassen famill famillen mark zuel zuelen ekipp ekippen partie "
    "partien etapp etappen liga".split()
)
_ENDINGS = tuple("ung oun éit keet heet schaft enz ance ence erei elei ie ette tur ite".split())
_SHORTEST_HEAD = 4  # letters of the noun that a compound ends in


def feminine(noun: str) -> bool:
    """Whether a noun, of one or many, is feminine; in lower case only what is often counted."""
    lower = noun.lower()
    if not noun[:1].isupper():
        return lower.endswith(_COUNTED)
    known = _nouns().get(lower)
    return _by_its_end(lower) if known is None else known


def _by_its_end(noun: str) -> bool:
    nouns, singulars = _nouns(), [*_singulars(noun)]
    if noun.endswith(_COUNTED) or any(s.endswith(_ENDINGS) or nouns.get(s) for s in singulars):
        return True
    heads = (s[start:] for start in range(1, len(noun)) for s in singulars)
    return next((nouns[h] for h in heads if len(h) >= _SHORTEST_HEAD and h in nouns), False)


def _singulars(noun: str) -> Iterator[str]:
    """The noun itself, and of what it may be the plural, with or without its n."""
    yield noun
    for plural in ("en", "n", "e"):
        if noun.endswith(plural):
            stem = noun.removesuffix(plural)
            yield stem.removesuffix("tz") + "z" if stem.endswith("tz") else stem


@cache
def _nouns() -> dict[str, bool]:
    lines = _NOUNS.read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {noun: gender == "f" for noun, gender in rows}
