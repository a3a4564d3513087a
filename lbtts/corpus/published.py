"""Fetches LJSpeech's published TextGrids: python -m lbtts.corpus.published FOLDER

They are a record of Zenodo, whose files never change; a corrected version has another number. The
record names the MD5 sum of each file. An interrupted download continues where it stopped.
"""

import argparse
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from lbtts.download import download, opened
from lbtts.errors import InputError
from lbtts.scratch import scratch

RECORD = "https://zenodo.org/api/records/7499098"

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_ENDING = ".textgrid"  # in any case


def fetch(record: str, folder: Path) -> int:
    """Writes every TextGrid in the archives of a record into `folder`; returns their number.

    Args:
        record: address of the record's JSON.
        folder: made if it does not exist; the stage `align` reads data/raw/<name>/textgrids.

    Raises:
        InputError: the record or a file cannot be fetched, has another sum or no TextGrid.
    """
    with opened(record) as answer:
        try:
            files = json.load(answer)["files"]
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{record}: not a record of Zenodo; check the address") from None
    archives = [file for file in files if file["key"].lower().endswith(_ARCHIVES)]
    if not archives:
        names = ", ".join(file["key"] for file in files) or "no file"
        raise InputError(f"{record}: no archive; it has {names}")
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with scratch("published") as kept:
        for file in archives:
            algorithm, _, digest = file["checksum"].partition(":")
            path = kept / f"{digest}-{PurePosixPath(file['key']).name}"
            download(file["links"]["self"], path, digest, algorithm)
            for name, content in _members(path):
                (folder / name).write_bytes(content)
                count += 1
    if not count:
        raise InputError(f"{record}: no TextGrid in {', '.join(file['key'] for file in archives)}")
    return count


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """The name, without folders, and content of every TextGrid in an archive."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if _is_grid(name):
                    yield PurePosixPath(name).name, archive.read(name)
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member) if _is_grid(member.name) else None
                if content:
                    yield PurePosixPath(member.name).name, content.read()


def _is_grid(name: str) -> bool:
    return name.lower().endswith(_ENDING) and not PurePosixPath(name).name.startswith(".")


def main() -> None:
    """Fetches into the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="data/raw/ljspeech/textgrids")
    parser.add_argument("--record", default=RECORD, help="another record of Zenodo")
    given = parser.parse_args()
    try:
        print(f"{fetch(given.record, given.folder)} TextGrids in {given.folder}")
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted: run the same command to continue")


if __name__ == "__main__":
    main()
