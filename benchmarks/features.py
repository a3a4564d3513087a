"""What extraction costs beside the bare F0 tracker and beside a plain loop, on the same clips.

    python -m benchmarks.features FOLDER [CLIPS [TURNS]]

FOLDER holds audio that soundfile reads; the first CLIPS of it (40) are taken. CPU seconds of one
process, one thread, lower is better; all take turns, and the least of TURNS (3) counts. The plain
loop is what FastSpeech2's preprocessors do (github.com/ming024/FastSpeech2): per utterance an F0
tracker, an STFT, and one .npy a quantity; it has no cache, no check and no audio in its files.
Speed-up: wall-clock time with one and with two processes that were started before.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import pyworld
import soundfile
import torch
from joblib import delayed

from benchmarks import clips
from lbtts.acoustics.measuring import mel
from lbtts.acoustics.measuring.assembly import assemble
from lbtts.acoustics.measuring.cache import MeasureCache
from lbtts.acoustics.measuring.extraction import TimedUtterance
from lbtts.acoustics.measuring.survey import survey
from lbtts.grid import FRAME_RATE, HOP, SAMPLE_RATE
from lbtts.params import F0, Check, Features, load
from lbtts.workers import workers

ROOT = Path(__file__).resolve().parent.parent
RUN = load(ROOT / "profiles/demo.yaml").run
CHECK = Check(max_outside=0.1, max_jumps=0.5, suspects="keep")
WINDOW = torch.hann_window(mel.WINDOW)
FILTERBANK = torch.from_numpy(mel.FILTERBANK)


def dio(audio: np.ndarray, rate: int, **f0_params: float) -> np.ndarray:
    """DIO with the refinement that belongs to it."""
    return pyworld.stonemask(audio, *pyworld.dio(audio, rate, **f0_params), rate)


def harvest(audio: np.ndarray, rate: int, **f0_params: float) -> np.ndarray:
    return pyworld.harvest(audio, rate, **f0_params)[0]


TRACKERS: dict[str, Callable] = {"harvest": harvest, "dio": dio}


def track(method: str, audio: np.ndarray, f0_params: F0) -> np.ndarray:
    """The bare tracker's answer."""
    limits = {"f0_floor": f0_params.floor, "f0_ceil": f0_params.ceiling}
    return TRACKERS[method](audio, SAMPLE_RATE, **limits, frame_period=1000 / FRAME_RATE)


def plain_loop(corpus: list[TimedUtterance], f0_params: F0, folder: Path) -> None:
    """The same features, utterance by utterance, a file each."""
    for clip in corpus:
        audio, _ = soundfile.read(clip.path, dtype="float32")
        np.save(
            folder / f"{clip.id}-f0.npy", track(f0_params.method, audio.astype(float), f0_params)
        )
        spectrum = torch.stft(
            torch.from_numpy(audio), mel.N_FFT, HOP, mel.WINDOW, WINDOW, return_complex=True
        )
        log_mel = torch.log(mel.LOG_FLOOR + FILTERBANK @ spectrum.abs().square())
        np.save(folder / f"{clip.id}-mel.npy", log_mel.numpy().T)
        np.save(folder / f"{clip.id}-energy.npy", torch.linalg.norm(log_mel.exp(), dim=0).numpy())


def extract(corpus: list[TimedUtterance], f0_params: F0, jobs: int) -> tuple[float, float]:
    """The stage's whole work in a fresh project, workers started before.

    Returns wall-clock seconds, and the CPU seconds of this process, without its workers'.
    """
    run = RUN.model_copy(update={"jobs": jobs})
    with tempfile.TemporaryDirectory() as name, workers(run, ordered=False) as parallel:
        list(parallel(delayed(librosa.stft)(np.zeros(4_096)) for _ in range(8 * jobs)))
        begin, begin_cpu = time.perf_counter(), time.process_time()
        with MeasureCache(Path(name), f0_params) as cache:
            found = survey(corpus, cache, f0_params, parallel)
            section = Features(f0=f0_params, check=CHECK)
            assemble(corpus, found, cache, section, Path(name) / "features.h5")
        return time.perf_counter() - begin, time.process_time() - begin_cpu


def cpu(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    torch.set_num_threads(1)
    audio = clips.load(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40)
    turns = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    seconds = sum(map(len, audio)) / SAMPLE_RATE
    print(f"{len(audio)} clips, {seconds:.0f} s of speech, least of {turns}")
    with tempfile.TemporaryDirectory() as name:
        corpus = clips.write(audio, Path(name))
        doubles = [clip / 32768 for clip in audio]
        for method in TRACKERS:
            f0_params = F0(method=method, floor=60, ceiling=500, silence_db=30)
            rows = [
                (
                    cpu(lambda c=f0_params: [track(c.method, double, c) for double in doubles]),
                    cpu(lambda c=f0_params: extract(corpus, c, 1)),
                    cpu(lambda c=f0_params: plain_loop(corpus, c, Path(name))),
                )
                for _ in range(turns)
            ]
            bare, ours, plain = (min(column) for column in zip(*rows, strict=True))
            print(
                f"{method}: bare tracker {bare:.2f} s, extraction {ours:.2f} s "
                f"({ours / bare:.3f} of the tracker, {seconds / ours:.0f} x real time), "
                f"plain loop {plain:.2f} s (extraction is {ours / plain:.3f} of it)",
                flush=True,
            )
        f0_params = F0(method="harvest", floor=60, ceiling=500, silence_db=30)
        (one, total), (two, own) = (
            min(extract(corpus, f0_params, jobs) for _ in range(turns)) for jobs in (1, 2)
        )
        print(f"wall-clock: one process {one:.1f} s, two {two:.1f} s, {one / two:.2f} x faster")
        print(
            f"CPU that only the stage's own process can do: {own:.2f} of {total:.2f} s, "
            f"so at most {total / (own + (total - own) / 2):.2f} x faster"
        )


if __name__ == "__main__":
    main()
