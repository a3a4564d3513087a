"""The cost of a training run, estimated from a few steps: memory, time, disk."""

import resource
import shutil
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from accelerate import Accelerator
from torch import Tensor

from lbtts.acoustics.store.batching import Batch
from lbtts.acoustics.store.features import FeatureStore
from lbtts.errors import InputError
from lbtts.grid import UNIT_RATE
from lbtts.params import Train
from lbtts.training import step, trainer
from lbtts.training.state import State

_FEW = 3  # utterances whose memory is compared with that of one, and steps that are timed
_GB = 1e9


@dataclass(frozen=True)
class Cost:
    """The estimated cost of a run.

    Attributes:
        parameters: of the network.
        trained: how many of them train in the end.
        steps: of the run.
        epoch_steps: steps per epoch.
        micro_batches: per step and process.
        seconds: median time of a step in which all parameters train.
        speech: seconds of speech in such a step.
        memory: peak bytes of one process, on its device.
        available: bytes that it can use there.
        checkpoint: bytes.
        stored: most bytes on the disk: the checkpoint twice, while a new one is written, and the
            weights of the kept candidates.
        disk: bytes free.
    """

    parameters: int
    trained: int
    steps: int
    epoch_steps: int
    micro_batches: int
    seconds: float
    speech: float
    memory: int
    available: int
    checkpoint: int
    stored: int
    disk: int

    def __str__(self) -> str:
        hours = self.seconds / 3600
        return "\n".join(
            [
                f"parameters  {self.parameters / 1e6:.2f} M; {self.trained / 1e6:.2f} M train",
                f"steps       {self.steps:,}: {self.steps / self.epoch_steps:.1f} epochs of "
                f"{self.epoch_steps:,}; {self.micro_batches} micro-batches each",
                f"time        {self.steps * hours:.1f} h; {self.epoch_steps * hours:.2f} an epoch; "
                f"{self.seconds:.2f} s a step, {self.speech / self.seconds:.1f} s of speech/s",
                f"memory      {self.memory / _GB:.2f} GB of {self.available / _GB:.1f} GB",
                f"disk        {self.stored / _GB:.2f} GB of {self.disk / _GB:.1f} GB",
            ]
        )


def estimate(
    state: State,
    store: FeatureStore,
    train: Train,
    accelerator: Accelerator,
    folder: Path,
    processes: int,
) -> Cost:
    """The cost of a run, from trial steps with all parameters training: small, then whole ones.

    The memory of a whole step is predicted from small ones first: without a GPU, the system kills
    a process that uses too much memory silently.

    Args:
        state: from `trainer.setup`; do not use it afterwards.
        store: features.
        train: the section `train`.
        accelerator: from `trainer.accelerate`.
        folder: on the disk for the checkpoint.
        processes: that will share each step; the estimate is for the first of them.

    Raises:
        InputError: a step cannot fit into memory, or the checkpoint onto the disk.
    """
    state.step = state.recipe.settled()  # all parameters train and all losses count
    dataset = trainer.steps(store, train, 0, processes)
    epoch = dataset.schedule.epoch(0)
    chosen = store.indices("train")
    crop = round(train.crop_seconds * UNIT_RATE)

    def cost(number: int) -> tuple[int, int]:
        batch = chosen[epoch[number]]
        units = len(batch) * min(crop, int(store.units_total[batch].min()))
        return units, int(store.tokens_total[batch].max())

    largest = dataset[max(range(len(epoch)), key=cost)]
    memory, available = _memory_of(state, largest, train, accelerator)
    seconds, speech = [], []
    for number in range(_FEW):
        batch = dataset[number]
        seconds.append(_timed(state, batch, train, accelerator))
        speech.append(batch.global_size * batch.crop_units / UNIT_RATE)

    checkpoint = _bytes(state.state_dict())
    stored = 2 * checkpoint + train.keep * _bytes(state.recipe.network.state_dict())
    tensors = list(state.recipe.network.parameters())
    return Cost(
        parameters=sum(tensor.numel() for tensor in tensors),
        trained=sum(tensor.numel() for tensor in tensors if tensor.requires_grad),
        steps=train.steps,
        epoch_steps=len(epoch),
        micro_batches=state.micro_batches,
        seconds=statistics.median(seconds),
        speech=statistics.mean(speech),
        memory=memory,
        available=available,
        checkpoint=checkpoint,
        stored=stored,
        disk=_disk(folder, stored),
    )


def _disk(folder: Path, stored: int) -> int:
    """Bytes that are free in a folder, in which so many are to be stored.

    Raises:
        InputError: there are fewer.
    """
    disk = shutil.disk_usage(folder).free
    if stored > disk:
        raise InputError(
            f"{folder}: a run takes {stored / _GB:.1f} GB while its checkpoint is written, but "
            f"{disk / _GB:.1f} GB are free; free some space there"
        )
    return disk


def _memory_of(
    state: State, largest: Batch, train: Train, accelerator: Accelerator
) -> tuple[int, int]:
    """Peak bytes of the largest step, and bytes that are available."""
    rows = -(-len(largest.ids) // state.micro_batches)
    available = _available(accelerator.device)
    for _ in range(2):  # Adam's moments exist only after the first
        _timed(state, largest.rows(slice(0, 1)), train, accelerator)
    one = _peak(accelerator.device)
    few = min(rows, _FEW)
    each = 0
    if few > 1:
        _timed(state, largest.rows(slice(0, few * state.micro_batches)), train, accelerator)
        each = max(0, _peak(accelerator.device) - one) // (few - 1)
    if one + (rows - 1) * each <= available:
        return one + (rows - 1) * each, available
    fitting = int((available - one) // each) + 1 if available > one else 0
    remedy = (
        f"set train.accumulate to {-(-len(largest.ids) // fitting)}"
        if fitting
        else "lower train.crop_seconds"
    )
    raise InputError(
        f"train: a micro-batch of {rows} utterances would take "
        f"{(one + (rows - 1) * each) / _GB:.1f} GB of {available / _GB:.1f} GB; "
        f"{remedy}, or set train.recompute"
    )


def _timed(state: State, batch: Batch, train: Train, accelerator: Accelerator) -> float:
    start = time.perf_counter()
    step.train_step(
        state, batch, train, accelerator
    )  # reads the metrics, so it waits for the device
    return time.perf_counter() - start


def _peak(device: torch.device) -> int:
    """The peak bytes of this process so far."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _available(device: torch.device) -> int:
    """Bytes that this process holds or could allocate."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    return psutil.virtual_memory().available + psutil.Process().memory_info().rss


def _bytes(state: Any) -> int:
    """The size of all tensors in nested dictionaries and lists."""
    if isinstance(state, Tensor):
        return state.numel() * state.element_size()
    values = state.values() if isinstance(state, dict) else state
    return sum(_bytes(v) for v in values) if isinstance(state, dict | list | tuple) else 0
