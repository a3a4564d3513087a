"""A cache in a stage's scratch folder: bytes by key.

One SQLite database, used by the stage's own process only. If the stage is killed, the next run
finds all that was put until then.
"""

import shutil
import sqlite3
import zlib
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Self

import diskcache
from tqdm import tqdm

from lbtts.errors import InputError

_CHECKSUM = 4  # bytes in front of each value
_DIGEST = 32  # bytes between them and a value of `Latest`

# By default diskcache evicts entries beyond 1 GB and writes each long value into a separate file.
_SETTINGS = {"eviction_policy": "none", "cull_limit": 0, "disk_min_file_size": 2**31 - 1}


class Cache:
    """Bytes by key; values damaged on disk are not found."""

    def __init__(self, folder: Path) -> None:
        """Opens the cache in `folder`, or a new one if it is damaged.

        Args:
            folder: its own, in a scratch folder that no other process uses.

        Raises:
            InputError: it cannot be opened, for example because the disk is full.
        """
        self._folder = folder
        with self._errors_as_input():
            try:
                self._cache = self._open()
            except sqlite3.OperationalError:  # no damage: disk full, no rights, …
                raise
            except sqlite3.DatabaseError as error:
                tqdm.write(f"{self._folder}: damaged ({error}); a new cache was started")
                shutil.rmtree(self._folder)
                self._cache = self._open()

    def _open(self) -> diskcache.Cache:
        cache = diskcache.Cache(str(self._folder), **_SETTINGS)
        deque(cache, maxlen=0)  # reads all keys, so damage is found here
        return cache

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.close()

    def get(self, key: str) -> bytes | None:
        """The value of a key, None if there is none.

        Raises:
            InputError: the database was damaged since it was opened.
        """
        with self._errors_as_input():
            stored = self._cache.get(key)
        if stored is None or _summed(stored[_CHECKSUM:]) != stored:
            return None
        return stored[_CHECKSUM:]

    def put(self, values: Mapping[str, bytes]) -> None:
        """Stores values by key, all or none of them.

        Raises:
            InputError: they cannot be written.
        """
        with self._errors_as_input(), self._cache.transact():
            for key, value in values.items():
                self._cache.set(key, _summed(value))

    def keep(self, keys: Container[str]) -> None:
        """Removes all values but those of `keys`.

        Raises:
            InputError: the database cannot be written.
        """
        with self._errors_as_input(), self._cache.transact():
            for key in self._cache:
                if key not in keys:
                    self._cache.delete(key)

    @contextmanager
    def _errors_as_input(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, OSError) as error:
            raise InputError(
                f"{self._folder}: {error}; if the disk is full, free some space; otherwise delete "
                "that folder; then run again"
            ) from error


class Latest:
    """For each name the value that was made last, beside a digest of all that it was made of.

    So there are never more values than names.
    """

    def __init__(self, cache: Cache) -> None:
        """Takes a cache that is used by nothing else."""
        self._cache = cache

    def get(self, name: str, made: bytes) -> bytes | None:
        """The value, None if there is none that was made of this.

        Args:
            name: of the value.
            made: digest of 32 bytes.

        Raises:
            InputError: the database was damaged since it was opened.
        """
        value = self._cache.get(name)
        return value[_DIGEST:] if value is not None and value[:_DIGEST] == made else None

    def put(self, name: str, made: bytes, value: bytes) -> None:
        """Stores the value in the place of an older one.

        Raises:
            InputError: it cannot be written.
        """
        self._cache.put({name: made + value})

    def only(self, names: Iterable[str]) -> None:
        """Drops the values of all other names.

        Raises:
            InputError: the database cannot be written.
        """
        self._cache.keep(set(names))


def remembered(
    folder: Path,
    made: Mapping[str, bytes],
    make: Callable[[Sequence[str]], Iterable[tuple[str, bytes]]],
    title: str,
) -> dict[str, bytes]:
    """The value of each name; only what no earlier run has made is made, and kept at once.

    Args:
        folder: of a cache, which then holds these values and no others.
        made: the digest of all that the value is made of, by name; see `Latest`.
        make: makes the values of some names, in any order.
        title: of the progress bar.

    Raises:
        InputError: the cache cannot be read or written.
    """
    with Cache(folder) as cache:
        latest = Latest(cache)
        known = {name: latest.get(name, digest) for name, digest in made.items()}
        lacking = [name for name, value in known.items() if value is None]
        for name, value in tqdm(make(lacking), desc=title, total=len(lacking), unit="utt"):
            latest.put(name, made[name], value)
            known[name] = value
        latest.only(made)
    return {name: value for name, value in known.items() if value is not None}


def method(name: str, revision: int, libraries: tuple[str, ...], parameters: str = "") -> str:
    """How values are made, for a key: with them, all that they depend on besides their input.

    Args:
        name: of what is made.
        revision: the `VERSION` of the module that makes it.
        libraries: whose versions change it.
        parameters: of the making.
    """
    versions = (f"{library} {version(library)}" for library in libraries)
    return "/".join([name, str(revision), *versions, parameters])


def _summed(value: bytes) -> bytes:
    """The value with its checksum in front."""
    return zlib.crc32(value).to_bytes(_CHECKSUM, "little") + value
