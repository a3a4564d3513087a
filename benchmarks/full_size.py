"""Every data stage at the size of a real corpus: does an utterance cost the same among many?

    python -m benchmarks.full_size PROJECT FOLDER [COUNT …]

PROJECT has been run as far as `align` on real recordings. From its audio COUNT utterances (1,000,
5,000, 28,800) are cut, of 2 to 5 words each, at word boundaries that its alignment found, each
another cut or at another level. For each COUNT, FOLDER/COUNT becomes a project in which `dvc repro`
runs one data stage after the other. Printed for each: wall time, processor time of all processes,
the most memory that they had together (shared pages count in each), the size of what was written,
and wall time per utterance beside that of the smallest COUNT; then `dvc status`, and a second
`dvc repro`, which has nothing to do. A stage that is done is not run again, so an interrupted
benchmark continues; FOLDER/figures.json keeps the figures.
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
COUNTS = (1_000, 5_000, 28_800)
STAGES = (
    "corpus", "lexicon", "g2p", "align", "durations", "audit", "features", "inspect", "base",
    "voice",
)  # fmt: skip
WORDS = (2, 5)  # in a cut
MARGIN = 0.03  # seconds before its first and after its last word
LEVELS = 6.0  # dB
COLUMNS = {
    "wall": "s",
    "cpu": "processor s",
    "memory": "GB",
    "written": "GB written",
    "each": "ms an utterance",
    "growth": "relative to the fewest",
}


@dataclass(frozen=True)
class Figures:
    """What a command cost: seconds, processor seconds, bytes of memory, bytes written."""

    wall: float
    cpu: float
    memory: int
    written: int


def cuts(project: Path, draw: np.random.Generator) -> Iterator[tuple[np.ndarray, int, str]]:
    """Samples, rate and words of endless cuts of the project's recordings."""
    entries = [e for e in read_manifest(project / MANIFEST).values() if not e.reason]
    while True:
        for number in draw.permutation(len(entries)):
            entry = entries[number]
            grid = project / ALIGNMENT / f"{entry.id}.TextGrid"
            if not grid.exists():
                continue
            words = textgrid.read(grid).words
            count = int(draw.integers(WORDS[0], WORDS[1] + 1))
            if len(words) < count:
                continue
            first = int(draw.integers(len(words) - count + 1))
            chosen = words[first : first + count]
            audio, rate = soundfile.read(project / entry.audio, dtype="float32")
            begin = max(0, round((chosen[0].start - MARGIN) * rate))
            end = round((chosen[-1].end + MARGIN) * rate)
            gain = 10 ** (-draw.uniform(0, LEVELS) / 20)
            yield audio[begin:end] * gain, rate, " ".join(word.label for word in chosen)


def make(project: Path, folder: Path, count: int) -> None:
    """A clone of this repository with a corpus of so many cuts."""
    if (folder / "params.yaml").exists():
        return
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    raw = folder / "data/raw/cuts"
    (raw / "wavs").mkdir(parents=True)
    found = cuts(project, np.random.default_rng(0))
    with (raw / "metadata.csv").open("w", encoding="utf-8") as table:
        for number in range(count):
            samples, rate, text = next(found)
            soundfile.write(raw / f"wavs/u{number:06d}.flac", samples, rate, subtype="PCM_16")
            table.write(f"u{number:06d}|{text}\n")
    yaml = YAML(typ="safe")
    params = yaml.load((project / "params.yaml").read_text(encoding="utf-8"))
    params["corpus"] |= {"source": "ljspeech", "name": "cuts", "min_seconds": 0.2}
    params["run"]["max_rejected"] = 1
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
        self._process, self._spent, self._over = process, {}, threading.Event()
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
    """Bytes of the files in its data, models and metrics, links not followed."""
    parts = (path for part in ("data", "models", "metrics") for path in (folder / part).rglob("*"))
    return sum(path.lstat().st_size for path in parts if path.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("project", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("counts", type=int, nargs="*", default=COUNTS)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    store = given.folder / "figures.json"
    figures = json.loads(store.read_text()) if store.exists() else {}
    commands = {stage: ["dvc", "repro", "--single-item", stage] for stage in STAGES}
    commands |= {"dvc status": ["dvc", "status"], "dvc repro": ["dvc", "repro", "voice", "inspect"]}
    for count in sorted(given.counts):
        folder = given.folder / str(count)
        make(given.project.resolve(), folder, count)
        own = figures.setdefault(str(count), {})
        for name, command in commands.items():
            if name not in own:
                own[name] = asdict(measured(command, folder))
                store.write_text(json.dumps(figures, indent=2))
        rows = {}
        for name, row in own.items():
            each = 1000 * row["wall"] / count
            fewest = min(figures, key=int)
            first = 1000 * figures[fewest][name]["wall"] / int(fewest)
            large = {"memory": row["memory"] / 1e9, "written": row["written"] / 1e9}
            rows[name] = row | large | {"each": each, "growth": each / first}
        print(f"{count:,} utterances\n\n{as_table(rows, COLUMNS)}", flush=True)


if __name__ == "__main__":
    main()
