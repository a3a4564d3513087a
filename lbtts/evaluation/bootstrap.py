"""How far a metric can be trusted that was measured on a few utterances.

The utterance is what is drawn: the phones of one sentence err together, and a text that is easy for
one system is easy for the other. So an interval is a bootstrap over utterances, and two systems are
compared on the same utterances, difference by difference.

The plain percentile interval of a small sample is too narrow (84 % instead of 95 % on seven
utterances). It is expanded to the quantiles at which it would be exact for a normal distribution,
which Student's t gives. Of 1,000 simulations each, so many intervals held the truth:

    utterances                 7       20      65
    normal                     95 %    94 %    94 %
    gamma, shape 2             91 %    95 %    95 %
    exponential                89 %    93 %    93 %

BCa at the plain level holds 83 to 87 % of seven utterances. The studentised bootstrap holds 94 %,
but has no upper end where most utterances are without error, which a good voice's are.

Whether a difference is more than chance is another question and has an exact answer: were the two
systems one, each utterance's difference could as well have the other sign. With fewer than six
utterances no pattern of signs is rarer than 5 %, so nothing is more than chance there.

What this cannot tell: whether the utterances stand for the texts that will be spoken, or whether
another training of the same recipe would have come out the same. The interval is about this voice
and texts like these.

Source: Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician
69(4), 2015, on expanded percentiles; Efron and Tibshirani, "An Introduction to the Bootstrap",
1993, on the paired bootstrap; Bisani and Ney, ICASSP 2004, on drawing utterances for error rates;
Fisher, "The Design of Experiments", 1935, section 21, on changing the signs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

CONFIDENCE = 0.95
_RESAMPLES = 9999
_EVEN = 1e-9  # differences of rates below it are rounding

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A metric with its 95 % interval.

    Attributes:
        value: of these utterances.
        low: of the interval; minus infinity where there is one utterance only.
        high: likewise.
        utterances: that it was measured on.
    """

    value: float
    low: float
    high: float
    utterances: int

    def times(self, factor: float) -> "Estimate":
        """The same in another unit; a negative factor exchanges the ends."""
        low, high = sorted((factor * self.low, factor * self.high))
        return Estimate(factor * self.value, low, high, self.utterances)

    def flat(self, name: str) -> dict[str, float]:
        """Entries for a metrics file, to four digits: `name`, `name_low` and `name_high`.

        What is not finite is left out.
        """
        entries = {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}
        return {key: float(f"{x:.4g}") for key, x in entries.items() if np.isfinite(x)}


@dataclass(frozen=True)
class Difference:
    """How one system differs from another on the same utterances.

    Attributes:
        estimate: the first less the second.
        p: probability of a difference as large in either direction, were they one system.
    """

    estimate: Estimate
    p: float

    @property
    def more_than_chance(self) -> bool:
        """Whether so large a difference is rarer than 5 % between two equal systems."""
        return self.p < 1 - CONFIDENCE


def mean(values: ArrayLike, seed: int = 0) -> Estimate:
    """The mean over utterances, [K]; NaN in `values` says that a metric is undefined there.

    Those utterances are left out; with none left, all is NaN.
    """
    kept = np.asarray(values, np.float64)
    return rate(kept, np.ones_like(kept), seed)


def rate(parts: ArrayLike, totals: ArrayLike, seed: int = 0) -> Estimate:
    """The sum of `parts` over the sum of `totals`, such as errors by phones, each [K].

    A ratio of sums, not a mean of ratios: a long sentence counts for more than a short one, as it
    does for a listener. Utterances where either is NaN are left out.
    """
    over, under = _defined(parts, totals)
    if not len(over):
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    value = _ratio(over, under)
    if len(over) == 1:
        return Estimate(float(value), -float("inf"), float("inf"), 1)
    low, high = _interval((over, under), seed)
    return Estimate(float(value), low, high, len(over))


def difference(
    ours: ArrayLike, theirs: ArrayLike, totals: ArrayLike | None = None, seed: int = 0
) -> Difference:
    """How much higher `ours` is than `theirs`, each [K], the same utterance at the same place.

    Args:
        ours: a metric of each utterance, or its errors.
        theirs: likewise, of the system compared with.
        totals: [K] phones or words, for errors; None for metrics.
        seed: of the resampling.
    """
    first, second = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    under = np.ones_like(first) if totals is None else np.asarray(totals, np.float64)
    apart, weights = _defined(first - second, under)
    estimate = rate(apart, weights, seed)
    if len(apart) < 2 or np.all(np.abs(apart) < _EVEN):
        return Difference(estimate, 1.0)
    test = stats.permutation_test(
        (apart / weights.sum(),),
        np.sum,
        permutation_type="samples",
        vectorized=True,
        n_resamples=_RESAMPLES,
        rng=np.random.default_rng(seed),
    )
    return Difference(estimate, float(test.pvalue))


def _interval(samples: tuple[Values, Values], seed: int) -> tuple[float, float]:
    found = stats.bootstrap(
        samples,
        _ratio,
        paired=True,
        vectorized=True,
        confidence_level=_expanded(len(samples[0])),
        n_resamples=_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def _expanded(utterances: int) -> float:
    """The level at which a percentile interval of so many normal values would hold 95 %."""
    quantile = stats.t.ppf((1 - CONFIDENCE) / 2, utterances - 1)
    return float(1 - 2 * stats.norm.cdf(np.sqrt(utterances / (utterances - 1)) * quantile))


def _ratio(parts: Values, totals: Values, axis: int = -1) -> Values:
    return np.sum(parts, axis=axis) / np.sum(totals, axis=axis)


def _defined(parts: ArrayLike, totals: ArrayLike) -> tuple[Values, Values]:
    over, under = np.asarray(parts, np.float64), np.asarray(totals, np.float64)
    kept = np.isfinite(over) & np.isfinite(under)
    return over[kept], under[kept]
