import base64
import io
import json
import socket
import time

import numpy as np
import pytest
import soundfile

pytest.importorskip("fastapi", reason="pip install -r requirements-serve.txt")

from starlette.testclient import TestClient

from lbtts import Voice
from lbtts.server.app import create
from lbtts.server.limits import CHARACTERS, Limits
from lbtts.server.stream import MEDIA_TYPES
from tests.serving import serving

SPEECH = "/v1/audio/speech"
TEXT = "Moien, wéi geet et? Gutt."


@pytest.fixture(scope="module")
def voice(exported):
    return Voice.load(exported, threads=1)


@pytest.fixture(scope="module")
def client(voice):
    with TestClient(create({"lb_max": voice})) as client:
        yield client


@pytest.mark.parametrize("format", MEDIA_TYPES)
def test_each_format_comes_with_its_type_and_holds_the_speech(client, voice, format, tmp_path):
    answer = client.post(SPEECH, json={"input": TEXT, "response_format": format})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == MEDIA_TYPES[format]
    expected = len(voice(TEXT).audio) / 24_000
    if format == "pcm":
        assert len(answer.content) / 2 / 24_000 == expected
        return
    if format == "flac":  # its header does not tell the length, and libsndfile does not read that
        voice(TEXT).save(tmp_path / "a.flac")
        assert answer.content[42:] == (tmp_path / "a.flac").read_bytes()[42:]
        return
    found = soundfile.SoundFile(io.BytesIO(answer.content))
    assert len(found.read()) / found.samplerate == pytest.approx(expected, abs=0.1)


def test_timestamps_come_with_the_audio_they_are_of(client, voice):
    answer = client.post(SPEECH + "/timestamps", json={"input": TEXT, "voice": "lb_max"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    words = [word for line in lines for word in line["words"]]
    assert [TEXT[slice(*word["place"])] for word in words] == TEXT.replace(",", "").replace(
        "?", ""
    ).replace(".", "").split()
    audio = b"".join(base64.b64decode(line["audio"]) for line in lines)
    assert len(audio) == 2 * len(voice(TEXT).audio)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"input": TEXT, "voice": "../../etc/passwd"}, 404),
        ({"input": ""}, 422),
        ({"input": "a" * (CHARACTERS + 1)}, 422),
        ({"input": TEXT, "speed": 9}, 422),
        ({"input": TEXT, "response_format": "aac"}, 422),
        ({"voice": "lb_max"}, 422),
        ({"input": "[Gas](/g/)"}, 400),
        ({"input": "a" * 300_000}, 413),
    ],
)
def test_what_is_wrong_has_the_right_status(client, body, status):
    answer = client.post(SPEECH, json=body)
    assert answer.status_code == status
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"{", b"", b"\xff\xfe", b'{"input": NaN}', b'{"input": "\\ud800"}', b"[" * 5000]
)
def test_what_is_no_json_is_refused(client, body):
    answer = client.post(SPEECH, content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("text", ["😀", "\u202e\u0000\u200b", "🏳️‍🌈 \u0301\u0301 ﷽", "東京 Москва"])
def test_odd_characters_are_spoken_or_silent(client, text):
    answer = client.post(SPEECH, json={"input": text, "response_format": "wav"})
    assert answer.status_code == 200


def test_the_key_is_asked_for(voice):
    with TestClient(create({"lb_max": voice}, key="secret é")) as client:
        assert client.post(SPEECH, json={"input": "A"}).status_code == 401
        wrong = {"Authorization": "Bearer other"}
        assert client.post(SPEECH, json={"input": "A"}, headers=wrong).status_code == 401
        right = {"Authorization": "Bearer secret é".encode()}
        assert client.post(SPEECH, json={"input": "A"}, headers=right).status_code == 200
        assert client.get("/health").json() == {"status": "ok", "requests": 0}


def test_the_page_and_the_lists_are_there(client):
    for path, kind in (
        ("/", "text/html"),
        ("/page.js", "text/javascript"),
        ("/page.css", "text/css"),
    ):
        answer = client.get(path)
        assert answer.headers["content-type"].startswith(kind)
        assert "http" not in answer.text.replace('xmlns="http', "")  # nothing from elsewhere
    assert client.get("/v1/audio/voices").json() == {"voices": ["lb_max"]}
    assert client.get("/v1/models").json()["data"][0]["id"] == "kokoro"


@pytest.fixture
def served(voice):
    """The address of a real server that takes two requests at a time."""
    with serving(create({"lb_max": voice}, limits=Limits(requests=2))) as url:
        yield url


def begun(url: str) -> socket.socket:
    """A connection on which a long speech has begun to come."""
    body = json.dumps({"input": TEXT * 200, "response_format": "pcm"}).encode()
    connection = socket.create_connection(("127.0.0.1", int(url.rsplit(":")[-1])))
    head = f"POST {SPEECH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    assert b"200 OK" in connection.recv(4000)
    return connection


def test_too_many_are_told_to_come_back_and_who_hangs_up_frees_the_place(served):
    import httpx

    speaking = [begun(served), begun(served)]
    busy = httpx.post(served + SPEECH, json={"input": "Moien."})
    assert busy.status_code == 503 and busy.headers["retry-after"]
    assert httpx.get(served + "/health").json()["requests"] == 2
    for connection in speaking:
        connection.close()
    deadline = time.monotonic() + 20
    while httpx.get(served + "/health").json()["requests"] and time.monotonic() < deadline:
        time.sleep(0.05)
    answer = httpx.post(served + SPEECH, json={"input": "Moien.", "response_format": "pcm"})
    assert answer.status_code == 200 and np.frombuffer(answer.content, "<i2").any()


def test_a_request_that_takes_too_long_is_ended(voice):
    with TestClient(create({"lb_max": voice}, limits=Limits(seconds=0.2))) as client:
        answer = client.post(SPEECH, json={"input": TEXT * 200, "response_format": "pcm"})
    assert answer.status_code == 200
    assert 0 < len(answer.content) < 2 * len(voice(TEXT).audio) * 100
