"""The server: uvicorn with the voices of a folder."""

from pathlib import Path

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware

from lbtts.errors import InputError
from lbtts.server import app
from lbtts.voice import Voice, names

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(folder: str, precision: str, host: str, port: int, key_file: Path | None) -> None:
    """Serves until it is interrupted.

    Args:
        folder: exported, or a name on the hub.
        precision: of the graph.
        host: the address to bind; loopback answers only to its own names.
        port: likewise.
        key_file: with the bearer key; None for no key.

    Raises:
        InputError: the folder or the key is wrong.
    """
    key = _key(key_file) if key_file else None
    first, *others = names(folder)
    loaded = Voice.load(folder, first, precision)
    voices = {first: loaded} | {name: loaded.with_voice(folder, name) for name in others}
    application = app.create(voices, key)
    if host in _LOOPBACK:
        # No page of another site may speak through a name that it points here.
        application.add_middleware(TrustedHostMiddleware, allowed_hosts=[*_LOOPBACK])
    print(f"http://{host}:{port}")
    uvicorn.run(application, host=host, port=port, log_level="warning")


def _key(path: Path) -> str:
    try:
        key = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    if not key:
        raise InputError(f"{path}: is empty; write the key into it")
    return key
