"""Fine-tuning: set up, fit, choose what is given away.

Every step's random numbers (dropout, source noise, crops, which utterances are taught) follow from
the seed, the step and the utterance alone. A run that was killed and continued therefore ends with
the same weights as one that was not: on a CPU to the bit, on a GPU to what its kernels repeat.
"""

from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from kokoro import KModel
from torch import Tensor, nn
from torch.nn.utils.weight_norm import WeightNorm
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from tqdm import tqdm

from lbtts.acoustics.store.batching import StepDataset
from lbtts.acoustics.store.features import FeatureStore
from lbtts.errors import InputError
from lbtts.grid import UNIT_RATE
from lbtts.models.kokoro.network.discriminators import Discriminators
from lbtts.models.kokoro.network.trainable import Kokoro
from lbtts.models.kokoro.network.objective import Objective
from lbtts.models.kokoro.network.perceptual import WavlmLoss, load_wavlm
from lbtts.models.kokoro.network.recomputation import recompute
from lbtts.models.kokoro.voices.table import Initial, VoiceTable
from lbtts.models.randomness import seeded_noise
from lbtts.params import Run, Train
from lbtts.training import nonfinite as flight
from lbtts.training import resume, schedules, step, validation
from lbtts.training.recorder import Figures, Recorder, trackers
from lbtts.training.state import Best, State

CHECKPOINT = "checkpoint.pt"
SAMPLES = "samples"


def accelerate(params: Train) -> Accelerator:
    """The device, the processes that share the work, and the precision.

    Raises:
        InputError: the precision is not to be had on this device.
    """
    try:
        found = Accelerator(
            cpu=not torch.cuda.is_available(),  # or processes without a GPU would not find together
            mixed_precision="no" if params.precision == "fp32" else params.precision,
        )
    except ValueError as error:
        raise InputError(
            f"train.precision: {params.precision} is not to be had here ({error}); set it to fp32"
        ) from error
    if params.precision == "fp16" and found.device.type != "cuda":
        raise InputError("train.precision: fp16 needs a GPU; set it to bf16 or fp32")
    return found


def setup(
    model: KModel, voice: Initial, store: FeatureStore, params: Train, accelerator: Accelerator
) -> State:
    """A run at step 0: the trainable network on its device, optimizer, schedule and EMA.

    Args:
        model: the base.
        voice: the initial voice; its deviations are those of the store's training utterances.
        store: features.
        params: the section `train`.
        accelerator: from `accelerate`.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Nothing here reads such memory, and filling it costs a twentieth of the time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    device = accelerator.device
    network = Kokoro(model, VoiceTable(voice.table, voice.projection)).to(device)
    if params.recompute:
        recompute(network.model)
    rates = {"bert": params.lr_bert, "voice": params.lr_voice}
    optimizer = torch.optim.AdamW(
        [
            {
                "name": name,
                "params": tensors,
                "lr": rates.get(name, params.lr),
                "weight_decay": 0.0 if name == "voice" else params.weight_decay,
            }
            for name, tensors in network.components().items()
        ],
        fused=True,
    )
    _make_copyable(network)
    deviations = torch.zeros(len(store), voice.deviations.shape[1])
    deviations[store.indices("train")] = voice.deviations
    objective = _objective(deviations, params, accelerator).to(device)
    judges = objective.judges()
    return State(
        step=0,
        network=network,
        average=AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(params.ema)),
        optimizer=optimizer,
        schedule=LambdaLR(
            optimizer, lambda done: schedules.learning_rate_factor(done, params.warmup)
        ),
        scaler=torch.amp.GradScaler(device.type, enabled=params.precision == "fp16"),
        objective=objective,
        discriminator_optimizer=(
            torch.optim.AdamW(judges, lr=params.discriminators.lr, fused=True) if judges else None
        ),
        micro_batches=params.accumulate,
        best=Best(),
    )


def _objective(deviations: Tensor, params: Train, accelerator: Accelerator) -> Objective:
    """The losses that count at some time, with the networks that they need."""
    chosen = params.losses
    judges = None
    if chosen.adversarial.weight or chosen.feature_matching.weight:
        with seeded_noise(params.seed):
            judges = Discriminators(params.discriminators.width)
    wavlm = WavlmLoss(load_wavlm(params.wavlm)) if chosen.wavlm.weight else None
    return Objective(deviations, judges, wavlm, accelerator.autocast)


def _make_copyable(network: nn.Module) -> None:
    """Detaches the products of weight norm, which it computes again before every forward pass.

    `deepcopy`, and so AveragedModel, refuses tensors with a history.
    """
    for module in network.modules():
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm):
                setattr(module, hook.name, getattr(module, hook.name).detach())


def fit(
    state: State,
    store: FeatureStore,
    params: Train,
    accelerator: Accelerator,
    folder: Path,
    curves: Path,
    run: Run,
) -> Recorder:
    """Trains to `params.steps` or until it no longer helps, from the checkpoint if there is one.

    Args:
        state: from `setup`; changed in place.
        store: features, train and test split.
        params: the section `train`.
        accelerator: from `accelerate`.
        folder: the run's scratch folder: checkpoint, samples, and the record of a failed step.
        curves: where dvclive writes.
        run: the section `run`.

    Raises:
        InputError: a loss is not finite (names the utterance and module), memory does not suffice
            for one utterance, or a checkpoint cannot be written.
    """
    history = _restore(state, params, folder / CHECKPOINT)
    main = accelerator.is_main_process
    recorder = Recorder(
        curves if main else None,
        history,
        trackers(run.trackers, folder, state.step) if main else (),
    )
    if history and main:
        tqdm.write(f"continuing at step {state.step} of {params.steps} from {folder / CHECKPOINT}")
    if not history:
        validation.record(state, store, params, folder / SAMPLES, recorder)

    loader = DataLoader(
        steps(store, params, accelerator.process_index, accelerator.num_processes),
        sampler=range(state.step, params.steps),
        batch_size=None,
        num_workers=run.loaders,
        pin_memory=accelerator.device.type == "cuda",
        generator=torch.Generator(),  # or the loader would draw from the network's random numbers
    )
    batches = iter(loader)
    with tqdm(
        total=params.steps, initial=state.step, unit="step", desc="train", disable=not main
    ) as bar:
        while state.step < params.steps and not exhausted(state, params):
            batch = next(batches)
            try:
                figures = step.take(state, batch, params, accelerator)
            except step.NotFinite:
                raise flight.record(state, batch, params, accelerator, folder) from None
            recorder.log(state.step, {f"train/{name}": value for name, value in figures.items()})
            regular = state.step % params.validate_every == 0
            if regular or state.step == params.steps:
                stft = validation.record(state, store, params, folder / SAMPLES, recorder)
                if regular and state.step >= schedules.settled(params):
                    mine = torch.tensor(stft, device=accelerator.device)
                    validation.compare(state, broadcast(mine).item())  # all processes agree
            ended = state.step == params.steps or exhausted(state, params)
            if main and (ended or state.step % params.checkpoint_every == 0):
                resume.save(
                    {"state": state.state_dict(), "history": recorder.history}, folder / CHECKPOINT
                )
            bar.update()
            speech = batch.of * batch.crop_units / UNIT_RATE * (bar.format_dict["rate"] or 0)
            bar.set_postfix(loss=f"{figures['total']:.3f}", speech=f"{speech:.1f} s/s")
    if exhausted(state, params) and main:
        tqdm.write(
            f"train: stopped at step {state.step}: the STFT loss was best at step "
            f"{state.best.step}, and {params.patience} validations since brought nothing better"
        )
    recorder.close()
    return recorder


def _restore(state: State, params: Train, path: Path) -> list[tuple[int, Figures]]:
    """The history of the run that `state` now continues; empty where there is none to continue."""
    saved = resume.load(path)
    if saved is None or saved["state"]["step"] > params.steps:
        return []  # a run that went further than is asked for now starts over: its past is gone
    state.load_state_dict(saved["state"])
    return saved["history"]


def exhausted(state: State, params: Train) -> bool:
    """Whether as many validations as `params.patience` have brought nothing better."""
    return params.patience is not None and state.best.waited >= params.patience


def steps(store: FeatureStore, params: Train, rank: int = 0, world: int = 1) -> StepDataset:
    """What each step is trained on, as far as process `rank` of `world` has a share in it."""
    return StepDataset(
        store,
        indices=store.indices("train"),
        budget=round(params.batch_seconds * UNIT_RATE),
        crop_units=round(params.crop_seconds * UNIT_RATE),
        seed=params.seed,
        rank=rank,
        world=world,
    )


def chosen(state: State, recorder: Recorder) -> tuple[int, Kokoro]:
    """What is given away, and its step: the averaged network as it was best, or as it is."""
    network = state.averaged()
    step, figures = recorder.validations()[-1]
    if not state.best.weights or figures["validation/stft"] < state.best.stft:
        return step, network
    network.load_state_dict(state.best.weights)
    return state.best.step, network
