"""Speech in a thread of its own, chunk by chunk, so that requests take turns."""

import asyncio
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from lbtts.server.limits import Limits
from lbtts.voice import Chunk, Speech


class Busy(Exception):
    """There are too many requests already."""


class Overtime(Exception):
    """A request has had its time."""


class Work:
    """The thread that speaks, and how many requests it works for."""

    def __init__(self, limits: Limits) -> None:
        """Starts no thread yet."""
        self._limits = limits
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="speech")
        self.requests = 0

    def stop(self) -> None:
        """Ends the thread after the chunk that it speaks."""
        self._thread.shutdown(cancel_futures=True)

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Counts a request in for as long as the context is open.

        Raises:
            Busy: there are too many.
        """
        if self.requests >= self._limits.requests:
            raise Busy
        self.requests += 1
        try:
            yield
        finally:
            self.requests -= 1

    async def chunks(
        self, speech: Speech, gone: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[Chunk]:
        """The chunks of `speech`; it ends early when the client is `gone`.

        Raises:
            Overtime: the request takes too long.
            InputError: what `speech` raises.
        """
        until = time.monotonic() + self._limits.seconds
        spoken = iter(speech)
        loop = asyncio.get_running_loop()
        while not await gone():
            if time.monotonic() > until:
                raise Overtime
            chunk = await loop.run_in_executor(self._thread, _next, spoken)
            if chunk is None:
                return
            yield chunk


def _next(spoken: Iterator[Chunk]) -> Chunk | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about words, which the page shows as they are spoken
        return next(spoken, None)
