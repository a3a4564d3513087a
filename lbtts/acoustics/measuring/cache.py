"""A cache of measures, by the audio and by how it was measured.

F0 and the spectral measures are stored separately, so another F0 method leaves the spectral ones
valid. Their keys hold the `VERSION` of the module that measured them, the versions of its libraries
and the parameters.
"""

import json
from pathlib import Path
from typing import Self

import numpy as np

from lbtts.acoustics.measuring import f0, mel
from lbtts.acoustics.measuring.extraction import Measures, Spectral
from lbtts.acoustics.store.layout import N_MELS
from lbtts.cache import Cache, method
from lbtts.params import F0

_FOLDER = "measured"
_MEL_BYTES, _ENERGY_BYTES = 2 * N_MELS, 4  # a frame


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
        parameters = json.dumps(f0_params.model_dump(), sort_keys=True)
        self._f0 = method("f0", f0.VERSION, ("pyworld-prebuilt", "numpy"), parameters)
        self._spectral = method("mel", mel.VERSION, ("librosa", "numpy", "scipy"))
        self._cache = Cache(folder / _FOLDER)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.__exit__()

    def get(self, digest: str) -> Measures:
        """The measures of an utterance that are known; None for the others.

        Raises:
            InputError: the database was damaged since it was opened.
        """
        tracked = self._cache.get(f"{self._f0}/{digest}")
        spectral = self._cache.get(f"{self._spectral}/{digest}")
        return Measures(
            None if tracked is None else np.frombuffer(tracked, np.float32),
            None if spectral is None else _unpack(spectral),
        )

    def put(self, digest: str, measures: Measures) -> None:
        """Stores measures; those that are None are left as they are.

        Raises:
            InputError: it cannot be written.
        """
        values = {}
        if measures.f0 is not None:
            values[f"{self._f0}/{digest}"] = measures.f0.tobytes()
        if measures.spectral is not None:
            values[f"{self._spectral}/{digest}"] = _packed(measures.spectral)
        self._cache.put(values)


def _packed(spectral: Spectral) -> bytes:
    return spectral.mel.tobytes() + spectral.energy.tobytes()


def _unpack(value: bytes) -> Spectral:
    frames = len(value) // (_MEL_BYTES + _ENERGY_BYTES)
    return Spectral(
        np.frombuffer(value, np.float16, frames * N_MELS).reshape(frames, N_MELS),
        np.frombuffer(value, np.float32, frames, offset=frames * _MEL_BYTES),
    )
