"""The audio and the measures of systems, as files.

<folder>/<system>/<id>.wav: 16 bits, 24 kHz, with the system's own durations; <folder>/measures.csv:
one row for each system and utterance. Another system can be added as a folder of WAV files that are
named by utterance.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from lbtts.errors import InputError, first_line
from lbtts.grid import SAMPLE_RATE
from lbtts.records import read_json, write_json

RECORDING, CEILING, FLOOR, VOICE = "recording", "ceiling", "floor", "voice"  # the systems
READINGS = "readings"  # training sentences as the floor reads them, for a recogniser to learn
STRANGER = "stranger"  # the base's own voice that is nearest to the speaker, to hear

HEARD = "heard"  # column: the phones that were recognised, apart by spaces
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


def write_measures(folder: Path, measures: Mapping[str, pd.DataFrame]) -> None:
    """Writes the measures of each system, a table by utterance each, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.concat(measures, names=_KEYS)
    table.to_csv(folder / "measures.csv", lineterminator="\n")


def read_measures(folder: Path) -> dict[str, pd.DataFrame]:
    """The measures by system, indexed by utterance; NaN where a system has none.

    Raises:
        InputError: the file is missing or damaged.
    """
    path = folder / "measures.csv"
    try:
        table = pd.read_csv(
            path, dtype={"id": str, HEARD: str}, keep_default_na=False, na_values=[""]
        )
        return {
            str(system): rows.drop(columns="system").set_index("id")
            for system, rows in table.groupby("system", sort=False)
        }
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run `dvc repro`") from None
    except (ValueError, KeyError) as error:
        raise InputError(f"{path}: damaged ({first_line(error)}); run `dvc repro`") from None


def write_summary(folder: Path, summary: dict[str, Any]) -> None:
    """Writes what report and model card show: `summary.json`, see `lbtts.evaluation.voice`."""
    write_json(folder / "summary.json", summary)


def read_summary(folder: Path) -> dict[str, Any]:
    """What `write_summary` wrote.

    Raises:
        InputError: it is missing.
    """
    return read_json(folder / "summary.json")
