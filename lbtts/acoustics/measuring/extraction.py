"""The measures of one utterance, from its audio and timing."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from lbtts import paths
from lbtts.acoustics.measuring import f0, mel
from lbtts.acoustics.store.layout import FULL_SCALE
from lbtts.alignment.timing import Timing
from lbtts.corpus.manifest import Entry
from lbtts.errors import InputError, Reject
from lbtts.grid import MAX_UNITS, MIN_UNITS, SAMPLE_RATE, SAMPLES_PER_UNIT
from lbtts.params import F0
from lbtts.text.tokens import TokenPlan


@dataclass(frozen=True)
class TimedUtterance:
    """An utterance of the corpus with the durations of its tokens."""

    path: str  # of the audio
    split: str
    tokens: Sequence[int]  # input ids, BOS and EOS included
    timing: Timing

    @property
    def id(self) -> str:
        """The utterance's id."""
        return self.timing.id

    def digest(self) -> str:
        """A digest of its audio: of the file's bytes and of the spans cut out of it.

        The file and not its samples, so no decoding is needed to look it up.

        Raises:
            Reject: it cannot be read.
        """
        try:
            content = hashlib.sha256(Path(self.path).read_bytes())
        except OSError as error:
            raise Reject(
                f"{self.path}: not readable ({error.strerror}); run `dvc repro -s -f corpus`"
            ) from None
        return hashlib.sha256(content.digest() + repr(self.timing.cuts).encode()).hexdigest()

    def audio(self) -> NDArray[np.int16]:
        """Its samples, long pauses shortened, [S] int16 at 24 kHz.

        Raises:
            Reject: it cannot be read, or its durations fit neither its tokens nor its length.
        """
        units = self.timing.units
        if len(units) != len(self.tokens) or not all(MIN_UNITS <= n <= MAX_UNITS for n in units):
            raise Reject(
                f"{len(units)} durations of {min(units, default=0)} to {max(units, default=0)} "
                f"units for {len(self.tokens)} tokens, not one of {MIN_UNITS} to {MAX_UNITS} for "
                "each; run `dvc repro -s -f durations`"
            )
        try:
            audio, rate = soundfile.read(self.path, dtype="int16")
        except soundfile.LibsndfileError as error:
            raise Reject(f"{error} Run `dvc repro -s -f corpus`") from error
        keep = np.ones(len(audio), dtype=bool)
        for begin, end in self.timing.cuts:
            keep[begin:end] = False
        kept = SAMPLES_PER_UNIT * sum(units)
        need = kept + sum(end - begin for begin, end in self.timing.cuts)
        if (rate, len(audio), keep.sum()) != (SAMPLE_RATE, need, kept):
            raise Reject(
                f"{len(audio)} samples at {rate} Hz, but its durations and cuts need {need} at "
                f"{SAMPLE_RATE}; run `dvc repro -s -f durations`"
            )
        return audio[keep]


def timed_utterances(
    timings: Iterable[Timing], entries: Mapping[str, Entry], plans: Iterable[TokenPlan]
) -> list[TimedUtterance]:
    """The utterances that have a timing, in the order of the timings.

    Args:
        timings: of durations.csv.
        entries: of the manifest, by id.
        plans: with the phones that were spoken.

    Raises:
        InputError: one is not in the manifest, or has no plan.
    """
    tokens = {plan.id: plan.input_ids for plan in plans}
    found = []
    for timing in timings:
        if timing.id not in tokens or timing.id not in entries:
            raise InputError(
                f"{paths.DURATIONS}: {timing.id} is not in the corpus; run `dvc repro`"
            )
        entry = entries[timing.id]
        found.append(TimedUtterance(entry.audio, entry.split, tokens[timing.id], timing))
    return found


@dataclass(frozen=True)
class Spectral:
    """What `mel` measures: F frames."""

    mel: NDArray[np.float16]  # [F, 80], natural log
    energy: NDArray[np.float32]  # [F], log norm


@dataclass(frozen=True)
class Measures:
    """The measures of an utterance; None if they were not asked for."""

    f0: NDArray[np.float32] | None  # [F], Hz, 0 where unvoiced
    spectral: Spectral | None


def measure(
    utterance: TimedUtterance, f0_params: F0, *, f0_wanted: bool, spectral_wanted: bool
) -> Measures:
    """F0, or mel and energy, or all of them, of an utterance.

    Raises:
        Reject: see `TimedUtterance.audio`.
    """
    samples: NDArray[np.float32] = np.divide(utterance.audio(), FULL_SCALE, dtype=np.float32)
    spectral = None
    if spectral_wanted:
        log_mel = mel.log_mel(samples)
        spectral = Spectral(log_mel.astype(np.float16), mel.energy(log_mel))
    return Measures(f0.track(samples, f0_params) if f0_wanted else None, spectral)
