"""From what a speaker encoder hears to a voice table, learned on voices whose tables are known.

The style of embedding e at string length n is modelled as mean(n) + (e - heard(n)) @ slope(n):
`mean` is the mean table of the known voices, `heard` the embedding of that mean voice. `mean` and
`slope` follow length through the spline basis of `lbtts.models.kokoro.voices.table`. Ridge
regression with an unpenalised mean gives a sum of the known tables with weights that add up to one;
the new voice thus lies among them, drawn towards their mean the more, the less embeddings say
about styles.

Source: Hoerl and Kennard, "Ridge Regression", Technometrics 12 (1970); strength by the residuals
that each voice has when it is left out, which follow from one fit: Allen, "The Relationship Between
Variable Selection and Data Augmentation", Technometrics 16 (1974).

Shapes: V voices, K sentences, E numbers an embedding, 8 splines, 256 numbers a style.
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

_FEWEST = 4  # voices: with each in turn left out, three are left to say what differs between them
_STRENGTHS = np.logspace(-3, 3, 31)  # times the mean variance of the voices along one direction
_LENGTHS = np.arange(1, TABLE_ROWS + 1)
_SCORED = np.unique(np.geomspace(1, TABLE_ROWS, 24).round().astype(np.int64))  # lengths

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """How well one half of a left-out voice's style is predicted, means over voices and lengths.

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
        heard: [510, E] float64, embedding of the mean voice at each length.
        reach: [510, 256] float64, distance of the furthest voice from the mean voice at each
            length, in the half that a number belongs to.
        scores: of the halves `decoder` and `prosody`.
    """

    mean: Array
    slope: Array
    heard: Array
    reach: Array
    scores: dict[str, Score]

    def table(self, expected: Array) -> Tensor:
        """The voice table [510, 1, 256] float32 of a speaker with these embeddings [510, E].

        It goes no further from the mean voice than the furthest known voice: a room or microphone
        unlike any that the base can imitate may sound like a speaker far beyond them all.
        """
        apart = expected - self.heard
        splines = basis(_LENGTHS)
        change = np.zeros_like(self.reach)
        for weight, slope in zip(splines.T, self.slope, strict=True):
            change += weight[:, None] * (apart @ slope)
        rows = splines @ self.mean + change * np.minimum(1, self.reach / _sizes(change))
        return VoiceTable(torch.from_numpy(rows).float()[:, None]).table()

    def initial(
        self, ids: tuple[str, ...], embeddings: NDArray[np.float32], lengths: NDArray[np.int64]
    ) -> InitialVoice:
        """Where the training of a speaker's voice begins.

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
        """The projection [E, 256] float32 in the mean over strings of these lengths [N]."""
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
    """Lets tables [510, 1, 256] pass from which a projection can be learned.

    Raises:
        InputError: there are too few that differ.
    """
    different = len({table.numpy().tobytes() for table in tables})
    if different < _FEWEST:
        raise InputError(
            f"models/base/voices.safetensors: {different} different voices, but a projection is "
            f"learned from {_FEWEST} or more; put more into `voices` beside base.path, or none"
        )


def fit(
    embeddings: NDArray[np.float32], lengths: NDArray[np.int64], tables: list[Tensor]
) -> Projection:
    """The projection that predicts left-out voices best, each half with its own ridge strength.

    Args:
        embeddings: [V, K, E] float32, what the encoder heard of each voice; all spoke the same.
        lengths: [K] int64, symbols of the sentences' phoneme strings.
        tables: V of [510, 1, 256] float32, the voices' own, which `check` lets pass.
    """
    weights = np.stack([VoiceTable(table).weights.detach().double().numpy() for table in tables])
    mean, heard = weights.mean(0), embeddings.astype(np.float64).mean(1)
    slope = np.empty((len(mean), heard.shape[1], STYLE))
    scores = {}
    for name, half in HALVES.items():
        ridge, scores[name] = _choose(heard, weights[..., half])
        fitted = ridge.fit(heard, weights[..., half].reshape(len(heard), -1)).coef_
        slope[..., half] = fitted.reshape(len(mean), -1, heard.shape[1]).swapaxes(1, 2)
    return Projection(
        mean=mean,
        slope=slope,
        heard=expected_embedding(embeddings.mean(0), lengths),
        reach=_sizes(np.einsum("nk,vkh->vnh", basis(_LENGTHS), weights - mean)).max(0),
        scores=scores,
    )


def _sizes(styles: Array) -> Array:
    """Norms of the halves of `styles` [..., 256], above zero, each as often as its half is wide."""
    sizes = np.empty_like(styles)
    for half in HALVES.values():
        sizes[..., half] = np.linalg.norm(styles[..., half], axis=-1, keepdims=True)
    return sizes.clip(np.finfo(np.float64).tiny)


def _choose(heard: Array, weights: Array) -> tuple[Ridge, Score]:
    """The ridge that predicts left-out voices with the least squared error, and how well it does.

    Args:
        heard: [V, E], each voice's mean embedding.
        weights: [V, 8, H] spline weights of one half of the voices' tables.
    """
    rows = np.einsum("nk,vkh->vnh", basis(_SCORED), weights)
    scale = float(np.square(heard - heard.mean(0)).sum()) / len(heard)
    searched = RidgeCV(
        _STRENGTHS * scale, scoring="neg_mean_squared_error", store_cv_results=True
    ).fit(heard, rows.reshape(len(rows), -1))
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
