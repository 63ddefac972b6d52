"""Asking the real ASGI app over httpx, without a port: every answer is what a tablet or a sender would get."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import httpx
from fastapi import FastAPI

from sync_server.api.app import make_app
from sync_server.services.headquarters import Headquarters


class Asker:
    """Asks one app; `token` is sent as Bearer where given."""

    def __init__(self, hq: Headquarters, token: str | None = None) -> None:
        self.app: FastAPI = make_app(hq)
        self.token = token

    def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """One request, one answer. A bug in the app is an answer too (500), never an exception."""
        return asyncio.run(self._ask(method, path, **sent))

    async def _ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        headers = dict(sent.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://hq") as asker:
            return await asker.request(method, path, headers=headers, **sent)

    def get(self, path: str, **sent: Any) -> httpx.Response:
        return self.ask("GET", path, **sent)

    def post(self, path: str, value: Any = None, **sent: Any) -> httpx.Response:
        """POST a JSON value, or raw `content`."""
        return self.ask("POST", path, **({"json": value} | sent if "content" not in sent else sent))

    def snapshot(self, scope: str, **params: Any) -> list[dict[str, Any]]:
        """The lines of a snapshot, parsed."""
        reply = self.get("/v1/sync/snapshot", params={"scope": scope, **params})
        assert reply.status_code == 200, reply.text
        assert reply.text.endswith("\n")
        return [json.loads(line) for line in reply.text.split("\n")[:-1]]


def packed(value: Any) -> bytes:
    """A JSON value, gzipped."""
    return gzip.compress(json.dumps(value).encode())


def problem_of(reply: httpx.Response) -> tuple[int, str]:
    """(status, code) of a problem document, which every refusal is."""
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    document = reply.json()
    assert document["status"] == reply.status_code
    assert document["title"]
    assert document["detail"]
    return reply.status_code, document["code"]
