"""Real clips for the benchmarks, on the grid, with durations that fill them."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

from lbtts.acoustics.measuring.extraction import TimedUtterance
from lbtts.alignment.timing import Timing
from lbtts.grid import SAMPLE_RATE, SAMPLES_PER_UNIT

_TOKEN_UNITS = 3  # 75 ms: as many tokens a second as speech has


def load(folder: Path, count: int) -> list[np.ndarray]:
    """The first `count` clips at 24 kHz on the unit grid, int16."""
    clips = []
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".flac", ".wav"))[:count]:
        audio, rate = soundfile.read(path, dtype="float32")
        audio = soxr.resample(audio, rate, SAMPLE_RATE)
        audio = audio[: len(audio) // SAMPLES_PER_UNIT * SAMPLES_PER_UNIT]
        clips.append(np.round(audio * 32767).astype(np.int16))
    return clips


def units(clip: np.ndarray) -> list[int]:
    """Durations that fill the clip, of tokens that are as long as those of speech."""
    whole, rest = divmod(len(clip) // SAMPLES_PER_UNIT, _TOKEN_UNITS)
    return [_TOKEN_UNITS] * whole + [rest] * bool(rest)


def write(clips: list[np.ndarray], folder: Path) -> list[TimedUtterance]:
    """The clips as files of a corpus."""
    written = []
    for number, clip in enumerate(clips):
        path = folder / f"{number:05d}.flac"
        soundfile.write(path, clip, SAMPLE_RATE)
        durations = units(clip)
        timing = Timing(path.stem, tuple(durations))
        written.append(TimedUtterance(str(path), "train", [0] * len(durations), timing))
    return written
