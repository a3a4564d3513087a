"""Audio formats, by the ending of a file, as libsndfile writes them."""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from lbtts.errors import InputError
from lbtts.grid import SAMPLE_RATE

FORMATS = {  # ending: format, encoding, media type
    "wav": ("WAV", "PCM_16", "audio/wav"),
    "flac": ("FLAC", "PCM_16", "audio/flac"),
    "mp3": ("MP3", "MPEG_LAYER_III", "audio/mpeg"),
    "ogg": ("OGG", "VORBIS", "audio/ogg"),
    "opus": ("OGG", "OPUS", "audio/ogg"),
}
_BLOCK = SAMPLE_RATE  # samples that are encoded at once: some encoders overflow on long blocks


def ending(path: Path) -> str:
    """The format of a file.

    Raises:
        InputError: it has no or another ending than those of `FORMATS`.
    """
    found = path.suffix.lower().removeprefix(".")
    if found not in FORMATS:
        raise InputError(f"{path}: the ending says the format: {', '.join(FORMATS)}")
    return found


def pcm(audio: NDArray[np.float32]) -> NDArray[np.int16]:
    """16-bit samples [S] of `audio` [S]; what is louder than 1 is clipped."""
    return np.rint(audio.clip(-1, 1) * 32767).astype("<i2")


def encode(file: BinaryIO | Path, format: str, audio: Iterable[NDArray[np.int16]]) -> None:
    """Writes blocks of samples at 24 kHz, mono.

    Args:
        file: opened to write and seek, or a path.
        format: a key of `FORMATS`.
        audio: blocks [S] of any length.
    """
    kind, encoding, _ = FORMATS[format]
    with soundfile.SoundFile(file, "w", SAMPLE_RATE, 1, encoding, format=kind) as out:
        for block in audio:
            for start in range(0, len(block), _BLOCK):
                out.write(block[start : start + _BLOCK])


def wav_header() -> bytes:
    """The header of a WAV stream of unknown length: 24 kHz, mono, 16 bits."""
    unknown = 0xFFFFFFFF
    fields = (b"RIFF", unknown, b"WAVE", b"fmt ", 16, 1, 1, SAMPLE_RATE, SAMPLE_RATE * 2, 2, 16)
    return struct.pack("<4sI4s4sIHHIIHH", *fields) + struct.pack("<4sI", b"data", unknown)
