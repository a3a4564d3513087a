"""Which utterances a training step sees, and how they are put into tensors.

Shapes: B utterances, T tokens with BOS and EOS, C crop length in units.
"""

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


def batches(units: NDArray[np.int64], size: int, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """The epoch's batches of positions into `units`: each exactly once, similar lengths together.

    The order follows from `seed` and `epoch` alone, so that any batch can be found again. The last
    batch may be smaller.

    Args:
        units: [n] int64, the length of each utterance.
        size: utterances a batch.
        seed: of the run.
        epoch: from 0.
    """
    draw = np.random.default_rng((seed, epoch))
    order = draw.permutation(len(units))
    stretch = size * _BUCKET
    cut = []
    for begin in range(0, len(order), stretch):
        part = order[begin : begin + stretch]
        part = part[np.argsort(units[part], kind="stable")]
        cut += [part[i : i + size] for i in range(0, len(part), size)]
    return [cut[i] for i in draw.permutation(len(cut))]


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
    """The batch of each training step, a function of the seed and the step's number alone."""

    def __init__(
        self,
        store: FeatureStore,
        indices: NDArray[np.int64],
        size: int,
        crop_units: int,
        seed: int,
    ) -> None:
        """Plans steps over the utterances at `indices`, `size` a step, epoch after epoch."""
        self._store = store
        self._indices = indices
        self._size = size
        self._crop_units = crop_units
        self._seed = seed
        self._epoch: tuple[int, list[NDArray[np.int64]]] = (-1, [])

    def __getitem__(self, step: int) -> Batch:
        """The batch of step `step`, counted from 0."""
        epoch, position = divmod(step, -(-len(self._indices) // self._size))
        if self._epoch[0] != epoch:
            lengths = self._store.units_total[self._indices]
            self._epoch = epoch, batches(lengths, self._size, self._seed, epoch)
        chosen = self._indices[self._epoch[1][position]]
        return collate(self._store, chosen, self._crop_units, (self._seed, step))
