"""joblib's backend for Dask, which waits for ever where a task ended several workers."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from joblib._dask import DaskDistributedBackend


class DaskBackend(DaskDistributedBackend):
    """The same, but a task that Dask gave up fails with what Dask says of it."""

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], None]) -> Future:
        """The future of a task; `callback` gets its result, and also why it has none."""

        def failed(done: Future) -> None:
            if (error := done.exception()) is not None:
                callback(error)

        future = super().submit(func, callback)
        future.add_done_callback(failed)
        return future

    def retrieve_result_callback(self, out: Any) -> Any:
        """The result that a callback got; raises what it got instead."""
        if isinstance(out, BaseException):
            raise out
        return super().retrieve_result_callback(out)
