"""The audio and the measures of systems, as files.

<folder>/<system>/<id>.wav: 16 bits, 24 kHz, with the system's own durations; <folder>/measures.csv:
one row for each system and utterance. Another system can be added as a folder of WAV files that are
named by utterance.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from lbtts.errors import InputError
from lbtts.grid import SAMPLE_RATE

RECORDING, CEILING, FLOOR, VOICE = "recording", "ceiling", "floor", "voice"  # the systems

METRICS = {
    "mcd": "mel-cepstral distance, reference durations",
    "mcd_free": "mel-cepstral distance, own durations, warped",
    "log_mel_l1": "log-mel L1",
    "stft": "multi-resolution STFT distance",
    "f0_rmse_hz": "F0 error, Hz, RMS over frames voiced in both",
    "f0_rmse_cents": "F0 error, cents, likewise",
    "voicing_error": "share of frames with the wrong voicing",
    "duration_error": "duration error per token, units of 25 ms",
    "length_ratio": "length relative to the recording",
    "dnsmos": "naturalness by DNSMOS, overall, 1 to 5",
    "dnsmos_p808": "naturalness by DNSMOS P.808, 1 to 5",
}
NATURALNESS = ("dnsmos", "dnsmos_p808")  # the metrics that need no recording to compare with

_KEYS = ["system", "id"]


def write_audio(folder: Path, system: str, utterance: str, audio: NDArray[np.float32]) -> None:
    """Writes the audio of a system, [S] float32 at 24 kHz; what is louder than 1 is clipped."""
    path = audio_path(folder, system, utterance)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio.clip(-1, 1), SAMPLE_RATE, subtype="PCM_16")


def read_audio(folder: Path, system: str, utterance: str) -> NDArray[np.float32]:
    """The audio of a system, [S] float32.

    Raises:
        InputError: the file is missing or not readable.
    """
    path = audio_path(folder, system, utterance)
    try:
        return soundfile.read(path, dtype="float32")[0]
    except soundfile.LibsndfileError as error:
        raise InputError(f"{path}: not readable ({error}); run `dvc repro`") from error


def audio_path(folder: Path, system: str, utterance: str) -> Path:
    """The path of a system's audio."""
    return folder / system / f"{utterance}.wav"


def write_measures(folder: Path, measures: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Writes the measures of each system and utterance, in their order."""
    rows = [
        dict(zip(_KEYS, (system, utterance), strict=True)) | dict(values)
        for system, of_system in measures.items()
        for utterance, values in of_system.items()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(folder / "measures.csv", index=False, lineterminator="\n")


def read_measures(folder: Path) -> dict[str, pd.DataFrame]:
    """The measures by system, indexed by utterance, without those that a system lacks.

    Raises:
        InputError: the file is missing.
    """
    path = folder / "measures.csv"
    try:
        table = pd.read_csv(path, dtype={"id": str})
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run `dvc repro`") from None
    return {
        str(system): rows.drop(columns="system").set_index("id").dropna(axis=1, how="all")
        for system, rows in table.groupby("system", sort=False)
    }
