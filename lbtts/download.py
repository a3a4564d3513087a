"""Files from a server: whole and with the right sum, or not there at all."""

import hashlib
import http
import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lbtts.errors import InputError, first_line

_TIMEOUT = 60  # seconds without a byte
_BLOCK = 2**20


def download(address: str, path: Path, digest: str, algorithm: str = "sha256") -> None:
    """Fetches a file that is not at `path` yet; an interrupted download continues.

    Until its sum is found right, what has arrived is in a file `.partial` beside it.

    Args:
        address: of the file.
        path: where it is kept; only one process at a time may fetch it.
        digest: its sum, in hexadecimal digits.
        algorithm: of the sum, a name that hashlib knows.

    Raises:
        InputError: the server does not answer, breaks off, or has a file with another sum.
    """
    if path.exists():
        return
    partial = path.with_name(f"{path.name}.partial")
    _fetch(address, partial)
    with partial.open("rb") as file:
        found = hashlib.file_digest(file, algorithm).hexdigest()
    if found != digest:
        partial.unlink()
        raise InputError(
            f"{address}: its {algorithm} sum is {found}, not {digest}; run again, or correct the "
            "sum if this is the file that you want"
        )
    partial.rename(path)


def opened(address: str, begin: int = 0) -> Any:
    """A server's answer, to be read.

    Args:
        address: of a file.
        begin: the byte from which the file is wanted. A server may send the whole of it all the
            same, with the status 200, or say with 416 that there is no such byte.

    Raises:
        InputError: there is no answer, or no file.
    """
    try:
        headers = {"Range": f"bytes={begin}-"} if begin else {}
        return urllib.request.urlopen(
            urllib.request.Request(address, headers=headers), timeout=_TIMEOUT
        )
    except (OSError, http.client.HTTPException, ValueError) as error:
        if begin and isinstance(error, urllib.error.HTTPError) and error.code == 416:
            return error
        raise InputError(
            f"{address}: cannot be fetched ({first_line(error)}); check the address and the network"
        ) from None


def _fetch(address: str, partial: Path) -> None:
    """Adds to `partial` what it lacks."""
    there = partial.stat().st_size if partial.exists() else 0
    with opened(address, there) as answer:
        if answer.status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            there = 0
        rest = answer.headers["Content-Length"]
        size = there + int(rest) if rest else None
        with (
            partial.open("ab" if there else "wb") as file,
            tqdm(total=size, initial=there, unit="B", unit_scale=True, desc=partial.stem) as bar,
        ):
            for block in _blocks(answer, address):
                file.write(block)
                bar.update(len(block))
    arrived = partial.stat().st_size
    if size is not None and arrived < size:
        raise _broken_off(address, f"{arrived} of {size} bytes")


def _blocks(answer: Any, address: str) -> Iterator[bytes]:
    try:
        while block := answer.read(_BLOCK):
            yield block
    except (OSError, http.client.HTTPException) as error:
        raise _broken_off(address, first_line(error)) from None


def _broken_off(address: str, why: str) -> InputError:
    return InputError(f"{address}: the download broke off ({why}); run again to continue it")
