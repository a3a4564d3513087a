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
    apart = heard - heard.mean(0)
    ridge = _Ridge(apart)
    slope = np.empty((len(mean), heard.shape[1], STYLE))
    scores = {}
    for name, half in HALVES.items():
        scores[name] = _choose(ridge, weights[..., half])
        slope[..., half] = np.einsum(
            "ev,vkh->keh",
            apart.T @ ridge.inverse(scores[name].strength),
            (weights - mean)[..., half],
        )
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


class _Ridge:
    """Ridge regression on centred rows [V, E], for all strengths from one decomposition."""

    def __init__(self, apart: Array) -> None:
        self._values, self._vectors = np.linalg.eigh(apart @ apart.T)
        self._values = self._values.clip(0)
        self.scale = float(self._values.mean())

    def inverse(self, strength: float) -> Array:
        """(X Xᵀ + strength · scale · I)⁻¹, [V, V]."""
        return self._with(1 / (self._values + strength * self.scale))

    def smoother(self, strength: float) -> Array:
        """What turns voices' targets into their predictions, [V, V]; the mean is one of them."""
        shares = self._values / (self._values + strength * self.scale)
        return 1 / len(shares) + self._with(shares)

    def _with(self, values: Array) -> Array:
        return (self._vectors * values) @ self._vectors.T


def _choose(ridge: _Ridge, weights: Array) -> Score:
    """The score of the strength that has the least squared error on left-out voices.

    Args:
        ridge: of the voices' embeddings.
        weights: [V, 8, H] spline weights of one half of the voices' tables.
    """
    rows = np.einsum("nk,vkh->vnh", basis(_SCORED), weights)
    mean = _left_out(np.full((len(rows), len(rows)), 1 / len(rows)), rows)
    predicted = [_left_out(ridge.smoother(strength), rows) for strength in _STRENGTHS]
    errors = [float(np.square(rows - p).sum()) for p in predicted]
    best = int(np.argmin(errors))
    return Score(
        strength=float(_STRENGTHS[best]),
        left_out_r2=1 - errors[best] / float(np.square(rows - mean).sum()),
        left_out_cosine=_cosine(rows, predicted[best]),
        mean_voice_cosine=_cosine(rows, mean),
    )


def _left_out(smoother: Array, rows: Array) -> Array:
    """Each voice's rows [V, n, H] as predicted by a fit to the other voices."""
    residuals = rows - np.einsum("vw,wnh->vnh", smoother, rows)
    return rows - residuals / (1 - np.diag(smoother))[:, None, None]


def _cosine(a: Array, b: Array) -> float:
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return float(((a * b).sum(-1) / norms).mean())
