"""A voice's speech of held-out utterances as files, to be measured later or elsewhere.

<folder>/<id>.free.flac: with its own durations; <id>.timed.flac: with the recording's, both of 16
bits; units.json: its own durations.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from lbtts.acoustics.store.features import Utterance
from lbtts.evaluation.renditions import render
from lbtts.grid import SAMPLE_RATE
from lbtts.models.speech import Synthesiser
from lbtts.records import read_json, write_json

UNITS = "units.json"


class Spoken:
    """A variant's speech of held-out utterances, which it spoke before: a `Synthesiser`."""

    def __init__(self, folder: Path, utterances: Iterable[Utterance]) -> None:
        """Takes the folder that `speak` wrote, of these utterances."""
        self._folder = folder
        self._names = {utterance.tokens.tobytes(): utterance.id for utterance in utterances}

    def speak(self, tokens: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        name = self._names[tokens.tobytes()]
        units = np.array(read_json(self._folder / UNITS)[name])
        return self._read("free", name), units

    def speak_in_time(
        self, tokens: NDArray[np.int64], units: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        return self._read("timed", self._names[tokens.tobytes()])

    def _read(self, kind: str, name: str) -> NDArray[np.float32]:
        return soundfile.read(self._folder / f"{name}.{kind}.flac", dtype="float32")[0]


def speak(voice: Synthesiser, utterances: Iterable[Utterance], folder: Path) -> None:
    """Writes what `Spoken` reads; the list of durations last."""
    folder.mkdir(exist_ok=True)
    durations = {}
    for utterance in utterances:
        made = render(voice, utterance)
        assert made.units is not None
        durations[utterance.id] = made.units.tolist()
        for kind, audio in (("free", made.free), ("timed", made.timed)):
            path = folder / f"{utterance.id}.{kind}.flac"
            soundfile.write(path, audio.clip(-1, 1), SAMPLE_RATE, subtype="PCM_16")
    write_json(folder / UNITS, durations)
