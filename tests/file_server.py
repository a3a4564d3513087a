"""A server of files on this machine that can break off, start over and change its mind."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What it serves and how."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)  # by path
    cut: int | None = None  # where it hangs up, in bytes of the file
    ranges: bool = True  # whether it can begin in the middle
    asked: list[int] = field(default_factory=list)  # the byte that each request began at


@contextmanager
def file_server() -> Iterator[FileServer]:
    """A running one."""
    state = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = state.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            state.asked.append(begin)
            if state.ranges and begin and begin >= len(content):
                self.send_error(416)
                return
            partial = state.ranges and begin > 0
            self.send_response(206 if partial else 200)
            self.send_header("Content-Length", str(len(content) - begin * partial))
            self.end_headers()
            self.wfile.write(content[begin * partial : state.cut])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    state.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
