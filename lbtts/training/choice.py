"""Which checkpoint is given away: the rule, and the best candidates so far.

Validations rank the averaged weights; the best few stay on disk beside the run's checkpoint, each
in a file of its own that is written once. At the end the rule chooses among them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import safetensors.torch
from torch import nn

from lbtts.acoustics.store.features import Utterance
from lbtts.models.recipe import Speech
from lbtts.training.recorder import Metrics
from lbtts.training.state import Candidate, State

Spoken = Sequence[tuple[Utterance, Speech]]


class Choice(Protocol):
    """A rule that chooses among checkpoints.

    Attributes:
        listens: whether it measures speech; it costs time.
    """

    listens: bool

    def listen(self, spoken: Spoken) -> Metrics:
        """What the rule measures of held-out utterances as a checkpoint speaks them."""

    def rank(self, metrics: Metrics) -> list[float]:
        """By a validation's losses and what was measured: greater, item by item, is better."""


class LeastLoss:
    """The checkpoint with the least validation loss of one name."""

    listens = False

    def __init__(self, criterion: str) -> None:
        """Takes the name of the loss."""
        self._criterion = criterion

    def listen(self, spoken: Spoken) -> Metrics:
        """Nothing."""
        return {}

    def rank(self, metrics: Metrics) -> list[float]:
        """The loss, negative."""
        return [-metrics[self._criterion]]


def consider(state: State, rank: list[float], keep: int, folder: Path, writes: bool) -> None:
    """Makes the averaged weights a candidate if they are among the best `keep` so far.

    Args:
        state: its candidates, best first, and how long it has waited for a better one, change.
        rank: of the averaged weights.
        keep: candidates at the most.
        folder: of the run.
        writes: whether this process writes files.
    """
    state.waited = (
        0 if not state.candidates or rank > state.candidates[0].rank else state.waited + 1
    )
    ranked = [*state.candidates, Candidate(state.step, rank)]
    ranked.sort(
        key=lambda candidate: candidate.rank, reverse=True
    )  # of equals the older comes first
    state.candidates = ranked[:keep]
    if writes and any(candidate.step == state.step for candidate in state.candidates):
        weights = state.averaged().state_dict()
        partial = _file(folder, state.step).with_suffix(".partial")
        safetensors.torch.save_file(
            {name: tensor.contiguous().cpu() for name, tensor in weights.items()}, partial
        )
        partial.replace(_file(folder, state.step))


def prune(state: State, folder: Path) -> None:
    """Deletes the weights that are no candidates' any more; call it after the state is saved."""
    kept = {_file(folder, candidate.step) for candidate in state.candidates}
    for path in folder.glob("candidate-*.safetensors"):
        if path not in kept:
            path.unlink()


def load(network: nn.Module, folder: Path, step: int) -> None:
    """Loads the weights of the candidate of `step` into `network`."""
    network.load_state_dict(safetensors.torch.load_file(_file(folder, step)))


def _file(folder: Path, step: int) -> Path:
    return folder / f"candidate-{step:07d}.safetensors"
