"""The speaker's F0 range, and how far an utterance's F0 is outside it. F0 is not changed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lbtts.grid import FRAME_RATE, SAMPLE_RATE
from lbtts.params import Check

_FENCE = 3.0  # interquartile ranges beyond a quartile
_LEAST = 0.1  # octaves; the smallest interquartile range that is used, for monotone voices
JUMP = 0.5  # octaves between neighbouring frames


class Histogram:
    """A histogram of F0 with bins of 0.1 Hz, in constant memory."""

    def __init__(self) -> None:
        """An empty histogram."""
        self._counts = np.zeros(10 * SAMPLE_RATE // 2, np.int64)  # index: F0 in 0.1 Hz

    def add(self, f0: NDArray[np.float32]) -> None:
        """Adds the frames of an utterance, [F] in Hz, 0 where unvoiced."""
        tenths = np.rint(10 * f0).astype(np.int64)
        self._counts += np.bincount(tenths, minlength=len(self._counts))

    def quantiles(self, *shares: float) -> tuple[float, ...]:
        """The F0 in Hz below which each share of the voiced frames lies; there must be some."""
        voiced = np.cumsum(self._counts[1:])
        return tuple((1 + int(np.searchsorted(voiced, s * voiced[-1]))) / 10 for s in shares)

    def span(self) -> tuple[float, float]:
        """The speaker's range in Hz: three interquartile ranges, in octaves, around the quartiles.

        Source: the outer fences of Tukey, Exploratory Data Analysis (1977), on a logarithmic scale.
        """
        if not self._counts[1:].any():
            return 0.0, float("inf")
        low, high = np.log2(self.quantiles(0.25, 0.75))
        fence = _FENCE * max(high - low, _LEAST)
        return float(2 ** (low - fence)), float(2 ** (high + fence))

    def metrics(self) -> dict[str, float]:
        """Hours, share of voiced frames and, if there are any, quantiles of F0 in Hz."""
        frames, voiced = int(self._counts.sum()), int(self._counts[1:].sum())
        metrics = {
            "hours": round(frames / FRAME_RATE / 3600, 4),
            "voiced_share": round(voiced / max(1, frames), 4),
        }
        if voiced:
            names = ("f0_p05_hz", "f0_median_hz", "f0_p95_hz")
            metrics |= zip(names, self.quantiles(0.05, 0.5, 0.95), strict=True)
        return metrics


@dataclass(frozen=True)
class PitchStatistics:
    """Statistics of an utterance's F0."""

    voiced: float  # share of its frames
    outside: float  # share of its voiced frames outside the speaker's range
    jumps: float  # octave jumps a voiced second

    def suspicion(self, check: Check) -> str:
        """Why its F0 is suspect, empty if it is not."""
        found = []
        if self.outside > check.max_outside:
            found.append(
                f"{100 * self.outside:.0f} % of its voiced frames are outside the speaker's range "
                f"(features.check.max_outside: {check.max_outside:g})"
            )
        if self.jumps > check.max_jumps:
            found.append(
                f"{self.jumps:.1f} octave jumps a voiced second "
                f"(features.check.max_jumps: {check.max_jumps:g})"
            )
        return "; ".join(found)


def statistics(f0: NDArray[np.float32], span: tuple[float, float]) -> PitchStatistics:
    """Statistics of F0 [F] in Hz, 0 where unvoiced, given the speaker's range in Hz.

    A jump is at least half an octave between neighbouring voiced frames, 12.5 ms apart; no larynx
    is that fast.
    Source: Xu and Sun, JASA 111 (2002): the fastest change of pitch is about 100 semitones/s, a
    tenth of an octave in that time.
    """
    voiced = f0 > 0
    count = int(voiced.sum())
    if not count:
        return PitchStatistics(0.0, 0.0, 0.0)
    outside = voiced & ((f0 < span[0]) | (f0 > span[1]))
    steps = np.abs(np.diff(np.log2(np.where(voiced, f0, 1))))
    jumps = int((steps[voiced[1:] & voiced[:-1]] >= JUMP).sum())
    return PitchStatistics(count / len(f0), int(outside.sum()) / count, jumps * FRAME_RATE / count)
