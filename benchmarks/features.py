"""What extraction costs beside the bare F0 tracker, on the same clips in the same run.

    python -m benchmarks.features FOLDER [CLIPS]

FOLDER holds audio that soundfile reads; the first CLIPS of it (40) are taken. CPU seconds of one
process, lower is better; the two take turns, and the smaller of three measurements counts.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyworld
import soundfile
import soxr

from lbtts.acoustics import mel
from lbtts.acoustics.extraction import Timing, extract
from lbtts.grid import FRAME_RATE, MAX_UNITS, SAMPLE_RATE, SAMPLES_PER_UNIT
from lbtts.params import F0, Features

TURNS = 3


def dio(audio: np.ndarray, rate: int, **choice: float) -> np.ndarray:
    """DIO with the refinement that belongs to it."""
    return pyworld.stonemask(audio, *pyworld.dio(audio, rate, **choice), rate)


TRACKERS = {"harvest": pyworld.harvest, "dio": dio}


def load(folder: Path, count: int) -> list[np.ndarray]:
    """The first `count` clips at 24 kHz on the unit grid, int16."""
    clips = []
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".flac", ".wav"))[:count]:
        audio, rate = soundfile.read(path, dtype="float32")
        audio = soxr.resample(audio, rate, SAMPLE_RATE)
        audio = audio[: len(audio) // SAMPLES_PER_UNIT * SAMPLES_PER_UNIT]
        clips.append(np.round(audio * 32767).astype(np.int16))
    return clips


def timing(clip: np.ndarray) -> Timing:
    """Durations that fill the clip; what they say does not change the work."""
    total = len(clip) // SAMPLES_PER_UNIT
    units = [MAX_UNITS] * (total // MAX_UNITS) + [total % MAX_UNITS] * bool(total % MAX_UNITS)
    return Timing("clip", units, [])


def cpu(work: Callable[[], None]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    clips = load(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40)
    seconds = sum(map(len, clips)) / SAMPLE_RATE
    doubles = [clip / 32768 for clip in clips]
    print(f"{len(clips)} clips, {seconds:.0f} s")
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{number}.flac") for number in range(len(clips))]
        for path, clip in zip(paths, clips, strict=True):
            soundfile.write(path, clip, SAMPLE_RATE)
        timings = [timing(clip) for clip in clips]
        mel_only = min(
            cpu(lambda: [mel.energy(mel.log_mel(np.float32(c))) for c in doubles])
            for _ in range(TURNS)
        )
        print(f"mel and energy: {mel_only:.2f} s")
        for method, tracker in TRACKERS.items():
            choice = Features(f0=F0(method=method, floor=60, ceiling=500))

            def bare(tracker: Callable = tracker, f0: F0 = choice.f0) -> None:
                for audio in doubles:
                    tracker(
                        audio,
                        SAMPLE_RATE,
                        f0_floor=f0.floor,
                        f0_ceil=f0.ceiling,
                        frame_period=1000 / FRAME_RATE,
                    )

            def whole(choice: Features = choice) -> None:
                for path, time_ in zip(paths, timings, strict=True):
                    extract(path, [0] * len(time_.units), time_, choice)

            turns = [(cpu(bare), cpu(whole)) for _ in range(TURNS)]
            alone, all_ = (min(column) for column in zip(*turns, strict=True))
            print(
                f"{method}: bare tracker {alone:.2f} s, extraction {all_:.2f} s, "
                f"ratio {all_ / alone:.3f}, {seconds / all_:.0f} x real time"
            )


if __name__ == "__main__":
    main()
