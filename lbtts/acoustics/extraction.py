"""From one clip and its durations to everything that the trainer reads of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from lbtts.acoustics import f0, mel
from lbtts.errors import InputError, Reject
from lbtts.grid import MAX_UNITS, MIN_UNITS, SAMPLE_RATE, SAMPLES_PER_UNIT
from lbtts.params import Features

FULL_SCALE = np.float32(2**15)  # of int16 audio


@dataclass(frozen=True)
class Timing:
    """One utterance of durations.csv."""

    id: str
    units: list[int]  # of every token, BOS and EOS included
    cuts: list[slice]  # samples to take out of the clip


@dataclass(frozen=True)
class Extracted:
    """One utterance's arrays: F frames, S = 300 F samples."""

    mel: NDArray[np.float16]  # [F, 80], natural log
    f0: NDArray[np.float32]  # [F], Hz, 0 where unvoiced
    energy: NDArray[np.float32]  # [F], log norm
    audio: NDArray[np.int16]  # [S], 24 kHz


def read_timings(path: str | Path) -> list[Timing]:
    """The accepted utterances of durations.csv, sorted by id.

    Raises:
        InputError: the file is missing, or a row of it is damaged.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: not found; run `dvc repro durations`")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    timings = []
    for row in table[table["status"] == "ok"].to_dict("records"):
        try:
            units = [int(n) for n in row["units"].split()]
            timings.append(Timing(row["id"], units, parse_cuts(row["cuts"])))
        except ValueError as error:
            raise InputError(
                f"{path}: {row['id']}: {error}; run `dvc repro -f durations`"
            ) from None
    return sorted(timings, key=lambda timing: timing.id)


def parse_cuts(written: str) -> list[slice]:
    """The spans of samples in the column `cuts` of durations.csv, `start:stop;start:stop`."""
    spans = (span.split(":") for span in written.split(";") if span)
    return [slice(int(start), int(stop)) for start, stop in spans]


def extract(path: str, tokens: list[int], timing: Timing, choice: Features) -> Extracted:
    """The features of the clip at `path` after its long pauses were shortened.

    Args:
        path: of a clip of the corpus, 24 kHz mono.
        tokens: its input ids, BOS and EOS included.
        timing: their durations.
        choice: the section `features`.

    Raises:
        Reject: the clip cannot be read, its durations fit neither its tokens nor its length, or no
            frame is voiced.
    """
    units = timing.units
    if len(units) != len(tokens) or not all(MIN_UNITS <= n <= MAX_UNITS for n in units):
        raise Reject(
            f"{len(units)} durations of {min(units, default=0)} to {max(units, default=0)} units "
            f"for {len(tokens)} tokens, not one of {MIN_UNITS} to {MAX_UNITS} for each; "
            "run `dvc repro -f durations`"
        )
    try:
        audio, rate = soundfile.read(path, dtype="int16")
    except soundfile.LibsndfileError as error:
        raise Reject(f"{error} Run `dvc repro -f corpus`") from error
    keep = np.ones(len(audio), dtype=bool)
    for cut in timing.cuts:
        keep[cut] = False
    kept = SAMPLES_PER_UNIT * sum(units)
    need = kept + sum(cut.stop - cut.start for cut in timing.cuts)
    if (rate, len(audio), keep.sum()) != (SAMPLE_RATE, need, kept):
        raise Reject(
            f"{len(audio)} samples at {rate} Hz, but its durations and cuts need {need} at "
            f"{SAMPLE_RATE}; run `dvc repro -f durations`"
        )
    audio = audio[keep]
    samples: NDArray[np.float32] = np.divide(audio, FULL_SCALE, dtype=np.float32)
    log_mel = mel.log_mel(samples)
    return Extracted(
        log_mel.astype(np.float16), f0.track(samples, choice.f0), mel.energy(log_mel), audio
    )
