"""Worker processes, on this machine or on a cluster."""

import os
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from joblib import Parallel, parallel_config
from joblib.externals.loky import get_reusable_executor

from lbtts.errors import InputError, first_line
from lbtts.params import Run

_RETRIES = 3  # of a task whose worker was lost, as Dask has it


@contextmanager
def workers(run: Run, ordered: bool = True) -> Iterator[Parallel]:
    """A joblib pool as the section `run` wants it, one thread a process; it ends with the block.

    Results come as soon as they are finished. With Ray, whose joblib backend cannot do that, they
    come when all are finished. What a lost worker of a cluster had to do, another does.

    Args:
        run: the section.
        ordered: whether results come in the order of the tasks.

    Raises:
        InputError: the packages for the backend are missing, or the cluster cannot be reached.
    """
    order = "generator" if ordered else "generator_unordered"
    backend: Any = run.backend
    options: dict[str, Any] = {}
    lost: tuple[type[Exception], ...] = ()  # what says that one task ended several workers
    with ExitStack() as stack:
        if run.backend == "dask":
            distributed = _extra("distributed", run)
            here = {"n_workers": run.workers, "threads_per_worker": 1, "dashboard_address": None}
            try:
                client = distributed.Client(**{"address": run.cluster} if run.cluster else here)
            except OSError as error:
                raise _unreachable(run, error) from error
            from lbtts.dask_backend import DaskBackend  # imports all of Dask

            backend = DaskBackend(client=stack.enter_context(client))
            lost = (distributed.KilledWorker,)
        elif run.backend == "ray":
            ray = _extra("ray", run)
            _extra("ray.util.joblib", run).register_ray()
            here = {"num_cpus": run.workers, "include_dashboard": False}
            try:
                ray.init(**{"address": run.cluster} if run.cluster else here, log_to_driver=False)
            except (ConnectionError, ValueError) as error:
                raise _unreachable(run, error) from error
            stack.callback(ray.shutdown)
            order = "list"
            options["ray_remote_args"] = {"max_restarts": -1, "max_task_retries": _RETRIES}
            lost = (ray.exceptions.RayActorError,)
        else:
            options |= {"inner_max_num_threads": 1, "initializer": _follow}
            options["initargs"] = (os.getpid(),)
            # loky renews a worker that has grown by 300 MB, as those that hold a model do.
            warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
            if run.workers > 1:  # else joblib would keep them, in the folder that they began in
                stack.callback(lambda: get_reusable_executor().shutdown(wait=True))
        stack.enter_context(parallel_config(backend, **options))
        # Tasks are long enough to be sent one by one, so only a few are in progress at a time.
        count = -1 if run.cluster else run.workers
        try:
            yield stack.enter_context(Parallel(count, return_as=order, batch_size=1))
        except lost as error:
            raise InputError(
                f"run.backend: {run.backend}: workers ended again and again at the same work "
                f"({first_line(error)}); see whether their memory suffices, then run again"
            ) from error


def _follow(parent: int) -> None:
    """Ends this worker when its parent has ended; a loky worker would wait forever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _extra(name: str, run: Run) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f"run.backend: {run.backend} needs packages that are not installed ({error}); "
            "`pip install -r requirements-cluster.txt`, or set it to loky"
        ) from error


def _unreachable(run: Run, error: Exception) -> InputError:
    return InputError(
        f"run.cluster: {run.cluster}: no {run.backend} cluster answers there ({error}); start it, "
        "or set run.cluster to null"
    )
