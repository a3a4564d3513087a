"""Looks for a file that a reader neither reads nor refuses in one line, guided by coverage.

    pip install atheris
    python -m benchmarks.fuzz NAME SECONDS

NAME is one of the files of tests/test_hostile.py: a.TextGrid, params.yaml, plans.jsonl,
lexicon.dict, … . Ends with a traceback and the file `crash-…` when it finds one.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lbtts", "praatio", "ruamel"]):
    from lbtts.errors import InputError, Reject
    from tests.test_hostile import SUBJECTS


def main() -> None:
    name, seconds = sys.argv[1:]
    write, read = SUBJECTS[name]
    with tempfile.TemporaryDirectory() as folder:
        path, seeds = Path(folder) / "read" / name, Path(folder) / "seeds"
        path.parent.mkdir(parents=True)
        seeds.mkdir()
        write(path)
        (seeds / "valid").write_bytes(path.read_bytes())

        def one(content: bytes) -> None:
            path.write_bytes(content)
            try:
                read(path)
            except (InputError, Reject) as refused:
                assert "\n" not in str(refused), "more than one line"

        options = [f"-max_total_time={seconds}", "-timeout=20", "-max_len=20000", "-verbosity=0"]
        atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", str(seeds)], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
