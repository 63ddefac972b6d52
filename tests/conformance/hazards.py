"""The hazards: an ASGI layer over the real app that loses answers, says busy, cuts snapshots and changes the world.

Each is planted by counting requests, so every run has all of them; after `QUIET_AFTER` sync requests of the guest
nothing more goes wrong. `GET /conformance` tells how often each has happened. The neighbour's requests are not counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, MutableMapping
from typing import Any, Final

from sync_server.services.enrolment import revoke_device
from sync_server.services.headquarters import Headquarters
from sync_server.services.operations import begin_new_epoch
from sync_server.services.problems import refuse
from tests.support.world import Journalist

QUIET_AFTER: Final = 40
NAMES: Final = ("lost push", "busy", "torn snapshot", "resync", "tombstone", "new epoch", "torn page")
Message = MutableMapping[str, Any]


class Hazards:
    """Stands before the app. `neighbour` is another tablet of the store, which keeps recording."""

    def __init__(self, app: Callable[..., Any], hq: Headquarters, neighbour: Journalist, leaving: str) -> None:
        self.app, self.hq, self.neighbour, self.leaving = app, hq, neighbour, leaving
        self.asked: Counter[str] = Counter()
        self.done: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """Sync requests so far; waits and hellos do not count, for a tablet may make any number of them."""
        return self.asked["push"] + self.asked["pull"] + self.asked["snapshot"]

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["path"] == "/conformance":
            return await _answer(send, 200, json.dumps(self.told()).encode())
        word = scope["path"].rpartition("/")[2]
        self.asked[word] += 1
        self._live(word)
        hazard = self._due(word)
        if hazard is None:
            return await self.app(scope, receive, send)
        self.done[hazard] += 1
        return await self._go_wrong(hazard, scope, receive, send)

    def told(self) -> dict[str, Any]:
        """What happened so far."""
        waiting = [name for name in NAMES if not self.done[name]]
        is_quiet = self.total >= QUIET_AFTER
        return {"hazards": dict(self.done), "not_yet": waiting, "is_quiet": is_quiet, "requests": dict(self.asked)}

    def _due(self, word: str) -> str | None:
        n = self.asked[word]
        if self.total >= QUIET_AFTER:
            return None
        planted = {
            ("push", 1): "lost push",
            ("push", 2): "busy",
            ("push", 5): "lost push",
            ("snapshot", 1): "torn snapshot",
            ("pull", 2): "torn page",
            ("pull", 4): "resync",
        }
        return planted.get((word, n))

    def _live(self, word: str) -> None:
        """The world goes on: the neighbour records, a device leaves, HQ begins a new history."""
        if word not in ("push", "pull", "snapshot"):
            return
        if self.total < QUIET_AFTER and self.total % 3 == 0:
            self.neighbour.note(f"seen at request {self.total}", f"29{self.total % 10:010}")
            self.neighbour.push(self.neighbour.ops[-1:])
        if word == "pull" and self.asked["pull"] == 3:
            revoke_device(self.hq, self.leaving)
            self.done["tombstone"] += 1
        if self.total >= 12 and not self.done["new epoch"]:
            self.neighbour.epoch = begin_new_epoch(self.hq)["epoch"]
            self.done["new epoch"] += 1

    async def _go_wrong(self, hazard: str, scope: Message, receive: Any, send: Any) -> None:
        if hazard in ("busy", "resync"):
            problem = refuse(hazard, reason="cursor_too_old") if hazard == "resync" else refuse(hazard)
            body = {"type": f"urn:floorside:problem:{hazard}", "title": problem.detail, "status": problem.status}
            body |= {"code": hazard, "detail": "Planted.", **problem.extra}
            await _drain(receive)
            more = {b"retry-after": b"1"} if hazard == "busy" else {}
            body |= {"retry_after_s": 1} if hazard == "busy" else {}
            return await _answer(send, problem.status, json.dumps(body).encode(), more, b"application/problem+json")
        return await self._cut(hazard, scope, receive, send)

    async def _cut(self, hazard: str, scope: Message, receive: Any, send: Any) -> None:
        """The app does its work; of its answer half arrives (a lost push: none of it, and the connection ends)."""
        held: list[Message] = []

        async def keep(message: Message) -> None:
            held.append(message)

        plain = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        await self.app({**scope, "headers": plain}, receive, keep)
        body = b"".join(message.get("body", b"") for message in held[1:])
        if held[0]["status"] != 200:
            return await _answer(send, held[0]["status"], body, dict(held[0]["headers"]), None)
        if hazard == "torn snapshot":
            return await _answer(send, 200, body[: len(body) // 2], kind=b"application/x-ndjson")
        promised = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": promised})
        part = b"" if hazard == "lost push" else body[: len(body) // 2]
        await send({"type": "http.response.body", "body": part, "more_body": True})
        return None


async def _drain(receive: Any) -> None:
    while (await receive()).get("more_body"):
        pass


async def _answer(
    send: Any,
    status: int,
    body: bytes,
    more: dict[bytes, bytes] | None = None,
    kind: bytes | None = b"application/json",
) -> None:
    headers = {name: value for name, value in (more or {}).items() if name != b"content-length"}
    headers |= {b"content-type": kind} if kind else {}
    headers[b"content-length"] = str(len(body)).encode()
    await send({"type": "http.response.start", "status": status, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": body})
