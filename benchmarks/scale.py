"""Every data stage on many utterances: does one cost the same among many?

    python -m benchmarks.scale PROJECT FOLDER [COUNT …] [--words LEAST MOST]

PROJECT has been run as far as `align` on real recordings. From its audio COUNT utterances (300 and
1,000) of LEAST to MOST words (2 to 5) are cut at word boundaries that its alignment found, again
and again at other places and levels. For each COUNT a clone of this repository in FOLDER runs one
data stage after the other with `dvc repro`. Printed for each: wall time, processor time of all
processes, the most memory that they had together (shared pages count in each), what was written,
and the processor time of an utterance, also beside that among the fewest: other work on the machine
makes the wall time grow, but hardly that. Then `dvc status`, and a second `dvc repro`, which has
nothing to do. FOLDER/figures.json keeps the figures, so an interrupted benchmark continues.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
import soundfile
from ruamel.yaml import YAML

from benchmarks.tables import as_table
from lbtts.alignment import textgrid
from lbtts.corpus.manifest import read_manifest
from lbtts.paths import ALIGNMENT, MANIFEST

ROOT = Path(__file__).resolve().parent.parent
STAGES = (
    "lexicon", "base", "corpus", "g2p", "align", "durations", "audit", "features", "inspect",
    "voice",
)  # fmt: skip
ALIKE = {"lexicon", "base"}  # the same for any corpus, so run once
MARGIN = 0.05  # seconds before the first and after the last word of a cut
LEVELS = 6.0  # dB
COLUMNS = {
    "wall": "s",
    "cpu": "processor s",
    "memory": "GB of memory",
    "written": "MB written",
    "each": "processor ms an utterance",
    "growth": "beside the fewest",
}


@dataclass(frozen=True)
class Figures:
    """What a command cost: seconds, processor seconds, bytes of memory, bytes written."""

    wall: float
    cpu: float
    memory: int
    written: int


def cuts(project: Path, words: tuple[int, int]) -> Iterator[tuple[np.ndarray, int, str]]:
    """Samples, rate and text of endless cuts of the project's recordings."""
    entries = [entry for entry in read_manifest(project / MANIFEST).values() if not entry.reason]
    draw = np.random.default_rng(0)
    while True:
        for number in draw.permutation(len(entries)):
            entry = entries[number]
            grid = project / ALIGNMENT / f"{entry.id}.TextGrid"
            spoken = textgrid.read(grid).words if grid.exists() else ()
            spoken = [word for word in spoken if word.label]
            count = int(draw.integers(words[0], words[1] + 1))
            if len(spoken) < count:
                continue
            first = int(draw.integers(len(spoken) - count + 1))
            chosen = spoken[first : first + count]
            audio, rate = soundfile.read(project / entry.audio, dtype="float32")
            begin = max(0, round((chosen[0].start - MARGIN) * rate))
            end = round((chosen[-1].end + MARGIN) * rate)
            level = 10 ** (-draw.uniform(0, LEVELS) / 20)
            yield audio[begin:end] * level, rate, " ".join(word.label for word in chosen)


def make(project: Path, folder: Path, count: int, words: tuple[int, int]) -> None:
    """A clone of this repository with a corpus of so many cuts."""
    if (folder / "params.yaml").exists():
        return
    subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    raw = folder / "data/raw/cuts"
    (raw / "wavs").mkdir(parents=True)
    with (raw / "metadata.csv").open("w", encoding="utf-8") as table:
        for number, (samples, rate, text) in zip(range(count), cuts(project, words), strict=False):
            soundfile.write(raw / f"wavs/u{number:06d}.wav", samples, rate, subtype="PCM_16")
            table.write(f"u{number:06d}|{text}\n")
    cache = str(folder.parent / "cache")
    for name, value in {"cache.dir": cache, "cache.type": "hardlink"}.items():
        subprocess.run(["dvc", "config", "--local", name, value], cwd=folder, check=True)
    yaml = YAML(typ="safe")
    params = yaml.load((ROOT / "profiles/demo.yaml").read_text(encoding="utf-8"))
    del params["corpus"]["demo"]
    params["corpus"] |= {"source": "ljspeech", "name": "cuts"}
    params["run"]["max_rejected"] = 1  # cuts in the middle of a sentence are not all good
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(params, file)


def measured(command: list[str], folder: Path) -> Figures:
    """The cost of a command that must succeed."""
    before = size(folder)
    begin = time.monotonic()
    with (folder / "log").open("a") as log:
        process = psutil.Popen(command, cwd=folder, stdout=log, stderr=log)
        watch = Watch(process)
        status = process.wait()
        watch.stop()
    if status:
        sys.exit(f"{' '.join(command)} failed in {folder}; see its file log")
    wall = time.monotonic() - begin
    return Figures(wall, watch.cpu, watch.memory, max(0, size(folder) - before))


class Watch(threading.Thread):
    """Looks at a process and all that it starts, five times a second."""

    def __init__(self, process: psutil.Popen) -> None:
        super().__init__(daemon=True)
        self.memory = 0
        self._process = process
        self._spent: dict[int, float] = {}  # processor seconds of each
        self._over = threading.Event()
        self.start()

    @property
    def cpu(self) -> float:
        return sum(self._spent.values())

    def run(self) -> None:
        while not self._over.wait(0.2):
            memory = 0
            try:
                family = [self._process, *self._process.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            for member in family:
                try:
                    memory += member.memory_info().rss
                    times = member.cpu_times()
                    self._spent[member.pid] = times.user + times.system
                except psutil.NoSuchProcess:
                    continue
            self.memory = max(self.memory, memory)

    def stop(self) -> None:
        self._over.set()
        self.join()


def size(folder: Path) -> int:
    """Bytes of the files in its data, models, metrics and scratch."""
    parts = (folder / part for part in ("data", "models", "metrics", "scratch"))
    return sum(path.lstat().st_size for part in parts for path in part.rglob("*") if path.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("project", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("counts", type=int, nargs="*", default=[300, 1000])
    parser.add_argument("--words", type=int, nargs=2, default=[2, 5])
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    store = given.folder / "figures.json"
    figures = json.loads(store.read_text()) if store.exists() else {}
    commands = {stage: ["dvc", "repro", "-q", "--single-item", stage] for stage in STAGES}
    commands |= {"dvc status": ["dvc", "status"]}
    commands |= {"dvc repro": ["dvc", "repro", "inspect", "voice"]}
    for count in sorted(given.counts):
        folder = given.folder.resolve() / str(count)
        own = figures.setdefault(str(count), {})
        fewest = figures[min(figures, key=int)]
        for name, command in commands.items():
            if name not in own:
                make(given.project.resolve(), folder, count, given.words)
                own[name] = asdict(measured(command, folder))
                store.write_text(json.dumps(figures, indent=2))
        rows = {}
        for name, row in own.items():
            if name in ALIKE and own is not fewest:
                continue  # restored from DVC's cache
            each = row["cpu"] / count
            rows[name] = row | {"memory": row["memory"] / 1e9, "written": row["written"] / 1e6}
            if name not in ALIKE:
                first = fewest[name]["cpu"] / int(min(figures, key=int))
                rows[name] |= {"each": 1000 * each, "growth": each / first}
        print(f"{count:,} utterances\n\n{as_table(rows, COLUMNS)}", flush=True)


if __name__ == "__main__":
    main()
