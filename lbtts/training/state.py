"""Everything that a run consists of, saved and restored whole."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel

from lbtts.models.kokoro.network.trainable import Kokoro
from lbtts.models.kokoro.network.objective import Objective


@dataclass
class Best:
    """The best validation so far, by its STFT loss.

    Attributes:
        step: at which it was; 0 where none has counted yet.
        stft: its loss.
        waited: validations since.
        weights: the averaged network's, on the CPU.
    """

    step: int = 0
    stft: float = float("inf")
    waited: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class State:
    """A run at a step. `step` counts finished optimizer steps.

    Attributes:
        optimizer: of the network.
        discriminator_optimizer: where there are discriminators.
        objective: of it, only the discriminators change.
        micro_batches: that a step is made of; grows when memory runs out.
    """

    step: int
    network: Kokoro
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer | None
    schedule: LambdaLR
    scaler: torch.amp.GradScaler
    objective: Objective
    micro_batches: int
    best: Best

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {
            "step": self.step,
            "network": self.network.state_dict(),
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
        self.network.load_state_dict(saved["network"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.objective.discriminators and self.discriminator_optimizer:
            self.objective.discriminators.load_state_dict(saved["adversary"]["discriminators"])
            self.discriminator_optimizer.load_state_dict(saved["adversary"]["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])
        self.scaler.load_state_dict(saved["scaler"])
        self.micro_batches = saved["micro_batches"]
        self.best = Best(**saved["best"])

    def _adversary(self) -> dict[str, Any] | None:
        if not (self.objective.discriminators and self.discriminator_optimizer):
            return None
        return {
            "discriminators": self.objective.discriminators.state_dict(),
            "optimizer": self.discriminator_optimizer.state_dict(),
        }

    def averaged(self) -> Kokoro:
        """The network with averaged weights, which is what is validated and given away."""
        network = self.average.module
        assert isinstance(network, Kokoro)
        return network.eval()
