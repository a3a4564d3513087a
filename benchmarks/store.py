"""Layouts for features.h5: how large, how dear to write, how fast crops come out.

    python -m benchmarks.store FOLDER [HOURS]

FOLDER holds audio that soundfile reads; it is repeated to HOURS (1) of speech. Each layout is
written with h5py as the store is, and read in crops of 1.5 s at random places through HDF5's chunk
cache and past it. CPU seconds of one process; medians of three. `lbtts/acoustics/store/features.py`
quotes what came out.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

from benchmarks import clips
from lbtts.acoustics.measuring import mel
from lbtts.acoustics.store.layout import FULL_SCALE
from lbtts.grid import HOP, SAMPLE_RATE

TURNS, CROPS = 3, 500
CROP = int(1.5 * SAMPLE_RATE)  # samples
LAYOUTS: dict[str, tuple[int, dict]] = {  # values a chunk, h5py's options
    "uncompressed, 2^12": (2**12, {}),
    "uncompressed, 2^14": (2**14, {}),
    "uncompressed, 2^16": (2**16, {}),
    "uncompressed, 2^18": (2**18, {}),
    "lzf, 2^16": (2**16, {"compression": "lzf"}),
    "shuffled, lzf, 2^16": (2**16, {"compression": "lzf", "shuffle": True}),
    "shuffled, gzip 1, 2^16": (2**16, {"compression": 1, "shuffle": True}),
}
Rows = list[dict[str, np.ndarray]]


def write(path: Path, rows: Rows, chunk: int, options: dict) -> float:
    """CPU seconds to append all rows in stretches of 256."""
    begin = time.process_time()
    with h5py.File(path, "w", libver=("v108", "v108")) as file:
        for name in rows[0]:
            shape = rows[0][name].shape[1:]
            width = int(np.prod(shape, dtype=int))
            dataset = file.create_dataset(
                name,
                (0, *shape),
                rows[0][name].dtype,
                maxshape=(None, *shape),
                chunks=(max(1, chunk // width), *shape),
                **options,
            )
            for first in range(0, len(rows), 256):
                values = np.concatenate([row[name] for row in rows[first : first + 256]])
                end = len(dataset)
                dataset.resize(end + len(values), axis=0)
                dataset[end:] = values
    return time.process_time() - begin


def read(path: Path, options: dict) -> float:
    """Seconds of speech in crops a CPU second."""
    with h5py.File(path, "r", **options) as file:
        frames, audio = [file[name] for name in ("mel", "f0", "energy")], file["audio"]
        begins = np.random.default_rng(0).integers(0, len(audio) - CROP, CROPS) // HOP
        start = time.process_time()
        for begin in begins:
            audio[begin * HOP : begin * HOP + CROP]
            for dataset in frames:
                dataset[begin : begin + CROP // HOP]
        return CROPS * CROP / SAMPLE_RATE / (time.process_time() - start)


def main() -> None:
    hours = float(sys.argv[2]) if len(sys.argv) > 2 else 1
    rows: Rows = []
    for clip in clips.load(Path(sys.argv[1]), 200):
        log_mel = mel.log_mel(clip / FULL_SCALE)
        energy = mel.energy(log_mel)
        rows.append(
            {"mel": log_mel.astype(np.float16), "f0": energy, "energy": energy, "audio": clip}
        )
    seconds = sum(len(row["audio"]) for row in rows) / SAMPLE_RATE
    rows *= round(hours * 3600 / seconds) or 1
    print(f"{len(rows)} utterances, {seconds * (len(rows) / 200) / 3600:.2f} h")
    print(f"{'':24}{'size':>10}{'write':>9}{'cached':>10}{'past it':>10}")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "store.h5"
        for layout, (chunk, options) in LAYOUTS.items():
            turns = [
                (write(path, rows, chunk, options), read(path, {}), read(path, {"rdcc_nbytes": 0}))
                for _ in range(TURNS)
            ]
            written, cached, past = (
                statistics.median(column) for column in zip(*turns, strict=True)
            )
            size = path.stat().st_size / 2**20
            print(
                f"{layout:24}{size:6.0f} MiB{written:7.1f} s{cached:10.0f}{past:10.0f}", flush=True
            )


if __name__ == "__main__":
    main()
