"""The choice of the released checkpoint: the rule, and the best candidates so far.

Validations rank the averaged weights. The best few stay on disk beside the run's checkpoint, each
in its own file, which is written once. At the end the rule chooses among them.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol

import safetensors.torch
from torch import nn

from lbtts.acoustics.store.features import Utterance
from lbtts.models.recipe import Speech
from lbtts.params import Params
from lbtts.training.recorder import Metrics
from lbtts.training.state import Candidate, State

Spoken = Sequence[tuple[Utterance, Speech]]


class Choice(Protocol):
    """A rule that chooses among checkpoints.

    Attributes:
        measures_speech: whether it measures synthesised speech, which takes time.
    """

    measures_speech: bool

    def measure(self, spoken: Spoken) -> Metrics:
        """The metrics of held-out utterances that a checkpoint has spoken."""

    def rank(self, metrics: Metrics) -> list[float]:
        """The rank by a validation's losses and metrics: greater, item by item, is better."""


def rule(p: Params, criterion: str) -> Choice:
    """The rule that `train.choose` names.

    What judges speech is loaded by name: training does not depend on it, and so a changed measure
    does not make DVC train again. `dvc repro -s -f train` chooses anew among the candidates of a
    run that has ended; it trains nothing.

    Args:
        p: the parameters.
        criterion: the recipe's validation loss.
    """
    if p.train.choose == "loss":
        return LeastLoss(criterion)
    found: Choice = import_module("..evaluation.choice", __package__).best_speech(p)
    return found


class LeastLoss:
    """The rule that chooses the checkpoint with the smallest validation loss of one name."""

    measures_speech = False

    def __init__(self, criterion: str) -> None:
        """Takes the name of the loss."""
        self._criterion = criterion

    def measure(self, spoken: Spoken) -> Metrics:
        """No metrics."""
        return {}

    def rank(self, metrics: Metrics) -> list[float]:
        """The loss, negative."""
        return [-metrics[self._criterion]]


def consider(state: State, rank: list[float], keep: int, folder: Path, writes: bool) -> None:
    """Makes the averaged weights a candidate if they are among the best `keep` so far.

    Args:
        state: its candidates, best first, and the validations since the best one are updated.
        rank: of the averaged weights.
        keep: largest number of candidates.
        folder: of the run.
        writes: whether this process writes files.
    """
    state.waited = (
        0 if not state.candidates or rank > state.candidates[0].rank else state.waited + 1
    )
    ranked = [*state.candidates, Candidate(state.step, rank)]
    ranked.sort(
        key=lambda candidate: candidate.rank, reverse=True
    )  # of equal ranks the older comes first
    state.candidates = ranked[:keep]
    if writes and any(candidate.step == state.step for candidate in state.candidates):
        weights = state.averaged().state_dict()
        partial = _file(folder, state.step).with_suffix(".partial")
        safetensors.torch.save_file(
            {name: tensor.contiguous().cpu() for name, tensor in weights.items()}, partial
        )
        partial.replace(_file(folder, state.step))


def prune(state: State, folder: Path) -> None:
    """Deletes the weights of former candidates; call it after the state is saved."""
    kept = {_file(folder, candidate.step) for candidate in state.candidates}
    for path in folder.glob("candidate-*.safetensors"):
        if path not in kept:
            path.unlink()


def load(network: nn.Module, folder: Path, step: int) -> None:
    """Loads the weights of the candidate of `step` into `network`."""
    network.load_state_dict(safetensors.torch.load_file(_file(folder, step)))


def _file(folder: Path, step: int) -> Path:
    return folder / f"candidate-{step:07d}.safetensors"
