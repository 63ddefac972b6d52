"""The real server's ASGI app as the tablet's network: no socket, no thread, one request at a time to its end.

`AsgiTransport` goes below the tablet's own `HttpEndpoint`, so that every byte takes the way it takes in a shop: gzip,
problem documents, NDJSON. `spoil` may lose, cut or replace what goes through: the faults of a simulation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

import httpx

from associate_app.adapters.http import HttpEndpoint

AsgiApp = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole reply of the app."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


Serve = Callable[[httpx.Request], Answer]
Spoil = Callable[[httpx.Request, Serve], Answer]


class _Pieces(httpx.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        """Pieces that end in the middle of lines, as a network's do."""
        for start in range(0, len(self._body), 8191):
            yield self._body[start : start + 8191]


class AsgiTransport(httpx.BaseTransport):
    """Runs an ASGI app to its end for each request.

    `asked` counts requests by path. `bugs` collects what the app raised: the server's own 500 is still answered.
    """

    def __init__(self, app: AsgiApp, *, spoil: Spoil | None = None) -> None:
        self.app = app
        self.spoil = spoil
        self.asked: list[str] = []
        self.bugs: list[BaseException] = []
        self._loop = asyncio.new_event_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        request.read()
        answer = self.spoil(request, self.serve) if self.spoil else self.serve(request)
        return httpx.Response(answer.status, headers=list(answer.headers), stream=_Pieces(answer.body))

    def close(self) -> None:
        self._loop.close()

    def serve(self, request: httpx.Request) -> Answer:
        """What the app answers to a request."""
        told: list[MutableMapping[str, Any]] = []
        try:
            self._loop.run_until_complete(self.app(_scope_of(request), _receiver(request.content), _collector(told)))
        except Exception as bug:
            self.bugs.append(bug)
            if not told:
                raise
        body = b"".join(message.get("body", b"") for message in told[1:])
        return Answer(told[0]["status"], tuple(told[0]["headers"]), body)


def _scope_of(request: httpx.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (request.url.host, request.url.port or 80),
        "client": ("127.0.0.1", 1),
    }


def _receiver(body: bytes) -> Callable[[], Any]:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    return receive


def _collector(told: list[MutableMapping[str, Any]]) -> Callable[[MutableMapping[str, Any]], Any]:
    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message)

    return send


def make_endpoint(transport: AsgiTransport, token: Callable[[], str | None]) -> HttpEndpoint:
    """The tablet's endpoint over an app."""
    return HttpEndpoint("http://hq.test", token=token, transport=transport)
