"""Converts the configured recordings into one form: data/corpus/{manifest.csv,audio/*.flac}.

The demo's true phoneme times go beside them, into data/corpus/demo_truth.csv.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from lbtts import params, paths
from lbtts.corpus.demo import read_aloud, write_truth
from lbtts.corpus.ingest import ingest
from lbtts.corpus.manifest import write_manifest
from lbtts.corpus.readers import read_corpus
from lbtts.errors import InputError, check_rejects
from lbtts.records import write_json
from stages import run


def main() -> None:
    """Reads the source, writes audio, manifest and metrics."""
    p = params.load()
    raw = paths.raw(p.corpus.name)
    shutil.rmtree(paths.CORPUS, ignore_errors=True)
    paths.AUDIO.mkdir(parents=True)
    # Among the outputs, because the next run removes there what a killed one left.
    with TemporaryDirectory(dir=paths.CORPUS) as folder:
        if p.corpus.demo:
            recordings, truth = read_aloud(raw / "sentences.txt", p.corpus.demo, Path(folder))
        else:
            recordings = read_corpus(p.corpus.source, raw)
        ingested = ingest(recordings, p.corpus, paths.AUDIO, p.run)

    write_manifest(ingested.entries, paths.MANIFEST)
    if p.corpus.demo:
        write_truth(truth, ingested.usable, paths.TRUTH)
    write_json(paths.metrics("corpus"), {"source": p.corpus.source} | ingested.metrics())
    total, usable = len(ingested.entries), len(ingested.usable)
    check_rejects("corpus", total - usable, total, p.run.max_rejected, str(paths.MANIFEST))
    if usable < 2:
        raise InputError(
            f"{paths.MANIFEST}: one usable utterance; one to train on and one to test are needed"
        )


if __name__ == "__main__":
    run(main)
