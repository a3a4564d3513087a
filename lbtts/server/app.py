"""The application: which addresses there are, and what each answers."""

import base64
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

from lbtts.errors import InputError
from lbtts.server.limits import CHARACTERS, BodyLimit, Limits
from lbtts.server.stream import MEDIA_TYPES, encoded
from lbtts.server.work import Busy, Overtime, Work
from lbtts.speaking.formats import pcm
from lbtts.voice import FASTEST, SLOWEST, Chunk, Manner, Voice

_PAGE = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; media-src blob:; img-src data:",
    "X-Content-Type-Options": "nosniff",
}
_RETRY = {"Retry-After": "2"}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"description": "The body is no JSON, or the markup of the text is wrong"},
    401: {"description": "The key is missing or wrong"},
    404: {"description": "There is no such voice"},
    413: {"description": "The body is too large"},
    503: {"description": "Too many requests; come back"},
}
_AUDIO: dict[str, Any] = {"content": {kind: {} for kind in sorted(set(MEDIA_TYPES.values()))}}


class SpeechRequest(BaseModel):
    """Text to be spoken, as OpenAI's interface has it; other fields of it are passed over."""

    model: str = Field("kokoro", description="Any; there is one")
    input: str = Field(min_length=1, max_length=CHARACTERS)
    voice: str | None = Field(None, description="One of /v1/audio/voices; null: the first")
    response_format: Literal["mp3", "opus", "flac", "wav", "ogg", "pcm"] = "mp3"
    speed: float = Field(1.0, ge=SLOWEST, le=FASTEST)


def create(
    voices: Mapping[str, Voice], key: str | None = None, limits: Limits | None = None
) -> FastAPI:
    """The application.

    Args:
        voices: by name; the first is the usual one.
        key: that requests for speech must have as bearer; None for none.
        limits: of requests.
    """
    limits = limits or Limits()
    work = Work(limits)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        work.stop()

    app = FastAPI(title="lbtts", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(BodyLimit, most=limits.body)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Busy, _busy)
    guarded = [Depends(_guard(key))] if key else []

    for path, (name, kind) in _PAGE.items():
        app.add_api_route(path, _file(name, kind), include_in_schema=False)

    @app.get("/health")
    def health() -> dict[str, str | int]:
        return {"status": "ok", "requests": work.requests}

    @app.get("/v1/audio/voices")
    def list_voices() -> dict[str, list[str]]:
        return {"voices": list(voices)}

    @app.get("/v1/models")
    def list_models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": "kokoro", "object": "model"}]}

    app.include_router(_speech(voices, work), dependencies=guarded)
    return app


def _speech(voices: Mapping[str, Voice], work: Work) -> APIRouter:
    """The addresses that speak."""
    router = APIRouter(prefix="/v1/audio/speech")

    async def chunks(asked: SpeechRequest, request: Request) -> AsyncIterator[Chunk]:
        """The chunks of a request that is admitted until they end."""
        voice = voices.get(asked.voice or next(iter(voices)))
        if voice is None:
            raise HTTPException(404, f"no such voice; there are: {', '.join(voices)}")
        async with work.admitted():
            speech = voice(asked.input, Manner(speed=asked.speed))
            try:
                async for chunk in work.chunks(speech, request.is_disconnected):
                    yield chunk
            except Overtime:
                return

    @router.post("", response_class=Response, responses={200: _AUDIO, **_PROBLEMS})
    async def speech(asked: SpeechRequest, request: Request) -> Response:
        """Audio, sentence by sentence while it is spoken."""
        format = asked.response_format
        blocks = await _started(chunks(asked, request))
        return StreamingResponse(encoded(blocks, format), media_type=MEDIA_TYPES[format])

    @router.post(
        "/timestamps",
        response_class=Response,
        responses={200: {"content": {"application/x-ndjson": {}}}, **_PROBLEMS},
    )
    async def timestamps(asked: SpeechRequest, request: Request) -> Response:
        """A line of JSON for each chunk: `start`, `phonemes`, `words`, and `audio`.

        The audio is 16-bit samples at 24 kHz in base64, whatever `response_format` says.
        """
        blocks = await _started(chunks(asked, request))
        return StreamingResponse(_lines(blocks), media_type="application/x-ndjson")

    return router


async def _started(chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
    """The same chunks, the first of them spoken, so that what is wrong is an answer of its own."""
    try:
        first = await anext(chunks, None)
    except InputError as error:
        raise HTTPException(400, str(error)) from None

    async def all_of_them() -> AsyncIterator[Chunk]:
        if first is not None:
            yield first
        async for chunk in chunks:
            yield chunk

    return all_of_them()


async def _lines(chunks: AsyncIterator[Chunk]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        line = {
            "start": chunk.start,
            "phonemes": chunk.phonemes,
            "words": [asdict(word) for word in chunk.words],
            "audio": base64.b64encode(pcm(chunk.audio).tobytes()).decode(),
        }
        yield json.dumps(line, ensure_ascii=False).encode() + b"\n"


def _guard(key: str) -> Any:
    bearer = HTTPBearer(auto_error=False)

    def check(given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        sent = b"" if given is None else given.credentials.encode("latin-1")  # the header's bytes
        if not hmac.compare_digest(sent, key.encode()):
            challenge = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, "the key is missing or wrong", headers=challenge)

    return check


def _file(name: str, kind: str) -> Any:
    path = Path(__file__).with_name(name)

    def answer() -> FileResponse:
        return FileResponse(path, media_type=kind, headers=_PAGE_HEADERS)

    return answer


def _invalid(_: Request, error: Exception) -> JSONResponse:
    """What is wrong, without the input, which may be no valid text."""
    assert isinstance(error, RequestValidationError)
    found = [{"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]} for e in error.errors()]
    return JSONResponse({"detail": found}, 422)


def _busy(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "too many requests; come back"}, 503, _RETRY)
