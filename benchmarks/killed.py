"""The whole pipeline, killed anywhere: does it end as if nothing had happened?

    python -m benchmarks.killed PROJECT [--kills 40] [--seed 0]

PROJECT is a fresh clone whose environment is installed. There `dvc repro` runs once undisturbed.
In a second clone beside it, PROJECT-killed, it is killed again and again with SIGKILL, the whole
process group at once, after random times that grow while no stage is finished in between; every
tenth time it is SIGTERM, every tenth SIGINT. After each, no process of the run may be alive ten
seconds later. Then an experiment and the queue are killed likewise. In the end `dvc repro` runs
through. Printed: the stage at each kill; what differs from the undisturbed run, file by file, in
what the stages write; files that belong to no stage; locks that are still held. Ends with status 1
if there is any.
"""

import argparse
import json
import os
import random
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

REPRO = ("dvc", "repro")
EXPERIMENT = ("dvc", "exp", "run", "-S", "train.lr=2e-5")
QUEUE = ("dvc", "queue", "start")
GRACE = 10  # seconds in which all processes of a killed run must end
STARTED = "Running stage '"
MARK = "LBTTS_KILLED"  # environment variable that all processes of a run inherit
IGNORED = (".git/", ".dvc/", ".venv", "scratch/", "__pycache__")


@dataclass(frozen=True)
class Kill:
    """What was killed: after so many seconds, in which stage, and who outlived it."""

    signal: signal.Signals
    seconds: float
    stage: str
    status: int
    alive: tuple[str, ...]


class Pipeline:
    """A clone of the project, in which commands run and are killed."""

    def __init__(self, folder: Path, environment: Path) -> None:
        self.folder = folder
        self.log = folder.with_name(f"{folder.name}.log")
        self.token = uuid.uuid4().hex
        self.variables = os.environ | {
            MARK: self.token,
            "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
            "DVC_NO_ANALYTICS": "true",
            "OMP_NUM_THREADS": "1",
        }

    def run(self, *command: str) -> float:
        """Seconds of a command that must succeed."""
        begin = time.monotonic()
        with self.log.open("a") as log:
            subprocess.run(
                command, cwd=self.folder, env=self.variables, stdout=log, stderr=log, check=True
            )
        return time.monotonic() - begin

    def kill(self, command: tuple[str, ...], number: signal.Signals, seconds: float) -> Kill | None:
        """Kills a command after some seconds; None if it was finished before."""
        with self.log.open("a") as log:
            written = log.tell()
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                if process.wait(seconds) == 0:
                    return None
                raise SystemExit(f"{' '.join(command)} failed by itself; see {self.log}")
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, number)
            status = process.wait(60)
        deadline = time.monotonic() + GRACE
        while self._alive() and time.monotonic() < deadline:
            time.sleep(0.2)
        with self.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(written)
            stages = [line.split("'")[1] for line in log if line.startswith(STARTED)]
        return Kill(number, seconds, stages[-1] if stages else "none yet", status, self._alive())

    def _alive(self) -> tuple[str, ...]:
        """The commands of processes that were started by a run here."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            try:
                if process.environ().get(MARK) == self.token:
                    found.append(" ".join(process.info["cmdline"])[:80])
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
        return tuple(found)

    def done(self) -> int:
        """How many stages are finished."""
        return len(self._lock())

    def outputs(self) -> dict[str, str]:
        """The digest of each output of the stages, by path."""
        return {out["path"]: out["md5"] for stage in self._lock().values() for out in stage["outs"]}

    def strays(self) -> list[str]:
        """Files that neither git knows nor a stage writes, and locks that somebody holds."""
        outputs = tuple(self.outputs())
        command = ["git", "ls-files", "--others", "--exclude-standard"]
        listed = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=True
        )
        ignored = subprocess.run(
            [*command, "--ignored"], cwd=self.folder, capture_output=True, text=True, check=True
        )
        files = {*listed.stdout.splitlines(), *ignored.stdout.splitlines()} - {"dvc.lock"}
        found = [
            name
            for name in sorted(files)
            if not name.startswith((*outputs, *IGNORED)) and "__pycache__" not in name
        ]
        held = self.folder / ".dvc/tmp/rwlock"
        if held.exists() and json.loads(held.read_text() or "{}"):
            found.append(f"{held}: {held.read_text()}")
        return found + [str(path) for path in (self.folder / "scratch").rglob("*.partial")]

    def _lock(self) -> dict:
        path = self.folder / "dvc.lock"
        if not path.exists():
            return {}
        return YAML(typ="safe").load(path.read_text(encoding="utf-8"))["stages"]


def signals(count: int) -> list[signal.Signals]:
    """SIGKILL, every tenth SIGTERM, every tenth SIGINT."""
    others = {4: signal.SIGTERM, 9: signal.SIGINT}
    return [others.get(number % 10, signal.SIGKILL) for number in range(count)]


def harass(pipeline: Pipeline, kills: int, mean: float, draw: random.Random) -> list[Kill]:
    """Kills `dvc repro` again and again, after `mean` seconds or so."""
    found: list[Kill] = []
    patience = mean
    for number in signals(kills):
        before = pipeline.done()
        killed = pipeline.kill(REPRO, number, draw.uniform(0.2, 1.8) * patience)
        if killed is None:
            break
        found.append(killed)
        print(f"{len(found)}: {killed}", flush=True)
        patience = mean if pipeline.done() > before else 1.3 * patience
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("project", type=Path)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    project = given.project.resolve()
    draw = random.Random(given.seed)
    whole = Pipeline(project, project / ".venv")
    seconds = whole.run(*REPRO)
    print(f"undisturbed: {seconds:.0f} s", flush=True)

    folder = project.with_name(f"{project.name}-killed")
    if not folder.exists():
        subprocess.run(["git", "clone", "--quiet", str(project), str(folder)], check=True)
    killed = Pipeline(folder, project / ".venv")
    kills = harass(killed, given.kills, seconds / given.kills + 10, draw)
    killed.run(*REPRO)
    killed.run("git", "add", "dvc.lock", "params.yaml")
    for command in (EXPERIMENT, QUEUE):
        if command == QUEUE:
            killed.run(*EXPERIMENT[:3], "--queue", *EXPERIMENT[3:])
        if one := killed.kill(command, signal.SIGKILL, draw.uniform(15, 40)):
            kills.append(one)
            print(f"{' '.join(command[:3])}: {one}", flush=True)
    killed.run(*REPRO)

    print(f"kills by stage: {dict(Counter(kill.stage for kill in kills))}")
    one, other = whole.outputs(), killed.outputs()
    faults = [f"differs: {path}" for path in sorted(one) if one[path] != other.get(path)]
    faults += [f"stray: {path}" for path in killed.strays()]
    faults += [f"outlived {kill.stage}: {name}" for kill in kills for name in kill.alive]
    print("\n".join(faults) or f"{len(one)} outputs are the same; no stray file, lock or process")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
