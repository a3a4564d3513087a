"""The writer of the feature file; for its layout see `lbtts.acoustics.store.features`."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from lbtts.acoustics.store.layout import AXES, COLUMNS, GRID, SPLITS, VERSION, Arrays, tracking
from lbtts.acoustics.store.sink import Sink
from lbtts.errors import InputError
from lbtts.params import F0

_CHUNK = 2**18
_BUFFER = 64  # utterances between writes
_LIBVER = (
    "v108",
    "v108",
)  # HDF5's file format; fixed, because the default changes with the library


class FeatureWriter:
    """Writes a feature file; it appears under its name only when it is complete."""

    def __init__(self, path: str | Path, f0_params: F0) -> None:
        """Takes the file's path and the parameters of the F0 tracker.

        Raises:
            InputError: once it is entered, the file cannot be written. An older file at `path`
                stays.
        """
        self._path = Path(path)
        self._partial = self._path.with_suffix(".partial")
        self._buffer: dict[str, list[NDArray]] = {name: [] for name in COLUMNS}
        self._offsets: dict[str, list[int]] = {axis: [0] for axis in AXES}
        self._ids: list[str] = []
        self._splits: list[int] = []
        self._f0_params = f0_params

    def add(
        self,
        name: str,
        split: str,
        tokens: Sequence[int],
        units: Sequence[int],
        arrays: Arrays,
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
        with contextlib.ExitStack() as stack:
            stack.callback(self._partial.unlink, missing_ok=True)
            with self._on_disk():
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._sink = stack.enter_context(Sink(self._partial, "w+"))
                self._file = stack.enter_context(h5py.File(self._sink, "w", libver=_LIBVER))
                self._describe()
            self._stack = stack.pop_all()
        return self

    def _describe(self) -> None:
        """Writes the attributes and empty columns."""
        self._file.attrs.update(GRID)
        self._file.attrs["version"] = VERSION
        self._file.attrs["f0"] = tracking(self._f0_params)
        for library in ("librosa", "pyworld-prebuilt", "numpy"):
            self._file.attrs[library] = version(library)
        for name, (shape, dtype, _) in COLUMNS.items():
            chunk = (_CHUNK // (shape or (1,))[0], *shape)
            self._file.create_dataset(
                name, (0, *shape), dtype, maxshape=(None, *shape), chunks=chunk
            )

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
            self._stack.close()
        return False

    @contextlib.contextmanager
    def _on_disk(self) -> Iterator[None]:
        try:
            yield
            if self._sink.error:
                raise self._sink.error
        except OSError as problem:
            raise InputError(
                f"{self._path}: could not be written ({problem}); free some space and run again"
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
        """Writes the buffered values in whole chunks, so none is written twice; with `rest`, all.

        The file's bytes do not depend on how many utterances are buffered.
        """
        for name, (shape, dtype, _) in COLUMNS.items():
            dataset = self._file[name]
            values = np.concatenate([np.empty((0, *shape), dtype), *self._buffer[name]])
            begin, chunk = len(dataset), dataset.chunks[0]
            count = len(values) if rest else len(values) // chunk * chunk
            dataset.resize(begin + count, axis=0)
            dataset[begin:] = values[:count]
            self._buffer[name] = [values[count:]]
