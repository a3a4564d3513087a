"""Brings the configured recordings into one form: data/corpus/{manifest.csv,audio/*.flac}.

The demo's true phoneme times go beside them, into data/corpus/demo_truth.csv.
"""

import shutil
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from joblib import Parallel, delayed
from tqdm import tqdm

from lbtts import params
from lbtts.corpus.demo import read_aloud, shift_truth
from lbtts.corpus.ingest import take_in
from lbtts.corpus.manifest import MANIFEST, assign_splits, write_manifest
from lbtts.corpus.readers import read_corpus
from lbtts.errors import InputError, check_rejects
from lbtts.records import write_json
from stages import run

AUDIO = MANIFEST.parent / "audio"
TRUTH = MANIFEST.parent / "demo_truth.csv"
METRICS = Path("metrics/corpus.json")


def main() -> None:
    """Reads the source, writes clips, manifest and metrics."""
    p = params.load()
    corpus = p.corpus
    root = Path("data/raw") / corpus.name
    with TemporaryDirectory() as scratch:
        if corpus.demo:
            recordings, truth = read_aloud(root / "sentences.txt", corpus.demo, Path(scratch))
        else:
            recordings = read_corpus(corpus.source, root)
        shutil.rmtree(MANIFEST.parent, ignore_errors=True)
        AUDIO.mkdir(parents=True)
        work = Parallel(n_jobs=p.run.workers, return_as="generator")(
            delayed(take_in)(recording, corpus, AUDIO) for recording in recordings
        )
        rows = list(tqdm(work, total=len(recordings), desc="corpus", unit="utt"))

    usable = {row["id"]: row for row in rows if row["status"] == "ok"}
    splits = assign_splits({r.id: r.split for r in recordings}, usable, corpus.test_share)
    write_manifest(row | {"split": splits[row["id"]]} for row in rows)
    if corpus.demo:
        clips = {name: (row["start"], row["seconds"]) for name, row in usable.items()}
        shift_truth(truth, clips).to_csv(
            TRUTH, index=False, lineterminator="\n", float_format="%.5f"
        )
    seconds = [row["seconds"] for row in usable.values()] or [0.0]
    held_out = sum(splits[name] == "test" for name in usable)
    metrics = {
        "source": corpus.source,
        "utterances": len(rows),
        "rejected": len(rows) - len(usable),
        "train": len(usable) - held_out,
        "test": held_out,
        "seconds": round(sum(seconds), 3),
        "seconds_p50": round(statistics.median(seconds), 3),
        "seconds_max": max(seconds),
        "peak_limited": sum(row["peak_limited"] for row in usable.values()),
    }
    write_json(METRICS, metrics)
    check_rejects("corpus", metrics["rejected"], len(rows), p.run.max_rejected, str(MANIFEST))
    if len(usable) < 2:
        raise InputError(
            f"{MANIFEST}: one usable utterance; one to train on and one to test are needed"
        )


if __name__ == "__main__":
    run(main)
