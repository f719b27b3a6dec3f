"""A server on this machine, for downloads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """A server on this machine; `answers` maps paths to what is sent."""

    def __init__(self) -> None:
        answers: dict[str, bytes | Callable[[BaseHTTPRequestHandler], None]] = {}
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                answer = answers.get(self.path)
                if callable(answer):
                    answer(self)
                elif answer is None:
                    self.send_error(404)
                else:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.answers, self.asked = answers, asked
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server; NO_PROXY should name 127.0.0.1."""
    made = Server()
    made.thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.thread.join()
        made.server.server_close()
