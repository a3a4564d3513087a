"""The front end in an exported folder: the language's code, and the files that it reads.

g2p/language.json  g2p/additions.tsv  g2p/: what the language has learnt
"""

import shutil
from pathlib import Path

from lbtts import languages
from lbtts.errors import InputError
from lbtts.languages.language import Language
from lbtts.records import read_json, write_json
from lbtts.text.front_end import FrontEnd

FOLDER = Path("g2p")
ADDITIONS, LANGUAGE = FOLDER / "additions.tsv", FOLDER / "language.json"
LEXICON = FOLDER / "lexicon.dict"  # of languages that have one


def write(folder: Path, language: Language, additions: Path, known: Path) -> None:
    """Writes the language's code, and copies the files that its front end reads.

    Args:
        folder: made if it does not exist.
        language: of the voice.
        additions: the user's pronunciations.
        known: the output of the stage `lexicon`.
    """
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(additions, folder / ADDITIONS)
    write_json(folder / LANGUAGE, {"language": language.code})
    for name in language.learnt:
        shutil.copyfile(known / name, folder / FOLDER / name)


def code(folder: Path) -> str | None:
    """The ISO 639 code of the voice's language; None where the folder does not say."""
    path = folder / LANGUAGE
    return str(read_json(path)["language"]) if path.exists() else None


def front_end(folder: Path, language: Language | None = None) -> FrontEnd:
    """The front end of an exported folder; it does without files that are missing.

    Args:
        folder: what `write` wrote.
        language: None for the one that the folder names.

    Raises:
        InputError: the folder names no language, or an unknown one, or a file of it is broken.
    """
    if language is None:
        named = code(folder)
        if named is None:
            raise InputError(f"{folder / LANGUAGE}: not found; name an exported folder")
        language = languages.get(named)
    additions, known = folder / ADDITIONS, folder / FOLDER
    complete = all((known / name).exists() for name in language.learnt)
    return language.front_end(
        additions if additions.exists() else None, known if complete else None
    )
