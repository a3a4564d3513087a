"""The initial voice table of Kokoro: the speaker's style for every length of phoneme string."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from lbtts.acoustics.measuring import speaker
from lbtts.acoustics.store.features import FeatureStore
from lbtts.models.kokoro.voices import candidates, projection, references, table
from lbtts.models.kokoro.voices.table import InitialVoice
from lbtts.models.kokoro.weights import checkpoint, facts
from lbtts.page import panels
from lbtts.params import Params
from lbtts.paths import BASE, FEATURES, VOICE, VOICE_PLOT
from lbtts.workers import workers

Embeddings = NDArray[np.float32]


def make(p: Params) -> dict[str, Any]:
    """Embeds every training utterance and writes the initial table into `models/voice`."""
    store = FeatureStore(FEATURES, p.features.f0)
    trained = store.indices("train")
    known = checkpoint.load_tensors(BASE / "voices.safetensors")
    metrics: dict[str, str | float] = {}
    with workers(p.run) as parallel:
        embeddings = _embed(store, trained, p, parallel)
        if known:
            voice, metrics = _choose(store, embeddings, known, p, parallel)
        else:
            ids = tuple(store.ids[i] for i in trained)
            lengths = store.tokens_total[trained] - 2  # BOS and EOS are no symbols
            voice = table.initial(ids, embeddings, lengths, p.voice.seed)
    VOICE.parent.mkdir(parents=True, exist_ok=True)
    voice.save(VOICE)
    _plot(voice.table[:, 0]).savefig(VOICE_PLOT, metadata={"Software": None})
    return {**_shape(voice, embeddings), "voices": len(known), **metrics}


def _embed(
    store: FeatureStore, trained: NDArray[np.int64], p: Params, parallel: Parallel
) -> Embeddings:
    """The speaker encoder's embedding of each training utterance, [N, E]."""
    work = parallel(delayed(speaker.embed)(store[i].audio, p.voice) for i in trained)
    return np.stack(list(tqdm(work, total=len(trained), unit="utt", desc="voice")))


def _choose(
    store: FeatureStore,
    embeddings: Embeddings,
    known: dict[str, Tensor],
    p: Params,
    parallel: Parallel,
) -> tuple[InitialVoice, dict[str, str | float]]:
    """The initial voice, made from the base's voices: the most similar to the recordings."""
    projection.check([*known.values()])
    trained = store.indices("train")
    lengths = store.tokens_total[trained] - 2
    spoken = references.representative(lengths)
    sentences = [store[i].tokens for i in trained[spoken]]

    def embed(tables: dict[str, Tensor]) -> dict[str, Embeddings]:
        work = references.embed_voices(BASE, tables, sentences, p.voice, parallel)
        return dict(zip(tables, tqdm(work, total=len(tables), unit="voice"), strict=True))

    voices = embed(known)
    learned = projection.fit(np.stack([*voices.values()]), lengths[spoken], [*known.values()])
    voice = learned.initial(tuple(store.ids[i] for i in trained), embeddings, lengths)
    name, best, scores = candidates.best(known, voices, voice.table, embeddings.mean(0), embed)
    nearest = max(known, key=scores.__getitem__)
    metrics: dict[str, str | float] = {
        "start": name,
        "start_similarity": round(scores[name], 4),
        "projection_similarity": round(scores[candidates.PROJECTION], 4),
        "nearest_voice": nearest,
        "nearest_voice_similarity": round(scores[nearest], 4),
    }
    print(f"voice: starts with {name}, which sounds most like the recordings")
    return replace(voice, table=best, nearest=nearest), metrics | learned.metrics()


def _shape(voice: InitialVoice, embeddings: Embeddings) -> dict[str, float]:
    """Metrics: the similarity of the recordings, and the smoothness of the table."""
    rows, centre = voice.table[:, 0], embeddings.mean(0)
    alike = embeddings @ centre / np.linalg.norm(embeddings, axis=1) / np.linalg.norm(centre)
    neighbours = torch.cosine_similarity(rows[1:], rows[:-1])
    return {
        "utterances": len(embeddings),
        "speaker_similarity_mean": round(float(alike.mean()), 4),
        "speaker_similarity_min": round(float(alike.min()), 4),
        "least_cosine_of_neighbours": round(float(neighbours.min()), 5),
    }


def _plot(rows: Tensor) -> Figure:
    """The norms of both halves of `rows` [510, 256], and each row's cosine to row 99."""
    figure, (norms, cosines) = panels(["norm", "cosine to row 99"], across=2, width=9, height=3)
    for name, half in zip(("decoder", "prosody"), rows.split(facts.DECODER_STYLE, 1), strict=True):
        norms.plot(half.norm(dim=1), label=f"{name} half")
        cosines.plot(torch.cosine_similarity(half, half[99:100]))
    norms.set(xlabel="phoneme-string length - 1", ylim=0)
    cosines.set(xlabel="phoneme-string length - 1", ylim=(0, 1.05))
    norms.legend()
    return figure
