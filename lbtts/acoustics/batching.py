"""Which utterances a training step sees, and how they are put into tensors.

Shapes: B utterances, T tokens with BOS and EOS, C crop length in units.
"""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from lbtts.acoustics.features import FeatureStore
from lbtts.grid import units_to_frames, units_to_samples

_BUCKET = 16  # batches of similar length are cut from a stretch of this many batches


@dataclass(frozen=True)
class Batch:
    """Whole token sequences with their durations, and an equal-length crop of everything else."""

    ids: tuple[str, ...]
    tokens: Tensor  # [B, T] int64, zeros behind the EOS
    units: Tensor  # [B, T] int64, zeros behind the EOS
    crop_start: Tensor  # [B] int64, units
    crop_units: int  # C
    f0: Tensor  # [B, 2C] float32, Hz
    energy: Tensor  # [B, 2C] float32
    audio: Tensor  # [B, 600C] float32

    def to(self, device: torch.device) -> Self:
        """The batch with its tensors on `device`."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        moved: dict[str, Any] = {k: v.to(device) for k, v in values if isinstance(v, Tensor)}
        return replace(self, **moved)


def batches(
    units: NDArray[np.int64], budget: int, seed: int, epoch: int, crop_units: int | None = None
) -> list[NDArray[np.int64]]:
    """The epoch's batches of positions into `units`: each exactly once, similar lengths together.

    A batch holds as many utterances as fit `budget` when all are padded to its longest one, so that
    every batch costs about the same memory; one that does not fit alone has a batch of its own.
    The order follows from `seed` and `epoch` alone, so that any batch can be found again.

    Args:
        units: [n] int64, the length of each utterance.
        budget: units a batch, padding included.
        seed: of the run.
        epoch: from 0.
        crop_units: what of an utterance is used at most; None for the whole.
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
    """The share of the batches that is padding when each is padded to its longest, 0 to 1.

    Args:
        lengths: [n] of each utterance, in units or tokens.
        cut: the batches, as `batches` returns them.
    """
    padded = sum(len(batch) * int(lengths[batch].max()) for batch in cut)
    return 1 - sum(int(lengths[batch].sum()) for batch in cut) / padded


class Schedule:
    """Which utterances a step sees: epoch after epoch, an endless row of batches.

    Several processes take turns along the row: between them every utterance comes exactly once an
    epoch. A step is found from its number alone, so that a run can continue anywhere.
    """

    def __init__(
        self,
        units: NDArray[np.int64],
        budget: int,
        crop_units: int | None,
        seed: int,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        """Plans the steps of process `rank` of `world`; for the rest see `batches`."""
        self._units, self._budget = units, budget
        self._crop_units, self._seed = crop_units, seed
        self._rank, self._world = rank, world
        self._begins = [0]  # place in the row at which each epoch begins, as far as is known
        self._batches: tuple[int, list[NDArray[np.int64]]] = (-1, [])  # of the last epoch used

    def __getitem__(self, step: int) -> NDArray[np.int64]:
        """Positions of the utterances of step `step`, counted from 0."""
        place = step * self._world + self._rank
        while place >= self._begins[-1]:
            self._begins.append(self._begins[-1] + len(self.epoch(len(self._begins) - 1)))
        epoch = bisect.bisect_right(self._begins, place) - 1
        return self.epoch(epoch)[place - self._begins[epoch]]

    def epoch(self, epoch: int) -> list[NDArray[np.int64]]:
        """All batches of an epoch, over all processes."""
        if self._batches[0] != epoch:
            cut = batches(self._units, self._budget, self._seed, epoch, self._crop_units)
            self._batches = epoch, cut
        return self._batches[1]


def collate(
    store: FeatureStore,
    indices: Sequence[int] | NDArray[np.int64],
    crop_units: int,
    seed: tuple[int, ...],
) -> Batch:
    """A batch of the utterances at `indices`, cropped at places drawn from `seed`.

    Args:
        store: where they are read; of audio and frames only the crops.
        indices: into the store.
        crop_units: length of the crops; the shortest utterance's, where that is less.
        seed: non-negative numbers.
    """
    totals = store.units_total[np.asarray(indices)]
    length = min(crop_units, int(totals.min()))
    starts = np.random.default_rng(seed).integers(0, totals - length + 1)
    rows = [store.crop(int(i), int(s), length) for i, s in zip(indices, starts, strict=True)]
    assert all(len(row.f0) == units_to_frames(length) for row in rows)
    assert all(len(row.audio) == units_to_samples(length) for row in rows)
    return Batch(
        ids=tuple(row.id for row in rows),
        tokens=pad_sequence([torch.from_numpy(row.tokens) for row in rows], batch_first=True),
        units=pad_sequence([torch.from_numpy(row.units) for row in rows], batch_first=True),
        crop_start=torch.from_numpy(starts),
        crop_units=length,
        f0=torch.from_numpy(np.stack([row.f0 for row in rows])),
        energy=torch.from_numpy(np.stack([row.energy for row in rows])),
        audio=torch.from_numpy(np.stack([row.audio for row in rows])),
    )


class StepDataset(Dataset[Batch]):
    """The batch of each training step, a function of the seed and the step's number alone.

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
    ) -> None:
        """Plans steps over the utterances at `indices`, for process `rank` of `world`.

        Args:
            store: where they are read.
            indices: into the store.
            budget: units a step, see `batches`.
            crop_units: length of the crops.
            seed: of the run.
            rank: of this process, from 0.
            world: number of processes.
        """
        self._store = store
        self._indices = indices
        self._crop_units = crop_units
        self._seed, self._rank = seed, rank
        lengths = store.units_total[indices]
        self.schedule = Schedule(lengths, budget, crop_units, seed, rank, world)

    def __getitem__(self, step: int) -> Batch:
        """The batch of step `step`, counted from 0."""
        chosen = self._indices[self.schedule[step]]
        return collate(self._store, chosen, self._crop_units, (self._seed, step, self._rank))
