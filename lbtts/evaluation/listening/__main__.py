"""Makes a listening test, and reads its answers.

    python -m lbtts.evaluation.listening make OUT FOLDER... [--recordings FOLDER] [--texts FILE]

writes OUT/test.html, which goes to the listeners, and OUT/key.json, which stays here. Each FOLDER
holds one system's audio files, named by utterance.

    python -m lbtts.evaluation.listening results OUT/key.json ANSWERS.json...

prints opinions and preferences with 95 % intervals. Another `--seed` gives another order; answers
to both tests can be read together, with a `--key` each.
"""

import argparse
import sys
from pathlib import Path

from lbtts.errors import InputError
from lbtts.evaluation.folders import in_common, names, read_folder, read_prompts
from lbtts.evaluation.listening import answers
from lbtts.evaluation.listening.design import REFERENCE, design, page
from lbtts.evaluation.prompt import Readings
from lbtts.records import write_json


def make(
    out: Path,
    systems: dict[str, Readings],
    texts: dict[str, str],
    *,
    utterances: int,
    seed: int,
) -> None:
    """Writes `test.html` and `key.json` into `out`; `systems` may have the recordings."""
    test = design(
        [name for name in systems if name != REFERENCE],
        in_common(systems),
        name=f"{out.resolve().name}-{seed}",
        reference=REFERENCE in systems,
        most=utterances,
        seed=seed,
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "test.html").write_text(page(test, systems, texts), encoding="utf-8")
    write_json(out / "key.json", test.key())


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m lbtts.evaluation.listening",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make")
    making.add_argument("out", type=Path)
    making.add_argument("folders", type=Path, nargs="+")
    making.add_argument("--recordings", type=Path)
    making.add_argument("--texts", type=Path, help="rows id|text, or token plans")
    making.add_argument("--utterances", type=int, default=12)
    making.add_argument("--seed", type=int, default=0)
    reading = commands.add_parser("results")
    reading.add_argument("key", type=Path)
    reading.add_argument("answers", type=Path, nargs="+")
    reading.add_argument("--key", dest="more", type=Path, action="append", default=[])
    given = parser.parse_args()
    if given.command == "results":
        table = answers.read([given.key, *given.more], given.answers)
        print("\n".join(answers.results(table).lines()))
        return
    systems = {name: read_folder(folder) for name, folder in names(given.folders).items()}
    if given.recordings:
        systems[REFERENCE] = read_folder(given.recordings)
    texts = {p.id: p.text for p in read_prompts(given.texts)} if given.texts else {}
    make(given.out, systems, texts, utterances=given.utterances, seed=given.seed)
    print(f"{given.out / 'test.html'} goes to the listeners, {given.out / 'key.json'} stays here")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))
