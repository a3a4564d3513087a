"""The way of the recordings into the corpus."""

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
    """The corpus as it came out.

    entries: of all recordings, sorted by id.
    peak_limited: how many clips are quieter than wanted, for their peaks.
    """

    entries: tuple[Entry, ...]
    peak_limited: int

    @property
    def usable(self) -> list[Entry]:
        """The entries that were accepted."""
        return [entry for entry in self.entries if not entry.reason]

    def figures(self) -> dict[str, float]:
        """Counts of utterances, and quantiles of the clips' seconds."""
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
    """The recordings as entries of the manifest; their clips are written into `folder`."""
    with workers(run) as parallel:
        work = parallel(delayed(ingest_one)(recording, corpus, folder) for recording in recordings)
        results = list(tqdm(work, total=len(recordings), desc="corpus", unit="utt"))
    usable = {entry.id for entry, _ in results if not entry.reason}
    splits = assign_splits({r.id: r.split for r in recordings}, usable, corpus.test_share)
    entries = tuple(replace(entry, split=splits[entry.id]) for entry, _ in results)
    return Ingested(entries, sum(peak_limited for _, peak_limited in results))


def ingest_one(recording: Recording, corpus: Corpus, folder: Path) -> tuple[Entry, bool]:
    """The recording's entry, yet without split, and whether its clip is peak limited.

    The clip is written into `folder`, unless the recording is rejected.
    """
    entry = Entry(recording.id, "", recording.text)
    try:
        if recording.fault:
            raise Reject(recording.fault)
        clip = prepare(*decode(recording.audio), corpus)
    except Reject as reason:
        return replace(entry, reason=str(reason)), False
    path = folder / f"{recording.id}.flac"
    write_flac(path, clip.samples)
    entry = replace(entry, audio=path.as_posix(), samples=len(clip.samples), start=clip.start)
    return entry, clip.peak_limited
