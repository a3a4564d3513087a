"""The schedules of Kokoro's training, each a function of the step alone.

None depends on the length of the run, so a run can be extended.
"""

from lbtts.params import Components, KokoroTraining, LossWeights, TeacherForcing


def teacher_ratio(step: int, forcing: TeacherForcing) -> float:
    """The share of utterances, 0 to 1, for which the decoder gets the recording's F0 and energy."""
    fallen = min(1.0, max(0, step - forcing.hold) / forcing.decay)
    return 1 - fallen * (1 - forcing.final_ratio)


def weights(step: int, losses: LossWeights) -> dict[str, float]:
    """The weight of each loss that counts in step `step`."""
    chosen = ((name, getattr(losses, name)) for name in LossWeights.model_fields)
    return {name: loss.weight for name, loss in chosen if loss.weight > 0 and step >= loss.start}


def settled(training: KokoroTraining) -> int:
    """The step from which no schedule changes; earlier validations cannot be compared."""
    losses = (getattr(training.losses, name) for name in LossWeights.model_fields)
    starts = [loss.start for loss in losses if loss.weight > 0]
    components = (getattr(training.components, name) for name in Components.model_fields)
    frozen = [component.frozen for component in components if component.frozen is not None]
    forcing = training.teacher_forcing
    decayed = forcing.hold + forcing.decay if forcing.final_ratio < 1 else 0
    return max(*starts, *frozen, decayed)
