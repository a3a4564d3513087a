"""The stage `features`, killed with kill -9 and continued: the same bytes, and no work twice."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.corpora import write_project

IDS = [f"u{number:02d}" for number in range(14)]


class Stage:
    """Runs of the stage in a folder, in processes of their own."""

    def __init__(self, folder: Path, project: Path, jobs: int, method: str) -> None:
        shutil.copytree(project, folder, dirs_exist_ok=True)
        params = folder / "params.yaml"
        text = params.read_text(encoding="utf-8").replace("jobs: 0", f"jobs: {jobs}")
        params.write_text(text.replace("method: harvest", f"method: {method}"), encoding="utf-8")
        self.folder, self.output = folder, folder / "output"
        self.runs = 0
        # joblib gives out two tasks a process, and each may have a result on its way
        self.in_flight = 3 * jobs if jobs > 1 else 1

    def start(self) -> subprocess.Popen:
        """A run that has started; it has a log of its own."""
        self.runs += 1
        environment = {"PYTHONPATH": str(ROOT), "DVC_ROOT": str(self.folder)}
        # A file and no pipe: workers that outlive a killed stage for a while hold its end open.
        with self.output.open("w") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.extract_small", str(self.log())],
                cwd=self.folder,
                env=os.environ | environment,
                stdout=output,
                stderr=output,
            )

    def finish(self) -> None:
        """A whole run, which must succeed."""
        assert self.start().wait(timeout=300) == 0, self.output.read_text()

    def kill_when(self, due) -> None:
        """Starts a run and kills it as soon as `due()`; it must not have ended before."""
        process = self.start()
        while not due():
            assert process.poll() is None, self.output.read_text()
            time.sleep(0.001)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it was finished already"

    def log(self) -> Path:
        """Where the latest run notes what it begins to measure."""
        return self.folder / f"log-{self.runs}"

    def started(self) -> Counter[str]:
        """How often the measuring of each utterance was started, over all runs."""
        logs = self.folder.glob("log-*")
        return Counter(name for log in logs for name in log.read_text().split())

    def bytes(self) -> bytes:
        """The feature file."""
        return (self.folder / "data/features.h5").read_bytes()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return write_project(tmp_path_factory.mktemp("project"), IDS)


def undisturbed(folder: Path, project: Path, method: str) -> bytes:
    stage = Stage(folder, project, 1, method)
    stage.finish()
    assert set(stage.started().values()) == {1}
    return stage.bytes()


def test_a_killed_run_continues_where_it_was(project, tmp_path):
    stage = Stage(tmp_path / "killed", project, 1, "dio")
    stage.kill_when(lambda: stage.started().total() >= 6)
    assert not (stage.folder / "data/features.h5").exists()
    stage.finish()
    assert 0 <= stage.started().total() - len(IDS) <= stage.in_flight
    assert stage.bytes() == undisturbed(tmp_path / "whole", project, "dio")


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_nothing(tmp_path):
    ids = [f"u{number:02d}" for number in range(30)]
    project = write_project(tmp_path / "project", ids)
    stage = Stage(tmp_path / "killed", project, 2, "harvest")
    partial = stage.folder / "data/features.partial"
    draw = random.Random(0)
    kills = []
    for number in range(10):
        delay = draw.uniform(0, 3)

        def due(number=number, delay=delay):
            if number >= 7:
                return partial.exists()
            reached = stage.log().exists()
            time.sleep(delay if reached else 0)
            return reached

        stage.kill_when(due)
        partial.unlink(missing_ok=True)
        kills.append(len(stage.started()))
        if number == 6:
            stage.finish()  # the last three kills strike while the file is written
            assert stage.started().keys() == set(ids)
    (stage.folder / "data/features.h5").unlink()
    stage.finish()
    repeated = stage.started().total() - len(ids)
    print(f"utterances started at each kill: {kills}; started twice: {repeated}")
    assert any(0 < known < len(ids) - stage.in_flight for known in kills)
    assert 0 <= repeated <= 7 * stage.in_flight
    assert stage.bytes() == undisturbed(tmp_path / "whole", project, "harvest")
