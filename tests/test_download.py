"""Downloads that break off, go on, or are not what their sum says."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from lbtts.download import download
from lbtts.errors import InputError
from tests.conftest import ROOT
from tests.file_server import file_server

CONTENT = bytes(range(256)) * 40_000
SUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    with file_server() as running:
        running.files["/words"] = CONTENT
        yield running


def refused(server, path, digest=SUM, name="words"):
    """The line with which a download fails."""
    with pytest.raises(InputError) as raised:
        download(f"{server.address}/{name}", path, digest)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_file_is_fetched_once(server, tmp_path):
    for _ in range(2):
        download(f"{server.address}/words", tmp_path / "words", SUM)
    assert (tmp_path / "words").read_bytes() == CONTENT
    assert server.asked == [0]
    assert os.listdir(tmp_path) == ["words"]


def test_a_download_that_breaks_off_goes_on_where_it_stopped(server, tmp_path):
    asked = [0]
    for server.cut in (1000, 5_000_000):
        line = refused(server, tmp_path / "words")
        assert f"broke off ({server.cut} of {len(CONTENT)} bytes); run again" in line
        assert os.listdir(tmp_path) == ["words.partial"]
        asked.append(server.cut)
    server.cut = None
    download(f"{server.address}/words", tmp_path / "words", SUM)
    assert (tmp_path / "words").read_bytes() == CONTENT
    assert server.asked == asked


def test_a_server_that_cannot_begin_in_the_middle_is_taken_from_the_start(server, tmp_path):
    server.cut, server.ranges = 1000, False
    refused(server, tmp_path / "words")
    server.cut = None
    download(f"{server.address}/words", tmp_path / "words", SUM)
    assert (tmp_path / "words").read_bytes() == CONTENT


def test_a_download_killed_when_all_had_arrived_is_completed(server, tmp_path):
    (tmp_path / "words.partial").write_bytes(CONTENT)
    download(f"{server.address}/words", tmp_path / "words", SUM)
    assert (tmp_path / "words").read_bytes() == CONTENT


@pytest.mark.parametrize("begun", [b"", b"of an older file", CONTENT + b"more"])
def test_a_file_with_another_sum_is_removed_and_refused(server, tmp_path, begun):
    (tmp_path / "words.partial").write_bytes(begun)
    line = refused(server, tmp_path / "words", SUM if begun else "0" * 64)
    assert "its sha256 sum is" in line and "run again" in line
    assert not os.listdir(tmp_path)
    download(f"{server.address}/words", tmp_path / "words", SUM)


def test_a_server_that_is_not_there_or_has_no_such_file_is_named(server, tmp_path):
    line = refused(server, tmp_path / "o", name="other")
    assert "/other: cannot be fetched (HTTP Error 404" in line
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server.address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        assert "cannot be fetched (<urlopen error [Errno 111]" in refused(server, tmp_path / "o")
    server.address = "no address"
    assert "cannot be fetched (unknown url type" in refused(server, tmp_path / "o")


def test_a_server_that_hangs_up_without_an_answer_is_named(server, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as rude:
        threading.Thread(target=lambda: rude.accept()[0].close(), daemon=True).start()
        server.address = f"http://127.0.0.1:{rude.getsockname()[1]}"
        assert "cannot be fetched" in refused(server, tmp_path / "o")


@pytest.mark.slow  # three processes
def test_a_download_killed_in_the_middle_goes_on(server, tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from lbtts import download as d;"
        "blocks = d._blocks;"
        "d._BLOCK = 2**16;"
        "d._blocks = lambda *a: ((time.sleep(0.05), b)[1] for b in blocks(*a));"
        "d.download(sys.argv[1], Path(sys.argv[2]), sys.argv[3])"
    )
    command = [sys.executable, "-c", program, f"{server.address}/words", tmp_path / "words", SUM]
    partial = tmp_path / "words.partial"
    for _ in range(2):
        before = partial.stat().st_size if partial.exists() else 0
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        while not partial.exists() or partial.stat().st_size <= before + 2**19:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    download(f"{server.address}/words", tmp_path / "words", SUM)
    assert (tmp_path / "words").read_bytes() == CONTENT
    assert server.asked[0] == 0 and 0 < server.asked[1] < server.asked[2]
