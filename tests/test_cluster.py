"""The data stages on clusters of Dask and Ray that lose a worker: the same bytes as on one machine.

`g2p` and `durations` work in one process on any backend; `audit` is as `features` in its use of
workers and is left out, being long.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from stages import audit
from tests.conftest import ROOT
from tests.test_data_stages import digests
from tests.test_workers import needs

pytestmark = pytest.mark.slow  # clusters take their time to start

SENTENCES = 24
STAGES = ("corpus", "g2p", "align", "durations", "features")
SHARED = {"corpus", "align", "features"}  # that the workers share


def use(folder: Path, backend: str, cluster: str = "null") -> None:
    """Makes the project in `folder` work so."""
    params = (ROOT / "profiles/demo.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("jobs: 0", "jobs: 1"),
        ("backend: loky", f"backend: {backend}"),
        ("cluster: null", f"cluster: {cluster}"),
    ):
        assert old in params
        params = params.replace(old, new, 1)
    (folder / "params.yaml").write_text(params, encoding="utf-8")


def started(folder: Path, stage: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", f"stages.{stage}"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "DVC_ROOT": str(folder)},
        stderr=(folder / f"{stage}.log").open("w"),
    )


def said(folder: Path, stage: str) -> str:
    return (folder / f"{stage}.log").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def raw(tmp_path_factory, known):
    """A project before its first stage."""
    folder = tmp_path_factory.mktemp("raw")
    sentences = (ROOT / "data/raw/demo/sentences.txt").read_text(encoding="utf-8").splitlines()
    (folder / "data/raw/demo").mkdir(parents=True)
    text = "\n".join(sentences[:SENTENCES])
    (folder / "data/raw/demo/sentences.txt").write_text(text, encoding="utf-8")
    shutil.copytree(known, folder / "data/lexicon")
    shutil.copy(ROOT / "data/additions.tsv", folder / "data")
    use(folder, "loky")
    return folder


@pytest.fixture(scope="module")
def alone(raw, tmp_path_factory):
    """The same after its stages, on this machine."""
    folder = tmp_path_factory.mktemp("alone") / "project"
    shutil.copytree(raw, folder)
    for stage in STAGES:
        if stage == "features":
            with chdir(folder):
                audit.main()
        assert started(folder, stage).wait() == 0, said(folder, stage)
    return folder


def check(
    folder: Path, alone: Path, working: Callable[[], subprocess.Popen | psutil.Process | None]
) -> None:
    """Runs the stages in `folder`, killing a worker in each that has some."""
    for stage in STAGES:
        if stage == "features":
            shutil.copy(alone / "data/audit.csv", folder / "data")
        process = started(folder, stage)
        if stage in SHARED:
            while (victim := working()) is None:
                assert process.poll() is None, f"no worker was seen: {said(folder, stage)}"
                time.sleep(0.01)
            victim.send_signal(signal.SIGKILL)
            assert process.poll() is None, "it was finished already"
        assert process.wait(timeout=600) == 0, said(folder, stage)
    assert digests(folder) == digests(alone)


@pytest.fixture
def project(raw, tmp_path, monkeypatch):
    """A copy of `raw`, in which the processes of a cluster can begin."""
    folder = tmp_path / "project"
    shutil.copytree(raw, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return folder


@contextmanager
def running(module: str, *options: str) -> Iterator[subprocess.Popen]:
    with Path(f"../{module}.log").open("a") as log:
        process = subprocess.Popen([sys.executable, "-m", module, *options], stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_dask_with_a_worker_killed_in_each_stage(project, alone, tmp_path):
    needs("distributed")
    from distributed import Client

    where = ("--scheduler-file", str(tmp_path / "scheduler.json"))
    with ExitStack() as stack:
        command = ("distributed.cli.dask_scheduler", *where, "--no-dashboard", "--port=0")
        stack.enter_context(running(*command))
        command = ("distributed.cli.dask_worker", *where, "--nthreads=1", "--no-nanny")
        workers = [
            stack.enter_context(running(*command, f"--name={number}"))
            for number in range(len(SHARED) + 2)
        ]
        while not (tmp_path / "scheduler.json").exists():
            time.sleep(0.1)
        client = stack.enter_context(Client(scheduler_file=where[1]))
        client.wait_for_workers(len(workers), timeout=120)
        use(project, "dask", client.scheduler.address)

        def working() -> subprocess.Popen | None:
            names = {key: w["name"] for key, w in client.scheduler_info(-1)["workers"].items()}
            for key, tasks in client.processing().items():
                if tasks and key in names and workers[int(names[key])].poll() is None:
                    return workers[int(names[key])]
            return None

        check(project, alone, working)
        ends = [worker.poll() for worker in workers]
        assert ends.count(-signal.SIGKILL) == len(SHARED) == len(ends) - ends.count(None)


def test_ray_with_a_worker_killed_in_each_stage(project, alone):
    needs("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    try:
        cluster.add_node(num_cpus=2)
        use(project, "ray", cluster.address)

        def working() -> psutil.Process | None:
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    if "PoolActor.run_batch" in " ".join(process.cmdline()):
                        return process
            return None

        check(project, alone, working)
    finally:
        cluster.shutdown()
