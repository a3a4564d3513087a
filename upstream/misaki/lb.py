"""Luxembourgish, by the front end of lbtts: pip install misaki[lb]"""

from pathlib import Path

from lbtts import languages
from lbtts.voice import front_end

from .token import MToken


class LBG2P:
    """Luxembourgish G2P, in the symbols of Kokoro's vocabulary."""

    def __init__(self, folder: str | Path | None = None) -> None:
        """Takes an exported voice folder, whose lexicon and models for unknown words it uses.

        Without one it knows the words of the pip package gruut_lang_lb.
        """
        self._front_end = front_end(folder) if folder else languages.get("lb").front_end(None, None)

    def __call__(self, text: str) -> tuple[str, list[MToken]]:
        """The phonemes of `text`, and its tokens."""
        readable, _ = self._front_end.romanised(text)
        return self._front_end(readable)
