"""The mels of the utterances in the feature file, made when they are first wanted."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lbtts.acoustics.store.features import FeatureStore
from lbtts.models.transformer.mel import N_MELS, log_mel

_SAMPLE = 200  # utterances from which mean and spread are taken


class Mels:
    """Log-mels of a feature file's audio, kept in memory as float16: 50 MB per hour of speech."""

    def __init__(self, store: FeatureStore) -> None:
        """Takes the features; nothing is read yet."""
        self._store = store
        self._known: dict[int, NDArray[np.float16]] = {}

    def of(self, index: int) -> NDArray[np.float16]:
        """The log-mel [F, 80] of the utterance at `index` in the store."""
        if index not in self._known:
            whole = self._store.crop(index, 0, int(self._store.units_total[index]))
            self._known[index] = log_mel(whole.audio.astype(np.float32)).astype(np.float16)
        return self._known[index]

    def batch(self, indices: Sequence[int], multiple: int) -> tuple[Tensor, Tensor]:
        """Log-mels [B, F, 80] float32, their last frames repeated, and frames [B] int64.

        Args:
            indices: in the store.
            multiple: F is a multiple of it.
        """
        found = [self.of(index) for index in indices]
        frames = torch.tensor([len(mel) for mel in found])
        longest = -(-int(frames.max()) // multiple) * multiple
        whole = np.zeros((len(found), longest, N_MELS), np.float32)
        for row, mel in zip(whole, found, strict=True):
            row[: len(mel)] = mel
            row[len(mel) :] = mel[-1]
        return torch.from_numpy(whole), frames

    def statistics(self, indices: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Mean and spread [80] float32 of each band, over an even choice of utterances."""
        count = min(_SAMPLE, len(indices))
        chosen = indices[np.arange(count) * len(indices) // count]
        values = np.concatenate([self.of(int(i)) for i in chosen]).astype(np.float64)
        mean, spread = values.mean(0), np.maximum(values.std(0), 1e-3)
        return torch.from_numpy(mean).float(), torch.from_numpy(spread).float()
