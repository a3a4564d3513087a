"""As much of the model hub as an upload asks for; it keeps the files in memory."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving() -> Iterator[tuple[str, dict[str, bytes]]]:
    """Its address, and the files that were committed, by path."""
    received: dict[str, bytes] = {}

    class Hub(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if "/preupload/" in self.path:
                names = [file["path"] for file in json.loads(body)["files"]]
                modes = [
                    {"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names
                ]
                self._answer({"files": modes})
            elif "/commit/" in self.path:
                for line in body.splitlines():
                    entry = json.loads(line)
                    if entry["key"] == "file":
                        value = entry["value"]
                        received[value["path"]] = base64.b64decode(value["content"])
                address = f"http://{self.headers['Host']}/me/voice/commit/{'0' * 40}"
                self._answer({"commitOid": "0" * 40, "commitUrl": address, "success": True})
            else:
                self._answer({})

        def do_GET(self) -> None:
            self._answer({"id": "me/voice", "sha": "0" * 40, "siblings": []})

        def _answer(self, content: dict) -> None:
            made = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(made)))
            self.end_headers()
            self.wfile.write(made)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
