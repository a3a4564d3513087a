"""Tracing NaN and infinity in a failed step to an utterance and a module, repeatably.

The random numbers of a step belong to its utterances, so each utterance can be run again alone,
with hooks on every module. The result does not depend on how the step was divided.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor, nn

from lbtts.acoustics.store.batching import Batch
from lbtts.errors import InputError
from lbtts.params import Params, Train
from lbtts.training import resume, step
from lbtts.training.state import State

RECORD = "failed-step.pt"


@dataclass(frozen=True)
class Finding:
    """The first value that was not finite.

    Attributes:
        utterance: in whose pass it was; empty if it is a parameter or only in the whole step.
        place: the module, parameter or loss.
        what: a description.
        extremes: largest magnitude of each module's output until then, in order of computation.
    """

    utterance: str
    place: str
    what: str
    extremes: dict[str, float]

    def __str__(self) -> str:
        return f"{self.what} {self.place}" + (
            f", utterance {self.utterance}" * bool(self.utterance)
        )


@dataclass(frozen=True)
class Record:
    """A failed step: all that is needed to run it again.

    Attributes:
        state: of the run before the step, as `State.state_dict` gives it.
        batch: this process's share of the step, as the fields of a `Batch`.
        params: of the run, as JSON types.
        finding: as the fields of a `Finding`.
    """

    state: dict[str, Any]
    batch: dict[str, Any]
    params: dict[str, Any]
    finding: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> "Record":
        """What `record` wrote.

        Raises:
            InputError: it is missing, or no such file.
        """
        saved = resume.load(path)
        if saved is None or set(saved) != {field.name for field in fields(cls)}:
            raise InputError(
                f"{path}: no record of a failed step; the message of the failed run names it"
            )
        return cls(**saved)


def record(
    state: State, batch: Batch, p: Params, accelerator: Accelerator, folder: Path
) -> InputError:
    """The error to raise for a failed step, with its cause; saves a record of the step.

    All processes search, each in its own utterances, and all report what one of them has found.

    Args:
        state: as it was before the step; only gradients may have changed.
        batch: this process's share of the step.
        p: the parameters of the run.
        accelerator: of the step.
        folder: where the record is written, one for each process.
    """
    finding = find(state, batch.to(accelerator.device), p.train)
    path = folder / (f"{accelerator.process_index}-" * (accelerator.num_processes > 1) + RECORD)
    fields_of_batch = {field.name: getattr(batch, field.name) for field in fields(batch)}
    failed = Record(state.state_dict(), fields_of_batch, p.model_dump(mode="json"), asdict(finding))
    resume.save(vars(failed), path)
    everyone = gather_object([(finding, str(path))])
    finding, place = next((pair for pair in everyone if pair[0].utterance), everyone[0])
    return InputError(
        f"train: step {state.step + 1}: {finding}; look at the utterance in "
        "metrics/inspection/features.html, or lower train.lr; "
        f"`python -m stages.train --replay {place}` runs it again"
    )


def replay(state: State, failed: Record, accelerator: Accelerator) -> tuple[Finding, Finding]:
    """The finding of the record, and that of running its step again.

    Args:
        state: from the same recipe and the record's parameters; it is overwritten.
        failed: the record.
        accelerator: with the precision of the run.
    """
    state.load_state_dict(failed.state)
    batch = Batch(**failed.batch).to(accelerator.device)
    train = Params.model_validate(failed.params).train
    return Finding(**failed.finding), find(state, batch, train)


def find(state: State, batch: Batch, train: Train) -> Finding:
    """The first value of a step that is not finite, utterance by utterance."""
    for name, parameter in _parameters(state):
        if not torch.isfinite(parameter).all():
            return Finding("", name, "not finite before the step:", {})
    state.recipe.network.train()
    step.unfreeze(state)
    for row, utterance in enumerate(batch.ids):
        for _, parameter in _parameters(state):
            parameter.grad = None
        found = _watch(state, batch.rows(slice(row, row + 1)), train)
        if found is not None:
            return Finding(utterance, *found)
    return Finding("", "the whole step", "each utterance alone is finite, their sum is not:", {})


def _watch(state: State, batch: Batch, train: Train) -> tuple[str, str, dict[str, float]] | None:
    """Place, description and extremes of the first value that is not finite, of one utterance."""
    extremes: dict[str, float] = {}
    bad: list[tuple[str, str]] = []

    def notice(what: str, name: str, value: Tensor) -> None:
        if not torch.isfinite(value).all():
            bad.append((name, what))

    def watch(name: str, module: nn.Module) -> Any:
        def after(_: nn.Module, __: Any, output: Any) -> None:
            for value in _tensors(output):
                if bad:
                    return
                extremes[name] = float(value.detach().abs().max())
                notice("not finite: the output of", name, value.detach())
                if value.requires_grad:
                    value.register_hook(
                        lambda g: notice("not finite: the gradient of the output of", name, g)
                    )

        return module.register_forward_hook(after)

    handles = [watch(name, module) for name, module in state.recipe.network.named_modules() if name]
    try:
        made = step.forward(state, batch, train)
        for name, loss in step.named(made).items():
            notice("not finite: the loss", name, loss.detach())
        if not bad and made.total.requires_grad:
            made.total.sum().backward()
        if not bad and made.adversary is not None:
            made.adversary.sum().backward()
        for name, parameter in _parameters(state):
            if parameter.grad is not None:
                notice("not finite: the gradient of", name, parameter.grad)
    finally:
        for handle in handles:
            handle.remove()
    return (bad[0][0], bad[0][1], extremes) if bad else None


def _parameters(state: State) -> list[tuple[str, nn.Parameter]]:
    """The parameters of the network and of its adversary, with their names."""
    found = list(state.recipe.network.named_parameters())
    if state.recipe.adversary:
        named = state.recipe.adversary.named_parameters()
        found += [(f"{step.ADVERSARY}.{name}", parameter) for name, parameter in named]
    return found


def _tensors(output: Any) -> Iterator[Tensor]:
    """The floating-point tensors in a module's output, which may be a packed sequence."""
    if isinstance(output, Tensor):
        if output.is_floating_point():
            yield output
    elif isinstance(output, tuple):
        for part in output:
            yield from _tensors(part)
