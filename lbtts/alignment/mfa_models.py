"""Where the Montreal Forced Aligner keeps acoustic models and dictionaries; their contents."""

import json
import os
import zipfile
from collections import defaultdict
from pathlib import Path

from lbtts.errors import InputError

# Where MFA keeps what `mfa model download` fetches, below its root, and the endings it looks for.
_FOLDER = "pretrained_models"
_ACOUSTIC = ("acoustic", (".zip", ".am"))
_DICTIONARY = ("dictionary", (".dict", ".txt", ".yaml", ".yml"))


def find_acoustic_model(name: str) -> Path:
    """The archive that `align.mfa.acoustic_model` means; raises as `_find` does."""
    return _find("align.mfa.acoustic_model", name, *_ACOUSTIC)


def find_dictionary(name: str) -> Path:
    """The file that `align.mfa.dictionary` means; raises as `_find` does."""
    return _find("align.mfa.dictionary", name, *_DICTIONARY)


def _find(key: str, name: str, kind: str, endings: tuple[str, ...]) -> Path:
    """The file of a parameter: a path, or the name of a model that MFA has downloaded.

    MFA itself would look below the root that it is given for the run, which is empty.

    Raises:
        InputError: it is neither.
    """
    path = Path(name)
    if path.is_file():
        return path
    root = Path(os.environ.get("MFA_ROOT_DIR", "~/Documents/MFA")).expanduser()
    folder = root / _FOLDER / kind
    there = sorted(folder.glob("*")) if folder.is_dir() else []
    models = {file.stem: file for file in there if file.suffix.lower() in endings}
    if name in models:
        return models[name]
    known = f"has {', '.join(models)}" if models else "is empty or absent"
    raise InputError(
        f"{key}: {name!r} is not a file, and {folder} {known}; give a path, or run "
        f"`mfa model download {kind} NAME` (set MFA_ROOT_DIR if it is elsewhere)"
    )


class Lexicon:
    """The words that MFA can know: its dictionary, and the phones of its acoustic model."""

    def __init__(self, dictionary: Path, model: Path) -> None:
        """Reads both; a model that cannot be read is taken as one without phones.

        Raises:
            InputError: the dictionary cannot be read.
        """
        self._entries = _entries(dictionary)
        self._phones = _phones(model)

    def why_unknown(self, word: str) -> str:
        """The reason why this word came back without phones."""
        lacking = [
            sorted(set(phones) - self._phones)
            for phones in self._entries.get(word, ())
            if self._phones
        ]
        if lacking and all(lacking):
            names = " ".join(sorted({phone for phones in lacking for phone in phones}))
            return (
                f"MFA's acoustic model has no phone {names!r}, as in {word!r}; take a dictionary "
                "made for it, or leave align.mfa.acoustic_model at null"
            )
        return f"MFA does not know the word {word!r}; add it to its dictionary"


def _entries(path: Path) -> dict[str, list[list[str]]]:
    """The pronunciations in a dictionary of MFA, without their probabilities."""
    entries: dict[str, list[list[str]]] = defaultdict(list)
    if path.suffix.lower() in (".yaml", ".yml"):  # a list of dictionaries, one for each speaker
        return entries
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"align.mfa.dictionary: {path}: {error.strerror or error}") from error
    for line in text.splitlines():
        if not line.strip():
            continue
        word, *fields = line.split()
        first = next((k for k, field in enumerate(fields) if not _is_number(field)), len(fields))
        entries[word].append(fields[first:])
    return entries


def _is_number(field: str) -> bool:
    return field.replace(".", "", 1).isdigit()


def _phones(path: Path) -> frozenset[str]:
    """The phones that an acoustic model lists, none if it lists none."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if Path(n).name == "meta.json"]
            return frozenset(json.loads(archive.read(names[0]))["phones"]) if names else frozenset()
    except (OSError, zipfile.BadZipFile, ValueError, KeyError):
        return frozenset()
