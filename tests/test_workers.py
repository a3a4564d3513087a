import importlib
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from joblib import delayed

from lbtts import params
from lbtts.errors import InputError
from lbtts.workers import workers
from tests.conftest import ROOT

RUN = params.load(ROOT / "profiles/demo.yaml").run


def choice(backend: str, **changes) -> params.Run:
    return RUN.model_copy(update={"jobs": 2, "backend": backend} | changes)


def needs(module: str) -> None:
    try:
        importlib.import_module(module)
    except ImportError as error:
        pytest.skip(f"pip install -r requirements-cluster.txt: {error}")


@pytest.mark.parametrize("backend, module", [("loky", "joblib"), ("dask", "distributed")])
def test_work_is_done_twice_over_in_one_pool(backend, module):
    needs(module)
    with workers(choice(backend)) as parallel:
        for base in (2, 10):
            found = parallel(delayed(pow)(base, n) for n in range(5))
            assert list(found) == [base**n for n in range(5)]
    with workers(choice(backend), ordered=False) as parallel:
        found = parallel(delayed(pow)(2, n) for n in range(5))
        assert sorted(found) == [2**n for n in range(5)]


def test_workers_end_when_what_started_them_is_killed():
    program = (
        "import os; from joblib import delayed; from lbtts.workers import workers;"
        "from lbtts import params; run = params.load('profiles/demo.yaml').run;"
        "pool = workers(run.model_copy(update={'jobs': 2})).__enter__();"
        "print(*pool(delayed(os.getpid)() for _ in range(4)), flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
    assert done.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 20
    for worker in map(int, done.stdout.split()):
        while psutil.pid_exists(worker):
            assert time.monotonic() < deadline, f"{worker} is still there"
            time.sleep(0.1)


@pytest.mark.slow  # a local cluster of Ray takes its time to start
def test_work_is_done_on_ray():
    needs("ray")
    with workers(choice("ray")) as parallel:
        assert sorted(parallel(delayed(pow)(2, n) for n in range(5))) == [1, 2, 4, 8, 16]


@pytest.mark.parametrize("backend, module", [("dask", "distributed"), ("ray", "ray")])
def test_a_backend_that_is_not_installed_names_the_remedy(backend, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"run\.backend: {backend}.*requirements-cluster\.txt"):
        workers(choice(backend)).__enter__()


def test_a_cluster_that_does_not_answer_names_its_address():
    needs("distributed")
    from dask import config

    with (
        config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(InputError, match=r"run\.cluster: tcp://127\.0\.0\.1:9: no dask cluster"),
    ):
        workers(choice("dask", cluster="tcp://127.0.0.1:9")).__enter__()


@pytest.mark.slow  # local clusters, which start five workers one after another
@pytest.mark.parametrize("backend, module", [("dask", "distributed"), ("ray", "ray")])
def test_work_that_ends_every_worker_ends_with_one_line(backend, module):
    needs(module)
    with (
        pytest.raises(InputError, match=rf"run\.backend: {backend}: workers ended again and") as e,
        workers(choice(backend)) as parallel,
    ):
        list(parallel(delayed(os._exit)(1) for _ in range(1)))
    assert "\n" not in str(e.value)
