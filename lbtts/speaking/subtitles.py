"""The times of words as SubRip (.srt), WebVTT (.vtt) or JSON, written one cue after the other."""

import html
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from lbtts.errors import InputError
from lbtts.speaking.words import Word

KINDS = ("srt", "vtt", "json")
_LINE = 42  # characters of a cue, as subtitles on television have
_GAP = 1.0  # seconds of silence that end a cue


def kind(path: Path) -> str:
    """What the ending of a file says.

    Raises:
        InputError: no kind that is known.
    """
    found = path.suffix.lower().removeprefix(".")
    if found not in KINDS:
        raise InputError(f"{path}: times of words are written as .{', .'.join(KINDS)}")
    return found


def write(file: TextIO, kind: str, chunks: Iterable[Iterable[Word]]) -> None:
    """Writes the words of each chunk.

    Args:
        file: opened to write.
        kind: `srt`: cues of at most 42 characters; `vtt`: the same with the time of each word
            inside; `json`: a list of all words with what `Word` tells of them.
        chunks: words in order.
    """
    if kind == "json":
        _write_json(file, chunks)
        return
    file.write("WEBVTT\n\n" if kind == "vtt" else "")
    for number, cue in enumerate(_cues(chunks), 1):
        if kind == "srt":
            file.write(f"{number}\n")
        mark = "," if kind == "srt" else "."
        file.write(f"{_clock(cue[0].start, mark)} --> {_clock(cue[-1].end, mark)}\n")
        file.write(_timed(cue) if kind == "vtt" else _plain(cue))
        file.write("\n\n")


def _write_json(file: TextIO, chunks: Iterable[Iterable[Word]]) -> None:
    mark = "[\n"
    for word in (word for words in chunks for word in words):
        fields = asdict(word) | {"start": round(word.start, 3), "end": round(word.end, 3)}
        file.write(mark + json.dumps(fields, ensure_ascii=False))
        mark = ",\n"
    file.write("\n]\n" if mark != "[\n" else "[]\n")


def _cues(chunks: Iterable[Iterable[Word]]) -> Iterator[list[Word]]:
    for words in chunks:
        cue: list[Word] = []
        for word in words:
            long = cue and len(_plain([*cue, word])) > _LINE
            if cue and (long or word.start - cue[-1].end > _GAP):
                yield cue
                cue = []
            cue.append(word)
        if cue:
            yield cue


def _plain(cue: list[Word]) -> str:
    written = "".join(word.text + word.following for word in cue)
    return " ".join(written.split())


def _timed(cue: list[Word]) -> str:
    """The cue with a time before each word but the first, as WebVTT has it; escaped."""
    parts = []
    for i, word in enumerate(cue):
        written = " ".join((word.text + word.following + "|").split())[:-1]
        time = f"<{_clock(word.start, '.')}>" if i else ""
        parts.append(time + html.escape(written, quote=False))
    return "".join(parts).strip()


def _clock(seconds: float, mark: str) -> str:
    total = round(seconds * 1000)
    minutes, milliseconds = divmod(total, 60_000)
    hours, minutes = divmod(minutes, 60)
    whole, rest = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{whole:02}{mark}{rest:03}"
