"""The learning rate as training goes on; it does not depend on how long the run lasts."""

import math


def learning_rate_factor(step: int, warmup: int) -> float:
    """Linear warm-up, then decay with the inverse square root of the step.

    Source: Vaswani et al., https://arxiv.org/abs/1706.03762, section 5.3.
    """
    if warmup == 0:
        return 1.0
    return min((step + 1) / warmup, math.sqrt(warmup / (step + 1)))
