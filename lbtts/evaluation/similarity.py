"""How much a voice sounds like the speaker, on a scale whose ends are heard, not assumed.

The cosine between two embeddings means nothing by itself: two recordings of one person have 0.85
with one encoder and 0.6 with another, two strangers of one sex 0.6 and 0.1. So 0 is another
speaker, the nearest of those given, and 1 a second recording of the same speaker: every recording
is compared with the mean of all others, never with a mean that it is part of, or a few recordings
would look more like themselves than like each other.

What it cannot tell: an encoder hears timbre, band and room rather than manner; a voice with the
right timbre and no melody has a high metric, and recordings of one speaker in two rooms a low one.
A voice can pass 1, since it can be nearer to the mean than the recordings, which vary. Below 0 it
is less like the speaker than the stranger is.

Source: Wan et al., "Generalized End-to-End Loss for Speaker Verification", 2018, on the mean of a
speaker's embeddings as its model.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lbtts.acoustics.measuring.speaker import embed
from lbtts.errors import InputError
from lbtts.evaluation.prompt import Readings
from lbtts.params import Voice

Embedding = NDArray[np.float64]


def embeddings(readings: Readings, voice: Voice) -> dict[str, Embedding]:
    """The embedding of each reading, by id, of length 1; the section `voice` names the encoder."""
    return {name: _unit(embed(audio, voice)) for name, audio in readings.items()}


class Likeness:
    """The scale of one speaker."""

    def __init__(
        self,
        recordings: Mapping[str, Embedding],
        others: Mapping[str, Mapping[str, Embedding]],
    ) -> None:
        """Takes embeddings by id: of the speaker's recordings, and of each other speaker's.

        Raises:
            InputError: fewer than two recordings, no other speaker, or one that the encoder takes
                for the speaker.
        """
        if len(recordings) < 2 or not others:
            raise InputError(
                f"similarity: {len(recordings)} recordings and {len(others)} other speakers; the "
                "scale needs two recordings and one other speaker; give more"
            )
        self._recordings = {name: _unit(vector) for name, vector in recordings.items()}
        self._sum = np.sum(list(self._recordings.values()), axis=0)
        self.same = float(np.mean([self._cosine(v, n) for n, v in self._recordings.items()]))
        apart = {
            name: float(np.mean([self._cosine(_unit(v), None) for v in vectors.values()]))
            for name, vectors in others.items()
        }
        self.nearest = max(apart, key=lambda name: apart[name])
        self.other = apart[self.nearest]
        if self.other >= self.same:
            raise InputError(
                f"similarity: the encoder takes {self.nearest} for the speaker (cosine "
                f"{self.other:.2f}, a second recording {self.same:.2f}); take out other voices "
                "that are the speaker's own, or look for strangers in the recordings"
            )

    def of(self, embedding: ArrayLike, id: str | None = None) -> float:
        """Where a reading stands: 0 is the nearest other speaker, 1 a second recording.

        Args:
            embedding: of the reading.
            id: of the recording of the same sentence, which is left out of the mean: what is said
                must not count as who says it. None where there is none.
        """
        cosine = self._cosine(_unit(embedding), id)
        return (cosine - self.other) / (self.same - self.other)

    def _cosine(self, vector: Embedding, id: str | None) -> float:
        """With the mean of the recordings, that of `id` left out."""
        rest = self._sum - self._recordings[id] if id in self._recordings else self._sum
        return float(vector @ rest / np.linalg.norm(rest))


def _unit(vector: ArrayLike) -> Embedding:
    array = np.asarray(vector, np.float64)
    return array / np.linalg.norm(array)
