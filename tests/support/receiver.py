"""Another system's end of a webhook: a real HTTP server on loopback that answers what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, TypeVar

T = TypeVar("T")
PATIENCE_S: Final = 30.0


@dataclass(slots=True)
class Receiver:
    """What came, and what is answered: the statuses in turn, then 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Note a delivery; keep its profiles if it is answered with a yes."""
        with self.arrived:
            self.got.append((headers, body))
            status = self.statuses.pop(0) if self.statuses else 200
            if status < 300:
                self.taken += json.loads(body)["profiles"]
            self.arrived.notify_all()
        return status

    def wait_for(self, find: Callable[[], T | None]) -> T:
        """What `find` gives, as soon as a delivery makes it give something."""
        found: list[T] = []

        def has_found() -> bool:
            one = find()
            if one is not None:
                found.append(one)
            return bool(found)

        with self.arrived:
            assert self.arrived.wait_for(has_found, PATIENCE_S), f"not received: {self.taken[-3:]}"
        return found[-1]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver that listens until the end of the block."""
    made = Receiver()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(made.take({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the standard library
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/floorside"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
