"""What training needs of an acoustic model: all that the trainer, which knows none, asks for."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from lbtts.acoustics.store.batching import Batch
from lbtts.acoustics.store.features import Utterance

Losses = dict[str, Tensor]
Autocast = Callable[[], AbstractContextManager]  # the precision in which networks compute


@dataclass(frozen=True)
class Group:
    """Parameters that share a learning rate and begin to train together.

    Attributes:
        name: of the component.
        parameters: its tensors that may train.
        lr: at the top of the warm-up.
        weight_decay: of AdamW.
        frozen_until: the step from which they train, counted from 0.
    """

    name: str
    parameters: list[nn.Parameter]
    lr: float
    weight_decay: float
    frozen_until: int


@dataclass(frozen=True)
class Pass:
    """One forward pass under teacher forcing.

    Attributes:
        losses: each [B] float32, unweighted: of one utterance apart from the others.
        audio: [B, S] that the adversary judges; None where the model has none.
    """

    losses: Losses
    audio: Tensor | None


@dataclass(frozen=True)
class Speech:
    """What a network says in its own time: audio [S] float32 at 24 kHz, units [T] a token."""

    audio: NDArray[np.float32]
    units: NDArray[np.int64]


class Recipe(ABC):
    """A model, ready to be trained.

    Attributes:
        version: raise it whenever the same parameters and inputs train to other weights: a run
            that was interrupted under another version starts over.
        network: what trains, is averaged, and is given away; on its device.
        adversary: discriminators that train against it, in their own turn, or None.
        adversary_lr: their learning rate.
        criterion: the validation loss by which the best checkpoint is chosen; less is better.
    """

    version: int
    network: nn.Module
    adversary: nn.Module | None = None
    adversary_lr: float = 0.0
    criterion: str

    @abstractmethod
    def groups(self) -> list[Group]:
        """All parameters that may train."""

    @abstractmethod
    def weights(self, step: int) -> dict[str, float]:
        """The weight of each loss that counts in a step; their sum is what training minimises."""

    @abstractmethod
    def loss_names(self, step: int) -> list[str]:
        """The losses that `forward` computes in a step, in order."""

    @abstractmethod
    def forward(self, batch: Batch, step: int, seeds: Sequence[int]) -> Pass:
        """The pass of training step `step`.

        Args:
            batch: of B utterances, on the network's device.
            step: counted from 0.
            seeds: [B], of each utterance's random numbers.
        """

    @abstractmethod
    def validate(self, network: nn.Module, batch: Batch, seeds: Sequence[int]) -> Losses:
        """The losses [B] of `network`, which is of this recipe's kind, without gradients."""

    @abstractmethod
    def settled(self) -> int:
        """The step from which nothing changes any more and validations can be compared."""

    @abstractmethod
    def speak(self, network: nn.Module, utterance: Utterance, seed: int) -> Speech:
        """The sentence of `utterance`, spoken by `network` with the voice that it learned."""

    @abstractmethod
    def save(self, network: nn.Module, folder: Path, seed: int, steps: int) -> dict[str, float]:
        """Writes what is given away into `folder`.

        Args:
            network: the chosen weights.
            folder: made if it does not exist.
            seed: of the run, for the provenance.
            steps: after which these weights were reached, likewise.

        Returns:
            For the metrics, how far training moved each component, relative to its size.
        """

    def adversary_at(self, step: int) -> bool:
        """Whether the adversary trains in a step."""
        return False

    def adversary_loss(self, made: Pass, batch: Batch) -> Tensor:
        """The adversary's own loss [B], with gradients for it alone, of a pass just made."""
        raise NotImplementedError(f"{type(self).__name__} has no adversary")

    def recompute(self) -> None:
        """Trades time for memory: keeps less of the forward pass; the results stay the same."""
        raise NotImplementedError(f"{type(self).__name__} cannot recompute; set train.recompute")
