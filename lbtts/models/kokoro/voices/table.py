"""The voice table: one style row for each phoneme-string length, smooth by construction.

A table is `basis @ weights`: a few cubic splines over log length times a learned matrix. So rows
change only gradually, as in the published tables, and lengths that the corpus lacks are similar to
their neighbours.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from torch import Tensor, nn

from lbtts.errors import InputError
from lbtts.models.kokoro.weights.checkpoint import load_tensors
from lbtts.models.kokoro.weights.facts import DECODER_STYLE, STYLE, TABLE_ROWS, table_row

_NOTES = "notes"  # the only entry of the file's metadata, which safetensors writes in any order
_SPLINES = 8  # functions in the basis
_LENGTH_OFFSET = 5  # symbols; rows 1 and 2 of the published tables differ less than log 2
_SHRINKAGE = 10.0  # penalty on the difference of neighbouring lengths, in utterances

# Norms by string length, and the angle between the shortest strings and those of about 50 symbols,
# in radians: means over the tables af_heart, am_adam, am_michael and bm_george of
# hexgrad/Kokoro-82M.
_PROSODY_NORM = {1: 5.3, 6: 3.7, 21: 2.6, 51: 2.05, 101: 1.85, 510: 1.8}
_DECODER_NORM = {1: 2.4, 6: 2.1, 21: 2.0, 510: 2.0}
_ROTATION, _ROTATION_ENDS = 0.65, 51

Array = NDArray[np.float64]


def log_length(symbols: NDArray[np.int64]) -> Array:
    """Phoneme-string lengths 1 to 510 on a logarithmic scale from 0 to 1, float64."""
    return np.log((symbols + _LENGTH_OFFSET) / (1 + _LENGTH_OFFSET)) / np.log(
        (TABLE_ROWS + _LENGTH_OFFSET) / (1 + _LENGTH_OFFSET)
    )


def basis(symbols: NDArray[np.int64]) -> Array:
    """Cubic splines [n, 8] float64 at string lengths [n]; each row sums to one."""
    inner = np.linspace(0, 1, _SPLINES - 2)
    knots = np.r_[[0.0] * 3, inner, [1.0] * 3]
    return BSpline.design_matrix(log_length(symbols), knots, 3).toarray()


def _all_lengths() -> NDArray[np.int64]:
    return np.arange(1, TABLE_ROWS + 1)


class VoiceTable(nn.Module):
    """A trainable voice table: `weights` [8, 256] over a fixed basis [510, 8].

    In training, the deviation of an utterance's speaker embedding from the embedding expected at
    its length, times `projection` [E, 256], may be added to its row. Then the peculiarities of
    single utterances are not averaged into the table. Inference uses only the table, so training
    drops deviations at random.
    """

    basis: Tensor

    def __init__(self, table: Tensor, projection: Tensor | None = None) -> None:
        """Fits the weights to `table` [510, 1, 256] float32 by least squares.

        Args:
            table: the initial table.
            projection: [E, 256] float32, the initial projection; None for inference.
        """
        super().__init__()
        fixed = basis(_all_lengths())
        weights = np.linalg.lstsq(fixed, table[:, 0].double().numpy(), rcond=None)[0]
        self.register_buffer("basis", torch.from_numpy(fixed).float(), persistent=False)
        self.weights = nn.Parameter(torch.from_numpy(weights).float())
        self.projection = None if projection is None else nn.Parameter(projection.clone())
        self.register_buffer("origin", self.weights.detach().clone(), persistent=False)

    def rows(self, lengths: Tensor, deviations: Tensor | None = None) -> Tensor:
        """Style rows [B, 256].

        Args:
            lengths: [B] int64, tokens with BOS and EOS.
            deviations: [B, E] float32; None for the table alone.
        """
        rows = self.basis[table_row(lengths)] @ self.weights
        if deviations is None:
            return rows
        assert self.projection is not None, "a table for inference has no projection"
        return rows + deviations @ self.projection

    def drift(self) -> Tensor:
        """The change of the table, a scalar: mean squared distance of rows over their squared norm.

        As a loss it keeps a long training near the styles that the base knows.
        Source: the L2-SP penalty of Li et al., https://arxiv.org/abs/1802.01483.
        """
        origin = self.get_buffer("origin")
        moved = (self.basis @ (self.weights - origin)).square().sum(1)
        return (moved / (self.basis @ origin).square().sum(1).clamp(min=1e-6)).mean()

    def table(self) -> Tensor:
        """The whole table [510, 1, 256] float32, as stock kokoro reads it."""
        return (self.basis @ self.weights)[:, None].detach()


@dataclass(frozen=True)
class InitialVoice:
    """The initial voice of a training.

    Attributes:
        ids: N training utterances, ascending.
        table: [510, 1, 256] float32.
        projection: [E, 256] float32, from a deviation of the embedding to one of the row.
        deviations: [N, E] float32, each utterance's embedding less what its length lets expect.
        embeddings: [N, E] float32, of which all this was made.
        nearest: the base's own voice that sounds most like the speaker; empty without voices.
    """

    ids: tuple[str, ...]
    table: Tensor
    projection: Tensor
    deviations: Tensor
    embeddings: Tensor
    nearest: str = ""

    def save(self, path: str | Path) -> None:
        """Writes it into one file."""
        tensors = {
            "table": self.table.contiguous(),
            "projection": self.projection.contiguous(),
            "deviations": self.deviations.contiguous(),
            "embeddings": self.embeddings.contiguous(),
        }
        notes = json.dumps({"ids": self.ids, "nearest": self.nearest})
        safetensors.torch.save_file(tensors, path, {_NOTES: notes})

    @classmethod
    def load(cls, path: str | Path) -> "InitialVoice":
        """What `save` wrote.

        Raises:
            InputError: the file is missing, damaged, or of an older layout.
        """
        tensors = load_tensors(path)
        try:
            with safetensors.safe_open(path, "pt") as file:
                notes = json.loads(file.metadata()[_NOTES])
            return cls(
                ids=tuple(notes["ids"]),
                table=tensors["table"],
                projection=tensors["projection"],
                deviations=tensors["deviations"],
                embeddings=tensors["embeddings"],
                nearest=notes["nearest"],
            )
        except (KeyError, TypeError) as error:
            raise InputError(f"{path}: lacks {error}; run `dvc repro -s -f voice`") from error


def expected_embedding(embeddings: NDArray[np.float32], lengths: NDArray[np.int64]) -> Array:
    """The embedding expected at each string length, [510, E] float64, by penalised splines.

    At rare or missing lengths it is similar to that of the nearest frequent ones.

    Args:
        embeddings: [N, E] float32, one per utterance.
        lengths: [N] int64, symbols of each utterance's phoneme string, 1 to 510.

    Source: Eilers and Marx, "Flexible Smoothing with B-splines and Penalties", Statistical
    Science 11 (1996).
    """
    columns = basis(lengths)
    slope = np.diff(np.eye(_SPLINES), axis=0)
    gram = columns.T @ columns + _SHRINKAGE * slope.T @ slope
    return basis(_all_lengths()) @ np.linalg.lstsq(gram, columns.T @ embeddings, rcond=None)[0]


def initial(
    ids: tuple[str, ...], embeddings: NDArray[np.float32], lengths: NDArray[np.int64], seed: int
) -> InitialVoice:
    """The initial voice for a base that has no voices.

    A random projection drawn from `seed` maps the embedding expected at each length to a style.
    Norms and the rotation of short strings follow the published tables. No published voice is
    copied.

    Args:
        ids: N utterances, ascending.
        embeddings: [N, E] float32, E >= 1, one per utterance.
        lengths: [N] int64, symbols of each utterance's phoneme string, 1 to 510.
        seed: of the projection.
    """
    expected = expected_embedding(embeddings, lengths)
    draw = np.random.default_rng(seed)
    halves, projections = [], []
    for anchors in (_DECODER_NORM, _PROSODY_NORM):
        norms = _over_length(anchors)
        projection = draw.standard_normal((embeddings.shape[1], STYLE - DECODER_STYLE))
        style = _unit(expected @ projection)
        turned = draw.standard_normal(DECODER_STYLE)
        turned = _unit(turned - style * (style @ turned)[:, None])
        angle = _over_length({1: _ROTATION, _ROTATION_ENDS: 0.0, TABLE_ROWS: 0.0})[:, None]
        halves.append(norms[:, None] * (np.cos(angle) * style + np.sin(angle) * turned))
        scale = (norms / np.linalg.norm(expected @ projection, axis=1))[lengths - 1].mean()
        projections.append(scale * projection)
    table = torch.from_numpy(np.concatenate(halves, axis=1)).float()[:, None]
    return InitialVoice(
        ids,
        VoiceTable(table).table(),
        torch.from_numpy(np.concatenate(projections, axis=1)).float(),
        torch.from_numpy(embeddings - expected[lengths - 1]).float(),
        torch.from_numpy(embeddings),
    )


def _over_length(anchors: dict[int, float]) -> Array:
    """Values [510] between anchors at given lengths, linear in log length."""
    at = log_length(np.array(list(anchors)))
    return np.interp(log_length(_all_lengths()), at, list(anchors.values()))


def _unit(x: Array) -> Array:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)
