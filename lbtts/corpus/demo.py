"""The demo corpus: Luxembourgish sentences read by espeak-ng, with the true phoneme times."""

from collections.abc import Iterable
from itertools import cycle, product
from pathlib import Path

import pandas as pd
import soundfile

from lbtts.corpus.manifest import Entry
from lbtts.corpus.readers import Recording, read_utf8
from lbtts.errors import InputError
from lbtts.espeak import Phoneme, speak
from lbtts.params import Demo

VOICE = "lb"
TRUTH_COLUMNS = ["id", "words_per_minute", "pitch", "start", "end", "phoneme"]


def read_aloud(sentences: Path, demo: Demo, folder: Path) -> tuple[list[Recording], pd.DataFrame]:
    """The recordings of the sentences, one per line, and the times of their phonemes.

    The first sentence is `demo-001`. Each sentence is read at the next pair of rate and pitch; the
    first pair follows the last.

    Args:
        sentences: UTF-8, one sentence per line.
        demo: the rates and pitches.
        folder: where the audio files go.

    Returns:
        the recordings, sorted by id; and espeak's raw phonemes (see `espeak.Speech` for their
        offsets), start and end in seconds of the recording, phoneme empty in a pause.

    Raises:
        InputError: the file is missing, empty or not UTF-8.
    """
    lines = [line.strip() for line in read_utf8(sentences).split("\n") if line.strip()]
    if not lines:
        raise InputError(f"{sentences}: no sentences; write one per line")
    recordings = []
    phonemes: list[tuple[str, int, int, Phoneme]] = []
    voices = cycle(product(demo.rates, demo.pitches))
    for number, (text, (rate, pitch)) in enumerate(zip(lines, voices, strict=False), start=1):
        name = f"demo-{number:03d}"
        speech = speak(text, VOICE, words_per_minute=rate, pitch=pitch)
        audio = folder / f"{name}.wav"
        soundfile.write(audio, speech.samples, speech.rate, subtype="PCM_16")
        recordings.append(Recording(name, text, audio, f"{sentences}, sentence {number}"))
        phonemes += [(name, rate, pitch, phoneme) for phoneme in speech.phonemes]
    truth = [(*who, phoneme.start, phoneme.end, phoneme.name) for *who, phoneme in phonemes]
    return recordings, pd.DataFrame(truth, columns=TRUTH_COLUMNS)


def write_truth(truth: pd.DataFrame, entries: Iterable[Entry], path: Path) -> None:
    """Writes `truth` in seconds of the corpus's audio, see `shift_truth`."""
    table = shift_truth(truth, entries)
    table.to_csv(path, index=False, lineterminator="\n", float_format="%.5f")


def shift_truth(truth: pd.DataFrame, entries: Iterable[Entry]) -> pd.DataFrame:
    """`truth` in seconds of the corpus's audio, cut to its length; trimmed phonemes are left out.

    Args:
        truth: as `read_aloud` returns it.
        entries: of the corpus; sentences without an entry are left out too.
    """
    kept = {entry.id: entry for entry in entries}
    truth = truth[truth["id"].isin(kept)]
    begin = truth["id"].map(lambda name: kept[name].start_seconds)
    length = truth["id"].map(lambda name: kept[name].seconds)
    shifted = truth.assign(
        start=(truth["start"] - begin).clip(0, length), end=(truth["end"] - begin).clip(0, length)
    )
    return shifted[shifted["end"] > shifted["start"]]
