"""The initial voice table: who speaks, at every length of phoneme string."""

from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import torch
from joblib import Parallel, delayed
from torch import Tensor
from tqdm import tqdm

from lbtts import params
from lbtts.acoustics.measuring import speaker
from lbtts.acoustics.store.features import FeatureStore
from lbtts.models.kokoro.voices import candidates, projection, references
from lbtts.models.kokoro.voices import table as voice
from lbtts.models.kokoro.weights import checkpoint, facts
from lbtts.records import write_json
from stages import run

BASE = Path("models/base")
OUT = Path("models/voice")


def plot(halves: dict[str, Tensor], path: Path) -> None:
    """Draws the norms of both halves and each row's cosine to the row of 100 symbols."""
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (norms, cosines) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    for name, rows in halves.items():
        norms.plot(rows.norm(dim=1), label=name)
        cosines.plot(torch.cosine_similarity(rows, rows[99:100]), label=name)
    norms.set(title="norm", xlabel="phoneme-string length - 1", ylim=0)
    cosines.set(title="cosine to row 99", xlabel="phoneme-string length - 1", ylim=(0, 1.05))
    norms.legend()
    figure.savefig(path, metadata={"Software": None})


def choose(
    store: FeatureStore, embeddings: np.ndarray, known: dict[str, Tensor], p: params.Params
) -> tuple[voice.Initial, dict[str, str | float]]:
    """What sounds most like the recordings of all that the base's own voices can make."""
    projection.check([*known.values()])
    chosen = store.indices("train")
    lengths = store.tokens_total[chosen] - 2  # BOS and EOS are no symbols
    spoken = references.spread(lengths)
    sentences = [store[i].tokens for i in chosen[spoken]]

    def listen(tables: dict[str, Tensor]) -> dict[str, np.ndarray]:
        work = references.hear_all(BASE, tables, sentences, p.voice, p.run.workers)
        return dict(zip(tables, tqdm(work, total=len(tables), unit="voice"), strict=True))

    heard = listen(known)
    learned = projection.fit(np.stack([*heard.values()]), lengths[spoken], [*known.values()])
    begin = learned.initial(embeddings, lengths)
    name, table, scores = candidates.best(known, heard, begin.table, embeddings.mean(0), listen)
    nearest = max(known, key=scores.__getitem__)
    figures: dict[str, str | float] = {
        "start": name,
        "start_similarity": round(scores[name], 4),
        "projection_similarity": round(scores[candidates.PROJECTION], 4),
        "nearest_voice": nearest,
        "nearest_voice_similarity": round(scores[nearest], 4),
    }
    print(f"voice: begins with {name}, which sounds most like the recordings")
    return replace(begin, table=table), figures | learned.figures()


def main() -> None:
    """Embeds every training utterance and finds the table to begin with."""
    p = params.load()
    store = FeatureStore("data/features.h5", p.features.f0)
    chosen = store.indices("train")
    work = Parallel(n_jobs=p.run.workers, return_as="generator")(
        delayed(speaker.embed)(store[i].audio, p.voice) for i in chosen
    )
    embeddings = np.stack(list(tqdm(work, total=len(chosen), unit="utt", desc="voice")))
    known = checkpoint.load_tensors(BASE / "voices.safetensors")
    figures: dict[str, str | float] = {}
    if known:
        begin, figures = choose(store, embeddings, known, p)
    else:
        begin = voice.initial(embeddings, store.tokens_total[chosen] - 2, p.voice.seed)
    OUT.mkdir(parents=True, exist_ok=True)
    begin.save(OUT / "voice.safetensors", embeddings)
    decoder, prosody = begin.table[:, 0].split(facts.DECODER_STYLE, dim=1)
    plot({"decoder half": decoder, "prosody half": prosody}, OUT / "table.png")
    rows, centre = begin.table[:, 0], embeddings.mean(0)
    spread = embeddings @ centre / np.linalg.norm(embeddings, axis=1) / np.linalg.norm(centre)
    write_json(
        "metrics/voice.json",
        {
            "utterances": len(chosen),
            "speaker_similarity_mean": round(float(spread.mean()), 4),
            "speaker_similarity_min": round(float(spread.min()), 4),
            "least_cosine_of_neighbours": round(
                float(torch.cosine_similarity(rows[1:], rows[:-1]).min()), 5
            ),
            "voices": len(known),
            **figures,
        },
    )


if __name__ == "__main__":
    run(main)
