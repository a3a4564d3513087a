"""The release folder of the baseline: weights, configuration, symbols, front end."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lbtts import languages
from lbtts.errors import InputError
from lbtts.languages import exported
from lbtts.models.speech import Speaker
from lbtts.models.transformer import weights
from lbtts.params import Params
from lbtts.paths import ADDITIONS, EXPORT, FINETUNED, LEXICON, PLANNED
from lbtts.records import read_json, write_json
from lbtts.text.tokens import shortest_plans

VOICE = "voice.json"


def make(p: Params) -> dict[str, Any]:
    """Writes `models/export` and proves that it speaks as the trained network does.

    Raises:
        InputError: it does not.
    """
    network = weights.load(FINETUNED)
    shutil.rmtree(EXPORT, ignore_errors=True)
    weights.save(network, EXPORT)
    write_json(
        EXPORT / VOICE,
        {
            "name": p.export.voice,
            "vocoder": p.transformer.vocoder,
            "hifigan": p.transformer.hifigan,
        },
    )
    exported.write(EXPORT, languages.get(p.language), ADDITIONS, LEXICON)
    (plan,) = shortest_plans(PLANNED, 1)
    tokens = torch.tensor([plan.input_ids])
    one, other = (n.inference(tokens).mel.numpy() for n in (network, weights.load(EXPORT)))
    if not np.array_equal(one, other):
        raise InputError(
            f"{EXPORT}: speaks otherwise than {FINETUNED}; run `dvc repro -s -f export`"
        )
    size = sum(path.stat().st_size for path in EXPORT.rglob("*") if path.is_file())
    origin = {"base": read_json(FINETUNED / "provenance.json")["base"]}
    return origin | network.model_info() | {"folder_megabytes": round(size / 1e6, 1)}


def rounded(p: Params) -> Iterator[tuple[str, Path, Speaker]]:
    """No smaller form: the network is small."""
    return iter(())
