"""Melody and timing: how lively a voice is, and whether it follows the text as a reader does.

A voice that says everything alike can have small errors everywhere: the mean of all melodies is
near to each. So beside errors stand metrics of what varies: how far F0 spreads, where it ends and
how fast it falls, and how far melody and durations go with the recording's. Each is to be read
beside the recordings' own.

F0 is [F] in Hz, 0 where unvoiced, 80 frames a second, and is used in semitones around the median of
an utterance, so that high and low voices compare.

What it cannot tell: whether a melody is a good one. Many are, and a voice need not use the
speaker's. And every metric inherits the errors of the tracker; octave errors, of which creaky
voices have many, stay out of the spread as long as they are less than a tenth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lbtts.evaluation.prompt import Audio
from lbtts.grid import FRAME_RATE, HOP

F0 = NDArray[np.float32]

_SEMITONES = 12  # an octave
_END = 0.25  # seconds of voice at the end that make the final contour: about the last syllable
_MIDDLE = 2.563  # standard deviations in the middle 80 % of a normal distribution
_LEAST = 0.5  # seconds of voice below which a melody has no metrics
_SILENT_DB = 40.0  # so far below its loud frames an utterance is silent
_LOUD = 95  # percentile of the frames' levels


@dataclass(frozen=True)
class Prosody:
    """One reading's metrics; NaN for all of F0 where there is less than half a second of voice.

    Attributes:
        spread: width of the middle 80 % of F0, semitones, divided by that of a normal distribution,
            so that it stands beside standard deviations.
        final: F0 of the last quarter of a second of voice less the median, semitones.
        slope: of the line through F0 over time, semitones a second.
        rate: phones a second from the first sound to the last; NaN without phones.
        seconds: from the first sound to the last.
    """

    spread: float
    final: float
    slope: float
    rate: float
    seconds: float


def measure(audio: Audio, f0: F0, phones: int) -> Prosody:
    """The metrics of a reading.

    Args:
        audio: [S] at 24 kHz.
        f0: [F] of it, as `lbtts.acoustics.measuring.f0.track` has it.
        phones: in its text; 0 where unknown.
    """
    seconds = sounding(audio)
    rate = phones / seconds if phones and seconds else float("nan")
    times = np.flatnonzero(f0 > 0) / FRAME_RATE
    if len(times) < _LEAST * FRAME_RATE:
        undefined = float("nan")
        return Prosody(undefined, undefined, undefined, rate, seconds)
    tone = _SEMITONES * np.log2(f0[f0 > 0].astype(np.float64))
    tone -= np.median(tone)
    end = round(_END * FRAME_RATE)
    return Prosody(
        float(np.subtract(*np.percentile(tone, [90, 10]))) / _MIDDLE,
        float(tone[-end:].mean()),
        float(np.polyfit(times, tone, 1)[0]),
        rate,
        seconds,
    )


def sounding(audio: Audio) -> float:
    """Seconds from the first sound to the last in audio [S], silence being 40 dB below loud."""
    hops = np.square(audio[: len(audio) // HOP * HOP], dtype=np.float64).reshape(-1, HOP).mean(1)
    if not hops.any():
        return 0.0
    loud = np.flatnonzero(hops > np.percentile(hops, _LOUD) * 10 ** (-_SILENT_DB / 10))
    return float(loud[-1] + 1 - loud[0]) / FRAME_RATE


def f0_correlation(f0: F0, reference: F0) -> float:
    """Correlation, -1 to 1, of two melodies, [F] and [F], over frames voiced in both.

    Of a reading in the recording's time; in semitones.
    """
    both = (f0 > 0) & (reference > 0)
    return correlation(np.log2(f0[both]), np.log2(reference[both]))


def duration_correlation(units: NDArray[np.int64], reference: NDArray[np.int64]) -> float:
    """Correlation, -1 to 1, of log durations over all tokens but BOS and EOS, each [T] units.

    Logarithms, since 25 ms more are much for a stop and nothing for a long vowel. Stress marks and
    spaces, whose durations are a convention, are the same on both sides.
    """
    return correlation(np.log(units[1:-1]), np.log(reference[1:-1]))


def correlation(one: NDArray, other: NDArray) -> float:
    """Pearson's, or NaN with fewer than three pairs or a side that does not vary."""
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])
