"""Audio formats of answers, encoded while the speech goes on."""

import io
from collections.abc import AsyncIterator
from typing import Any

import soundfile

from lbtts.grid import SAMPLE_RATE
from lbtts.speaking.formats import FORMATS, pcm, wav_header
from lbtts.voice import Chunk

MEDIA_TYPES = {"pcm": "audio/pcm", **{name: kind for name, (_, _, kind) in FORMATS.items()}}


async def encoded(chunks: AsyncIterator[Chunk], format: str) -> AsyncIterator[bytes]:
    """The bytes of `chunks`, as many as there are so far.

    Args:
        chunks: of a speech.
        format: a key of `MEDIA_TYPES`; `pcm` is 16-bit samples at 24 kHz alone.
    """
    if format in ("pcm", "wav"):
        if format == "wav":
            yield wav_header()
        async for chunk in chunks:
            yield pcm(chunk.audio).tobytes()
        return
    kind, encoding, _ = FORMATS[format]
    made, started = _Growing(), False
    # The length of MP3 stands in a first frame, which is written last. Without that frame players
    # count bytes, which tells the length where the bit rate is constant: 80 kbit/s.
    rate: dict[str, Any] = {"bitrate_mode": "CONSTANT", "compression_level": 0.5}
    options = rate if kind == "MP3" else {}
    with soundfile.SoundFile(made, "w", SAMPLE_RATE, 1, encoding, format=kind, **options) as out:
        async for chunk in chunks:
            samples = pcm(chunk.audio)
            for start in range(0, len(samples), SAMPLE_RATE):
                out.write(samples[start : start + SAMPLE_RATE])
            new = made.grown()
            yield new if started or kind != "MP3" else new[_info_frame(new) :]
            started = started or bool(new)
    yield made.grown()


def _info_frame(mp3: bytes) -> int:
    """The bytes of the first frame of MPEG-2 layer III at 24 kHz.

    Source: ISO/IEC 13818-3, the header of a frame.
    """
    if not mp3:
        return 0
    kbit = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)[mp3[2] >> 4]
    return 72_000 * kbit // SAMPLE_RATE + (mp3[2] >> 1 & 1)


class _Growing(io.BytesIO):
    """A file that is read while it is written.

    At the end encoders go back and write the length into the header, which has been sent without.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sent = 0

    def grown(self) -> bytes:
        """What is new at its end."""
        found = self.getvalue()[self._sent :]
        self._sent += len(found)
        return found
