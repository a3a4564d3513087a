"""Kokoro's symbols and their ids.

Source: `vocab` in config.json of hexgrad/Kokoro-82M v1.0 (Apache-2.0). Of 178 ids 114 have a
symbol; the rest are remnants of StyleTTS2's set and were never trained.
"""

from collections.abc import Iterable

N_TOKEN = 178
EDGE = 0  # the id of BOS and EOS, which KModel puts around every utterance

_RUNS = (  # first id, symbols with consecutive ids
    (1, ";:,.!?"),
    (9, '—…"()“” \u0303ʣʥʦʨᵝ\uab67AI'),
    (31, "O"),
    (33, "Q"),
    (35, "ST"),
    (39, "W"),
    (41, "Yᵊabcdef"),
    (50, "hijklmnopqrstuvwxyzɑɐɒæ"),
    (75, "βɔɕç"),
    (80, "ɖðʤə"),
    (85, "ɚɛɜ"),
    (90, "ɟ"),
    (92, "ɡ"),
    (99, "ɥ"),
    (101, "ɨɪʝ"),
    (110, "ɯɰŋɳɲɴø"),
    (118, "ɸθœ"),
    (123, "ɹ"),
    (125, "ɾɻ"),
    (128, "ʁɽʂʃʈʧ"),
    (135, "ʊʋ"),
    (138, "ʌɣɤ"),
    (142, "χʎ"),
    (147, "ʒʔ"),
    (156, "ˈˌː"),
    (162, "ʰ"),
    (164, "ʲ"),
    (169, "↓"),
    (171, "→↗↘"),
    (177, "ᵻ"),
)
VOCAB: dict[str, int] = {
    symbol: first + offset for first, symbols in _RUNS for offset, symbol in enumerate(symbols)
}


def encode(symbols: Iterable[str]) -> list[int]:
    """The ids of `symbols`, without BOS and EOS.

    Raises:
        ValueError: a symbol has no id. KModel would drop it silently.
    """
    symbols = list(symbols)
    for symbol in symbols:
        if symbol not in VOCAB:
            codes = " ".join(f"U+{ord(c):04X}" for c in symbol)
            raise ValueError(f"{symbol!r} ({codes}) is not in Kokoro's vocabulary")
    return [VOCAB[symbol] for symbol in symbols]
