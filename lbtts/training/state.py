"""Everything that a run consists of, saved and restored whole."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel

from lbtts.models.recipe import Recipe


@dataclass
class Best:
    """The best validation so far, by the recipe's criterion.

    Attributes:
        step: at which it was; 0 where none has counted yet.
        criterion: its loss of that name.
        waited: validations since.
        weights: the averaged network's, on the CPU.
    """

    step: int = 0
    criterion: float = float("inf")
    waited: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class State:
    """A run at a step. `step` counts finished optimizer steps.

    Attributes:
        recipe: of it, the network and the adversary change.
        average: of the network's weights.
        optimizer: of the network.
        adversary_optimizer: where the recipe has an adversary.
        micro_batches: that a step is made of; grows when memory runs out.
    """

    step: int
    recipe: Recipe
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    adversary_optimizer: torch.optim.Optimizer | None
    schedule: LambdaLR
    scaler: torch.amp.GradScaler
    micro_batches: int
    best: Best

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
            "best": vars(self.best),
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave."""
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
        self.best = Best(**saved["best"])

    def _adversary(self) -> dict[str, Any] | None:
        if not (self.recipe.adversary and self.adversary_optimizer):
            return None
        return {
            "network": self.recipe.adversary.state_dict(),
            "optimizer": self.adversary_optimizer.state_dict(),
        }

    def averaged(self) -> nn.Module:
        """The network with averaged weights, which is what is validated and given away."""
        return self.average.module.eval()
