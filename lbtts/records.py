"""Small JSON files, the rows of a stage's table, and the digests of files."""

import csv
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from lbtts.errors import InputError, first_line

Row = TypeVar("Row")


def write_json(path: str | Path, content: dict[str, Any]) -> None:
    """Writes `content` indented, UTF-8, with a newline at the end; makes the folder."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: str | Path) -> dict[str, Any]:
    """The content of a JSON file.

    Raises:
        InputError: it is missing or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable as JSON ({error}); run `dvc repro`") from error


def read_rows(path: str | Path, stage: str, parse: Callable[[Mapping[str, str]], Row]) -> list[Row]:
    """What `parse` makes of each row of a CSV table that `stage` writes, in their order.

    Raises:
        InputError: it is missing, or `parse` found no such column (KeyError) or an invalid value
            (ValueError, TypeError).
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            return [parse(_whole(row)) for row in csv.DictReader(file)]
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run `dvc repro {stage}`") from None
    except KeyError as error:
        raise InputError(f"{path}: no column {error}; run `dvc repro -s -f {stage}`") from None
    except (ValueError, TypeError, csv.Error) as error:
        reason = first_line(error)
        raise InputError(f"{path}: damaged ({reason}); run `dvc repro -s -f {stage}`") from None


def _whole(row: Mapping[str, str | None]) -> dict[str, str]:
    """A row that has a value in every column, or a ValueError."""
    found = {name: value for name, value in row.items() if value is not None}
    if len(found) < len(row):
        raise ValueError(f"a row is too short: {next(iter(found.values()), '')}")
    return found


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
