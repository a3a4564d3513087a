"""The ends between which a voice is measured: what recordings of the speaker are like, and others.

Written once, by the stage `reference`: scale.safetensors (speaker embeddings of recordings of the
training split and of another speaker's readings) and usual.csv (artefact measures of the same
recordings).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import safetensors
import safetensors.numpy
from joblib import delayed
from numpy.typing import NDArray

from lbtts.acoustics.measuring.speaker import embed
from lbtts.acoustics.store.features import FeatureStore
from lbtts.errors import InputError, first_line
from lbtts.evaluation import artefacts
from lbtts.evaluation.artefacts import Usual
from lbtts.evaluation.prompt import Readings
from lbtts.evaluation.similarity import Embedding, Likeness
from lbtts.params import Run, Voice
from lbtts.workers import workers

_MOST = 60  # recordings: more change neither end

Embeddings = NDArray[np.float32]


@dataclass(frozen=True)
class Scale:
    """Both ends.

    Attributes:
        recordings: [N, E] embeddings of the speaker.
        strangers: [M, E] embeddings of another speaker; M is 0 where there is none.
        usual: a row a recording, a column for each of `artefacts.MEASURES`.
    """

    recordings: Embeddings
    strangers: Embeddings
    usual: pd.DataFrame

    def likeness(self) -> Likeness | None:
        """The scale of similarity; None where there is no other speaker."""
        if not len(self.strangers):
            return None
        return Likeness(_named(self.recordings), {"another speaker": _named(self.strangers)})

    def artefacts(self) -> Usual:
        """What is usual in recordings."""
        return Usual(self.usual.to_dict("records"))

    def save(self, folder: Path) -> None:
        """Writes both files into `folder`, which exists."""
        tensors = {"recordings": self.recordings, "strangers": self.strangers}
        safetensors.numpy.save_file(tensors, folder / "scale.safetensors")
        self.usual.to_csv(folder / "usual.csv", index=False, lineterminator="\n")

    @classmethod
    def load(cls, folder: Path) -> "Scale":
        """What `save` wrote.

        Raises:
            InputError: a file is missing or damaged.
        """
        try:
            tensors = safetensors.numpy.load_file(folder / "scale.safetensors")
            return cls(**tensors, usual=pd.read_csv(folder / "usual.csv"))
        except FileNotFoundError as error:
            raise InputError(f"{error.filename}: not found; run `dvc repro reference`") from None
        except (ValueError, TypeError, safetensors.SafetensorError) as error:
            raise InputError(
                f"{folder}: scale.safetensors or usual.csv is damaged ({first_line(error)}); "
                "run `dvc repro -s -f reference`"
            ) from None


def measure_scale(
    store: FeatureStore, phones: Mapping[str, int], strangers: Readings, voice: Voice, run: Run
) -> Scale:
    """The scale of a corpus.

    Args:
        store: features; of its training split up to 60 recordings, evenly spread, are measured.
        phones: number in each utterance, by id.
        strangers: what another speaker says.
        voice: the section `voice`, which names the speaker encoder.
        run: how the work is shared.
    """
    trained = store.indices("train")
    count = min(_MOST, len(trained))
    chosen = trained[np.arange(count) * len(trained) // count]
    with workers(run) as parallel:
        work = parallel(
            delayed(_measure)(store, int(index), phones.get(store.ids[index], 0), voice)
            for index in chosen
        )
        rows, vectors = zip(*work, strict=True)
    others = [embed(audio, voice) for audio in strangers.values()]
    return Scale(
        np.stack(vectors),
        np.stack(others) if others else np.empty((0, vectors[0].size), np.float32),
        pd.DataFrame(rows),
    )


def _measure(
    store: FeatureStore, index: int, phones: int, voice: Voice
) -> tuple[dict[str, float], NDArray[np.float32]]:
    """In a worker: the artefact measures and the embedding of a recording."""
    utterance = store[index]
    row = artefacts.measure(utterance.audio, utterance.f0, phones)
    return row, embed(utterance.audio, voice)


def _named(vectors: Embeddings) -> dict[str, Embedding]:
    return {str(number): vector.astype(np.float64) for number, vector in enumerate(vectors)}
