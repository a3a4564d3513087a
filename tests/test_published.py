"""Fetching published TextGrids from a server of our own that has Zenodo's form."""

import hashlib
import http.server
import io
import json
import tarfile
import threading
import zipfile

import pytest

from lbtts.corpus.published import fetch
from lbtts.errors import InputError

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
    """A server with one record; `cut` is where it hangs up, `asked` the ranges it was asked for."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))

    class Server(http.server.BaseHTTPRequestHandler):
        name, content, digest = "LJSpeech_TextGrids.zip", zipped(), ""
        cut: int | None = None
        asked: list[int] = []  # noqa: RUF012

        def do_GET(self):
            if self.path == "/record":
                digest = self.digest or hashlib.md5(self.content).hexdigest()
                links = {"self": f"http://127.0.0.1:{self.server.server_port}/file"}
                file = {"key": self.name, "size": len(self.content), "links": links}
                record = json.dumps({"files": [file | {"checksum": f"md5:{digest}"}]})
                return self.answer(200, record.encode())
            first = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            self.asked.append(first)
            return self.answer(206, self.content[first : self.cut])

        def answer(self, status, content):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    Server.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Server.record = f"http://127.0.0.1:{server.server_port}/record"
    yield Server
    server.shutdown()
    server.server_close()


def found(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(("name", "make"), [("grids.zip", zipped), ("grids.tar.gz", tarred)])
def test_the_grids_come_out_of_their_archive_without_its_folders(zenodo, tmp_path, name, make):
    zenodo.name, zenodo.content = name, make()
    assert fetch(zenodo.record, tmp_path / "grids") == 2
    assert found(tmp_path / "grids") == GRIDS


def test_an_interrupted_download_continues_where_it_stopped(zenodo, tmp_path):
    zenodo.cut = 100
    with pytest.raises(InputError, match=r"ended after 100 of \d+ bytes; run again to continue"):
        fetch(zenodo.record, tmp_path / "grids")
    zenodo.cut = None
    assert fetch(zenodo.record, tmp_path / "grids") == 2
    assert zenodo.asked == [0, 100]
    assert fetch(zenodo.record, tmp_path / "again") == 2
    assert zenodo.asked == [0, 100]  # it was there


def test_a_file_with_another_sum_is_removed_and_refused(zenodo, tmp_path):
    zenodo.digest = "0" * 32
    for _ in range(2):
        with pytest.raises(InputError, match=f"its md5 sum is .*, not {'0' * 32}; run again"):
            fetch(zenodo.record, tmp_path / "grids")
    assert zenodo.asked == [0, 0] and not found(tmp_path / "grids")


def test_what_cannot_be_fetched_is_said_in_one_line(zenodo, tmp_path):
    with pytest.raises(InputError, match="cannot be fetched") as raised:
        fetch("http://127.0.0.1:1/record", tmp_path)
    assert "\n" not in str(raised.value)
    zenodo.name = "notes.txt"
    with pytest.raises(InputError, match=r"no archive; it has notes.txt"):
        fetch(zenodo.record, tmp_path)
