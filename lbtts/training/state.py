"""The whole state of a run, to save and restore."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel

from lbtts.models.recipe import Recipe


@dataclass(frozen=True)
class Candidate:
    """A step whose averaged weights may be released, and their rank: greater is better."""

    step: int
    rank: list[float]


@dataclass
class State:
    """A run at a step. `step` counts finished optimizer steps.

    Attributes:
        recipe: its network and adversary change.
        average: of the network's weights.
        optimizer: of the network.
        adversary_optimizer: where the recipe has an adversary.
        micro_batches: of a step; grows when memory runs out.
        candidates: the best validations so far, best first.
        waited: validations since the best.
        origins: the first weights of the groups that are anchored to them, by name; not saved,
            because every start of the run begins with them.
    """

    step: int
    recipe: Recipe
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    adversary_optimizer: torch.optim.Optimizer | None
    schedule: LambdaLR
    scaler: torch.amp.GradScaler
    micro_batches: int
    candidates: list[Candidate] = field(default_factory=list)
    waited: int = 0
    origins: dict[str, list[Tensor]] = field(default_factory=dict)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {
            "step": self.step,
            "network": self.recipe.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "adversary": self._adversary(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "micro_batches": self.micro_batches,
            "candidates": [vars(candidate) for candidate in self.candidates],
            "waited": self.waited,
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        self.step = saved["step"]
        self.recipe.network.load_state_dict(saved["network"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.recipe.adversary and self.adversary_optimizer:
            self.recipe.adversary.load_state_dict(saved["adversary"]["network"])
            self.adversary_optimizer.load_state_dict(saved["adversary"]["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])
        self.scaler.load_state_dict(saved["scaler"])
        self.micro_batches = saved["micro_batches"]
        self.candidates = [Candidate(**candidate) for candidate in saved["candidates"]]
        self.waited = saved["waited"]

    def _adversary(self) -> dict[str, Any] | None:
        if not (self.recipe.adversary and self.adversary_optimizer):
            return None
        return {
            "network": self.recipe.adversary.state_dict(),
            "optimizer": self.adversary_optimizer.state_dict(),
        }

    def averaged(self) -> nn.Module:
        """The network with averaged weights, which is validated and released."""
        return self.average.module.eval()
