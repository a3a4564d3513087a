"""Adapters of low rank: a few numbers that train in place of the weights of linear layers.

Source: Hu et al., LoRA, https://arxiv.org/abs/2106.09685, with the factor alpha / rank at 1.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from lbtts.errors import InputError
from lbtts.models.kokoro.weights.facts import UNREACHED, part_of

_MARK = ".parametrizations.weight.0."  # in the names of an adapter's tensors


class LowRank(nn.Module):
    """A weight [O, I] plus the product of `up` [O, rank], which begins at 0, and `down`."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        """Draws `down` [rank, I] from torch's random numbers."""
        super().__init__()
        outputs, inputs = weight.shape
        self.down = nn.Parameter(torch.randn(rank, inputs) / inputs**0.5)
        self.up = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """The adapted weight [O, I]."""
        return weight + self.up @ self.down


def adapt(model: nn.Module, ranks: dict[str, int]) -> None:
    """Adds adapters to the linear layers of the parts in `ranks`, in place; the output stays.

    All other tensors of these parts are frozen.

    Raises:
        InputError: a part has no linear layer.
    """
    layers: dict[str, list[nn.Linear]] = {part: [] for part in ranks}
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and not f"{name}.".startswith(UNREACHED):
            layers.get(part_of(f"{name}."), []).append(module)
    for name, parameter in model.named_parameters():
        if part_of(name) in ranks:
            parameter.requires_grad_(False)
    for part, found in layers.items():
        if not found:
            raise InputError(
                f"kokoro.components.{part}.rank: it has no linear layer to adapt; set it to null"
            )
        for layer in found:
            adapter = LowRank(layer.weight, ranks[part])
            parametrize.register_parametrization(layer, "weight", adapter)


def belongs(name: str) -> bool:
    """Whether the tensor of this name is an adapter's."""
    return _MARK in name


def parts(model: nn.Module) -> set[str]:
    """The parts that have adapters."""
    return {part_of(name) for name, _ in model.named_parameters() if belongs(name)}


def merge(model: nn.Module) -> None:
    """Makes the adapted weights the model's own, in place; names are stock kokoro's again."""
    for module in list(model.modules()):
        if isinstance(module, nn.Linear) and parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
