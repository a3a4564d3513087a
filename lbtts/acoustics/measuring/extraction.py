"""From one clip and its durations to everything that the trainer reads of it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from lbtts.acoustics.measuring import f0, mel
from lbtts.errors import InputError, Reject
from lbtts.grid import MAX_UNITS, MIN_UNITS, SAMPLE_RATE, SAMPLES_PER_UNIT
from lbtts.params import F0

FULL_SCALE = np.float32(2**15)  # of int16 audio


@dataclass(frozen=True)
class Timing:
    """One utterance of durations.csv."""

    id: str
    units: list[int]  # of every token, BOS and EOS included
    cuts: list[slice]  # samples to take out of the clip


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


@dataclass(frozen=True)
class Clip:
    """A clip of the corpus and what is said in it."""

    path: str
    split: str
    tokens: list[int]  # input ids, BOS and EOS included
    timing: Timing

    @property
    def id(self) -> str:
        """The utterance's id."""
        return self.timing.id

    def digest(self) -> str:
        """A name for what is heard in it: its file's bytes and what is cut out of them.

        The file as it is and not its samples, so that to ask what is known costs no decoding.

        Raises:
            Reject: it cannot be read.
        """
        try:
            content = hashlib.sha256(Path(self.path).read_bytes())
        except OSError as error:
            raise Reject(
                f"{self.path}: not readable ({error.strerror}); run `dvc repro -f corpus`"
            ) from None
        cuts = [(cut.start, cut.stop) for cut in self.timing.cuts]
        return hashlib.sha256(content.digest() + repr(cuts).encode()).hexdigest()

    def audio(self) -> NDArray[np.int16]:
        """Its samples after its long pauses were shortened, [S] at 24 kHz.

        Raises:
            Reject: it cannot be read, or its durations fit neither its tokens nor its length.
        """
        units = self.timing.units
        if len(units) != len(self.tokens) or not all(MIN_UNITS <= n <= MAX_UNITS for n in units):
            raise Reject(
                f"{len(units)} durations of {min(units, default=0)} to {max(units, default=0)} "
                f"units for {len(self.tokens)} tokens, not one of {MIN_UNITS} to {MAX_UNITS} for "
                "each; run `dvc repro -f durations`"
            )
        try:
            audio, rate = soundfile.read(self.path, dtype="int16")
        except soundfile.LibsndfileError as error:
            raise Reject(f"{error} Run `dvc repro -f corpus`") from error
        keep = np.ones(len(audio), dtype=bool)
        for cut in self.timing.cuts:
            keep[cut] = False
        kept = SAMPLES_PER_UNIT * sum(units)
        need = kept + sum(cut.stop - cut.start for cut in self.timing.cuts)
        if (rate, len(audio), keep.sum()) != (SAMPLE_RATE, need, kept):
            raise Reject(
                f"{len(audio)} samples at {rate} Hz, but its durations and cuts need {need} at "
                f"{SAMPLE_RATE}; run `dvc repro -f durations`"
            )
        return audio[keep]


@dataclass(frozen=True)
class Extracted:
    """One utterance's arrays: F frames, S = 300 F samples."""

    mel: NDArray[np.float16]  # [F, 80], natural log
    f0: NDArray[np.float32]  # [F], Hz, 0 where unvoiced
    energy: NDArray[np.float32]  # [F], log norm
    audio: NDArray[np.int16]  # [S], 24 kHz


@dataclass(frozen=True)
class Spectral:
    """What `mel` measures: F frames."""

    mel: NDArray[np.float16]  # [F, 80], natural log
    energy: NDArray[np.float32]  # [F], log norm


@dataclass(frozen=True)
class Measured:
    """What was measured on a clip; None: what nobody asked for."""

    f0: NDArray[np.float32] | None  # [F], Hz, 0 where unvoiced
    spectral: Spectral | None


def measure(clip: Clip, choice: F0, *, f0_wanted: bool, spectral_wanted: bool) -> Measured:
    """F0, or mel and energy, or all of them, of a clip.

    Raises:
        Reject: see `Clip.audio`.
    """
    samples: NDArray[np.float32] = np.divide(clip.audio(), FULL_SCALE, dtype=np.float32)
    spectral = None
    if spectral_wanted:
        log_mel = mel.log_mel(samples)
        spectral = Spectral(log_mel.astype(np.float16), mel.energy(log_mel))
    return Measured(f0.track(samples, choice) if f0_wanted else None, spectral)
