"""The feature file: every utterance's arrays end to end, and where each begins.

One flat dataset per quantity, uncompressed, in chunks of 2^18 values, read past HDF5's chunk cache.
Flat, because 30,000 groups or files cost twice the time to write. The rest was measured on 2,000
utterances, 2.85 hours, 601 MiB: CPU time of one core, crops of 1.5 s at random places in multiples
of real time, medians of three, chunks of 2^16:

                        size   write    crops through the cache   past it
    uncompressed       100 %    1.8 s                   16,000   33,000
    lzf                100 %    5.7 s                    5,500    1,600
    shuffled, lzf       86 %    6.6 s                    1,500      630
    shuffled, gzip 1    75 %   10.3 s                    1,200      470

Uncompressed and past the cache, smaller chunks are slower (2^14: 27,000, 2^12: 22,000), and 2^18 is
as fast within the spread of runs (`benchmarks/store.py`). Whole chunks are handed to the file past
HDF5's own copy of them: 1 GB then takes 0.90 s in chunks of 2^16 and 0.73 s in chunks of 2^18,
1.06 s through the copy, and a plain write 0.63 s (best of three). The reader keeps its datasets
open: looking them up by name for every crop makes it six to ten times slower.

Axes: F frames of all utterances, S samples, T tokens with BOS and EOS, n utterances sorted by id.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from lbtts import grid
from lbtts.acoustics.measuring.extraction import FULL_SCALE, Extracted
from lbtts.acoustics.measuring.mel import N_MELS
from lbtts.acoustics.store.sink import Sink
from lbtts.errors import InputError
from lbtts.params import F0

VERSION = 2  # of the layout
SPLITS = ("train", "test")  # by their number in the dataset `split`

_CHUNK = 2**18
_BUFFER = 64  # utterances between writes
_LIBVER = ("v108", "v108")  # HDF5's file format; fixed, for its default moves with the library
_COLUMNS: dict[str, tuple[tuple[int, ...], str, str]] = {  # shape of one entry, dtype, axis
    "mel": ((N_MELS,), "f2", "frame"),
    "f0": ((), "f4", "frame"),
    "energy": ((), "f4", "frame"),
    "audio": ((), "i2", "sample"),
    "tokens": ((), "u1", "token"),
    "units": ((), "u1", "token"),
}
_AXES = ("frame", "sample", "token")
_GRID = {"sample_rate": grid.SAMPLE_RATE, "hop": grid.HOP, "unit": grid.SAMPLES_PER_UNIT}


@dataclass(frozen=True)
class Utterance:
    """One utterance, or a crop of it (then `tokens` and `units` are still whole)."""

    id: str
    tokens: NDArray[np.int64]  # [T], input ids with BOS and EOS
    units: NDArray[np.int64]  # [T]
    mel: NDArray[np.float32]  # [F, 80], natural log
    f0: NDArray[np.float32]  # [F], Hz, 0 where unvoiced
    energy: NDArray[np.float32]  # [F], log norm
    audio: NDArray[np.float32]  # [S], -1..1


def _written(choice: F0) -> str:
    return json.dumps(choice.model_dump(), sort_keys=True)


class FeatureWriter:
    """Writes a feature file; it appears under its name only when it is complete."""

    def __init__(self, path: str | Path, choice: F0) -> None:
        """Begins the file at `path`; it says how its F0 was tracked.

        Raises:
            InputError: here or later, the file cannot be written. What was at `path` stays.
        """
        self._path = Path(path)
        self._partial = self._path.with_suffix(".partial")
        self._buffer: dict[str, list[NDArray]] = {name: [] for name in _COLUMNS}
        self._offsets: dict[str, list[int]] = {axis: [0] for axis in _AXES}
        self._ids: list[str] = []
        self._splits: list[int] = []
        with self._on_disk():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._sink = Sink(self._partial, "w+")
            self._file = h5py.File(self._sink, "w", libver=_LIBVER)
            self._file.attrs.update(_GRID)
            self._file.attrs["version"] = VERSION
            self._file.attrs["f0"] = _written(choice)
            for library in ("librosa", "pyworld-prebuilt", "numpy"):
                self._file.attrs[library] = version(library)
            for name, (shape, dtype, _) in _COLUMNS.items():
                chunk = (_CHUNK // (shape or (1,))[0], *shape)
                self._file.create_dataset(
                    name, (0, *shape), dtype, maxshape=(None, *shape), chunks=chunk
                )

    def add(
        self, name: str, split: str, tokens: list[int], units: list[int], arrays: Extracted
    ) -> None:
        """Appends an utterance; ids must come in ascending order.

        Raises:
            ValueError: the order is broken.
        """
        if self._ids and name <= self._ids[-1]:
            raise ValueError(f"{name} comes after {self._ids[-1]}")
        row = vars(arrays) | {"tokens": np.array(tokens, "u1"), "units": np.array(units, "u1")}
        for column, values in row.items():
            self._buffer[column].append(values)
        sizes = {"frame": len(arrays.f0), "sample": len(arrays.audio), "token": len(tokens)}
        for axis, size in sizes.items():
            self._offsets[axis].append(self._offsets[axis][-1] + size)
        self._ids.append(name)
        self._splits.append(SPLITS.index(split))
        if len(self._ids) % _BUFFER == 0:
            with self._on_disk():
                self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        try:
            if kind is None:
                with self._on_disk():
                    self._finish()
        finally:
            self._file.close()
            self._sink.close()
            self._partial.unlink(missing_ok=True)
        return False

    @contextlib.contextmanager
    def _on_disk(self) -> Iterator[None]:
        try:
            yield
            if self._sink.error:
                raise self._sink.error
        except OSError as problem:
            raise InputError(
                f"{self._path}: could not be written ({problem}); make room there and run again"
            ) from problem

    def _finish(self) -> None:
        self._flush(rest=True)
        for axis, offsets in self._offsets.items():
            self._file[f"{axis}_offsets"] = np.array(offsets, np.int64)
        self._file["ids"] = np.array([name.encode() for name in self._ids], dtype=bytes)
        self._file["split"] = np.array(self._splits, np.uint8)
        self._file.close()
        if self._sink.error is None:
            os.fsync(self._sink.fileno())
            self._partial.replace(self._path)

    def _flush(self, rest: bool = False) -> None:
        """Writes what is buffered in whole chunks, past HDF5's copy of them; at last the rest."""
        for name, (shape, dtype, _) in _COLUMNS.items():
            parts, dataset = self._buffer[name], self._file[name]
            values = np.ascontiguousarray(np.concatenate([np.empty((0, *shape), dtype), *parts]))
            begin, chunk = len(dataset), dataset.chunks[0]
            whole = len(values) // chunk * chunk
            dataset.resize(begin + (len(values) if rest else whole), axis=0)
            for first in range(0, whole, chunk):
                place = (begin + first, *(0 for _ in shape))
                dataset.id.write_direct_chunk(place, values[first : first + chunk])
            if rest:
                dataset[begin + whole :] = values[whole:]
            self._buffer[name] = [values[whole:]]


class FeatureStore:
    """Reads a feature file, utterance by utterance.

    The file is opened when it is first read, once in each process: a store may be pickled to a
    worker, or inherited by one.

    Attributes:
        ids: tuple of n strings, ascending.
        split: [n] uint8, 0 train, 1 test.
        units_total: [n] int64, the length of each utterance.
        tokens_total: [n] int64, its tokens with BOS and EOS.
    """

    def __init__(self, path: str | Path, choice: F0 | None = None) -> None:
        """Reads the index of the file at `path`.

        Args:
            path: of the file.
            choice: how its F0 must have been tracked; None where that does not matter.

        Raises:
            InputError: it is missing, damaged, of another layout or grid, or its F0 was tracked in
                another way.
        """
        self._path = Path(path)
        self._owner = 0
        self._datasets: dict[str, h5py.Dataset] = {}
        try:
            with h5py.File(self._path, "r") as file:
                found = {key: int(file.attrs[key]) for key in (*_GRID, "version")}
                if found != _GRID | {"version": VERSION}:
                    raise InputError(
                        f"{path}: written for {found}, not {_GRID | {'version': VERSION}}; "
                        "run `dvc repro -f features`"
                    )
                if choice and file.attrs["f0"] != _written(choice):
                    raise InputError(
                        f"{path}: its F0 was tracked with {file.attrs['f0']}, but features.f0 is "
                        f"{_written(choice)}; run `dvc repro features`"
                    )
                self._offsets = {axis: file[f"{axis}_offsets"][:] for axis in _AXES}
                self.ids = tuple(name.decode() for name in file["ids"][:])
                self.split = file["split"][:]
        except (OSError, KeyError) as error:
            raise InputError(
                f"{path}: not a readable feature file ({error}); run `dvc repro features`"
            ) from error
        self.tokens_total = np.diff(self._offsets["token"])
        self.units_total = np.diff(self._offsets["sample"]) // grid.SAMPLES_PER_UNIT

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Utterance:
        """The whole utterance."""
        return self.crop(index, 0, int(self.units_total[index]))

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_datasets": {}, "_owner": 0}

    def indices(self, split: str) -> NDArray[np.int64]:
        """Indices of the utterances in `train` or `test`, ascending.

        Raises:
            InputError: there is none.
        """
        found = np.flatnonzero(self.split == SPLITS.index(split))
        if not len(found):
            raise InputError(
                f"{self._path}: no {split} utterance; see corpus.test_share and the lists of "
                "rejected utterances"
            )
        return found

    def held_out(self, purpose: Literal["choice", "report"], count: int) -> NDArray[np.int64]:
        """At most `count` indices of the test split, spread evenly, ascending; see `indices`.

        Every other utterance is for choosing when training was best, the rest for reporting how
        good it is, so that no choice flatters the report. A single one must do for both.
        """
        found = self.indices("test")
        found = found[["choice", "report"].index(purpose) :: 2] if len(found) > 1 else found
        return found[np.arange(min(count, len(found))) * len(found) // min(count, len(found))]

    def crop(self, index: int, start: int, units: int) -> Utterance:
        """`units` units of an utterance from unit `start` on; nothing else is read."""
        spans = {
            "frame": (grid.units_to_frames(start), grid.units_to_frames(start + units)),
            "sample": (grid.units_to_samples(start), grid.units_to_samples(start + units)),
        }
        begins = {axis: int(self._offsets[axis][index]) for axis in _AXES}
        spans["token"] = (0, int(self._offsets["token"][index + 1]) - begins["token"])
        datasets = self._open()
        rows = {
            name: datasets[name][begins[axis] + spans[axis][0] : begins[axis] + spans[axis][1]]
            for name, (_, _, axis) in _COLUMNS.items()
        }
        return Utterance(
            id=self.ids[index],
            tokens=rows["tokens"].astype(np.int64),
            units=rows["units"].astype(np.int64),
            mel=rows["mel"].astype(np.float32),
            f0=rows["f0"],
            energy=rows["energy"],
            audio=rows["audio"] / FULL_SCALE,
        )

    def _open(self) -> dict[str, h5py.Dataset]:
        """This process's own datasets: HDF5's state does not survive a fork."""
        if self._owner != os.getpid():
            file = h5py.File(self._path, "r", rdcc_nbytes=0)
            self._datasets, self._owner = {name: file[name] for name in _COLUMNS}, os.getpid()
        return self._datasets
