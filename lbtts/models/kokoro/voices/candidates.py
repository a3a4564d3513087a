"""The initial table of a new voice: the candidate whose speech is most similar to the speaker's.

Candidates are the base's own voices, blends of them, and the table that the projection predicts.
All of them speak the same sentences, a speaker encoder embeds their speech, and the one nearest to
the recordings is taken. The predicted table has to be spoken too: with the published weights a
predicted table was further from its speaker than the best published voice, although left-out voices
were predicted well.

Shapes: V voices, K sentences, E numbers per embedding.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor

from lbtts.models.kokoro.voices.table import VoiceTable

PROJECTION, BLEND = "projection", "blend"

_MAIN_SHARE = 0.7  # of the most similar voice in a blend of two

Array = NDArray[np.float32]


def similarity(embeddings: Array, speaker: Array) -> float:
    """Mean cosine between a voice's embeddings [K, E] and a speaker's embedding [E]."""
    lengths = np.linalg.norm(embeddings, axis=1) * np.linalg.norm(speaker)
    return float((embeddings @ speaker / lengths).mean())


def blends(embeddings: Mapping[str, Array], speaker: Array) -> dict[str, dict[str, float]]:
    """Mixtures that may sound like `speaker`, by name: shares of voices that sum to one.

    One mixes all voices so that the mixture of their mean embeddings is nearest to the speaker's.
    The others mix the most similar voice with one voice of this mixture each. The sound of a
    mixture of tables cannot be predicted from the voices, so each has to be spoken and embedded.

    Args:
        embeddings: [K, E], of each voice's speech.
        speaker: [E], mean embedding of the recordings.

    Source: Lawson and Hanson, "Solving Least Squares Problems", 1974, chapter 23, for the weights.
    """
    means = np.stack([spoken.mean(0) for spoken in embeddings.values()])
    weights, _ = nnls(means.T.astype(np.float64), speaker.astype(np.float64))
    shares = {
        name: float(share)
        for name, share in zip(embeddings, weights / max(weights.sum(), 1e-12), strict=True)
        if share > 0
    }
    if len(shares) < 2:
        return {}
    nearest = max(embeddings, key=lambda name: similarity(embeddings[name], speaker))
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
    embeddings: Mapping[str, Array],
    predicted: Tensor,
    speaker: Array,
    embed: Callable[[dict[str, Tensor]], dict[str, Array]],
) -> tuple[str, Tensor, dict[str, float]]:
    """The candidate most similar to the speaker: its name, its table, and all similarities.

    Args:
        tables: the base's own voices [510, 1, 256], by name.
        embeddings: [K, E], of each voice's speech.
        predicted: the projection's table.
        speaker: [E], mean embedding of the recordings.
        embed: the embeddings [K, E] of the speech with given tables, by name; it is slow.
    """
    made = {name: mix(shares, tables) for name, shares in blends(embeddings, speaker).items()}
    made[PROJECTION] = predicted
    scores = {
        name: similarity(spoken, speaker) for name, spoken in {**embeddings, **embed(made)}.items()
    }
    name = max(scores, key=scores.__getitem__)
    return name, {**tables, **made}[name], scores
