"""Held-out utterances, said in three ways, and the figures that come of it.

The fine-tuned voice stands between a ceiling, copy synthesis of the recording itself by WORLD, and
a floor, the base network with the initial voice table, untrained.
"""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lbtts.acoustics.measuring.f0 import track
from lbtts.acoustics.measuring.mel import log_mel
from lbtts.acoustics.store.features import Utterance
from lbtts.evaluation import metrics, naturalness
from lbtts.evaluation.synthesis import Synthesiser, copy
from lbtts.grid import SAMPLE_RATE
from lbtts.params import F0

FIGURES = {
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
NATURALNESS = ("dnsmos", "dnsmos_p808")  # the figures that need no recording to compare with
RTF = "rtf"  # seconds of work per second of speech; apart, since it is another on every run

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Rendition:
    """One utterance as one system says it.

    Attributes:
        timed: [S] float32, with the recording's durations.
        free: [S'] float32, in its own time.
        units: [T] int64, its own durations; None for a copy, which has none.
        seconds: what `free` took to compute; None for a copy.
    """

    timed: Array
    free: Array
    units: NDArray[np.int64] | None
    seconds: float | None


@dataclass(frozen=True)
class Measured:
    """One rendition's figures, and its F0 [F] beside the recording's."""

    figures: dict[str, float]
    f0: Array
    reference: Array


def render(synthesiser: Synthesiser, utterance: Utterance) -> Rendition:
    """`utterance` as `synthesiser` says it."""
    start = time.perf_counter()
    free, units = synthesiser.speak(utterance.tokens)
    seconds = time.perf_counter() - start
    timed = synthesiser.speak_in_time(utterance.tokens, utterance.units)
    return Rendition(timed, free, units, seconds)


def render_copy(utterance: Utterance, f0: F0) -> Rendition:
    """The recording of `utterance` through WORLD and back."""
    audio = copy(utterance.audio, utterance.f0, f0.floor)
    return Rendition(audio, audio, None, None)


def measure(rendition: Rendition, utterance: Utterance, f0: F0) -> Measured:
    """The distances of `rendition` from the recording of `utterance`."""
    audio = utterance.audio
    figures = {
        "mcd": metrics.mel_cepstral_distance(rendition.timed, audio, warp=False),
        "mcd_free": metrics.mel_cepstral_distance(rendition.free, audio, warp=True),
        "log_mel_l1": metrics.log_mel_l1(log_mel(rendition.timed), utterance.mel),
        "stft": metrics.spectral_distance(rendition.timed, audio),
        **naturalness.opinion(rendition.free),
    }
    if rendition.units is not None and rendition.seconds is not None:
        figures["duration_error"] = metrics.duration_error(rendition.units, utterance.units)
        figures["length_ratio"] = len(rendition.free) / len(audio)
        figures[RTF] = rendition.seconds * SAMPLE_RATE / len(rendition.free)
    return Measured(figures, track(rendition.timed, f0), utterance.f0)


def measure_recording(utterance: Utterance) -> Measured:
    """What can be measured of the recording of `utterance` by itself."""
    return Measured(naturalness.opinion(utterance.audio), utterance.f0, utterance.f0)


def summarise(measured: list[Measured]) -> dict[str, float]:
    """Means over utterances, and F0 figures over all their frames, to four digits.

    A figure that is undefined, like the F0 error of a voice that is never voiced or the cepstral
    distance of silence, is left out.
    """
    figures = {
        name: float(np.mean([m.figures[name] for m in measured])) for name in measured[0].figures
    }
    f0 = np.concatenate([m.f0 for m in measured])
    reference = np.concatenate([m.reference for m in measured])
    figures["f0_rmse_hz"] = metrics.f0_rmse(f0, reference)
    figures["f0_rmse_cents"] = metrics.f0_rmse_cents(f0, reference)
    figures["voicing_error"] = metrics.voicing_error(f0, reference)
    return {name: float(f"{v:.4g}") for name, v in figures.items() if np.isfinite(v)}
