"""The interface between training and an acoustic model; the trainer knows no model."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lbtts.acoustics.store.batching import Batch
from lbtts.acoustics.store.features import Utterance
from lbtts.errors import InputError

Losses = dict[str, Tensor]
Autocast = Callable[[], AbstractContextManager]  # the precision in which networks compute


@dataclass(frozen=True)
class Group:
    """Parameters that share a learning rate and start to train at the same step.

    Attributes:
        name: of the component.
        parameters: its tensors that may train.
        lr: at the end of the warm-up.
        weight_decay: of AdamW.
        frozen_until: the step from which they train, counted from 0; None if they never do.
        anchor: decay towards the weights that training began with, decoupled like weight decay.
    """

    name: str
    parameters: list[nn.Parameter]
    lr: float
    weight_decay: float
    frozen_until: int | None
    anchor: float = 0.0

    def trains_at(self, step: int) -> bool:
        """Whether they train in a step, counted from 0."""
        return self.frozen_until is not None and step >= self.frozen_until


@dataclass(frozen=True)
class Pass:
    """One forward pass under teacher forcing.

    Attributes:
        total: [B] float32, with gradients: what training minimises.
        losses: [B] float32 each, unweighted, one value for each utterance; for the log.
        adversary: [B] float32, the adversary's own loss, with gradients for the adversary; None in
            a step in which it does not train.
    """

    total: Tensor
    losses: Losses
    adversary: Tensor | None = None


@dataclass(frozen=True)
class Speech:
    """Speech with predicted durations: audio [S] float32 at 24 kHz, units [T] of the tokens."""

    audio: NDArray[np.float32]
    units: NDArray[np.int64]


def weighted(losses: Losses, weights: Mapping[str, float]) -> Tensor:
    """The weighted sum [B] of those of the losses that have a weight."""
    terms = [weight * losses[name] for name, weight in weights.items() if name in losses]
    return torch.stack(terms or [torch.zeros_like(next(iter(losses.values())))]).sum(0)


def changes(
    now: Mapping[str, Tensor], start: Mapping[str, Tensor], part_of: Callable[[str], str]
) -> dict[str, float]:
    """How far each part of a network has moved: norm of the difference over the norm at the start.

    Args:
        now: its tensors by name.
        start: the same tensors before training; not all of a part are zero.
        part_of: names the part to which the tensor of a name belongs.

    Raises:
        ValueError: the two have tensors of different names.
    """
    if now.keys() != start.keys():
        raise ValueError("two networks of different architecture")
    squares: dict[str, list[float]] = {}
    for name, old in start.items():
        sums = squares.setdefault(part_of(name), [0.0, 0.0])
        for place, tensor in enumerate((now[name].cpu() - old.cpu(), old)):
            sums[place] += tensor.double().square().sum().item()
    return {part: (apart / whole) ** 0.5 for part, (apart, whole) in squares.items()}


class Recipe(ABC):
    """A model, ready to be trained.

    Attributes:
        version: raise it whenever the same parameters and inputs give other weights: a run that
            was interrupted with another version starts over.
        network: it is trained, averaged and released; on its device.
        adversary: discriminators that are trained against it, with their own optimizer, or None.
        adversary_lr: their learning rate.
        criterion: the validation loss that chooses the best checkpoint; lower is better.
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
        """The weight of each loss that counts in a step."""

    @abstractmethod
    def loss_names(self, step: int) -> list[str]:
        """The losses that `forward` computes in a step, in order."""

    @abstractmethod
    def forward(self, batch: Batch, step: int, seeds: Sequence[int]) -> Pass:
        """The forward pass of training step `step`.

        Args:
            batch: of B utterances, on the network's device.
            step: counted from 0.
            seeds: [B], of each utterance's random numbers.
        """

    @abstractmethod
    def validate(self, network: nn.Module, batch: Batch, seeds: Sequence[int]) -> Losses:
        """The losses [B] of `network`, of the same class as `self.network`, without gradients."""

    @abstractmethod
    def settled(self) -> int:
        """The step after which no schedule changes, so validations can be compared."""

    @abstractmethod
    def speak(self, network: nn.Module, utterance: Utterance, seed: int) -> Speech:
        """The sentence of `utterance`, spoken by `network` with its learned voice."""

    @abstractmethod
    def save(self, network: nn.Module, folder: Path, seed: int, steps: int) -> dict[str, float]:
        """Writes the released model into `folder`.

        Args:
            network: the chosen weights.
            folder: made if it does not exist.
            seed: of the run, for the provenance.
            steps: of these weights, for the provenance.

        Returns:
            For the metrics, how far training changed each component, relative to its norm.
        """

    def adversary_at(self, step: int) -> bool:
        """Whether the adversary trains in a step."""
        return False

    def recompute(self) -> None:
        """Switches gradient checkpointing on: less memory, more time, the same results.

        Raises:
            InputError: the model has none.
        """
        raise InputError("train.recompute: this model cannot; set it to false")
