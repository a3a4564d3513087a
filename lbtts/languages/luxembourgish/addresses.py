"""How web addresses, e-mail addresses, hashtags and handles are read."""

import re
from urllib.parse import unquote

from lbtts.languages.luxembourgish.numbers import cardinal, digits

_ENDINGS = "lu|com|org|net|eu|de|fr|be|ch|at|nl|uk|edu|gov|info|io|tv|int|biz|app|dev"
_REST = r"(?:[/?#][^\s<>\"“”„«»]*[^\s<>\"“”„«».,;:!?)'…])?/?"
ADDRESS = rf"""
    (?:https?://|www\.)[^\s<>"“”„«»]*[^\s<>"“”„«».,;:!?)'…]
  | (?<![\w.@-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?<![-_])
  | (?<![\w.@-])[a-zA-Z][\w-]*(?:\.[\w-]+)*\.(?:{_ENDINGS})(?![\w.@-]\w|\w|/\s){_REST}
  | (?<![\w&/])[#@](?=\w*[^\W\d])\w+
"""
_SCHEME = re.compile("https?://|mailto:")
_PARTS = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_CAPITALS = re.compile(r"(?<=[a-zäëéèöü])(?=[A-ZÄËÉÖÜ])")
_SIGNS = {
    ".": "Punkt", "/": "Slash", "-": "Strech", "_": "Ënnerstrech", "@": "at", "?": "Frozeechen",
    "=": "gläich", "&": "an", "#": "Hashtag", "%": "Prozent", "+": "plus", ":": "Doppelpunkt",
    "~": "Tilde",
}  # fmt: skip
_LONGEST_NUMBER = 4  # digits; longer ones are said digit by digit


def parts_of_address(written: str) -> list[tuple[str, bool]]:
    """What is said of an address in order, and whether it is a name in it: a run of letters."""
    said: list[tuple[str, bool]] = []
    for part in _PARTS.findall(_SCHEME.sub("", unquote(written)).rstrip("/")):
        if part.isdecimal():
            short = len(part) <= _LONGEST_NUMBER and part[0] != "0"
            number = cardinal(int(part)) if short else digits(part)
            said += ((word, False) for word in number.split())
        elif part.isalpha():
            said += ((name, True) for name in _CAPITALS.split(part))
        elif part in _SIGNS and (part != "_" or written[0] not in "#@"):
            said.append((_SIGNS[part], False))
    return said
