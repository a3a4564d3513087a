"""Speaker embeddings of the base's voices, from their speech."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from joblib import Parallel, delayed
from kokoro import KModel
from numpy.typing import NDArray
from torch import Tensor

from lbtts.acoustics.measuring import speaker
from lbtts.errors import InputError
from lbtts.models.kokoro.weights import checkpoint
from lbtts.models.kokoro.weights.facts import table_row
from lbtts.models.randomness import seeded_noise
from lbtts.params import Voice
from lbtts.threads import one_thread

_SENTENCES = 6  # that every voice speaks
_AUDIBLE = 1e-4  # of full scale
_NOISE = 0  # seed of SineGen's noise, the same for every voice


def representative(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices of at most six utterances, evenly chosen by their lengths [N], shortest first."""
    count = min(_SENTENCES, len(lengths))
    middles = (2 * np.arange(count) + 1) * len(lengths) // (2 * count)
    return np.argsort(lengths, kind="stable")[middles]


def embed_voices(
    base: Path,
    tables: dict[str, Tensor],
    sentences: list[NDArray[np.int64]],
    voice: Voice,
    parallel: Parallel,
) -> Iterator[NDArray[np.float32]]:
    """The result of `embed_voice` for every voice, in the order of `tables`."""
    return parallel(
        delayed(_embed_voice)(base.resolve(), name, table, sentences, voice)
        for name, table in tables.items()
    )


def _embed_voice(
    base: Path, name: str, table: Tensor, sentences: list[NDArray[np.int64]], voice: Voice
) -> NDArray[np.float32]:
    with one_thread():
        return embed_voice(_loaded(base), name, table, sentences, voice)


@lru_cache(maxsize=1)
def _loaded(base: Path) -> KModel:
    """The base, once in each process."""
    return checkpoint.load_base(base)


def embed_voice(
    model: KModel,
    name: str,
    table: Tensor,
    sentences: list[NDArray[np.int64]],
    voice: Voice,
) -> NDArray[np.float32]:
    """Speaker embeddings [K, E] float32 of K sentences that `model` speaks with a voice.

    Args:
        model: the base, in eval mode.
        name: of the voice, for messages.
        table: [510, 1, 256] float32, its table.
        sentences: K of [T] int64, token ids with BOS and EOS.
        voice: the section `voice`, which names the encoder.

    Raises:
        InputError: the voice gives no audible speech.
    """
    embeddings = []
    for tokens in sentences:
        with seeded_noise(_NOISE):
            audio, _ = model.forward_with_tokens(
                torch.from_numpy(tokens)[None], table[table_row(len(tokens))]
            )
        if not float(audio.abs().max()) > _AUDIBLE:  # NaN too
            raise InputError(
                f"models/base/voices.safetensors: voice {name} gives no speech with this base; "
                "remove its file from `voices` and run `dvc repro base`"
            )
        embeddings.append(speaker.embed(audio.numpy(), voice))
    return np.stack(embeddings)
