"""The projection from speaker embeddings to a voice table, learned from voices with known tables.

The style of embedding e at string length n is modelled as mean(n) + (e - embedding(n)) @ slope(n):
`mean` is the mean table of the known voices, `embedding` the embedding of that mean voice. `mean`
and `slope` depend on length through the spline basis of `lbtts.models.kokoro.voices.table`. Ridge
regression with an unpenalised mean gives a sum of the known tables with weights that add up to one.
So the new voice lies among them, and the less embeddings predict styles, the nearer to their mean.

Source: Hoerl and Kennard, "Ridge Regression", Technometrics 12 (1970); strength by the residuals
that each voice has when it is left out, which follow from one fit: Allen, "The Relationship Between
Variable Selection and Data Augmentation", Technometrics 16 (1974).

Shapes: V voices, K sentences, E numbers per embedding, 8 splines, 256 numbers per style.
"""

from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import Ridge, RidgeCV
from torch import Tensor

from lbtts.errors import InputError
from lbtts.models.kokoro.voices.table import InitialVoice, VoiceTable, basis, expected_embedding
from lbtts.models.kokoro.weights.facts import DECODER_STYLE, STYLE, TABLE_ROWS

HALVES = {"decoder": slice(0, DECODER_STYLE), "prosody": slice(DECODER_STYLE, STYLE)}

_FEWEST = 4  # voices: when each is left out in turn, three remain to show how voices differ
_STRENGTHS = np.logspace(-3, 3, 31)  # times the mean variance of the voices along one direction
_LENGTHS = np.arange(1, TABLE_ROWS + 1)
_SCORED = np.unique(np.geomspace(1, TABLE_ROWS, 24).round().astype(np.int64))  # lengths

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """The prediction of one half of left-out voices' styles, means over voices and lengths.

    Attributes:
        strength: of the ridge, relative to the mean variance of the voices along one direction.
        left_out_r2: share explained of the squared distance from the mean of the other voices.
        left_out_cosine: between predicted and true styles.
        mean_voice_cosine: between the mean of the other voices and true styles.
    """

    strength: float
    left_out_r2: float
    left_out_cosine: float
    mean_voice_cosine: float


@dataclass(frozen=True)
class Projection:
    """A fitted model of style given embedding and length.

    Attributes:
        mean: [8, 256] float64, spline weights of the mean voice's table.
        slope: [8, E, 256] float64, likewise of the projection.
        embedding: [510, E] float64, embedding of the mean voice at each length.
        reach: [510, 256] float64, distance of the furthest voice from the mean voice at each
            length, in the same half of the style.
        scores: of the halves `decoder` and `prosody`.
    """

    mean: Array
    slope: Array
    embedding: Array
    reach: Array
    scores: dict[str, Score]

    def table(self, expected: Array) -> Tensor:
        """The voice table [510, 1, 256] float32 of a speaker with these embeddings [510, E].

        It is at most as far from the mean voice as the furthest known voice: a room or microphone
        that the base cannot imitate may look like a speaker far outside them all.
        """
        apart = expected - self.embedding
        splines = basis(_LENGTHS)
        change = np.zeros_like(self.reach)
        for weight, slope in zip(splines.T, self.slope, strict=True):
            change += weight[:, None] * (apart @ slope)
        rows = splines @ self.mean + change * np.minimum(1, self.reach / _sizes(change))
        return VoiceTable(torch.from_numpy(rows).float()[:, None]).table()

    def initial(
        self, ids: tuple[str, ...], embeddings: NDArray[np.float32], lengths: NDArray[np.int64]
    ) -> InitialVoice:
        """The initial voice of a speaker.

        Args:
            ids: N utterances, ascending.
            embeddings: [N, E] float32, one per utterance.
            lengths: [N] int64, symbols of each utterance's phoneme string.
        """
        expected = expected_embedding(embeddings, lengths)
        return InitialVoice(
            ids=ids,
            table=self.table(expected),
            projection=self.at(lengths),
            deviations=torch.from_numpy(embeddings - expected[lengths - 1]).float(),
            embeddings=torch.from_numpy(embeddings),
        )

    def at(self, lengths: NDArray[np.int64]) -> Tensor:
        """The mean projection [E, 256] float32 over strings of these lengths [N]."""
        weights = basis(lengths).mean(0)
        return torch.from_numpy(np.einsum("k,keh->eh", weights, self.slope)).float()

    def metrics(self) -> dict[str, float]:
        """The scores, flat and rounded, for the metrics."""
        return {
            f"{half}_{name}": round(value, 4)
            for half, score in self.scores.items()
            for name, value in asdict(score).items()
        }


def check(tables: list[Tensor]) -> None:
    """Checks that a projection can be learned from tables [510, 1, 256].

    Raises:
        InputError: there are too few that differ.
    """
    different = len({table.numpy().tobytes() for table in tables})
    if different < _FEWEST:
        raise InputError(
            f"models/base/voices.safetensors: {different} different voices, but a projection is "
            f"learned from {_FEWEST} or more; put more or none into `voices` beside base.path"
        )


def fit(
    embeddings: NDArray[np.float32], lengths: NDArray[np.int64], tables: list[Tensor]
) -> Projection:
    """The projection that predicts left-out voices best, each half with its own ridge strength.

    Args:
        embeddings: [V, K, E] float32, of each voice's speech; all spoke the same sentences.
        lengths: [K] int64, symbols of the sentences' phoneme strings.
        tables: V of [510, 1, 256] float32, of the same voices; `check` accepts them.
    """
    weights = np.stack([VoiceTable(table).weights.detach().double().numpy() for table in tables])
    mean, spoken = weights.mean(0), embeddings.astype(np.float64).mean(1)
    slope = np.empty((len(mean), spoken.shape[1], STYLE))
    scores = {}
    for name, half in HALVES.items():
        ridge, scores[name] = _choose(spoken, weights[..., half])
        fitted = ridge.fit(spoken, weights[..., half].reshape(len(spoken), -1)).coef_
        slope[..., half] = fitted.reshape(len(mean), -1, spoken.shape[1]).swapaxes(1, 2)
    return Projection(
        mean=mean,
        slope=slope,
        embedding=expected_embedding(embeddings.mean(0), lengths),
        reach=_sizes(np.einsum("nk,vkh->vnh", basis(_LENGTHS), weights - mean)).max(0),
        scores=scores,
    )


def _sizes(styles: Array) -> Array:
    """Norms of the halves of `styles`, positive, repeated to the shape of `styles` [..., 256]."""
    sizes = np.empty_like(styles)
    for half in HALVES.values():
        sizes[..., half] = np.linalg.norm(styles[..., half], axis=-1, keepdims=True)
    return sizes.clip(np.finfo(np.float64).tiny)


def _choose(embeddings: Array, weights: Array) -> tuple[Ridge, Score]:
    """The ridge that predicts left-out voices with the least squared error, and its score.

    Args:
        embeddings: [V, E], each voice's mean embedding.
        weights: [V, 8, H] spline weights of one half of the voices' tables.
    """
    rows = np.einsum("nk,vkh->vnh", basis(_SCORED), weights)
    scale = float(np.square(embeddings - embeddings.mean(0)).sum()) / len(embeddings)
    searched = RidgeCV(
        _STRENGTHS * scale, scoring="neg_mean_squared_error", store_cv_results=True
    ).fit(embeddings, rows.reshape(len(rows), -1))
    best = int(np.argmin(np.abs(_STRENGTHS * scale - searched.alpha_)))
    predicted = searched.cv_results_[..., best].reshape(rows.shape)
    mean = (len(rows) * rows.mean(0) - rows) / (len(rows) - 1)  # of the other voices
    error, floor = float(np.square(rows - predicted).sum()), float(np.square(rows - mean).sum())
    return Ridge(searched.alpha_), Score(
        strength=float(_STRENGTHS[best]),
        left_out_r2=1 - error / floor,
        left_out_cosine=_cosine(rows, predicted),
        mean_voice_cosine=_cosine(rows, mean),
    )


def _cosine(a: Array, b: Array) -> float:
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return float(((a * b).sum(-1) / norms).mean())
