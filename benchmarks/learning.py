"""Does it learn? Two hours of the miniature on synthetic Luxembourgish, and what came of it.

    python -m benchmarks.learning prepare FOLDER [SENTENCES]

makes a project in FOLDER that is ready to be trained on: 2,050 of the SENTENCES, one a line
(../shared/g2p/lod_sentences.txt), read by espeak-ng.
"""

import sys
from pathlib import Path

from benchmarks import readings


def main() -> None:
    match sys.argv[1:]:
        case ["prepare", folder, *sentences] if len(sentences) < 2:
            readings.prepare(Path(folder).resolve(), *map(Path, sentences))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
