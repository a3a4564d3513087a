"""The feature file: the arrays of all utterances, concatenated, and where each starts.

One flat dataset per quantity, uncompressed, in chunks of 2^18 values, read without HDF5's chunk
cache. Flat, because 30,000 groups or files take twice as long to write. The rest was measured on
2,000 utterances, 2.85 hours, 601 MiB: CPU time of one core, crops of 1.5 s at random places in
multiples of real time, medians of three, chunks of 2^16:

                        size   write    crops through the cache   without
    uncompressed       100 %    1.8 s                   16,000   33,000
    lzf                100 %    5.7 s                    5,500    1,600
    shuffled, lzf       86 %    6.6 s                    1,500      630
    shuffled, gzip 1    75 %   10.3 s                    1,200      470

Uncompressed and without the cache, smaller chunks are slower (2^14: 27,000, 2^12: 22,000), and 2^18
is as fast as 2^16 within the noise (`benchmarks/store.py`). The reader keeps its datasets open:
looking them up by name for every crop makes it six to ten times slower.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from lbtts import grid
from lbtts.acoustics.store.layout import (
    AXES,
    COLUMNS,
    FULL_SCALE,
    GRID,
    SPLITS,
    VERSION,
    Crop,
    Utterance,
    tracking,
)
from lbtts.errors import InputError
from lbtts.params import F0


class FeatureStore:
    """Reads a feature file, utterance by utterance.

    The file is opened at the first read, once in each process, so a store may be pickled to a
    worker or inherited by one.

    Attributes:
        ids: tuple of n strings, ascending.
        split: [n] uint8, 0 train, 1 test.
        units_total: [n] int64, the length of each utterance.
        tokens_total: [n] int64, its tokens with BOS and EOS.
    """

    def __init__(self, path: str | Path, f0_params: F0 | None = None) -> None:
        """Reads the index of the file at `path`.

        Args:
            path: of the file.
            f0_params: how its F0 must have been tracked; None if that does not matter.

        Raises:
            InputError: it is missing, damaged, of another layout or grid, or its F0 was tracked
                with other parameters.
        """
        self._path = Path(path)
        self._owner = 0
        self._datasets: dict[str, h5py.Dataset] = {}
        try:
            with h5py.File(self._path, "r") as file:
                found = {key: int(file.attrs[key]) for key in (*GRID, "version")}
                if found != GRID | {"version": VERSION}:
                    raise InputError(
                        f"{path}: written for {found}, not {GRID | {'version': VERSION}}; "
                        "run `dvc repro -s -f features`"
                    )
                if f0_params and file.attrs["f0"] != tracking(f0_params):
                    raise InputError(
                        f"{path}: its F0 was tracked with {file.attrs['f0']}, but features.f0 is "
                        f"{tracking(f0_params)}; run `dvc repro features`"
                    )
                self._offsets = {axis: file[f"{axis}_offsets"][:] for axis in AXES}
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
        rows = self._rows(index, 0, int(self.units_total[index]), COLUMNS)
        return Utterance(**rows | {"mel": rows["mel"].astype(np.float32)})

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

        Every other utterance is for choosing the best checkpoint, the others are for the report, so
        the report is not biased by the choice. A single utterance serves both.
        """
        found = self.indices("test")
        found = found[["choice", "report"].index(purpose) :: 2] if len(found) > 1 else found
        return found[np.arange(min(count, len(found))) * len(found) // min(count, len(found))]

    def crop(self, index: int, start: int, units: int) -> Crop:
        """`units` units of an utterance, starting at unit `start`; only these are read, no mel."""
        return Crop(**self._rows(index, start, units, [name for name in COLUMNS if name != "mel"]))

    def _rows(self, index: int, start: int, units: int, columns: Iterable[str]) -> dict[str, Any]:
        """The fields of a crop, and the mel as it is stored if it is among `columns`."""
        spans = {
            "frame": (grid.units_to_frames(start), grid.units_to_frames(start + units)),
            "sample": (grid.units_to_samples(start), grid.units_to_samples(start + units)),
        }
        begins = {axis: int(self._offsets[axis][index]) for axis in AXES}
        spans["token"] = (0, int(self._offsets["token"][index + 1]) - begins["token"])
        datasets = self._open()
        rows = {}
        for name in columns:
            _, _, axis = COLUMNS[name]
            first, last = spans[axis]
            rows[name] = datasets[name][begins[axis] + first : begins[axis] + last]
        return rows | {
            "id": self.ids[index],
            "tokens": rows["tokens"].astype(np.int64),
            "units": rows["units"].astype(np.int64),
            "audio": rows["audio"] / FULL_SCALE,
        }

    def _open(self) -> dict[str, h5py.Dataset]:
        """This process's own datasets: HDF5's state does not survive a fork."""
        if self._owner != os.getpid():
            file = h5py.File(self._path, "r", rdcc_nbytes=0)
            self._datasets, self._owner = {name: file[name] for name in COLUMNS}, os.getpid()
        return self._datasets
