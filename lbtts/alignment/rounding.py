"""Boundaries rounded to whole units, so that no duration is lost."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression


def whole_boundaries(true: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """The whole-numbered boundaries, at least one unit apart, that are nearest to the true ones.

    Nearest in the sense of least squares: with b[i] = i + y[i] that is isotonic regression of y.

    Args:
        true: [n] float64 in units, ascending, the first at the start and the last at the end.
        total: units between these, at least n - 1.

    Returns:
        [n] int64, from 0 to `total`.
    """
    order = np.arange(len(true))
    slack = total - order[-1]  # units beyond one a token
    rest = isotonic_regression(true - order).x
    rounded = np.floor(np.clip(rest, 0, slack) + 0.5).astype(np.int64) + order
    rounded[0], rounded[-1] = 0, total
    return rounded
