"""The command line of the front end: `python -m lbtts.languages.luxembourgish`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lbtts import params, paths
from lbtts.errors import InputError, Reject
from lbtts.languages.luxembourgish.g2p import LBG2P
from lbtts.languages.luxembourgish.lexicon import LEARNT
from lbtts.text.lexicon import read_lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Phonemises standard input."""
    parser = argparse.ArgumentParser(
        prog="python -m lbtts.languages.luxembourgish", description=main.__doc__
    )
    parser.add_argument("--additions", help="your own pronunciations, word<TAB>phones")
    parser.add_argument(
        "--lexicon",
        type=Path,
        metavar="FILE",
        help="an MFA dictionary, or a table with the columns word, phones and split, to know and "
        "to learn from; by default what the stage `lexicon` made, or the configured sources",
    )
    parser.add_argument(
        "--model-only",
        nargs="?",
        const="-",
        metavar="WORDS",
        help="pronounce the words in this file, one a line, without any lexicon; - or nothing "
        "reads standard input",
    )
    options = parser.parse_args(arguments)
    try:
        g2p = LBG2P(options.additions, _known(options.lexicon))
        if options.model_only is None:
            _phonemise(g2p)
        else:
            path = options.model_only
            lines = list(sys.stdin) if path == "-" else read_lines(path)
            for word in filter(None, map(str.strip, lines)):
                print(f"{word}\t{' '.join(g2p.unknown_words(word.lower()))}")
    except InputError as error:
        sys.exit(f"error: {error}")


def _known(listed: Path | None) -> Path:
    """What the stage wrote, or what can be learnt from `listed` or the configured sources."""
    if listed is None and all((paths.LEXICON / name).exists() for name in LEARNT):
        return paths.LEXICON
    p = params.load()
    choice = p.lexicon
    if listed is not None:
        source = params.Source(name="given", kind="file", at=str(listed))
        choice = choice.model_copy(update={"sources": (source,), "test_share": 0.0})
    from lbtts.languages.luxembourgish.learning import cached

    return cached(choice, p.run.workers)


def _phonemise(g2p: LBG2P) -> None:
    for line in sys.stdin:
        try:
            print(g2p(line.rstrip("\n"))[0])
        except Reject as reject:
            print(f"rejected: {reject}", file=sys.stderr)
            print()


if __name__ == "__main__":
    main()
