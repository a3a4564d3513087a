"""Stages killed with kill -9 and continued: the same bytes, and no work twice."""

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
from tests.test_stage_align import project_in

IDS = [f"u{number:02d}" for number in range(14)]


class Stage:
    """Runs of a stage in a folder, in processes of their own.

    choices: what takes the place of what in the project's params.yaml.
    """

    def __init__(
        self, name: str, folder: Path, project: Path, jobs: int, choices: dict[str, str]
    ) -> None:
        shutil.copytree(project, folder, dirs_exist_ok=True)
        params = folder / "params.yaml"
        text = params.read_text(encoding="utf-8")
        for old, new in (choices | {"jobs: 0": f"jobs: {jobs}"}).items():
            assert old in text
            text = text.replace(old, new)
        params.write_text(text, encoding="utf-8")
        self.name = name
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
                [sys.executable, "-m", "tests.noted", self.name, str(self.log())],
                cwd=self.folder,
                env=os.environ | environment,
                stdout=output,
                stderr=output,
            )

    def finish(self) -> None:
        """A whole run, which must succeed."""
        assert self.start().wait(timeout=900) == 0, self.output.read_text()

    def kill_when(self, due) -> None:
        """Starts a run and kills it as soon as `due()`; it must not have ended before."""
        process = self.start()
        while not due():
            assert process.poll() is None, self.output.read_text()
            time.sleep(0.001)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it was finished already"

    def log(self) -> Path:
        """Where the latest run notes what it begins to work on."""
        return self.folder / f"log-{self.runs}"

    def started(self) -> Counter[str]:
        """How often the work on each utterance was started, over all runs."""
        logs = self.folder.glob("log-*")
        return Counter(name for log in logs for name in log.read_text().split())

    def bytes(self) -> dict[str, bytes]:
        """Its outputs."""
        outputs = {"align": "data/alignment/*", "features": "data/features.h5"}[self.name]
        return {path.name: path.read_bytes() for path in self.folder.glob(outputs)}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return write_project(tmp_path_factory.mktemp("project"), IDS)


DIO = {"method: harvest": "method: dio"}


def undisturbed(name: str, folder: Path, project: Path, choices: dict[str, str]) -> dict:
    stage = Stage(name, folder, project, 1, choices)
    stage.finish()
    assert set(stage.started().values()) == {1}
    return stage.bytes()


def test_a_killed_run_continues_where_it_was(project, tmp_path):
    stage = Stage("features", tmp_path / "killed", project, 1, DIO)
    stage.kill_when(lambda: stage.started().total() >= 6)
    assert not (stage.folder / "data/features.h5").exists()
    stage.finish()
    assert 0 <= stage.started().total() - len(IDS) <= stage.in_flight
    assert stage.bytes() == undisturbed("features", tmp_path / "whole", project, DIO)


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_nothing(tmp_path):
    ids = [f"u{number:02d}" for number in range(30)]
    project = write_project(tmp_path / "project", ids)
    stage = Stage("features", tmp_path / "killed", project, 2, {})
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
    assert stage.bytes() == undisturbed("features", tmp_path / "whole", project, {})


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_alignment_killed_in_training_and_in_the_middle_continues(root, tmp_path, jobs):
    project, few = tmp_path / "project", {"iterations: 20": "iterations: 3"}
    project_in(project, root, {"max_rejected: 0.05": "max_rejected: 0.1"})
    stage = Stage("align", tmp_path / "killed", project, jobs, few)
    stage.kill_when(lambda: stage.started()["model"])
    stage.kill_when(lambda: stage.started().total() >= 22)
    assert stage.started()["model"] == 2 and not (stage.folder / "metrics/align.json").exists()
    stage.finish()
    stage.finish()
    repeated = stage.started().total() - 2 - 60
    print(f"{repeated} of 60 utterances were begun twice")
    assert stage.started()["model"] == 2 and 0 <= repeated <= stage.in_flight
    assert stage.bytes() == undisturbed("align", tmp_path / "whole", project, few)
