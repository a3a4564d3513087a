"""One optimizer step: micro-batches, gradients of all processes, clipping, the update.

The step is the same however it is divided. Every utterance has random numbers of its own and counts
once; what is summed over processes are gradients and losses, after the last micro-batch. A wrapper
like DistributedDataParallel would average over processes with unequal shares, and would have to be
told of every component that is frozen or thawed; overlapping its sums with the backward pass would
save little where a step is a few seconds of speech.
"""

import gc

import torch
from accelerate import Accelerator
from accelerate.utils.memory import should_reduce_batch_size
from torch import Tensor, nn
from tqdm import tqdm

from lbtts.acoustics.batching import Batch
from lbtts.errors import InputError
from lbtts.model.randomness import utterance_seeds
from lbtts.params import Train
from lbtts.training import schedules
from lbtts.training.recorder import Figures
from lbtts.training.state import State


class NotFinite(Exception):
    """A loss or gradient is not a number, or infinite."""


def take(state: State, batch: Batch, params: Train, accelerator: Accelerator) -> Figures:
    """Takes a step; gives back its mean losses, the gradient's norm and the learning rate.

    Where memory does not suffice, the step is taken in smaller micro-batches, and so are those that
    follow.

    Args:
        state: changed in place.
        batch: this process' share of the step.
        params: the section `train`.
        accelerator: the processes that share the step, and their precision.

    Raises:
        NotFinite: before anything but gradients has changed.
        InputError: there is no memory for a single utterance.
    """
    state.network.train()
    thaw(state, params)
    batch = batch.to(accelerator.device)
    while (losses := _accumulate(state, batch, params, accelerator)) is None:
        _divide(state, batch, params)
    losses = _over_processes(state, losses, accelerator)

    trained = [p for p in state.network.parameters() if p.grad is not None]
    state.scaler.unscale_(state.optimizer)
    norm = nn.utils.clip_grad_norm_(trained, params.clip)
    figures = dict(zip(losses, torch.stack([*losses.values()]).tolist(), strict=True))
    figures["gradient_norm"] = norm.item()
    figures["lr"] = state.optimizer.param_groups[0]["lr"]
    if not torch.isfinite(norm + losses["total"]) and not _scaled_too_far(state, losses["total"]):
        raise NotFinite

    state.scaler.step(state.optimizer)
    state.scaler.update()
    state.optimizer.zero_grad(set_to_none=True)
    state.schedule.step()
    state.average.update_parameters(state.network)
    state.step += 1
    return figures


def thaw(state: State, params: Train) -> None:
    """Has those components train whose time has come, and no others."""
    for name, tensors in state.network.components().items():
        trains = schedules.trains(name, state.step, params.frozen)
        for tensor in tensors:
            tensor.requires_grad_(trains)


def losses_of(
    state: State, batch: Batch, params: Train, accelerator: Accelerator
) -> dict[str, Tensor]:
    """Each loss of the step that is next, [B] and unweighted, and `total`, their weighted sum."""
    seeds = utterance_seeds(params.seed, state.step, indices=batch.index.tolist())
    taught = schedules.taught_share(state.step, params.teacher)
    with accelerator.autocast():
        _, terms = state.objective.train_on(
            state.network, batch, seeds, taught, params.voice_dropout
        )
    weights = schedules.weights(state.step, params.losses)
    total = torch.stack([weight * terms[name] for name, weight in weights.items()]).sum(0)
    return terms | {"total": total}


def _accumulate(
    state: State, batch: Batch, params: Train, accelerator: Accelerator
) -> dict[str, Tensor] | None:
    """Gradients and mean losses of this process' share; None where memory did not suffice."""
    sums: dict[str, Tensor] = {}
    size = -(-len(batch.ids) // state.parts) or 1
    try:
        for first in range(0, len(batch.ids), size):
            part = batch.rows(slice(first, first + size))
            terms = losses_of(state, part, params, accelerator)
            means = {name: term.sum() / batch.of for name, term in terms.items()}
            state.scaler.scale(means["total"]).backward()
            for name, mean in means.items():
                sums[name] = sums.get(name, 0) + mean.detach()
    except RuntimeError as error:  # torch's CPU allocator has no exception of its own
        if not should_reduce_batch_size(error):
            raise
        return None
    return sums


def _divide(state: State, batch: Batch, params: Train) -> None:
    """Halves the micro-batches after memory ran out, and frees what the failed one held."""
    if state.parts >= len(batch.ids):
        raise InputError(
            f"train: step {state.step + 1}: no memory for {batch.ids[0]} alone; lower "
            f"train.crop_seconds ({params.crop_seconds}), or set train.recompute"
        )
    state.parts = min(2 * state.parts, len(batch.ids))
    state.optimizer.zero_grad(set_to_none=True)
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    tqdm.write(
        f"train: step {state.step + 1}: out of memory; from here on a step is made in "
        f"{state.parts} micro-batches, with the same utterances"
    )


def _over_processes(
    state: State, losses: dict[str, Tensor], accelerator: Accelerator
) -> dict[str, Tensor]:
    """Sums gradients in place, and losses, over all processes.

    A process that had no utterance of this step adds nothing.
    """
    if accelerator.num_processes == 1:
        return losses
    trained = [p for p in state.network.parameters() if p.requires_grad]
    for parameter in trained:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = nn.utils.parameters_to_vector([p.grad for p in trained if p.grad is not None])
    names = sorted([*state.objective.names, "total"])
    zero = gradients.new_zeros(())
    values = torch.stack([losses.get(name, zero).to(gradients) for name in names])
    summed = accelerator.reduce(torch.cat([values, gradients]), "sum")
    nn.utils.vector_to_parameters(
        summed[len(names) :], [p.grad for p in trained if p.grad is not None]
    )
    return dict(zip(names, summed[: len(names)], strict=True))


def _scaled_too_far(state: State, total: Tensor) -> bool:
    """Whether only the scale of the gradients was too large for fp16; it is lowered then."""
    return bool(
        state.scaler.is_enabled() and torch.isfinite(total) and state.scaler.get_scale() > 1
    )
