"""Readers of corpora: LJSpeech form, tables with paths, folders of audio and transcripts."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from lbtts.corpus.audio import SUFFIXES
from lbtts.errors import InputError

SPLITS = ("train", "test")

_TRANSCRIPTS = (".txt", ".lab")
_NOT_TRANSCRIPTS = {"readme", "license", "licence", "copying", "notice", "changelog"}


@dataclass(frozen=True)
class Recording:
    """One utterance of a source, before anything is known about its audio.

    id: unique, `[A-Za-z0-9][A-Za-z0-9._-]*`.
    text: the transcript, white space collapsed; otherwise as written.
    audio: the file, or where it should be.
    place: where the source lists it, for messages.
    split: `train` or `test` where the source says so.
    fault: why it cannot be used, empty if it can be used.
    """

    id: str
    text: str
    audio: Path
    place: str
    split: str | None = None
    fault: str = ""


def read_corpus(source: str, root: Path) -> list[Recording]:
    """The recordings of the corpus at `root`, sorted by id, faulty ones marked.

    Args:
        source: `ljspeech`, `csv` or `folder`, see the reader of each.
        root: the corpus's folder.

    Raises:
        InputError: nothing is there, or a table cannot be read at all.
    """
    if not root.is_dir():
        raise InputError(f"{root}: not found; put the corpus there, or a symbolic link to it")
    recordings = list(READERS[source](root))
    if not recordings:
        raise InputError(
            f"{root}: no utterances found; is corpus.source = {source} the right reader?"
        )
    return _checked(recordings)


def read_ljspeech(root: Path) -> Iterator[Recording]:
    """The lines of `metadata.csv`, `id|text` or `id|raw|normalised`, audio in `wavs/` or `wav/`.

    The last column that is not empty is the transcript. The audio may have any ending.
    """
    table = root / "metadata.csv"
    folder = root / "wav" if (root / "wav").is_dir() else root / "wavs"
    files = sorted(folder.iterdir(), reverse=True) if folder.is_dir() else []
    audio = {_composed(path.stem): path for path in files if path.suffix.lower() in SUFFIXES}
    for number, line in enumerate(read_utf8(table).split("\n"), start=1):
        if not line.strip():
            continue
        name, *columns = (column.strip() for column in line.split("|"))
        if PurePosixPath(name).suffix.lower() in SUFFIXES:
            name = PurePosixPath(name).stem
        fault = ""
        if len(columns) not in (1, 2):
            fault = f"{len(columns) + 1} columns instead of id|text or id|raw|normalised"
        elif _composed(name) not in audio:
            fault = f"audio file {folder}/{name}.* not found"
        yield Recording(
            id=name,
            text=next(filter(None, reversed(columns)), ""),
            audio=audio.get(_composed(name), folder / name),
            place=f"{table}:{number}",
            fault=fault,
        )


def read_csv(root: Path) -> Iterator[Recording]:
    """The rows of every `metadata.csv` (header with `path` and `text`) in root, train/ and test/.

    A path starts at its table's folder or at `audio/` in it. A folder `train` or `test` on the way
    from root to the file sets the split of the utterance.
    """
    tables = [folder / "metadata.csv" for folder in (root, *(root / split for split in SPLITS))]
    if not any(table.exists() for table in tables):
        raise InputError(f"{root}: no metadata.csv there, nor in train/ or test/ under it")
    for table in filter(Path.exists, tables):
        rows = csv.DictReader(io.StringIO(read_utf8(table), newline=""), strict=True)
        try:
            missing = {"path", "text"}.difference(rows.fieldnames or ())
            if missing:
                raise InputError(
                    f"{table}: no column {' or '.join(sorted(missing))}; "
                    "its first line must name the columns path,text"
                )
            for row in rows:
                yield _csv_recording(root, table, rows.line_num, row)
        except csv.Error as error:
            raise InputError(
                f"{table}: not valid CSV after line {rows.line_num} ({error}); fix it"
            ) from None


def _csv_recording(root: Path, table: Path, line: int, row: Mapping[Any, Any]) -> Recording:
    path = (row["path"] or "").strip()
    location = table.parent.relative_to(root) / path
    parts = (*location.parent.parts, location.stem) if path else ()
    places = (table.parent / path, table.parent / "audio" / path)
    audio = next(filter(None, map(_existing, places)), places[-1])
    return Recording(
        id="/".join(part for part in parts if part != "audio"),
        text=row["text"] or "",
        audio=audio,
        place=f"{table}:{line}",
        split=next((part for part in parts[:-1] if part in SPLITS), None),
        fault="more fields than columns; a text with commas needs quotes" if None in row else "",
    )


def read_folder(root: Path) -> Iterator[Recording]:
    """Every audio file under `root` with its transcript beside it, `.txt` before `.lab`."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and path.name[0] != "."]
    seen = set()
    for path in files:
        if path.suffix.lower() in SUFFIXES:
            seen.add(_composed(str(path.with_suffix(""))))
            yield _folder_recording(root, path)
    for path in files:
        if (
            path.suffix in _TRANSCRIPTS
            and _composed(str(path.with_suffix(""))) not in seen
            and path.stem.lower() not in _NOT_TRANSCRIPTS
        ):
            seen.add(_composed(str(path.with_suffix(""))))
            name = path.relative_to(root).with_suffix("").as_posix()
            fault = "no audio file of the same name beside it; add one, or remove the transcript"
            yield Recording(name, "", path, str(path), fault=fault)


def _folder_recording(root: Path, audio: Path) -> Recording:
    text, fault = "", "no transcript of the same name beside it, .txt or .lab; write one"
    for transcript in (audio.with_suffix(suffix) for suffix in _TRANSCRIPTS):
        found = _existing(transcript)
        if found:
            try:
                text, fault = read_utf8(found), ""
            except InputError as error:
                fault = str(error)
            break
    name = audio.relative_to(root).with_suffix("").as_posix()
    return Recording(name, text, audio, str(audio), fault=fault)


def _composed(name: str) -> str:
    """A name in composed form (NFC); macOS separates letters from their accents."""
    return unicodedata.normalize("NFC", name)


def _existing(path: Path) -> Path | None:
    """The file of that name, however its accents are written; None if there is none."""
    if path.is_file():
        return path
    if path.name.isascii() or not path.parent.is_dir():
        return None
    wanted = _composed(path.name)
    same = (other for other in path.parent.iterdir() if _composed(other.name) == wanted)
    return next((other for other in sorted(same) if other.is_file()), None)


READERS = {"ljspeech": read_ljspeech, "csv": read_csv, "folder": read_folder}


def read_utf8(path: Path) -> str:
    """The text of a UTF-8 file, with or without a byte order mark, line ends as `\\n`.

    Raises:
        InputError: the file is missing or not UTF-8.
    """
    try:
        data = path.read_bytes()
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        raise InputError(f"{path}: not found") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}:{line}: byte {data[error.start]:#04x} is not UTF-8; "
            "convert the file, e.g. `iconv -f WINDOWS-1252 -t UTF-8`"
        ) from None


def _checked(recordings: Iterable[Recording]) -> list[Recording]:
    """The recordings under valid, unique ids, sorted; faults say where they are and what to do."""
    known: dict[str, Recording] = {}
    for recording in recordings:
        name = _valid_id(recording.id)
        text = " ".join(recording.text.split())
        fault = recording.fault
        if not name:
            fault = "no id; give it one with a letter or digit"
            name = _valid_id(recording.place)
        elif not text:
            fault = fault or "empty transcript; write what is said, or remove the utterance"
        if name in known:
            fault = f"duplicate id {name}, as in {known[name].place}; give it another"
            count = 2
            while f"{name}.duplicate{count}" in known:
                count += 1
            name = f"{name}.duplicate{count}"
        fault = f"{recording.place}: {fault}" if fault else ""
        known[name] = replace(recording, id=name, text=text, fault=fault)
    return [known[name] for name in sorted(known)]


def _valid_id(name: str) -> str:
    """`name` in the letters of an id: `/` as `__`, accents dropped, the rest as `_`."""
    plain = (
        unicodedata.normalize("NFKD", name.replace("/", "__")).encode("ascii", "ignore").decode()
    )
    return re.sub(r"[^A-Za-z0-9._-]", "_", plain).lstrip("._-")
