"""A front end for text that is written in Kokoro's symbols."""

import re

from misaki.token import MToken

from lbtts.speaking.markup import known
from lbtts.text.front_end import FrontEnd

_TOKEN = re.compile(r"([^\s;:,.!?—…\"()“”]+|[;:,.!?—…\"()“”])(\s*)")


class Symbols(FrontEnd):
    """Takes text for phonemes."""

    def __call__(self, text: str) -> tuple[str, list[MToken]]:
        """`text`, in tokens.

        Raises:
            InputError: Kokoro has no such symbol.
        """
        phonemes = known(" ".join(text.split()), "phonemes")
        tokens = []
        for match in _TOKEN.finditer(text):
            place = MToken.Underscore(start=match.start(1), end=match.end(1))
            space = " " if match[2] else ""
            tokens.append(MToken(match[1], "", space, match[1], _=place))
        return phonemes, tokens
