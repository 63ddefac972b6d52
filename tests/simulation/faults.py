"""The network between tablets and HQ, with every fault it can have; which of them a run has comes from its seed."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from sync_server.services.feed import mark_of, open_cursor
from tests.simulation.clocks import TrueTime
from tests.simulation.headquarters import SimulatedHeadquarters
from tests.support.asgi_endpoint import Answer, Serve

NETWORK_FAULTS: Final = (
    "drop_request",
    "drop_response",
    "duplicate",
    "delay",
    "late",
    "truncate",
    "corrupt",
    "twist",
    "internal",
    "internal_after",
    "busy",
    "unauthorised",
    "portal",
    "hq_commit",
)
TABLET_FAULTS: Final = ("power", "full", "bug", "clone", "restore_tablet", "wipe", "sidecar", "clock", "offline")
HQ_FAULTS: Final = ("restore_hq", "restart_hq", "revoke", "time")
OP_FAULTS: Final = ("unknown", "poison", "merge", "consent", "correct")
FIRST_FAULTS: Final = (*NETWORK_FAULTS, *TABLET_FAULTS, *HQ_FAULTS, *OP_FAULTS)
CHANGE_FAULTS: Final = ("move", "schema", "min_app", "decide", "salvage")
"""Drawn apart from the first ones, so that a seed keeps what it had of those."""
ALL_FAULTS: Final = (*FIRST_FAULTS, *CHANGE_FAULTS)

FAULTY_SHARE: Final = 0.12
REQUESTS_A_MINUTE_MAX: Final = 600
SAME_REQUESTS_A_MINUTE_MAX: Final = 20
HELLOS_A_MINUTE_MAX: Final = 45
"""A hello follows each 5xx of a push: closing in on one poison op of 250 takes eight halvings of three strikes each."""
HELLO: Final = "/v1/sync/hello"
PUSH: Final = "/v1/sync/push"
PULL: Final = "/v1/sync/pull"


def draw_faults(chance: random.Random, seed: int) -> tuple[str, ...]:
    """The faults a run has when nobody names them."""
    first = [fault for fault in FIRST_FAULTS if chance.random() < 0.4]
    return (*first, *(fault for fault in CHANGE_FAULTS if random.Random(f"{fault} of {seed}").random() < 0.25))


class Broken(BaseException):
    """An invariant does not hold; its text begins with the invariant's name. The tablet's worker survives every
    Exception, and must not survive this one: what the network sees would be lost there."""


def demand(is_held: bool, invariant: str, words: str) -> None:
    """Raise Broken unless an invariant is held."""
    if not is_held:
        raise Broken(f"{invariant}: {words}")


@dataclass(slots=True)
class Late:
    """A request that was given up by the tablet and reaches HQ all the same."""

    due_s: float
    request: httpx.Request
    serve: Serve


@dataclass(slots=True)
class Network:
    """Carries requests, and spoils a share of them in the ways this run has."""

    hq: SimulatedHeadquarters
    time: TrueTime
    chance: random.Random
    say: Callable[[str], None]
    faults: tuple[str, ...]
    poison: set[str] = field(default_factory=set)
    is_calm: bool = False
    """The faults have stopped; poison stays poison."""
    latency_s: tuple[float, float] = (0.01, 0.2)
    late: list[Late] = field(default_factory=list)
    _asked: dict[str, deque[tuple[float, str]]] = field(default_factory=dict)

    def way_of(self, name: str, is_offline: Callable[[], bool]) -> Callable[[httpx.Request, Serve], Answer]:
        """The way one tablet's requests take."""

        def carry(request: httpx.Request, serve: Serve) -> Answer:
            return self._carry(name, is_offline(), request, serve)

        return carry

    def _carry(self, name: str, is_offline: bool, request: httpx.Request, serve: Serve) -> Answer:
        self.time.move(self.chance.uniform(*self.latency_s))
        self._watch_haste(name, request)
        fault = None if self.is_calm or self.chance.random() > FAULTY_SHARE else self._draw()
        fault = "drop_request" if is_offline else fault
        try:
            answer = self._spoil(fault, request, self._checked(serve))
        except httpx.HTTPError as weather:
            self.say(f"{name} {request.url.path} {fault} {type(weather).__name__}")
            raise
        self.say(f"{name} {request.url.path} {fault} {answer.status}")
        return answer

    def _draw(self) -> str | None:
        mine = [fault for fault in self.faults if fault in NETWORK_FAULTS]
        return self.chance.choice(mine) if mine else None

    def _spoil(self, fault: str | None, request: httpx.Request, serve: Serve) -> Answer:
        if request.url.path == PUSH and self.poison & {op["op_id"] for op in read_ops(request) if "body" in op}:
            return problem("internal", 500)
        if fault == "drop_request":
            raise httpx.ConnectError("there is no way to HQ", request=request)
        if fault == "late":
            self.late.append(Late(self.time.now_s + self.chance.uniform(1, 900), request, serve))
            raise httpx.ReadTimeout("no answer", request=request)
        if fault in _REFUSALS:
            return _REFUSALS[fault](self.chance)
        if fault == "hq_commit":
            self.hq.database.commits_to_fail = 1
        if fault == "duplicate":
            return self._twice(request, serve)
        answer = serve(request)
        self.hq.database.commits_to_fail = 0
        return self._spoil_answer(fault, request, answer)

    def _spoil_answer(self, fault: str | None, request: httpx.Request, answer: Answer) -> Answer:
        if fault == "drop_response":
            raise httpx.ReadTimeout("no answer", request=request)
        if fault == "internal_after":
            return problem("internal", 500)
        if fault == "delay":
            self.time.move(self.chance.uniform(5, 90))
        if fault == "truncate":
            cut = int(len(answer.body) * self.chance.random())
            return Answer(answer.status, answer.headers, answer.body[:cut])
        if fault == "corrupt" and answer.body:
            at = self.chance.randrange(len(answer.body))
            body = answer.body[:at] + b"\xff\x00" + answer.body[at + 2 :]
            return Answer(answer.status, answer.headers, body)
        if fault == "twist" and request.url.path == PULL and answer.status == 200:
            return twist(answer)
        return answer

    def _twice(self, request: httpx.Request, serve: Serve) -> Answer:
        """The same request two times in a row: the second changes nothing (I17)."""
        first = serve(request)
        heads = self.hq.rows("SELECT scope, n FROM scope_head ORDER BY scope")
        second = serve(request)
        if request.url.path == PUSH and first.status == second.status == 200:
            now = self.hq.rows("SELECT scope, n FROM scope_head ORDER BY scope")
            demand(now == heads, "I17", f"a push sent twice moved the feed from {heads} to {now}")
        return self.chance.choice((first, second))

    def deliver_late(self) -> None:
        """What the network still had on its way reaches HQ now; nobody waits for the answers."""
        for one in [one for one in self.late if one.due_s <= self.time.now_s]:
            self.late.remove(one)
            status = one.serve(one.request).status
            self.say(f"late {one.request.url.path} {status}")

    def _checked(self, serve: Serve) -> Serve:
        """I11: nothing of another history is ever answered as if it were of this one."""

        def serve_and_check(request: httpx.Request) -> Answer:
            epoch = self.hq.epoch()
            answer = serve(request)
            if answer.status == 200 and request.url.path == PUSH:
                told = read_json(request.headers, request.content).get("epoch")
                demand(told == epoch, "I11", f"a push of epoch {told} was taken in {epoch}")
            if answer.status == 200 and request.url.path == PULL:
                key = self.hq.services.keys.hmac_key("cursor")
                cursor = open_cursor(request.url.params["cursor"], key)
                is_ours = cursor is not None and cursor.epoch_mark == mark_of(epoch)
                demand(is_ours, "I11", f"a page was given for the cursor {cursor} in {epoch}")
            return answer

        return serve_and_check

    def _watch_haste(self, name: str, request: httpx.Request) -> None:
        """I21: no tablet asks in a tight loop."""
        asked = self._asked.setdefault(name, deque())
        asked.append((self.time.now_s, _gist(request)))
        while asked[0][0] < self.time.now_s - 60:
            asked.popleft()
        demand(len(asked) <= REQUESTS_A_MINUTE_MAX, "I21", f"{name} sent {len(asked)} requests in a minute")
        gist, count = Counter(gist for _, gist in asked).most_common(1)[0]
        count_max = HELLOS_A_MINUTE_MAX if gist == f"{HELLO}?" else SAME_REQUESTS_A_MINUTE_MAX
        demand(count <= count_max, "I21", f"{name} sent {gist} {count} times in a minute")


def _gist(request: httpx.Request) -> str:
    if request.url.path == PUSH:
        return f"{PUSH} {read_json(request.headers, request.content).get('batch_id')}"
    return f"{request.url.path}?{request.url.query.decode()}"


def read_json(headers: Any, content: bytes) -> dict[str, Any]:
    """A body that may be gzipped."""
    packed = headers.get("content-encoding") == "gzip"
    told = json.loads(gzip.decompress(content) if packed else content)
    return told if isinstance(told, dict) else {}


def read_ops(request: httpx.Request) -> list[dict[str, Any]]:
    """The ops of a push as they went out."""
    return list(read_json(request.headers, request.content).get("ops", []))


def problem(code: str, status: int, **members: Any) -> Answer:
    """A problem document."""
    body = json.dumps({"code": code, "detail": "", "status": status, **members}).encode()
    return Answer(status, ((b"content-type", b"application/problem+json"),), body)


def twist(answer: Answer) -> Answer:
    """Change a letter inside a document on its way: the reply is whole, and wrong."""
    is_packed = any(name.lower() == b"content-encoding" for name, _ in answer.headers)
    body = zlib.decompress(answer.body, wbits=31) if is_packed else answer.body
    twisted = body.replace(b'"text":"note', b'"text":"Note', 1)
    return Answer(200, ((b"content-type", b"application/json"),), twisted)


_PORTAL: Final = Answer(403, ((b"content-type", b"text/html"),), b"<html>Please sign in</html>")
_REFUSALS: Final[dict[str | None, Callable[[random.Random], Answer]]] = {
    "internal": lambda _: problem("internal", 500),
    "busy": lambda chance: problem("busy", 503, retry_after_s=chance.randint(1, 60)),
    "unauthorised": lambda _: problem("token_unknown", 401),
    "portal": lambda _: _PORTAL,
}
