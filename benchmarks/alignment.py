"""What the backend kaldi costs on a corpus, on one core and on two.

    python -m benchmarks.alignment

Run it in a project whose stages corpus and g2p are done. CPU seconds of all processes, their peak
memory and the wall time are measured in a fresh process each; beside them, as the floor, one pass
over the corpus that only computes the features. Lower is better; on a busy machine trust CPU time.
"""

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lbtts import params, paths
from lbtts.alignment import kaldi
from lbtts.alignment.mfcc import read_mfcc
from lbtts.corpus.manifest import read_manifest
from lbtts.text.dictionary import read_dictionary
from lbtts.text.tokens import read_token_plans


def align(jobs: int) -> None:
    p = params.load()
    plans = read_token_plans(paths.PLANNED)
    dictionary, entries = read_dictionary(paths.DICTIONARY), read_manifest(paths.MANIFEST)
    run = p.run.model_copy(update={"jobs": jobs, "backend": "loky"})
    with tempfile.TemporaryDirectory() as folder:
        for _ in kaldi.align(plans, dictionary, entries, p.align.kaldi, run, Path(folder)):
            pass


def features() -> None:
    for plan in read_token_plans(paths.PLANNED):
        read_mfcc(paths.AUDIO / f"{plan.id}.flac")


def _measure(cores: int, work: Callable[[], None], results) -> None:  # type: ignore[no-untyped-def]
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    begin = time.perf_counter()
    work()
    wall = time.perf_counter() - begin
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(u.ru_utime + u.ru_stime for u in used)
    results.put((wall, cpu, max(u.ru_maxrss for u in used) / 1024))


def measure(title: str, cores: int, work: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU seconds of `work` in a process of its own, held to so many cores."""
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    process = context.Process(target=_measure, args=(cores, work, results))
    process.start()
    wall, cpu, memory = results.get()
    process.join()
    print(f"{title}: {cpu:.1f} s CPU, {wall:.1f} s wall, {memory:.0f} MB at the most a process")
    return wall, cpu


def main() -> None:
    """Measures and prints."""
    minutes = sum(entry.seconds for entry in read_manifest(paths.MANIFEST).values()) / 60
    print(f"{minutes:.1f} minutes of speech")
    _, floor = measure("features alone", 1, features)
    alone, cpu = measure("one core", 1, lambda: align(1))
    together, _ = measure("two cores", 2, lambda: align(2))
    print(f"two cores take {together / alone:.2f} x the wall time of one")
    print(f"training and aligning take {cpu / floor:.1f} x the CPU time of the features")


if __name__ == "__main__":
    main()
