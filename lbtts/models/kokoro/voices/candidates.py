"""The table that a new voice begins with: of several, the one that sounds most like the speaker.

Candidates are the base's own voices, blends of them, and what the projection predicts. All of them
say the same sentences, a speaker encoder listens, and the one nearest to the recordings is taken.
A prediction that was never heard is none: on the published weights a projected table was further
from its speaker than the best published voice, though left-out voices were predicted well.

Shapes: V voices, K sentences, E numbers an embedding.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor

from lbtts.models.kokoro.voices.table import VoiceTable

PROJECTION, BLEND = "projection", "blend"

_MAIN_SHARE = 0.7  # of the nearest voice in a blend of two

Array = NDArray[np.float32]


def similarity(heard: Array, speaker: Array) -> float:
    """Mean cosine between embeddings [K, E] of what a voice says and a speaker's, [E]."""
    lengths = np.linalg.norm(heard, axis=1) * np.linalg.norm(speaker)
    return float((heard @ speaker / lengths).mean())


def blends(heard: Mapping[str, Array], speaker: Array) -> dict[str, dict[str, float]]:
    """Shares of voices, adding up to one, in mixtures that may sound like `speaker`, by name.

    One mixes all voices so that their mean embeddings come nearest to the speaker's; the others
    keep most of the nearest voice and add one voice that this mixture takes. How a mixture of
    tables sounds does not follow from how the voices sound, so each has to be heard.

    Args:
        heard: embeddings [K, E] of what each voice says.
        speaker: [E], mean embedding of the recordings.

    Source: Lawson and Hanson, "Solving Least Squares Problems", 1974, chapter 23, for the weights.
    """
    means = np.stack([embeddings.mean(0) for embeddings in heard.values()])
    weights, _ = nnls(means.T.astype(np.float64), speaker.astype(np.float64))
    shares = {
        name: float(share)
        for name, share in zip(heard, weights / max(weights.sum(), 1e-12), strict=True)
        if share > 0
    }
    if len(shares) < 2:
        return {}
    nearest = max(heard, key=lambda name: similarity(heard[name], speaker))
    pairs = {
        f"{nearest} with {other}": {nearest: _MAIN_SHARE, other: 1 - _MAIN_SHARE}
        for other in shares
        if other != nearest
    }
    return {BLEND: shares} | pairs


def mix(shares: Mapping[str, float], tables: Mapping[str, Tensor]) -> Tensor:
    """The table [510, 1, 256] float32 that mixes `tables` in these shares."""
    mixed = torch.stack([share * tables[name] for name, share in shares.items()]).sum(0)
    return VoiceTable(mixed).table()


def best(
    tables: Mapping[str, Tensor],
    heard: Mapping[str, Array],
    predicted: Tensor,
    speaker: Array,
    listen: Callable[[dict[str, Tensor]], dict[str, Array]],
) -> tuple[str, Tensor, dict[str, float]]:
    """The candidate that sounds most like the speaker: its name, its table, and all similarities.

    Args:
        tables: the base's own voices [510, 1, 256], by name.
        heard: embeddings [K, E] of what each says.
        predicted: the projection's table.
        speaker: [E], mean embedding of the recordings.
        listen: embeddings [K, E] of what tables say, by name; as slow as speaking.
    """
    made = {name: mix(shares, tables) for name, shares in blends(heard, speaker).items()}
    made[PROJECTION] = predicted
    scores = {
        name: similarity(embeddings, speaker)
        for name, embeddings in {**heard, **listen(made)}.items()
    }
    name = max(scores, key=scores.__getitem__)
    return name, {**tables, **made}[name], scores
