"""What a voice table is like beside the published ones, and what its length dependence is worth.

A table whose rows are all its own mean says who speaks, but not how long the sentence is. What the
held-out loss gains from the rest is what the length tells.
"""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from kokoro import KModel
from torch import Tensor

from lbtts.acoustics.store.features import FeatureStore
from lbtts.models.kokoro.network.trainable import Kokoro
from lbtts.models.kokoro.recipe import KokoroRecipe
from lbtts.models.kokoro.voices.table import InitialVoice, VoiceTable
from lbtts.models.kokoro.weights.facts import DECODER_STYLE, STYLE, TABLE_ROWS
from lbtts.params import Params
from lbtts.training import validation

PUBLISHED = ("af_heart", "am_adam", "am_michael", "bm_george")
ROWS = (0, 50, 100, 509)


def _norm(row: int, half: slice) -> Callable[[Tensor], Tensor]:
    return lambda table: table[row, half].norm()


MEASURES: dict[str, Callable[[Tensor], Tensor]] = {
    "least cosine of neighbours": lambda t: torch.cosine_similarity(t[1:], t[:-1], dim=1).min(),
    "cosine of rows 0 and 50": lambda t: torch.cosine_similarity(t[0], t[50], dim=0),
    **{f"decoder norm, row {k}": _norm(k, slice(0, DECODER_STYLE)) for k in ROWS},
    **{f"prosody norm, row {k}": _norm(k, slice(DECODER_STYLE, STYLE)) for k in ROWS},
}


def shapes(tables: dict[str, Tensor], published: Path) -> dict[str, dict[str, float | list[float]]]:
    """Each measure of each table [510, 1, 256], and its least and greatest over published tables.

    Args:
        tables: by name.
        published: the folder of the published ones, raw little-endian float32.
    """
    theirs = [
        torch.from_numpy(np.fromfile(published / f"{name}.bin", "<f4")).view(TABLE_ROWS, STYLE)
        for name in PUBLISHED
    ]
    found: dict[str, dict[str, float | list[float]]] = {}
    for measure, of in MEASURES.items():
        known = sorted(float(of(table)) for table in theirs)
        ours = {name: round(float(of(table[:, 0])), 5) for name, table in tables.items()}
        found[measure] = {**ours, "published": [round(known[0], 5), round(known[-1], 5)]}
    return found


def constant(table: Tensor, symbols: Tensor) -> Tensor:
    """The mean of the rows for strings of `symbols` [n] int64, at every length: [510, 1, 256]."""
    return table[symbols - 1].mean(0, keepdim=True).expand_as(table).contiguous()


def losses(
    model: KModel, table: Tensor, voice: InitialVoice, store: FeatureStore, p: Params
) -> dict[str, dict[str, float]]:
    """The mean held-out losses with the table and with two kinds of its mean row.

    Args:
        model: in eval mode.
        table: [510, 1, 256] float32, trained with it.
        voice: that its training started from.
        store: features; what training is chosen by is heard.
        p: how it was trained.
    """
    trained = torch.from_numpy(store.tokens_total[store.indices("train")] - 2)
    tables = {
        "as trained": table,
        "mean row of the lengths in training": constant(table, trained),
        "mean row of all lengths": constant(table, torch.arange(1, TABLE_ROWS + 1)),
    }
    everything = {"validation_utterances": len(store.indices("test"))}
    train = p.train.model_copy(update=everything)
    device = torch.device("cpu")
    recipe = KokoroRecipe(model, {}, voice, store, train, p.kokoro, device, nullcontext)
    weights = recipe.weights(train.steps)
    found = {}
    for name, rows in tables.items():
        network = Kokoro(model, VoiceTable(rows))
        losses = validation.losses(network, recipe, store, train)
        total = sum(weights.get(loss, 0.0) * value for loss, value in losses.items())
        found[name] = losses | {"total": total}
    return found
