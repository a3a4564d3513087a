"""What was measured before, found again by what was measured and how.

One SQLite database in the stage's scratch folder, written by the stage's own process alone: killed
at any moment, the next run finds everything that was handed over until then. F0 and the spectral
measures are kept apart, so that another F0 method leaves the spectral ones valid. Their names hold
the source code that measured them and the versions of the libraries behind it.
"""

import hashlib
import json
import shutil
import sqlite3
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Self

import numpy as np
from diskcache import Cache
from numpy.typing import NDArray
from tqdm import tqdm

from lbtts import grid
from lbtts.acoustics.measuring import f0, mel
from lbtts.acoustics.measuring.extraction import Measured, Spectral
from lbtts.acoustics.measuring.mel import N_MELS
from lbtts.errors import InputError
from lbtts.params import F0

_FOLDER = "measured"
_CHECKSUM = 4  # bytes in front of each value
_MEL_BYTES, _ENERGY_BYTES = 2 * N_MELS, 4  # a frame

# Left to itself diskcache throws entries away beyond 1 GB and puts long values into files of their
# own, one an utterance.
_SETTINGS = {"eviction_policy": "none", "cull_limit": 0, "disk_min_file_size": 2**31 - 1}


class MeasureCache:
    """Measures by the digest of a clip; values that were damaged on disk are not found."""

    def __init__(self, folder: Path, choice: F0) -> None:
        """Opens the cache in `folder`, or starts it afresh where it is damaged.

        Args:
            folder: a scratch folder that no other process uses.
            choice: how F0 is tracked.
        """
        self._folder = folder / _FOLDER
        self._f0 = "f0/" + _fingerprint(f0, ("pyworld-prebuilt", "numpy"), choice.model_dump())
        self._spectral = "mel/" + _fingerprint(mel, ("librosa", "numpy", "scipy"), {})
        try:
            self._cache = self._open()
        except sqlite3.DatabaseError as error:
            tqdm.write(f"{self._folder}: damaged ({error}), started afresh")
            shutil.rmtree(self._folder)
            self._cache = self._open()

    def _open(self) -> Cache:
        cache = Cache(str(self._folder), **_SETTINGS)
        deque(cache, maxlen=0)  # reads all keys, so that damage shows here
        return cache

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.close()

    def get(self, digest: str) -> Measured:
        """What is known of a clip; None for what is not.

        Raises:
            InputError: the database was damaged since it was opened.
        """
        with self._in_words():
            tracked = _checked(self._cache.get(f"{self._f0}/{digest}"))
            spectral = _checked(self._cache.get(f"{self._spectral}/{digest}"))
        return Measured(
            None if tracked is None else np.frombuffer(tracked, np.float32),
            None if spectral is None else _unpack(spectral),
        )

    def put(self, digest: str, measured: Measured) -> None:
        """Keeps what was measured.

        Raises:
            InputError: it cannot be written.
        """
        with self._in_words(), self._cache.transact():
            if measured.f0 is not None:
                self._set(f"{self._f0}/{digest}", measured.f0)
            if measured.spectral is not None:
                spectral = measured.spectral
                self._set(f"{self._spectral}/{digest}", spectral.mel, spectral.energy)

    def _set(self, key: str, *arrays: NDArray) -> None:
        value = b"".join(array.tobytes() for array in arrays)
        self._cache.set(key, zlib.crc32(value).to_bytes(_CHECKSUM, "little") + value)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, OSError) as error:
            raise InputError(
                f"{self._folder}: {error}; if the disk is full, make room, else delete that "
                "folder; then run again"
            ) from error


def _fingerprint(module: ModuleType, libraries: tuple[str, ...], choice: dict) -> str:
    """Names a way of measuring: its code, the libraries behind it, its parameters, the grid."""
    assert module.__file__
    parts = [
        hashlib.sha256(Path(module.__file__).read_bytes()).hexdigest(),
        [version(library) for library in libraries],
        choice,
        [grid.SAMPLE_RATE, grid.HOP],
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _checked(value: bytes | None) -> bytes | None:
    """The value without its checksum, None where they disagree."""
    if (
        value is None
        or zlib.crc32(value[_CHECKSUM:]).to_bytes(_CHECKSUM, "little") != (value[:_CHECKSUM])
    ):
        return None
    return value[_CHECKSUM:]


def _unpack(value: bytes) -> Spectral:
    frames = len(value) // (_MEL_BYTES + _ENERGY_BYTES)
    return Spectral(
        np.frombuffer(value, np.float16, frames * N_MELS).reshape(frames, N_MELS),
        np.frombuffer(value, np.float32, frames, offset=frames * _MEL_BYTES),
    )
