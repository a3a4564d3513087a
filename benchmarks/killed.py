"""The whole pipeline, killed anywhere: does it end as if nothing had happened?

    python -m benchmarks.killed FOLDER [--seed 0]

FOLDER is a fresh clone whose `dvc repro` is to be killed, such as the demo; if there is none,
`benchmarks.small_project` makes one, whose pipeline takes minutes. `dvc repro` runs there once,
undisturbed. In a second clone beside it, FOLDER-killed, the whole process group is killed 40 times:
twice in each stage, while files come into the cache, while dvc.lock is written, while a checkpoint
and while the feature file is. In ten of the stages the second signal is SIGTERM or SIGINT; these
must be answered in one line. Then an experiment and the queue's worker are killed. After each, no
process of the run may be alive ten seconds later. In the end `dvc repro` runs through. Printed:
each kill; what differs from the undisturbed run in what the stages write; files that belong to no
stage; locks that are held. Ends with status 1 if there is any.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil
from ruamel.yaml import YAML

from benchmarks import small_project

REPRO = ("dvc", "repro")
EXPERIMENT = ("dvc", "exp", "run", "-S", "train.lr=2e-5")
GRACE = 10  # seconds in which all processes of a killed run must end
STARTED = "Running stage '"
MARK = "LBTTS_KILLED"  # environment variable that all processes of a run inherit
WRITES = {  # files whose change is a moment to kill, by the stages in which
    "scratch/train/*/*.partial": ("train", "train"),
    "data/features.partial": ("features",),
    ".dvc/cache/files/md5/*/*": ("corpus", "lexicon", "train", "export"),
    "dvc.lock": ("g2p", "features", "evaluate"),
}
SECOND = 3 * (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
LEFT_ALONE = (".git/", ".dvc/", ".venv/", "__pycache__", "dvc.lock")


@dataclass(frozen=True)
class Moment:
    """When to kill, and how: some seconds after a stage began, or when a file changes in it."""

    stage: str
    number: signal.Signals = signal.SIGKILL
    seconds: float = 0
    pattern: str | None = None


class Pipeline:
    """A clone in which commands run and are killed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.token = folder, uuid.uuid4().hex
        self.hit: list[str] = []  # the stage in which each kill fell
        self.log = folder.with_name(f"{folder.name}.log")
        self.temporary = folder.with_name(f"{folder.name}.tmp")
        self.temporary.mkdir(exist_ok=True)
        self.log.touch()
        self.variables = os.environ | {MARK: self.token, "TMPDIR": str(self.temporary)}

    def start(self, command: tuple[str, ...]) -> subprocess.Popen:
        """The command, in a process group of its own, in which Ctrl-C counts.

        The shell makes what it runs in the background ignore it.
        """
        with self.log.open("a") as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )

    def run(self, *command: str) -> None:
        """Runs a command that must succeed."""
        if self.start(command).wait():
            raise SystemExit(f"{' '.join(command)} failed by itself; see {self.log}")

    def mend(self) -> None:
        """Removes a dvc.lock that DVC was killed while it wrote, as the README tells to."""
        lock = self.folder / "dvc.lock"
        if lock.exists() and not lock.read_text(encoding="utf-8").endswith("\n"):
            print("dvc.lock is not whole: removed", flush=True)
            lock.unlink()

    def begun(self, written: int = 0) -> list[str]:
        """The stages that were started since so many bytes of the log."""
        lines = self._said(written).splitlines()
        return [line.split("'")[1] for line in lines if line.startswith(STARTED)]

    def _said(self, written: int) -> str:
        with self.log.open("rb") as log:
            log.seek(written)
            return log.read().decode(errors="replace")

    def timed(self) -> dict[str, float]:
        """Runs all; the seconds from the start of each stage to that of the next."""
        process, starts = self.start(REPRO), dict[str, float]()
        while process.poll() is None:
            for stage in self.begun():
                starts.setdefault(stage, time.monotonic())
            time.sleep(0.1)
        if process.returncode:
            raise SystemExit(f"dvc repro failed by itself; see {self.log}")
        ends = [*list(starts.values())[1:], time.monotonic()]
        return {stage: end - starts[stage] for stage, end in zip(starts, ends, strict=True)}

    def kill(self, command: tuple[str, ...], moment: Moment, order: list[str]) -> list[str]:
        """Kills the command at that moment or in a later stage; prints it, returns the faults."""
        self.mend()
        written = self.log.stat().st_size
        process = self.start(command)
        due = order[order.index(moment.stage) :]
        while not (reached := self.begun(written)) or reached[-1] not in due:
            if process.poll() is not None:
                return [f"{' '.join(command)}: ended before {moment}"]
            time.sleep(0.02)
        before, deadline = self._files(moment.pattern), time.monotonic() + moment.seconds
        while process.poll() is None and self.begun(written)[-1] == reached[-1]:
            if moment.pattern and self._files(moment.pattern) != before:
                break
            if not moment.pattern and time.monotonic() > deadline:
                break
            time.sleep(0.002)
        stages = [one for one, command in self.alive().items() if "stages." in command]
        _, speaking = psutil.wait_procs(stages, timeout=0)  # those that have not ended meanwhile
        if process.poll() is None:
            os.killpg(process.pid, moment.number)
        killed = time.monotonic()
        status = process.wait(60)
        while (left := self.alive()) and time.monotonic() < killed + GRACE:
            time.sleep(0.1)
        stage, faults = self.begun(written)[-1], []
        self.hit.append(stage)
        said = self._said(written)
        answer = [line for line in said.splitlines() if line.startswith("interrupted: ")]
        print(
            f"{moment.number.name} in {stage} ({moment.pattern or f'{moment.seconds:.1f} s'}): "
            f"status {status}, all ended after {time.monotonic() - killed:.1f} s {answer}",
            flush=True,
        )
        # DVC alone says nothing.
        due_lines = int(bool(speaking) and moment.number != signal.SIGKILL)
        if len(answer) != due_lines or "Traceback" in said:
            faults.append(f"{moment.number.name} in {stage}: {len(answer)} lines, or a traceback")
        return faults + [f"outlived {stage}: {one[:80]}" for one in left.values()]

    def kill_queue(self) -> list[str]:
        """Kills the queue's worker, which is a daemon, and all that it started, while it trains."""
        self.run("dvc", "queue", "start")
        while not any("stages.train" in command for command in self.alive().values()):
            time.sleep(0.1)
        time.sleep(5)
        found = self.alive()
        for one in found:
            one.kill()
        _, left = psutil.wait_procs(found, GRACE)
        print(f"queue: {len(found)} processes killed, {len(left)} left", flush=True)
        return [f"outlived the queue: {one}" for one in left]

    def _files(self, pattern: str | None) -> dict[Path, int]:
        """When each file was changed."""
        found = {}
        for path in self.folder.glob(pattern) if pattern else ():
            try:
                found[path] = path.stat().st_mtime_ns
            except FileNotFoundError:
                continue
        return found

    def alive(self) -> dict[psutil.Process, str]:
        """The processes that a run here has started, and their command lines."""
        found = {}
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.token:
                    found[process] = " ".join(process.cmdline())
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
        return found

    def outputs(self) -> dict[str, str]:
        """The digest of each output of the stages, by path."""
        lock = YAML(typ="safe").load((self.folder / "dvc.lock").read_text(encoding="utf-8"))
        return {
            out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage["outs"]
        }

    def strays(self) -> set[str]:
        """Files that neither git knows nor a stage writes, and locks that somebody holds."""
        listed: set[str] = set()
        for more in ([], ["--ignored"]):
            command = ["git", "ls-files", "--others", "--exclude-standard", *more]
            done = subprocess.run(
                command, cwd=self.folder, stdout=subprocess.PIPE, text=True, check=True
            )
            listed |= set(done.stdout.splitlines())
        outputs = tuple(self.outputs())
        found = {
            name
            for name in listed
            if not name.startswith(outputs)
            and not any(part in name for part in LEFT_ALONE)
            and (not name.startswith("scratch/") or ".part" in name)  # kept for the next run
        }
        held = self.folder / ".dvc/tmp/rwlock"
        text = held.read_text() if held.exists() else ""
        if any(psutil.pid_exists(int(pid)) for pid in re.findall(r'"pid": (\d+)', text)):
            found.add(f"{held}: {text}")
        # Python's own folders for sockets stay where a process is killed that shared memory.
        temporary = (path.name for path in self.temporary.iterdir())
        return found | {f"TMPDIR/{name}" for name in temporary if not name.startswith("pymp-")}


def moments(seconds: dict[str, float], draw: random.Random) -> list[Moment]:
    """All moments, in the order of the stages."""
    found = []
    for stage, second in zip(seconds, SECOND, strict=True):
        found.append(Moment(stage, signal.SIGKILL, draw.uniform(0.05, 0.5) * seconds[stage]))
        found.append(Moment(stage, second, draw.uniform(0.5, 0.9) * seconds[stage]))
        for pattern, stages in WRITES.items():
            found += stages.count(stage) * [Moment(stage, pattern=pattern)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    folder = given.folder.resolve()
    if not folder.exists():
        small_project.make(folder)
    whole = Pipeline(folder)
    seconds = whole.timed()
    print(f"undisturbed: {sum(seconds.values()):.0f} s", flush=True)

    other = folder.with_name(f"{folder.name}-killed")
    subprocess.run(["git", "clone", "--quiet", str(folder), str(other)], check=True)
    killed, order, faults = Pipeline(other), list(seconds), list[str]()
    begin, draw = time.monotonic(), random.Random(given.seed)
    for moment in moments(seconds, draw):
        faults += killed.kill(REPRO, moment, order)
    killed.mend()
    killed.run(*REPRO)
    faults += [f"before the experiment, {fault}" for fault in compared(whole, killed)]

    killed.run("git", "add", "--all")
    killed.run("git", "-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "Killed")
    faults += killed.kill(EXPERIMENT, Moment("train", seconds=draw.uniform(1, 20)), order)
    killed.run("git", "reset", "-q", "--hard")
    killed.run(*EXPERIMENT[:3], "--queue", *EXPERIMENT[3:])
    faults += killed.kill_queue()
    killed.run(*REPRO)
    faults += compared(whole, killed)
    hit = dict(Counter(killed.hit))
    print(f"{sum(hit.values())} kills in {time.monotonic() - begin:.0f} s, by stage: {hit}")
    count = len(whole.outputs())
    print("\n".join(faults) or f"{count} outputs are the same; no stray file, lock or process")
    sys.exit(bool(faults))


def compared(whole: Pipeline, killed: Pipeline) -> list[str]:
    """What differs, and what only the killed one has left behind."""
    one, other = whole.outputs(), killed.outputs()
    made = [path for path in sorted(one) if not path.endswith(".json")]  # those hold times
    differ = [f"differs: {path}" for path in made if one[path] != other.get(path)]
    return differ + [f"stray: {name}" for name in sorted(killed.strays() - whole.strays())]


if __name__ == "__main__":
    main()
