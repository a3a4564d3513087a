"""What several systems make of the same sentences, side by side.

The trained network stands between a ceiling, copy synthesis of the recordings, and a floor, itself
untrained. Beside the distances from the recordings stands how many of the phones that were to be
said a recogniser mishears; its own ceiling are the recordings, its floors noise and wrong texts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray
from tqdm import tqdm

from lbtts.acoustics.store.features import Utterance
from lbtts.evaluation.confusions import error_rate
from lbtts.evaluation.measures import Measures, estimates, measure, values
from lbtts.evaluation.naturalness import opinion
from lbtts.evaluation.recogniser import Recogniser
from lbtts.evaluation.renditions import Rendition
from lbtts.grid import SAMPLE_RATE
from lbtts.params import F0
from lbtts.text.inventory import Phones

Figures = dict[str, float]
System = Callable[[Utterance], Rendition]

_LOUDNESS = 0.05  # standard deviation of the noise


@dataclass
class Line:
    """What one system said: the figures of each sentence, and the files to be heard again.

    Attributes:
        measured: by sentence.
        free: files, in the system's own time.
        timed: files, with the recordings' durations.
    """

    measured: list[Measures] = field(default_factory=list)
    free: list[Path] = field(default_factory=list)
    timed: list[Path] = field(default_factory=list)


def speak(
    systems: Mapping[str, System], utterances: Sequence[Utterance], f0: F0, folder: Path
) -> dict[str, Line]:
    """Has each system say each utterance; the audio is kept in `folder`."""
    lines = {name: Line() for name in systems}
    for utterance in tqdm(utterances, desc="measure", unit="utt"):
        for name, say in systems.items():
            said, place = say(utterance), folder / name.replace(" ", "-")
            measured = measure(said, utterance, f0) | opinion(said.free)
            lines[name].measured.append(measured)
            lines[name].free.append(_keep(said.free, place / "free" / f"{utterance.id}.flac"))
            lines[name].timed.append(_keep(said.timed, place / "timed" / f"{utterance.id}.flac"))
    return lines


def summary(
    lines: Mapping[str, Line],
    recordings: Sequence[Path],
    said: Sequence[Phones],
    recogniser: Recogniser,
    folder: Path,
) -> dict[str, Figures]:
    """The figures of each line, and what is misheard in the recordings and in two controls.

    Args:
        lines: from `speak`.
        recordings: the clip of each sentence.
        said: its phones.
        recogniser: has heard none of them.
        folder: where the noise is kept, as long as each recording.
    """

    def hear(paths: Sequence[Path]) -> list[Phones]:
        return [recogniser.hear(path) for path in tqdm(paths, desc="listen", unit="utt")]

    def misheard(paths: Sequence[Path]) -> float:
        return error_rate(hear(paths), said)

    noise = [_noise(path, folder / "noise" / path.name) for path in recordings]
    heard, others = hear(recordings), [*said[1:], said[0]]
    return {
        "recording": {"phone_errors": error_rate(heard, said)},
        **{
            name: values(estimates(pd.DataFrame(line.measured)))
            | {"phone_errors": misheard(line.free), "phone_errors_timed": misheard(line.timed)}
            for name, line in lines.items()
        },
        "recording of another sentence": {"phone_errors": error_rate(heard, others)},
        "white noise": {"phone_errors": misheard(noise)},
    }


def _noise(recording: Path, path: Path) -> Path:
    samples = soundfile.info(recording).frames
    return _keep(_LOUDNESS * np.random.default_rng(samples).standard_normal(samples), path)


def _keep(audio: NDArray, path: Path) -> Path:
    """`path`, after `audio` [S] has been written there; what is louder than 1 is clipped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.clip(audio, -1, 1), SAMPLE_RATE, subtype="PCM_16")
    return path
