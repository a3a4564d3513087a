"""One optimizer step: micro-batches, gradients of all processes, gradient clipping, the update.

The result of a step does not depend on how it is divided. Each utterance has its own random numbers
and counts once. Gradients and losses are summed over processes after the last micro-batch. A
wrapper like DistributedDataParallel would average over processes with unequal shares, and would
have to know each component that is frozen or unfrozen. Overlapping communication with the backward
pass would save little, because a step is only a few seconds of speech.
"""

import gc

import torch
from accelerate import Accelerator
from torch import nn
from tqdm import tqdm

from lbtts.acoustics.store.batching import Batch
from lbtts.errors import InputError
from lbtts.models.randomness import utterance_seeds
from lbtts.models.recipe import Losses, Pass
from lbtts.params import Train
from lbtts.training.recorder import Metrics
from lbtts.training.schedules import learning_rate_factor
from lbtts.training.state import State

ADVERSARY = "discriminators"  # the adversary's own loss among those of a step


class NotFinite(Exception):
    """A loss or gradient is NaN or infinite."""


def train_step(state: State, batch: Batch, train: Train, accelerator: Accelerator) -> Metrics:
    """Takes a step; returns its mean losses, the gradient's norm and the learning rate.

    If memory runs out, this step and all later ones use smaller micro-batches.

    Args:
        state: changed in place.
        batch: this process's share of the step.
        train: the section `train`.
        accelerator: the processes that share the step, and their precision.

    Raises:
        NotFinite: raised before anything except gradients has changed.
        InputError: a single utterance does not fit into memory.
    """
    state.recipe.network.train()
    unfreeze(state)
    batch = batch.to(accelerator.device)
    while (losses := _accumulate(state, batch, train)) is None:
        _divide(state, batch, train)
    losses = _over_processes(state, losses, accelerator)

    optimizers = _optimizers(state)
    norms = []
    for optimizer in optimizers:
        state.scaler.unscale_(optimizer)
        tensors = (p for group in optimizer.param_groups for p in group["params"])
        norms.append(nn.utils.clip_grad_norm_(tensors, train.clip))
    metrics = dict(zip(losses, torch.stack([*losses.values()]).tolist(), strict=True))
    metrics["gradient_norm"] = norms[0].item()
    metrics["lr"] = train.lr * learning_rate_factor(state.step, train.warmup)
    scaled_too_far = state.scaler.is_enabled() and state.scaler.get_scale() > 1
    finite = [bool(torch.isfinite(value)) for value in (losses["total"], *norms)]
    if not finite[0] or not (all(finite) or scaled_too_far):
        raise NotFinite

    for optimizer in optimizers:
        state.scaler.step(optimizer)
        optimizer.zero_grad(set_to_none=True)
    state.scaler.update()
    _pull_back(state)
    state.schedule.step()
    state.average.update_parameters(state.recipe.network)
    state.step += 1
    return metrics


def unfreeze(state: State) -> None:
    """Sets which groups train in the next step."""
    for group in state.recipe.groups():
        for parameter in group.parameters:
            until = group.frozen_until
            parameter.requires_grad_(until is not None and state.step >= until)


def forward(state: State, batch: Batch, train: Train) -> Pass:
    """The forward pass of the next step."""
    seeds = utterance_seeds(train.seed, state.step, indices=batch.index)
    return state.recipe.forward(batch, state.step, seeds)


def named(made: Pass) -> Losses:
    """All losses of a pass by name: `total`, the unweighted ones, and the adversary's."""
    own = {} if made.adversary is None else {ADVERSARY: made.adversary}
    return made.losses | {"total": made.total} | own


def _pull_back(state: State) -> None:
    """Moves anchored parameters towards the weights that training began with.

    Source: Li et al., https://arxiv.org/abs/1802.01483 (L2-SP), decoupled from the gradient as in
    Loshchilov and Hutter, https://arxiv.org/abs/1711.05101.
    """
    for group, scheduled in zip(state.recipe.groups(), state.optimizer.param_groups, strict=True):
        if origin := state.origins.get(group.name):
            if group.frozen_until is None or state.step < group.frozen_until:
                continue
            with torch.no_grad():
                share = scheduled["lr"] * group.anchor
                torch._foreach_lerp_([*group.parameters], origin, share)


def _accumulate(state: State, batch: Batch, train: Train) -> Losses | None:
    """Gradients and mean losses of this process's share; None if memory ran out."""
    sums: Losses = {}
    try:
        for first in range(min(state.micro_batches, len(batch.ids))):
            part = batch.rows(slice(first, None, state.micro_batches))
            made = forward(state, part, train)
            if made.adversary is not None and state.recipe.adversary:
                theirs = state.scaler.scale(made.adversary.sum() / batch.global_size)
                theirs.backward(inputs=list(state.recipe.adversary.parameters()))
            if made.total.requires_grad:  # not in steps of the adversary alone
                state.scaler.scale(made.total.sum() / batch.global_size).backward()
            for name, loss in named(made).items():
                sums[name] = sums.get(name, 0) + loss.detach().sum() / batch.global_size
    except RuntimeError as error:  # torch's CPU allocator has no exception of its own
        if isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error):
            return None
        raise
    return sums


def _optimizers(state: State) -> list[torch.optim.Optimizer]:
    """The optimizers of the network, and of the adversary if it trains in the next step."""
    if state.recipe.adversary_at(state.step) and state.adversary_optimizer:
        return [state.optimizer, state.adversary_optimizer]
    return [state.optimizer]


def _divide(state: State, batch: Batch, train: Train) -> None:
    """Halves the micro-batches after memory ran out, and frees the memory of the failed one."""
    if state.micro_batches >= len(batch.ids):
        raise InputError(
            f"train: step {state.step + 1}: {batch.ids[0]} alone does not fit into memory; lower "
            f"train.crop_seconds ({train.crop_seconds}), or set train.recompute"
        )
    state.micro_batches = min(2 * state.micro_batches, len(batch.ids))
    for optimizer in _optimizers(state):
        optimizer.zero_grad(set_to_none=True)
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    tqdm.write(
        f"train: step {state.step + 1}: out of memory; from now on a step has "
        f"{state.micro_batches} micro-batches, with the same utterances"
    )


def _over_processes(state: State, losses: Losses, accelerator: Accelerator) -> Losses:
    """Sums gradients in place, and losses, over all processes.

    A process that has no utterance of this step adds zeros.
    """
    if accelerator.num_processes == 1:
        return losses
    recipe = state.recipe
    names = [*recipe.loss_names(state.step), "total"]
    tensors = [p for p in recipe.network.parameters() if p.requires_grad]
    if recipe.adversary and recipe.adversary_at(state.step):
        names.append(ADVERSARY)
        tensors += recipe.adversary.parameters()
    for tensor in tensors:
        if tensor.grad is None:
            tensor.grad = torch.zeros_like(tensor)
    gradients = [tensor.grad for tensor in tensors if tensor.grad is not None]
    zero = gradients[0].new_zeros(1)
    values = [losses[name].to(zero).view(1) if name in losses else zero for name in names]
    summed = torch.cat([*values, *(gradient.flatten() for gradient in gradients)])
    torch.distributed.all_reduce(summed)
    nn.utils.vector_to_parameters(summed[len(names) :], gradients)
    return dict(zip(names, summed[: len(names)], strict=True))
