"""Fetching published TextGrids from a server of our own that has Zenodo's form."""

import hashlib
import io
import json
import tarfile
import zipfile

import pytest

from lbtts.corpus.published import fetch
from lbtts.errors import InputError
from tests.file_server import file_server

GRIDS = {"LJ001-0001.TextGrid": b"one" * 5000, "LJ001-0002.TextGrid": b"two" * 5000}


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in GRIDS.items():
            archive.writestr(f"wavs/{name}", content)
        archive.writestr("__MACOSX/._LJ001-0001.TextGrid", b"not a grid")
        archive.writestr("README", b"not a grid either")
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in GRIDS.items():
            member = tarfile.TarInfo(f"LJSpeech/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture
def zenodo(tmp_path, monkeypatch):
    """A server with one record, of the archive that `zipped` gives."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    with file_server() as server:
        publish(server, "LJSpeech_TextGrids.zip", zipped())
        yield server


def publish(server, name, content, digest=""):
    """Makes a file the only one of the server's record."""
    digest = digest or hashlib.md5(content).hexdigest()
    links = {"self": f"{server.address}/file"}
    file = {"key": name, "size": len(content), "links": links, "checksum": f"md5:{digest}"}
    server.files = {"/record": json.dumps({"files": [file]}).encode(), "/file": content}


def fetched(server, folder):
    return fetch(f"{server.address}/record", folder)


def found(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(("name", "make"), [("grids.zip", zipped), ("grids.tar.gz", tarred)])
def test_the_grids_come_out_of_their_archive_without_its_folders(zenodo, tmp_path, name, make):
    publish(zenodo, name, make())
    assert fetched(zenodo, tmp_path / "grids") == 2
    assert found(tmp_path / "grids") == GRIDS


def test_an_archive_is_fetched_once(zenodo, tmp_path):
    for folder in ("grids", "again"):
        assert fetched(zenodo, tmp_path / folder) == 2
    assert len(zenodo.asked) == 3  # the record twice


def test_an_archive_with_another_sum_is_refused(zenodo, tmp_path):
    publish(zenodo, "grids.zip", zipped(), digest="0" * 32)
    with pytest.raises(InputError, match=f"its md5 sum is .*, not {'0' * 32}; run again"):
        fetched(zenodo, tmp_path / "grids")
    assert not found(tmp_path / "grids")


def test_what_cannot_be_fetched_is_said_in_one_line(zenodo, tmp_path):
    publish(zenodo, "notes.txt", b"")
    with pytest.raises(InputError, match=r"no archive; it has notes.txt"):
        fetched(zenodo, tmp_path)
    zenodo.files["/record"] = b"<html>"
    with pytest.raises(InputError, match=r"/record: not a record of Zenodo") as raised:
        fetched(zenodo, tmp_path)
    assert "\n" not in str(raised.value)
    zenodo.files = {}
    with pytest.raises(InputError, match="/record: cannot be fetched"):
        fetched(zenodo, tmp_path)
