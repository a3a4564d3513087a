"""Recordings read, prepared and written into the corpus."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from joblib import delayed
from tqdm import tqdm

from lbtts.corpus.audio import decode, prepare, write_flac
from lbtts.corpus.manifest import Entry, assign_splits
from lbtts.corpus.readers import Recording
from lbtts.errors import Reject
from lbtts.params import Corpus, Run
from lbtts.workers import workers


@dataclass(frozen=True)
class Ingested:
    """The corpus as it was written.

    entries: of all recordings, sorted by id.
    peak_limited: how many utterances are below the wanted loudness because of their peaks.
    """

    entries: tuple[Entry, ...]
    peak_limited: int

    @property
    def usable(self) -> list[Entry]:
        """The entries that were accepted."""
        return [entry for entry in self.entries if not entry.reason]

    def metrics(self) -> dict[str, float]:
        """Counts of utterances, and quantiles of their seconds, for the metrics."""
        seconds = [entry.seconds for entry in self.usable] or [0.0]
        test = sum(entry.split == "test" for entry in self.usable)
        return {
            "utterances": len(self.entries),
            "rejected": len(self.entries) - len(self.usable),
            "train": len(self.usable) - test,
            "test": test,
            "seconds": round(sum(seconds), 3),
            "seconds_p50": round(statistics.median(seconds), 3),
            "seconds_max": max(seconds),
            "peak_limited": self.peak_limited,
        }


def ingest(recordings: Sequence[Recording], corpus: Corpus, folder: Path, run: Run) -> Ingested:
    """The recordings as entries of the manifest; their audio is written into `folder`."""
    with workers(run) as parallel:
        work = parallel(delayed(ingest_one)(recording, corpus, folder) for recording in recordings)
        results = list(tqdm(work, total=len(recordings), desc="corpus", unit="utt"))
    usable = {entry.id for entry, _ in results if not entry.reason}
    splits = assign_splits({r.id: r.split for r in recordings}, usable, corpus.test_share)
    entries = tuple(replace(entry, split=splits[entry.id]) for entry, _ in results)
    return Ingested(entries, sum(peak_limited for _, peak_limited in results))


def ingest_one(recording: Recording, corpus: Corpus, folder: Path) -> tuple[Entry, bool]:
    """The recording's entry, still without split, and whether its audio is peak limited.

    The audio is written into `folder`, unless the recording is rejected.
    """
    entry = Entry(recording.id, "", recording.text)
    try:
        if recording.fault:
            raise Reject(recording.fault)
        audio = prepare(*decode(recording.audio), corpus)
    except Reject as reason:
        return replace(entry, reason=str(reason)), False
    path = folder / f"{recording.id}.flac"
    write_flac(path, audio.samples)
    entry = replace(entry, audio=path.as_posix(), samples=len(audio.samples), start=audio.start)
    return entry, audio.peak_limited
