"""How fast the feature store is written beside a plain file.

    python -m benchmarks.writing FOLDER COUNT

FOLDER holds audio that soundfile reads. COUNT utterances of its own lengths are written into a
store, in turns with a plain write of the same arrays, both synchronised with the disk; the best of
three counts, after a first one.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import clips
from lbtts.acoustics.measuring import mel
from lbtts.acoustics.store.layout import FULL_SCALE, Arrays
from lbtts.acoustics.store.writer import FeatureWriter
from lbtts.grid import UNIT_RATE
from lbtts.params import F0

CHOICE = F0(method="harvest", floor=60, ceiling=500, silence_db=30)
TURNS = 3


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


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        writing(Path(sys.argv[1]), Path(name), int(sys.argv[2]))
