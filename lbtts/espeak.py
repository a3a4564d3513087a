"""Speech of espeak-ng with the exact time of each phoneme, from the library of a pip package.

The library is called directly (ctypes), so no system package is needed. State that
remains after an utterance, such as the phase of its wave generator, changes a few samples of the
next one. So each utterance is spoken by a new copy of the library, and its samples depend only on
the arguments, not on earlier utterances.

Source: espeak-ng 1.52, `speak_lib.h`, for constants and structures.
"""

import ctypes
import re
import shutil
import tempfile
from _ctypes import dlclose
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

from lbtts.errors import InputError

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples come to the callback, before Synth returns
_PHONEME_EVENTS, _PHONEME_IPA, _DONT_EXIT = 0x0001, 0x0002, 0x8000  # espeakINITIALIZE_*
_RATE, _PITCH = 1, 3  # espeak_PARAMETER
_CHARS_UTF8 = 1
_POS_CHARACTER = 1
_LIST_TERMINATED, _PHONEME = 0, 7  # espeak_EVENT_TYPE
_IPA_APART = 0x02 | ord("_") << 8  # IPA, "_" between phonemes
_NO_START = "espeak-ng does not start with the data in {}; reinstall espeakng-loader"
_NO_VOICE = "espeak-ng has no voice {!r}; see `{}/lang` for those it has"
_NAME_BYTES = 8  # an event holds a phoneme's name without a final zero where it fills the field


class _Event(ctypes.Structure):
    """espeak_EVENT, its union read as the bytes of a phoneme's name."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_ubyte * _NAME_BYTES),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class Phoneme:
    """A phoneme as espeak names it (IPA with stress mark, empty for a pause), in seconds."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Speech:
    """Speech of espeak: samples int16 [S], their rate in Hz, and its raw phoneme events.

    An event lasts until the next one. Two offsets of the raw events are systematic (at 150 words
    per minute): the event of a stop comes after its closure, about 53 ms late; that of a vowel
    after m n ŋ l j w about 38 ms late.
    """

    samples: NDArray[np.int16]
    rate: int
    phonemes: tuple[Phoneme, ...]


def speak(text: str, voice: str, *, words_per_minute: int, pitch: int) -> Speech:
    """`text` spoken by espeak's `voice`; the same samples on every call and in every process.

    Args:
        text: one utterance.
        voice: a language code, such as `lb`.
        words_per_minute: 80 to 450.
        pitch: 0 to 99; 50 is the voice's own.

    Raises:
        InputError: the library does not start or has no such voice.
    """
    blocks: list[NDArray[np.int16]] = []
    starts: list[tuple[int, str]] = []

    def collect(samples, count, events):  # type: ignore[no-untyped-def]
        if samples and count > 0:
            blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        for event in events:
            if event.type == _LIST_TERMINATED:
                return 0
            if event.type == _PHONEME:
                starts.append((event.sample, bytes(event.name).split(b"\0")[0].decode()))

    callback = _Callback(collect)
    with _private_library() as library:
        data = espeakng_loader.get_data_path()
        options = _PHONEME_EVENTS | _PHONEME_IPA | _DONT_EXIT
        rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), options)
        if rate <= 0:
            raise InputError(_NO_START.format(data))
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise InputError(_NO_VOICE.format(voice, data))
        library.espeak_SetParameter(_RATE, words_per_minute, 0)
        library.espeak_SetParameter(_PITCH, pitch, 0)
        utf8 = text.encode() + b"\0"
        library.espeak_Synth(utf8, len(utf8), 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None)
        library.espeak_Terminate()
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
    ends = [start for start, _ in starts[1:]] + [len(samples)]
    phonemes = tuple(
        Phoneme(name, start / rate, end / rate)
        for (start, name), end in zip(starts, ends, strict=True)
    )
    return Speech(samples, rate, phonemes)


def transcribe(word: str, voice: str) -> list[str]:
    """The phonemes of `word` by espeak's `voice`: IPA, stress marks before their vowel.

    Raises:
        InputError: the library does not start or has no such voice.
    """
    library = _transcriber()
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise InputError(_NO_VOICE.format(voice, espeakng_loader.get_data_path()))
    text = ctypes.create_string_buffer(word.encode())
    at = ctypes.c_void_p(ctypes.addressof(text))
    said = []
    while at.value:
        clause = library.espeak_TextToPhonemes(ctypes.byref(at), _CHARS_UTF8, _IPA_APART)
        said += re.sub(r"\([a-z-]+\)", "", clause.decode()).replace("_", " ").split()
    return said


@cache
def _transcriber() -> ctypes.CDLL:
    """A copy of the library that stays loaded, for transcription only."""
    with _private_library(keep=True) as library:
        data = espeakng_loader.get_data_path()
        if library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT) <= 0:
            raise InputError(_NO_START.format(data))
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_TextToPhonemes.argtypes = [
        ctypes.POINTER(ctypes.c_void_p),
        ctypes.c_int,
        ctypes.c_int,
    ]
    return library


@contextmanager
def _private_library(keep: bool = False) -> Iterator[ctypes.CDLL]:
    """A private copy of the library: the loader shares memory between equal paths only."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(espeakng_loader.get_library_path())
        library = ctypes.CDLL(shutil.copyfile(source, f"{folder}/{source.name}"))
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    try:
        yield library
    finally:
        if not keep:
            dlclose(library._handle)
