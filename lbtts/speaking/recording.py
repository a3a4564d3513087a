"""Speech into a file, however long it is, in constant memory; what was interrupted goes on.

Beside the file lie, while it is spoken, <file>.part.pcm with the samples so far and
<file>.part.jsonl with a line for each chunk of them. They are removed at the end.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lbtts.errors import InputError
from lbtts.grid import SAMPLE_RATE
from lbtts.speaking import formats, subtitles
from lbtts.speaking.words import Word

if TYPE_CHECKING:
    from lbtts.voice import Chunk, Speech

_SAMPLE_BYTES = 2


def record(
    speech: "Speech", path: Path, words: Path | None = None, fingerprint: str | None = None
) -> Iterator["Chunk"]:
    """Speaks into `path`, and yields each chunk when it is safe on disk.

    Args:
        speech: what to speak.
        path: of the audio; its ending says the format.
        words: of the times of the words, likewise.
        fingerprint: of the text, the voice and the manner. What an interrupted recording with the
            same one has left is kept, and not yielded. None starts again.

    Raises:
        InputError: an ending is unknown, a folder is missing, or nothing could be spoken.
    """
    format, kind = formats.ending(path), words and subtitles.kind(words)
    for folder in {path.parent, (words or path).parent}:
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder")
    log = path.with_name(path.name + ".part.jsonl")
    raw = path.with_name(path.name + ".part.pcm")
    done = _done(log, raw, fingerprint)
    if not done:
        log.write_text(json.dumps({"fingerprint": fingerprint}) + "\n", encoding="utf-8")
        raw.write_bytes(b"")
    last = done[-1] if done else {"part": 0, "samples": 0}
    spoken = sum(line["part"] == last["part"] for line in done)
    with raw.open("ab") as samples, log.open("a", encoding="utf-8") as lines:
        for chunk in speech.after(last["part"], spoken, last["samples"]):
            samples.write(formats.pcm(chunk.audio).tobytes())
            samples.flush()
            end = samples.tell() // _SAMPLE_BYTES
            line = {"part": chunk.part, "samples": end, "words": [asdict(w) for w in chunk.words]}
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            lines.flush()
            yield chunk
    if not raw.stat().st_size:
        _remove(log, raw)
        raise InputError(f"{path}: not written, for nothing in the text can be spoken")
    made = path.with_name(path.name + ".part")
    formats.encode(made, format, _blocks(raw))
    made.replace(path)
    if words and kind:
        with words.open("w", encoding="utf-8", newline="\n") as file:
            subtitles.write(file, kind, _words(log))
    _remove(log, raw)


def _done(log: Path, raw: Path, fingerprint: str | None) -> list[dict[str, int]]:
    """Part and samples of the chunks that are whole, and cuts the files there."""
    if fingerprint is None or not (log.exists() and raw.exists()):
        return []
    found, kept, size = [], 0, raw.stat().st_size
    with log.open("rb") as lines:
        first = _parsed(lines.readline())
        if first is None or first.get("fingerprint") != fingerprint:
            return []
        kept = lines.tell()
        for line in lines:
            entry = _parsed(line)
            if entry is None or entry["samples"] * _SAMPLE_BYTES > size:
                break
            found.append({"part": entry["part"], "samples": entry["samples"]})
            kept += len(line)
    os.truncate(log, kept)
    os.truncate(raw, found[-1]["samples"] * _SAMPLE_BYTES if found else 0)
    return found


def _parsed(line: bytes) -> dict[str, Any] | None:
    """A line of the log; None if it was cut short."""
    if not line.endswith(b"\n"):
        return None
    try:
        return json.loads(line)
    except ValueError:
        return None


def _blocks(raw: Path) -> Iterator[NDArray[np.int16]]:
    with raw.open("rb") as file:
        while block := file.read(SAMPLE_RATE * _SAMPLE_BYTES):
            yield np.frombuffer(block, "<i2")


def _words(log: Path) -> Iterator[list[Word]]:
    with log.open(encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            yield [
                Word(**fields | {"place": tuple(fields["place"])})
                for fields in json.loads(line)["words"]
            ]


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink()
