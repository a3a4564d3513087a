"""How far the times of words are from those that Kaldi finds in the spoken audio.

    python -m benchmarks.word_times --folder models/export [--sentences FILE] [--most 300]

The voice reads the sentences, Kaldi's aligner is trained on what it reads, and both tell where
each word starts and ends. An aligner's boundaries are themselves off by some 5.7 ms (median, see
README), so the figures are an upper bound.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from lbtts import Voice, params
from lbtts.alignment import kaldi
from lbtts.alignment.textgrid import AlignmentResult
from lbtts.corpus.manifest import Entry
from lbtts.errors import Reject
from lbtts.speaking.words import Word
from lbtts.text.tokens import TokenPlan
from lbtts.voice import Manner

QUIET = Manner(paragraph_pause=0)


def read(voice: Voice, text: str, path: Path) -> tuple[TokenPlan, list[Word], Entry] | None:
    """What the voice reads, the times of its words, and the recording; None if it is unusable."""
    try:
        plan = voice.front_end.token_plan(path.stem, text)
    except Reject:
        return None
    chunks = list(voice(text, QUIET))
    words = [word for chunk in chunks for word in chunk.words]
    audio = np.concatenate([chunk.audio for chunk in chunks])
    if len(words) != len(plan.words):  # a word of the text that is read as several
        return None
    soundfile.write(path, audio, 24_000)
    return plan, words, Entry(plan.id, "train", text, audio=str(path), samples=len(audio))


def ends_of(plan: TokenPlan, result: AlignmentResult) -> list[tuple[float, float]]:
    """Start and end of each word by the aligner."""
    spoken = [phone for phone in result.phones if phone.label]
    lengths = [len(phones) for _, phones in plan.pronunciations()]
    firsts = np.cumsum([0, *lengths])
    assert firsts[-1] == len(spoken), plan.id
    return [
        (spoken[first].start, spoken[first + length - 1].end)
        for first, length in zip(firsts, lengths, strict=False)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default="models/export")
    parser.add_argument("--sentences", type=Path, default=Path("data/raw/demo/sentences.txt"))
    parser.add_argument("--most", type=int, default=300)
    options = parser.parse_args()
    p = params.load(Path("params.yaml"))
    voice = Voice.load(options.folder)
    lines = options.sentences.read_text(encoding="utf-8").splitlines()[: options.most]
    with tempfile.TemporaryDirectory() as scratch:
        made = [read(voice, line, Path(scratch, f"{i:04}.wav")) for i, line in enumerate(lines)]
        readings = [reading for reading in made if reading]
        entries = {entry.id: entry for _, _, entry in readings}
        plans = [plan for plan, _, _ in readings]
        run = p.run.model_copy(update={"jobs": 1})
        kept = Path(scratch, "kept")
        aligned = dict(kaldi.align(plans, {}, entries, p.align.kaldi, run, kept))
    starts, ends, first, last = [], [], [], []
    for plan, words, _ in readings:
        result = aligned[plan.id]
        if isinstance(result, Reject):
            continue
        truth = ends_of(plan, result)
        own = [(word.start, word.end) for word in words]
        starts += [a - b for (a, _), (b, _) in zip(own, truth, strict=True)]
        ends += [a - b for (_, a), (_, b) in zip(own, truth, strict=True)]
        first.append(own[0][0] - truth[0][0])
        last.append(own[-1][1] - truth[-1][1])
    print(f"{len(readings)} sentences of {len(lines)}, {len(starts)} words; milliseconds")
    for name, errors in {"starts": starts, "ends": ends, "first": first, "last": last}.items():
        found = 1000 * np.array(errors)
        print(
            f"{name}: median |error| {np.median(abs(found)):.1f}, "
            f"95 % {np.percentile(abs(found), 95):.1f}, bias {np.median(found):+.1f}"
        )


if __name__ == "__main__":
    main()
