"""Training: set up, fit, choose the checkpoint to release.

The random numbers of a step (dropout, noise, crops, teacher-forced utterances) follow from the
seed, the step and the utterance alone. So a run that was killed and continued ends with the same
weights as one that was not: bit for bit on a CPU, as far as its kernels are deterministic on a GPU.
"""

import os
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import nn
from torch.nn.utils.weight_norm import WeightNorm
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from tqdm import tqdm

from lbtts.acoustics.store.batching import StepDataset
from lbtts.acoustics.store.features import FeatureStore
from lbtts.errors import InputError
from lbtts.grid import UNIT_RATE
from lbtts.models.recipe import Recipe
from lbtts.params import Params, Train
from lbtts.training import choice, nonfinite, resume, schedules, step, validation
from lbtts.training.choice import Choice
from lbtts.training.recorder import Metrics, Recorder, trackers
from lbtts.training.state import State

CHECKPOINT = "checkpoint.pt"
SAMPLES = "samples"


def accelerate(train: Train) -> Accelerator:
    """The device, the processes that share the work, and the precision.

    Raises:
        InputError: this device does not support the precision.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    # No code here reads uninitialised memory, and filling it takes 5 % of the time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        found = Accelerator(
            cpu=not torch.cuda.is_available(),  # or processes without a GPU would not connect
            mixed_precision="no" if train.precision == "fp32" else train.precision,
        )
    except ValueError as error:
        raise InputError(
            f"train.precision: {train.precision} is not supported here ({error}); set it to fp32"
        ) from error
    if train.precision == "fp16" and found.device.type != "cuda":
        raise InputError("train.precision: fp16 needs a GPU; set it to bf16 or fp32")
    if train.precision == "bf16" and not has_bf16(found.device):
        raise InputError(
            "train.precision: bf16 takes far longer than fp32 on this processor, which has no "
            "instructions for it; set it to fp32"
        )
    return found


def has_bf16(device: torch.device) -> bool:
    """Whether it has instructions for bf16; a processor without takes 80 times as long (AVX2).

    Accelerate itself refuses GPUs without them.
    """
    return device.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()


def setup(recipe: Recipe, train: Train, device: torch.device) -> State:
    """A run at step 0: optimizers, schedule and averaged weights of a recipe.

    Args:
        recipe: of a model; its network is on the device.
        train: the section `train`.
        device: where it trains.
    """
    if train.recompute:
        recipe.recompute()
    optimizer = torch.optim.AdamW(
        [
            {
                "name": group.name,
                "params": group.parameters,
                "lr": group.lr,
                "weight_decay": group.weight_decay,
            }
            for group in recipe.groups()
        ],
        betas=train.betas,
        eps=train.eps,
        fused=True,
    )
    _make_copyable(recipe.network)
    adversary = list(recipe.adversary.parameters()) if recipe.adversary else []
    return State(
        step=0,
        recipe=recipe,
        average=AveragedModel(recipe.network, multi_avg_fn=get_ema_multi_avg_fn(train.ema)),
        optimizer=optimizer,
        adversary_optimizer=(
            torch.optim.AdamW(
                adversary, lr=recipe.adversary_lr, betas=train.betas, eps=train.eps, fused=True
            )
            if adversary
            else None
        ),
        schedule=LambdaLR(
            optimizer, lambda done: schedules.learning_rate_factor(done, train.warmup)
        ),
        scaler=torch.amp.GradScaler(device.type, enabled=train.precision == "fp16"),
        micro_batches=train.accumulate,
        origins={
            group.name: [parameter.detach().clone() for parameter in group.parameters]
            for group in recipe.groups()
            if group.anchor
        },
    )


def _make_copyable(network: nn.Module) -> None:
    """Detaches the weights that weight norm computes; it computes them before every forward pass.

    `deepcopy`, which AveragedModel uses, refuses tensors that need gradients and are not leaves.
    """
    for module in network.modules():
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm):
                setattr(module, hook.name, getattr(module, hook.name).detach())


def fit(
    state: State,
    store: FeatureStore,
    p: Params,
    accelerator: Accelerator,
    rule: Choice,
    folder: Path,
    curves: Path,
) -> Recorder:
    """Trains to `train.steps` or to the early stop, from the checkpoint if there is one.

    Args:
        state: from `setup`; changed in place.
        store: features, train and test split.
        p: the parameters that the recipe was built with.
        accelerator: from `accelerate`.
        rule: ranks the validations.
        folder: the run's scratch folder: checkpoint, candidates, samples, and the record of a
            failed step.
        curves: where dvclive writes.

    Raises:
        InputError: a loss is not finite (names the utterance and module), a single utterance does
            not fit into memory, or a checkpoint cannot be written.
    """
    train, run = p.train, p.run
    history = _restore(state, train, folder / CHECKPOINT)
    main = accelerator.is_main_process
    loader = DataLoader(
        steps(store, train, accelerator.process_index, accelerator.num_processes),
        sampler=range(state.step, train.steps),
        batch_size=None,
        num_workers=run.loaders,
        worker_init_fn=leave_group,
        pin_memory=accelerator.device.type == "cuda",
        generator=torch.Generator(),  # or the loader would change the network's random numbers
    )
    told = trackers(run.trackers, folder, state.step) if main else ()
    with Recorder(curves if main else None, history, told) as recorder:
        if history and main:
            tqdm.write(
                f"continuing at step {state.step} of {train.steps} from {folder / CHECKPOINT}"
            )
        if not history:
            validation.record(state, store, train, rule, folder / SAMPLES, recorder)
        batches = iter(loader)
        with tqdm(
            total=train.steps, initial=state.step, unit="step", desc="train", disable=not main
        ) as bar:
            while state.step < train.steps and not should_stop(state, train):
                batch = next(batches)
                try:
                    metrics = step.train_step(state, batch, train, accelerator)
                except step.NotFinite:
                    raise nonfinite.record(state, batch, p, accelerator, folder) from None
                logged = {f"train/{name}": value for name, value in metrics.items()}
                recorder.log(state.step, logged)
                _follow_up(state, store, train, rule, recorder, folder, main)
                bar.update()
                rate = bar.format_dict["rate"] or 0
                speech = batch.global_size * batch.crop_units / UNIT_RATE * rate
                bar.set_postfix(loss=f"{metrics['total']:.3f}", speech=f"{speech:.1f} s/s")
    if should_stop(state, train) and main:
        tqdm.write(
            f"train: stopped at step {state.step}: step {state.candidates[0].step} was best; "
            f"the {train.patience} validations since were not better"
        )
    return recorder


def _follow_up(
    state: State,
    store: FeatureStore,
    train: Train,
    rule: Choice,
    recorder: Recorder,
    folder: Path,
    main: bool,
) -> None:
    """What is due after a step: validation, the choice of candidates, the checkpoint."""
    regular = state.step % train.validate_every == 0
    if regular or state.step == train.steps:
        found = validation.record(state, store, train, rule, folder / SAMPLES, recorder)
        if regular and state.step >= state.recipe.settled():
            ranks = [rule.rank(found) if main else []]
            broadcast_object_list(ranks)  # the same in all processes
            choice.consider(state, ranks[0], train.keep, folder, main)
    ended = state.step == train.steps or should_stop(state, train)
    if main and (ended or state.step % train.checkpoint_every == 0):
        saved = {"state": state.state_dict(), "history": recorder.history}
        resume.save(saved, folder / CHECKPOINT)
        choice.prune(state, folder)


def _restore(state: State, train: Train, path: Path) -> list[tuple[int, Metrics]]:
    """The history of the run that `state` now continues; empty if there is none."""
    saved = resume.load(path)
    if saved is None or saved["state"]["step"] > train.steps:
        return []  # a run that is already longer starts over: its earlier states are gone
    state.load_state_dict(saved["state"])
    return saved["history"]


def leave_group(_: int) -> None:
    """Takes a process that reads out of the group of this one, which alone ends it.

    A signal for the group (Ctrl-C, SIGTERM) would kill it first, and then torch raises an error of
    its own in the middle of whatever this process does. It ends within seconds if this one is
    killed.
    """
    os.setpgrp()


def should_stop(state: State, train: Train) -> bool:
    """Whether the last `train.patience` validations were not better than the best."""
    return train.patience is not None and state.waited >= train.patience


def steps(store: FeatureStore, train: Train, rank: int = 0, world: int = 1) -> StepDataset:
    """The batches of each step, the share of process `rank` of `world`."""
    return StepDataset(
        store,
        indices=store.indices("train"),
        budget=round(train.batch_seconds * UNIT_RATE),
        crop_units=round(train.crop_seconds * UNIT_RATE),
        seed=train.seed,
        rank=rank,
        world=world,
        speed=train.speed,
    )


def choose(
    state: State, store: FeatureStore, train: Train, rule: Choice, recorder: Recorder, folder: Path
) -> tuple[int, nn.Module]:
    """The step to release and its network: the best of the candidates and the last weights.

    If the rule measures speech and there are several, each of them speaks all validation utterances
    once more.
    """
    network = state.averaged()
    last = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    validated = {step: _losses(metrics) for step, metrics in recorder.validations()}
    ranks = {candidate.step: candidate.rank for candidate in state.candidates}
    ranks.setdefault(state.step, rule.rank(validated[state.step]))

    def load(step: int) -> None:
        if step == state.step:
            network.load_state_dict(last)
        else:
            choice.load(network, folder, step)

    if len(ranks) > 1 and rule.measures_speech:
        for step in tqdm(ranks, desc="choose", unit="checkpoint"):
            load(step)
            count = train.validation_utterances
            spoken = validation.speak(network, state.recipe, store, train, count)
            ranks[step] = rule.rank(validated[step] | rule.measure(spoken))
    best = max(ranks, key=lambda step: ranks[step])
    load(best)
    return best, network


def _losses(metrics: Metrics) -> Metrics:
    return {name.removeprefix("validation/"): value for name, value in metrics.items()}
