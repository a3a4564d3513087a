"""A cache of measures, by the audio and by how it was measured.

One SQLite database in the stage's scratch folder, written by the stage's own process only. If the
stage is killed, the next run finds all measures that were put until then. F0 and the spectral
measures are stored separately, so another F0 method leaves the spectral ones valid. Their keys hold
the `VERSION` of the module that measured them, the versions of its libraries and the parameters.
"""

import json
import shutil
import sqlite3
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Self

import numpy as np
from diskcache import Cache
from numpy.typing import NDArray
from tqdm import tqdm

from lbtts.acoustics.measuring import f0, mel
from lbtts.acoustics.measuring.extraction import Measures, Spectral
from lbtts.acoustics.store.layout import N_MELS
from lbtts.errors import InputError
from lbtts.params import F0

_FOLDER = "measured"
_CHECKSUM = 4  # bytes in front of each value
_MEL_BYTES, _ENERGY_BYTES = 2 * N_MELS, 4  # a frame

# By default diskcache evicts entries beyond 1 GB and writes each long value into a separate file.
_SETTINGS = {"eviction_policy": "none", "cull_limit": 0, "disk_min_file_size": 2**31 - 1}


class MeasureCache:
    """Measures by the digest of an utterance's audio; values damaged on disk are not found."""

    def __init__(self, folder: Path, f0_params: F0) -> None:
        """Opens the cache in `folder`, or a new one if it is damaged.

        Args:
            folder: a scratch folder that no other process uses.
            f0_params: how F0 is tracked.

        Raises:
            InputError: it cannot be opened, for example because the disk is full.
        """
        self._folder = folder / _FOLDER
        parameters = json.dumps(f0_params.model_dump(), sort_keys=True)
        self._f0 = _key("f0", f0.VERSION, ("pyworld-prebuilt", "numpy"), parameters)
        self._spectral = _key("mel", mel.VERSION, ("librosa", "numpy", "scipy"))
        with self._errors_as_input():
            try:
                self._cache = self._open()
            except sqlite3.OperationalError:  # no damage: disk full, no rights, …
                raise
            except sqlite3.DatabaseError as error:
                tqdm.write(f"{self._folder}: damaged ({error}); a new cache was started")
                shutil.rmtree(self._folder)
                self._cache = self._open()

    def _open(self) -> Cache:
        cache = Cache(str(self._folder), **_SETTINGS)
        deque(cache, maxlen=0)  # reads all keys, so damage is found here
        return cache

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.close()

    def get(self, digest: str) -> Measures:
        """The measures of an utterance that are known; None for the others.

        Raises:
            InputError: the database was damaged since it was opened.
        """
        with self._errors_as_input():
            tracked = _checked(self._cache.get(f"{self._f0}/{digest}"))
            spectral = _checked(self._cache.get(f"{self._spectral}/{digest}"))
        return Measures(
            None if tracked is None else np.frombuffer(tracked, np.float32),
            None if spectral is None else _unpack(spectral),
        )

    def put(self, digest: str, measures: Measures) -> None:
        """Stores measures; those that are None are left as they are.

        Raises:
            InputError: it cannot be written.
        """
        with self._errors_as_input(), self._cache.transact():
            if measures.f0 is not None:
                self._set(f"{self._f0}/{digest}", measures.f0)
            if measures.spectral is not None:
                spectral = measures.spectral
                self._set(f"{self._spectral}/{digest}", spectral.mel, spectral.energy)

    def _set(self, key: str, *arrays: NDArray) -> None:
        value = b"".join(array.tobytes() for array in arrays)
        self._cache.set(key, zlib.crc32(value).to_bytes(_CHECKSUM, "little") + value)

    @contextmanager
    def _errors_as_input(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, OSError) as error:
            raise InputError(
                f"{self._folder}: {error}; if the disk is full, free some space; otherwise delete "
                "that folder; then run again"
            ) from error


def _key(quantity: str, revision: int, libraries: tuple[str, ...], parameters: str = "") -> str:
    """The prefix of the keys of a quantity: all that its values depend on besides the audio."""
    versions = (f"{library} {version(library)}" for library in libraries)
    return "/".join([quantity, str(revision), *versions, parameters])


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
