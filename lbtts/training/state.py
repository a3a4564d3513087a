"""Everything that a run consists of, saved and restored whole."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel

from lbtts.model.network import Kokoro
from lbtts.training.objective import Objective


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
        judging: of the discriminators, where there are any.
        objective: of it, only the discriminators change.
        parts: micro-batches that a step is made of; grows when memory runs out.
    """

    step: int
    network: Kokoro
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    judging: torch.optim.Optimizer | None
    schedule: LambdaLR
    scaler: torch.amp.GradScaler
    objective: Objective
    parts: int
    best: Best

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "judging": self.judging.state_dict() if self.judging else None,
            "discriminators": [p.data for p in self.objective.judges()],
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "parts": self.parts,
            "best": vars(self.best),
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave."""
        self.step = saved["step"]
        self.network.load_state_dict(saved["network"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.judging:
            self.judging.load_state_dict(saved["judging"])
        for tensor, value in zip(self.objective.judges(), saved["discriminators"], strict=True):
            tensor.data.copy_(value)
        self.schedule.load_state_dict(saved["schedule"])
        self.scaler.load_state_dict(saved["scaler"])
        self.parts = saved["parts"]
        self.best = Best(**saved["best"])

    def optimizers(self) -> list[torch.optim.Optimizer]:
        """Of the network, then of the discriminators if they are at work."""
        at_work = self.judging and any(p.grad is not None for p in self.objective.judges())
        return [self.optimizer, self.judging] if self.judging and at_work else [self.optimizer]

    def averaged(self) -> Kokoro:
        """The network with averaged weights, which is what is validated and given away."""
        network = self.average.module
        assert isinstance(network, Kokoro)
        return network.eval()
