"""From one clip and its durations to everything that the trainer reads of it."""

from dataclasses import dataclass

import numpy as np
import soundfile
from numpy.typing import NDArray

from lbtts.acoustics import f0, mel
from lbtts.errors import Reject
from lbtts.grid import SAMPLE_RATE, SAMPLES_PER_UNIT
from lbtts.params import Features

FULL_SCALE = np.float32(2**15)  # of int16 audio


@dataclass(frozen=True)
class Extracted:
    """One utterance's arrays: F frames, S = 300 F samples."""

    mel: NDArray[np.float16]  # [F, 80], natural log
    f0: NDArray[np.float32]  # [F], Hz, 0 where unvoiced
    energy: NDArray[np.float32]  # [F], log norm
    audio: NDArray[np.int16]  # [S], 24 kHz


def extract(path: str, units: list[int], cuts: list[slice], choice: Features) -> Extracted:
    """The features of the clip at `path` after its long pauses were shortened.

    Args:
        path: of a clip of the corpus, 24 kHz mono.
        units: duration of every token, BOS and EOS included.
        cuts: samples to take out, in ascending order.
        choice: the section `features`.

    Raises:
        Reject: audio and durations differ in length, or no frame is voiced.
    """
    audio, rate = soundfile.read(path, dtype="int16")
    audio = np.delete(audio, np.r_[tuple(cuts)] if cuts else [])
    if rate != SAMPLE_RATE or len(audio) != SAMPLES_PER_UNIT * sum(units):
        raise Reject(
            f"{len(audio)} samples at {rate} Hz, but its durations need "
            f"{SAMPLES_PER_UNIT * sum(units)} at {SAMPLE_RATE}; run `dvc repro -f durations`"
        )
    samples: NDArray[np.float32] = np.divide(audio, FULL_SCALE, dtype=np.float32)
    log_mel = mel.log_mel(samples)
    return Extracted(
        log_mel.astype(np.float16), f0.track(samples, choice.f0), mel.energy(log_mel), audio
    )


def parse_cuts(written: str) -> list[slice]:
    """The spans of samples in the column `cuts` of durations.csv, `start:stop;start:stop`."""
    spans = (span.split(":") for span in written.split(";") if span)
    return [slice(int(start), int(stop)) for start, stop in spans]
