"""What changes as training goes on, each a function of the step alone.

None knows how long the run lasts, so that a run can be prolonged.
"""

import math
from collections.abc import Mapping

from lbtts.params import Frozen, Losses, Teacher, Train


def learning_rate_factor(step: int, warmup: int) -> float:
    """Linear warm-up, then decay with the inverse square root of the step.

    Source: Vaswani et al., https://arxiv.org/abs/1706.03762, section 5.3.
    """
    if warmup == 0:
        return 1.0
    return min((step + 1) / warmup, math.sqrt(warmup / (step + 1)))


def taught_share(step: int, teacher: Teacher) -> float:
    """The share of utterances, 0 to 1, whose decoder hears the recording's F0 and energy."""
    fallen = min(1.0, max(0, step - teacher.until) / teacher.over)
    return 1 - fallen * (1 - teacher.share)


def trains(component: str, step: int, frozen: Frozen) -> bool:
    """Whether a component of the network, or `voice`, trains in step `step`."""
    return step >= getattr(frozen, component, 0)


def weights(step: int, losses: Losses) -> dict[str, float]:
    """The weight of each loss that counts in step `step`."""
    choices = ((name, getattr(losses, name)) for name in type(losses).model_fields)
    return {name: c.weight for name, c in choices if c.weight > 0 and step >= c.start}


def total(figures: Mapping[str, float], step: int, losses: Losses) -> float:
    """The weighted sum of the losses among `figures` that count in step `step`."""
    counted = weights(step, losses)
    return sum(counted.get(name, 0.0) * value for name, value in figures.items())


def settled(params: Train) -> int:
    """The step from which nothing changes any more: validations before it cannot be compared."""
    losses = (getattr(params.losses, name) for name in type(params.losses).model_fields)
    starts = [loss.start for loss in losses if loss.weight > 0]
    taught = params.teacher.until + params.teacher.over if params.teacher.share < 1 else 0
    return max(*starts, *params.frozen.model_dump().values(), taught)
