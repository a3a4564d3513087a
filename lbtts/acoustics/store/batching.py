"""The utterances of each training step, and their batches.

Shapes: B utterances, T tokens with BOS and EOS, C crop length in units.
"""

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from lbtts.acoustics.measuring.speed import at_length
from lbtts.acoustics.store.features import FeatureStore
from lbtts.acoustics.store.layout import Crop
from lbtts.grid import units_to_frames, units_to_samples

_BUCKET = 16  # batches of similar length are cut from a stretch of this many batches


@dataclass(frozen=True)
class Batch:
    """Whole token sequences with their durations, and an equal-length crop of everything else.

    A step is one batch; each process and each micro-batch takes some of its rows. All of them are
    padded and cropped to the same lengths, those of the whole step.
    """

    ids: tuple[str, ...]
    index: tuple[int, ...]  # in the store
    global_size: int  # utterances of the whole step, over all processes and micro-batches
    crop_units: int  # C
    tokens: Tensor  # [B, T] int64, zeros after the EOS
    units: Tensor  # [B, T] int64, zeros after the EOS
    crop_start: Tensor  # [B] int64, units
    f0: Tensor  # [B, 2C] float32, Hz
    energy: Tensor  # [B, 2C] float32
    audio: Tensor  # [B, 600C] float32

    def to(self, device: torch.device) -> Self:
        """The batch with its tensors on `device`."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def rows(self, chosen: slice) -> Self:
        """Some of its utterances."""
        return replace(
            self._each(lambda tensor: tensor[chosen]),
            ids=self.ids[chosen],
            index=self.index[chosen],
        )

    def pin_memory(self) -> Self:
        """The batch in page-locked memory; the loader calls it where there is a GPU."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Self:
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        changed: dict[str, Any] = {k: change(v) for k, v in values if isinstance(v, Tensor)}
        return replace(self, **changed)


def batches(
    units: NDArray[np.int64], budget: int, seed: int, epoch: int, crop_units: int | None = None
) -> list[NDArray[np.int64]]:
    """The batches of an epoch, as positions into `units`: each once, similar lengths together.

    A batch holds as many utterances as fit into `budget` when all are padded to the longest one, so
    every batch needs about the same memory. An utterance that is longer than the budget is a batch
    by itself. The order follows from `seed` and `epoch` alone, so any batch can be made again.

    Args:
        units: [n] int64, the length of each utterance.
        budget: units per batch, padding included.
        seed: of the run.
        epoch: from 0.
        crop_units: most units of an utterance that are used; None for the whole.
    """
    draw = np.random.default_rng((seed, epoch))
    order = draw.permutation(len(units))
    cost = units if crop_units is None else np.minimum(units, crop_units)
    stretch = _BUCKET * max(1, budget // max(1, int(cost.mean())))
    cut = []
    for begin in range(0, len(order), stretch):
        part = order[begin : begin + stretch]
        part = part[np.argsort(units[part], kind="stable")]
        first = 0
        for position, longest in enumerate(cost[part]):
            if position > first and (position + 1 - first) * longest > budget:
                cut.append(part[first:position])
                first = position
        cut.append(part[first:])
    return [cut[i] for i in draw.permutation(len(cut))]


def padding(lengths: NDArray[np.int64], cut: Sequence[NDArray[np.int64]]) -> float:
    """The share of padding in the batches when each is padded to its longest utterance, 0 to 1.

    Args:
        lengths: [n], of the utterances, in units or tokens.
        cut: the batches, as `batches` returns them.
    """
    padded = sum(len(batch) * int(lengths[batch].max()) for batch in cut)
    return 1 - sum(int(lengths[batch].sum()) for batch in cut) / padded


class Schedule:
    """The utterances of each step: the batches of one epoch after another, without end.

    They follow from the step's number alone, so a run can continue at any step.
    """

    def __init__(
        self, units: NDArray[np.int64], budget: int, crop_units: int | None, seed: int
    ) -> None:
        """Takes the arguments of `batches`."""
        self._units, self._budget = units, budget
        self._crop_units, self._seed = crop_units, seed
        self._begins = [0]  # first step of each epoch, as far as known
        self._batches: tuple[int, list[NDArray[np.int64]]] = (-1, [])  # of the last epoch used

    def __getitem__(self, step: int) -> NDArray[np.int64]:
        """Positions of the utterances of step `step`, counted from 0."""
        while step >= self._begins[-1]:
            self._begins.append(self._begins[-1] + len(self.epoch(len(self._begins) - 1)))
        epoch = bisect.bisect_right(self._begins, step) - 1
        return self.epoch(epoch)[step - self._begins[epoch]]

    def epoch(self, epoch: int) -> list[NDArray[np.int64]]:
        """All batches of an epoch."""
        if self._batches[0] != epoch:
            cut = batches(self._units, self._budget, self._seed, epoch, self._crop_units)
            self._batches = epoch, cut
        return self._batches[1]


def collate(
    store: FeatureStore,
    indices: Sequence[int] | NDArray[np.int64],
    crop_units: int,
    seed: tuple[int, ...],
    share: slice = slice(None),
    speed: float = 0,
) -> Batch:
    """A batch of the utterances at `indices`, each cropped at a random place.

    Args:
        store: where they are read; only the crops of audio and frames are read.
        indices: into the store, of the whole step.
        crop_units: length of the crops; the shortest utterance's length if that is less.
        seed: non-negative numbers; with the utterance's index they seed the place of its crop.
        share: the utterances that are read. Padding and crops are the same for any share.
        speed: largest random change of an utterance's speed, as a share.
    """
    indices = np.asarray(indices)
    draws = [np.random.default_rng((*seed, int(i))) for i in indices]
    totals = store.units_total[indices]
    if speed:
        speeds = [1 + draw.uniform(-speed, speed) for draw in draws]
        totals = np.maximum(np.rint(totals / speeds).astype(int), store.tokens_total[indices])
    length = min(crop_units, int(totals.min()))
    longest = int(store.tokens_total[indices].max())
    mine = indices[share]
    starts = [
        int(draw.integers(0, total - length + 1))
        for draw, total in zip(draws[share], totals[share], strict=True)
    ]
    rows = [
        _crop(store, int(i), int(total), start, length)
        for i, total, start in zip(mine, totals[share], starts, strict=True)
    ]
    assert all(len(row.f0) == units_to_frames(length) for row in rows)
    assert all(len(row.audio) == units_to_samples(length) for row in rows)

    def padded(values: list[NDArray[np.int64]]) -> Tensor:
        whole = np.zeros((len(values), longest), np.int64)
        for row, value in zip(whole, values, strict=True):
            row[: len(value)] = value
        return torch.from_numpy(whole)

    def stacked(values: list[NDArray[np.float32]], size: int) -> Tensor:
        return torch.from_numpy(np.array(values, np.float32).reshape(len(values), size))

    return Batch(
        ids=tuple(row.id for row in rows),
        index=tuple(mine.tolist()),
        global_size=len(indices),
        crop_units=length,
        tokens=padded([row.tokens for row in rows]),
        units=padded([row.units for row in rows]),
        crop_start=torch.tensor(starts, dtype=torch.int64),
        f0=stacked([row.f0 for row in rows], units_to_frames(length)),
        energy=stacked([row.energy for row in rows], units_to_frames(length)),
        audio=stacked([row.audio for row in rows], units_to_samples(length)),
    )


def _crop(store: FeatureStore, index: int, total: int, start: int, units: int) -> Crop:
    """A crop of an utterance at the speed at which it fills `total` units."""
    usual = int(store.units_total[index])
    if total == usual:
        return store.crop(index, start, units)
    changed = at_length(store.crop(index, 0, usual), total)
    frames = slice(units_to_frames(start), units_to_frames(start + units))
    samples = slice(units_to_samples(start), units_to_samples(start + units))
    return replace(
        changed,
        f0=changed.f0[frames],
        energy=changed.energy[frames],
        audio=changed.audio[samples],
    )


class StepDataset(Dataset[Batch]):
    """The batch of each training step, a function of the seed and the step's number alone.

    Several processes share each step: each process has all steps, and its own utterances of each
    step, or none if there are fewer utterances than processes.

    Attributes:
        schedule: which utterances a step sees, as positions into `indices`.
    """

    def __init__(
        self,
        store: FeatureStore,
        indices: NDArray[np.int64],
        budget: int,
        crop_units: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        speed: float = 0,
    ) -> None:
        """Steps over the utterances at `indices`, for process `rank` of `world`.

        Args:
            store: where they are read.
            indices: into the store.
            budget: units per step over all processes, see `batches`.
            crop_units: length of the crops.
            seed: of the run.
            rank: of this process, from 0.
            world: number of processes.
            speed: see `collate`.
        """
        self._store = store
        self._speed = speed
        self._indices = indices
        self._crop_units = crop_units
        self._seed = seed
        self._share = slice(rank, None, world)
        lengths = store.units_total[indices]
        self.schedule = Schedule(lengths, budget, crop_units, seed)

    def __getitem__(self, step: int) -> Batch:
        """This process' share of step `step`, counted from 0."""
        chosen = self._indices[self.schedule[step]]
        seed = (self._seed, step)
        return collate(self._store, chosen, self._crop_units, seed, self._share, self._speed)
