"""What the server refuses, so that no request can take all of the machine."""

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CHARACTERS = 20_000  # of a text; a longer one is for the command


@dataclass(frozen=True)
class Limits:
    """Bounds of a request.

    Attributes:
        body: its bytes.
        requests: that are worked on or wait, all together; more are told to come back.
        seconds: of work and waiting, after which it is ended.
    """

    body: int = 200_000
    requests: int = 32
    seconds: float = 600.0


class BodyLimit:
    """Answers 413 to bodies over a number of bytes, whatever length they announce."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        """Wraps `app`."""
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads the body up to the limit, and hands it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced(scope["headers"]) > self._most:
            await _refuse(send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._most:
                await _refuse(send)
                return
        handed = False

        async def replay() -> Message:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> int:
    found = dict(headers).get(b"content-length", b"0")
    return int(found) if found.isdigit() else 0


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"detail":"the request is too large"}'})
