"""Audio formats of answers, encoded while the speech goes on."""

import io
from collections.abc import AsyncIterator

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
    made = _Growing()
    with soundfile.SoundFile(made, "w", SAMPLE_RATE, 1, encoding, format=kind) as out:
        async for chunk in chunks:
            samples = pcm(chunk.audio)
            for start in range(0, len(samples), SAMPLE_RATE):
                out.write(samples[start : start + SAMPLE_RATE])
            yield made.grown()
    yield made.grown()


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
