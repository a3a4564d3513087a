"""A file for HDF5 that survives a full disk."""

import io
from typing import Any


class Sink(io.FileIO):
    """A file that ignores writes after a failed one and keeps the error.

    HDF5 itself ends the process with a segmentation fault if the disk is full.
    """

    error: OSError | None = None

    def write(self, data: Any) -> int:  # what h5py hands over
        """Writes all of `data`, unless an earlier write failed; returns its size in bytes."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        try:
            while rest and self.error is None:
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Changes the size to `size` bytes."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0
