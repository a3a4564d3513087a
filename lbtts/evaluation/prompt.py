"""What a speaker, human or not, was asked to say."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lbtts.text.inventory import Phones
from lbtts.text.tokens import TokenPlan

Audio = NDArray[np.float32]  # [S], 24 kHz
Readings = Mapping[str, Audio]  # what one system made of each prompt, by id


@dataclass(frozen=True)
class Prompt:
    """A sentence.

    Attributes:
        id: of the utterance.
        text: as a person would write it.
        phones: canonical labels of what is to be heard; empty where they are not known.
    """

    id: str
    text: str
    phones: Phones = ()


def from_plan(plan: TokenPlan) -> Prompt:
    """The prompt of a token plan."""
    return Prompt(plan.id, plan.text, plan.labels)
