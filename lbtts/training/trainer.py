"""Fine-tuning in four verbs: set up, fit, validate, save.

Every step's random numbers (dropout, source noise, crops) follow from the seed and the step alone,
and so does the choice of its utterances. A run that was killed and continued therefore ends with
the same weights as one that was not: on a CPU to the bit, on a GPU to what its kernels repeat.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import soundfile
import torch
import torch.nn.functional as F
from kokoro import KModel
from torch import Tensor, nn
from torch.nn.utils.weight_norm import WeightNorm
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from tqdm import tqdm

from lbtts.acoustics.batching import Batch, StepDataset, collate
from lbtts.acoustics.features import FeatureStore
from lbtts.errors import InputError
from lbtts.grid import SAMPLE_RATE, UNIT_RATE
from lbtts.model import losses
from lbtts.model.network import Crop, Kokoro, Prediction, seeded_noise, token_lengths
from lbtts.model.voice import VoiceTable
from lbtts.params import Train
from lbtts.training import resume
from lbtts.training.recorder import Figures, Recorder

CHECKPOINT = "checkpoint.pt"
SAMPLES = "samples"


@dataclass
class State:
    """What is saved and restored whole. `step` counts finished optimizer steps."""

    step: int
    network: Kokoro
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    schedule: LambdaLR

    def state_dict(self) -> dict:
        """Everything that the next step depends on."""
        return {
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def load_state_dict(self, saved: dict) -> None:
        """Takes over what `state_dict` gave."""
        self.step = saved["step"]
        self.network.load_state_dict(saved["network"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])


def setup(model: KModel, table: Tensor, params: Train) -> State:
    """A run at step 0: the trainable network on the best device, optimizer, schedule and EMA.

    Args:
        model: the base.
        table: [510, 1, 256] float32, the initial voice table.
        params: the section `train`.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = Kokoro(model, VoiceTable(table)).to(device)
    optimizer = torch.optim.AdamW(
        network.groups(params.lr, params.lr_bert, params.lr_voice, params.weight_decay)
    )
    _make_copyable(network)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(params.ema))
    schedule = LambdaLR(optimizer, lambda step: learning_rate_factor(step, params.warmup))
    return State(0, network, average, optimizer, schedule)


def _make_copyable(network: nn.Module) -> None:
    """Detaches the products of weight norm, which it computes again before every forward pass.

    `deepcopy`, and so AveragedModel, refuses tensors with a history.
    """
    for module in network.modules():
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm):
                setattr(module, hook.name, getattr(module, hook.name).detach())


def learning_rate_factor(step: int, warmup: int) -> float:
    """Linear warm-up, then decay with the inverse square root of the step.

    It does not know how long the run lasts, so that a run can be prolonged.
    Source: Vaswani et al., https://arxiv.org/abs/1706.03762, section 5.3.
    """
    if warmup == 0:
        return 1.0
    return min((step + 1) / warmup, math.sqrt(warmup / (step + 1)))


def fit(state: State, store: FeatureStore, params: Train, folder: Path, curves: Path) -> Recorder:
    """Trains to `params.steps`, from the checkpoint in `folder` if there is one.

    Args:
        state: from `setup`; changed in place.
        store: features, train and test split.
        params: the section `train`.
        folder: the run's scratch folder: checkpoint and audio samples.
        curves: where dvclive writes.

    Raises:
        InputError: a loss is not finite (names the utterances), or a checkpoint cannot be written.
    """
    saved = resume.load(folder / CHECKPOINT)
    if saved is not None and saved["state"]["step"] > params.steps:
        saved = None  # the run went further than is asked for now; its past is gone
    recorder = Recorder(curves, saved["history"] if saved else [])
    device = next(state.network.parameters()).device
    mel_loss = losses.MelLoss().to(device)
    if saved:
        state.load_state_dict(saved["state"])
        tqdm.write(f"continuing at step {state.step} of {params.steps} from {folder / CHECKPOINT}")
    else:
        _validate_and_record(state, store, params, mel_loss, folder, recorder)

    loader = DataLoader(
        steps(store, params),
        sampler=range(state.step, params.steps),
        batch_size=None,
        num_workers=1,
        generator=torch.Generator(),  # or the loader would draw from the network's random numbers
    )
    with tqdm(total=params.steps, initial=state.step, unit="step", desc="train") as bar:
        for batch in loader:
            figures = _step(state, batch.to(device), params, mel_loss)
            recorder.log(state.step, {f"train/{name}": value for name, value in figures.items()})
            last = state.step == params.steps
            if last or state.step % params.validate_every == 0:
                _validate_and_record(state, store, params, mel_loss, folder, recorder)
            if last or state.step % params.checkpoint_every == 0:
                resume.save(
                    {"state": state.state_dict(), "history": recorder.history}, folder / CHECKPOINT
                )
            bar.update()
            bar.set_postfix(loss=f"{figures['total']:.3f}")
    recorder.close()
    return recorder


def steps(store: FeatureStore, params: Train) -> StepDataset:
    """What each step is trained on."""
    return StepDataset(
        store,
        indices=store.indices("train"),
        budget=round(params.batch_seconds * UNIT_RATE),
        crop_units=round(params.crop_seconds * UNIT_RATE),
        seed=params.seed,
    )


def validate(
    network: Kokoro, store: FeatureStore, params: Train, mel_loss: losses.MelLoss
) -> Figures:
    """Mean teacher-forced losses over the first held-out utterances, one fixed crop of each."""
    device = next(network.parameters()).device
    crop_units = round(params.crop_seconds * UNIT_RATE)
    sums: dict[str, float] = {}
    chosen = store.sample("test", params.validation_utterances)
    network.eval()
    for index in chosen:
        batch = collate(store, [index], crop_units, (params.seed, int(index))).to(device)
        with torch.no_grad(), seeded_noise(params.seed):
            figures = _losses(predict(network, batch), batch, params, mel_loss)
        for name, value in figures.items():
            sums[name] = sums.get(name, 0.0) + value.item() / len(chosen)
    return sums


def predict(network: Kokoro, batch: Batch) -> Prediction:
    """One teacher-forced forward pass over a batch."""
    return network.forward_train(
        batch.tokens,
        network.voice.rows(token_lengths(batch.tokens)),
        teacher_dur=batch.units,
        teacher_f0=batch.f0,
        teacher_noise=batch.energy,
        crop=Crop(batch.crop_start, batch.crop_units),
    )


def _step(state: State, batch: Batch, params: Train, mel_loss: losses.MelLoss) -> Figures:
    """One optimizer step; its losses, the gradient's norm and the learning rate."""
    torch.manual_seed(params.seed * 1_000_003 + state.step)
    state.network.train()
    terms = _losses(predict(state.network, batch), batch, params, mel_loss)
    terms["total"].backward()
    norm = nn.utils.clip_grad_norm_(
        (p for p in state.network.parameters() if p.grad is not None), params.clip
    )
    if not (torch.isfinite(terms["total"]) and torch.isfinite(norm)):
        raise InputError(
            f"train: loss or gradient is not finite at step {state.step + 1}, utterances "
            f"{', '.join(batch.ids)}; look at them in the report, or lower train.lr"
        )
    rate = state.optimizer.param_groups[0]["lr"]
    state.optimizer.step()
    state.optimizer.zero_grad(set_to_none=True)
    state.schedule.step()
    state.average.update_parameters(state.network)
    state.step += 1
    return {name: value.item() for name, value in terms.items()} | {
        "gradient_norm": norm.item(),
        "lr": rate,
    }


def _losses(
    prediction: Prediction, batch: Batch, params: Train, mel_loss: losses.MelLoss
) -> dict[str, Tensor]:
    """Each loss unweighted, and `total`, their weighted sum."""
    weights = params.weights
    lengths = prediction.lengths
    terms = {
        "duration": losses.duration_l1(prediction.durations, batch.units, lengths),
        "duration_ce": losses.duration_ce(prediction.duration_logits, batch.units, lengths),
        "f0": F.smooth_l1_loss(prediction.f0, batch.f0),
        "energy": F.smooth_l1_loss(prediction.energy, batch.energy),
        "mel": mel_loss(prediction.audio, batch.audio),
    }
    total = torch.stack([getattr(weights, name) * term for name, term in terms.items()]).sum()
    return terms | {"total": total}


def _validate_and_record(
    state: State,
    store: FeatureStore,
    params: Train,
    mel_loss: losses.MelLoss,
    folder: Path,
    recorder: Recorder,
) -> None:
    """Validates the averaged weights and has them speak the first held-out sentence."""
    network = averaged(state)
    figures = validate(network, store, params, mel_loss)
    recorder.log(state.step, {f"validation/{name}": value for name, value in figures.items()})
    first = store[store.indices("test")[0]]
    tokens = torch.from_numpy(first.tokens)[None].to(next(network.parameters()).device)
    row = network.voice.rows(token_lengths(tokens)).detach()
    with seeded_noise(params.seed):
        audio, _ = network.model.forward_with_tokens(tokens, row)
    samples = folder / SAMPLES
    samples.mkdir(exist_ok=True)
    path = samples / f"step-{state.step:07d}-{first.id}.wav"
    soundfile.write(path, audio.cpu().numpy(), SAMPLE_RATE, subtype="PCM_16")


def averaged(state: State) -> Kokoro:
    """The network with averaged weights, which is what is validated and given away."""
    network = state.average.module
    assert isinstance(network, Kokoro)
    return network.eval()
