"""The stage `features` and its store at the size of a large corpus.

    python -m benchmarks.scale FOLDER COUNT [SECONDS]

FOLDER holds audio that soundfile reads. COUNT utterances of SECONDS (1) each are cut from it at
places and levels of their own; DIO tracks them. Prints the memory of the stage (the largest sum
over its processes, shared pages counted in each), how long it took, how long a second run takes
that has nothing to measure, and `dvc status` of the project with all of it.

    python -m benchmarks.scale --write FOLDER COUNT

Writes COUNT utterances of FOLDER's own lengths straight into a store, in turns with a plain write
of the same arrays, both synchronised with the disk; the best of three counts, after a first one.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import soundfile

from benchmarks import clips
from lbtts.acoustics.measuring import mel
from lbtts.acoustics.store.layout import FULL_SCALE, Arrays
from lbtts.acoustics.store.writer import FeatureWriter
from lbtts.alignment.timing import Timing, write_timings
from lbtts.corpus.manifest import Entry, write_manifest
from lbtts.grid import SAMPLE_RATE, SAMPLES_PER_UNIT, UNIT_RATE
from lbtts.params import F0
from lbtts.text.tokens import Token, TokenPlan, write_token_plans

ROOT = Path(__file__).resolve().parent.parent
CHOICE = F0(method="harvest", floor=60, ceiling=500, silence_db=30)
TURNS = 3


def make(source: Path, folder: Path, count: int, seconds: float) -> None:
    """A project before the stage `features`."""
    audio = [clip for clip in clips.load(source, 10**9) if len(clip) > 2 * seconds * SAMPLE_RATE]
    draw = np.random.default_rng(0)
    length = int(seconds * UNIT_RATE) * SAMPLES_PER_UNIT
    (folder / "data/corpus/audio").mkdir(parents=True)
    (folder / "data/alignment").mkdir()
    entries, plans, timings = [], [], []
    for number in range(count):
        name = f"u{number:06d}"
        clip = audio[number % len(audio)]
        begin = int(draw.integers(0, len(clip) - length))
        path = f"data/corpus/audio/{name}.flac"
        cut = (clip[begin : begin + length] * draw.uniform(0.5, 1)).astype(np.int16)
        soundfile.write(folder / path, cut, SAMPLE_RATE)
        units = [2] * (length // SAMPLES_PER_UNIT // 2)
        tokens = tuple(Token("m", 0, None) for _ in units[2:])
        entries.append(Entry(name, "train", "m", audio=path, samples=length))
        plans.append(TokenPlan(name, "m", ("m",), (), tokens))
        timings.append(Timing(name, tuple(units)))
    write_manifest(entries, folder / "data/corpus/manifest.csv")
    write_token_plans(plans, folder / "data/alignment/spoken.jsonl")
    write_timings(timings, folder / "data/durations.csv")
    params = (ROOT / "profiles/demo.yaml").read_text(encoding="utf-8")
    params = params.replace("method: harvest", "method: dio").replace(
        "rejected: 0.05", "rejected: 1"
    )
    (folder / "params.yaml").write_text(params, encoding="utf-8")


def stage(folder: Path) -> tuple[float, float]:
    """Seconds of a run of the stage, and the most memory of it and its workers, in MB."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DVC_ROOT": str(folder)}
    begin = time.perf_counter()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "stages.features"], cwd=folder, env=environment, stderr=log
        )
    most = 0
    tree = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            family = [tree, *tree.children(recursive=True)]
            most = max(most, sum(member.memory_info().rss for member in family))
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.2)
    if process.returncode:
        sys.exit((folder / "log").read_text())
    return time.perf_counter() - begin, most / 1e6


def status(folder: Path) -> float:
    """Seconds of `dvc status` with clips and store tracked."""

    def dvc(*words: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "dvc", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )

    dvc("init", "-q", "--no-scm")
    dvc("config", "cache.type", "hardlink")
    dvc("add", "-q", "data/corpus", "data/features.h5")
    begin = time.perf_counter()
    dvc("status")
    return time.perf_counter() - begin


def writing(source: Path, folder: Path, count: int) -> None:
    """Prints how fast the store is written beside a plain write."""
    rows = []
    for clip in clips.load(source, 64):
        log_mel = mel.log_mel(clip / FULL_SCALE)
        f0 = np.full(len(log_mel), 150, np.float32)
        row = Arrays(log_mel.astype(np.float16, order="C"), f0, mel.energy(log_mel), clip)
        rows.append((clips.units(clip), row))
    path, other = folder / "features.h5", folder / "plain"

    def store() -> None:
        with FeatureWriter(path, CHOICE) as writer:
            for number in range(count):
                units, row = rows[number % len(rows)]
                writer.add(f"u{number:06d}", "train", [0] * len(units), units, row)

    def plain() -> None:
        with other.open("wb") as file:
            for number in range(count):
                row = rows[number % len(rows)][1]
                for array in (row.mel, row.f0, row.energy, row.audio):
                    file.write(array)
            file.flush()
            os.fsync(file.fileno())

    store()
    size = path.stat().st_size
    best = {store: float("inf"), plain: float("inf")}
    for turn in range(TURNS):
        for write in (store, plain) if turn % 2 else (plain, store):
            path.unlink(missing_ok=True)
            other.unlink(missing_ok=True)
            os.sync()
            begin = time.perf_counter()
            write()
            best[write] = min(best[write], time.perf_counter() - begin)
    hours = sum(sum(rows[n % len(rows)][0]) for n in range(count)) / UNIT_RATE / 3600
    print(
        f"{count} utterances, {hours:.1f} h, {size / 1e6:.0f} MB: store {best[store]:.1f} s, "
        f"plain write {best[plain]:.1f} s, {best[plain] / best[store]:.2f} of its speed"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if sys.argv[1] == "--write":
            writing(Path(sys.argv[2]), folder, int(sys.argv[3]))
            return
        count = int(sys.argv[2])
        make(Path(sys.argv[1]), folder, count, float(sys.argv[3]) if len(sys.argv) > 3 else 1)
        first, most = stage(folder)
        size = (folder / "data/features.h5").stat().st_size
        again, _ = stage(folder)
        print(
            f"{count} utterances, store of {size / 1e6:.0f} MB: {first:.0f} s, at most "
            f"{most:.0f} MB of memory; again with nothing to measure: {again:.0f} s"
        )
        print(f"dvc status: {status(folder):.1f} s")


if __name__ == "__main__":
    main()
