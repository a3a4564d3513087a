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
from torch import nn
from tqdm import tqdm

from lbtts.acoustics.store.batching import Batch
from lbtts.errors import InputError
from lbtts.models.kokoro.network.trainable import Prediction
from lbtts.models.kokoro.network.objective import Terms, adversarial
from lbtts.models.randomness import utterance_seeds
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
    while (losses := _accumulate(state, batch, params)) is None:
        _divide(state, batch, params)
    losses = _over_processes(state, losses, params, accelerator)

    optimizers = _optimizers(state, params)
    norms = []
    for optimizer in optimizers:
        state.scaler.unscale_(optimizer)
        tensors = (p for group in optimizer.param_groups for p in group["params"])
        norms.append(nn.utils.clip_grad_norm_(tensors, params.clip))
    figures = dict(zip(losses, torch.stack([*losses.values()]).tolist(), strict=True))
    figures["gradient_norm"] = norms[0].item()
    figures["lr"] = next(g["lr"] for g in state.optimizer.param_groups if g["name"] == "decoder")
    scaled_too_far = state.scaler.is_enabled() and state.scaler.get_scale() > 1
    finite = [bool(torch.isfinite(value)) for value in (losses["total"], *norms)]
    if not finite[0] or not (all(finite) or scaled_too_far):
        raise NotFinite

    for optimizer in optimizers:
        state.scaler.step(optimizer)
        optimizer.zero_grad(set_to_none=True)
    state.scaler.update()
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


def losses_of(state: State, batch: Batch, params: Train) -> tuple[Prediction, Terms]:
    """The pass of the next step, and its losses, [B]: each, unweighted, and their `total`."""
    weights = schedules.weights(state.step, params.losses)
    prediction, terms = state.objective.train_on(
        state.network,
        batch,
        utterance_seeds(params.seed, state.step, indices=batch.index),
        taught=schedules.taught_share(state.step, params.teacher),
        dropped=params.voice_dropout,
        wanted=weights,
    )
    terms["total"] = torch.stack([weight * terms[name] for name, weight in weights.items()]).sum(0)
    return prediction, terms


def _accumulate(state: State, batch: Batch, params: Train) -> Terms | None:
    """Gradients and mean losses of this process' share; None where memory did not suffice."""
    sums: Terms = {}
    try:
        for first in range(min(state.micro_batches, len(batch.ids))):
            part = batch.rows(slice(first, None, state.micro_batches))
            prediction, terms = losses_of(state, part, params)
            state.scaler.scale(terms["total"].sum() / batch.of).backward()
            if "adversarial" in terms:
                terms["discriminators"] = state.objective.judge(prediction, part)
                state.scaler.scale(terms["discriminators"].sum() / batch.of).backward()
            for name, term in terms.items():
                sums[name] = sums.get(name, 0) + term.detach().sum() / batch.of
    except RuntimeError as error:  # torch's CPU allocator has no exception of its own
        if isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error):
            return None
        raise
    return sums


def _optimizers(state: State, params: Train) -> list[torch.optim.Optimizer]:
    """Of the network, and of the discriminators if they are at work in the next step."""
    wanted = schedules.weights(state.step, params.losses)
    if adversarial(wanted) and state.discriminator_optimizer:
        return [state.optimizer, state.discriminator_optimizer]
    return [state.optimizer]


def _divide(state: State, batch: Batch, params: Train) -> None:
    """Halves the micro-batches after memory ran out, and frees what the failed one held."""
    if state.micro_batches >= len(batch.ids):
        raise InputError(
            f"train: step {state.step + 1}: no memory for {batch.ids[0]} alone; lower "
            f"train.crop_seconds ({params.crop_seconds}), or set train.recompute"
        )
    state.micro_batches = min(2 * state.micro_batches, len(batch.ids))
    for optimizer in _optimizers(state, params):
        optimizer.zero_grad(set_to_none=True)
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    tqdm.write(
        f"train: step {state.step + 1}: out of memory; from here on a step is made in "
        f"{state.micro_batches} micro-batches, with the same utterances"
    )


def _over_processes(state: State, losses: Terms, params: Train, accelerator: Accelerator) -> Terms:
    """Sums gradients in place, and losses, over all processes.

    A process that had no utterance of this step adds nothing.
    """
    if accelerator.num_processes == 1:
        return losses
    wanted = schedules.weights(state.step, params.losses)
    names = [*state.objective.names(wanted), "total"]
    tensors = [p for p in state.network.parameters() if p.requires_grad]
    if adversarial(wanted):
        names.append("discriminators")
        tensors += state.objective.judges()
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
