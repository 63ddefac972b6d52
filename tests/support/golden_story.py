"""The conversation the golden files hold: every message, verdict and problem of floor-sync 1, in one order.

A generator: it yields an `Ask`, gets the answer, and between two of them changes the world (a revocation, an old
cursor). It must draw nothing from chance and read no clock, or the frozen requests would no longer be what it asks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import httpx

from shared.errors import StorageFull
from shared.journal import CHAIN_START, chain_over
from shared.wire.canonical import sha_of
from sync_server.ports import Device
from sync_server.services import enrolment
from sync_server.services.enrolment import fold_code, revoke_device, sha256_hex
from sync_server.services.feed import Cursor, seal_cursor
from sync_server.services.headquarters import Headquarters
from sync_server.services.problems import refuse
from tests.support.asking import Asker
from tests.support.golden import CURSOR_SECRET, EPOCH, Ask, Exchange, answer_bytes, golden_headquarters, plant_device
from tests.support.world import pass_time

CODE: Final = "7K2M-9QXR-4TBV"
TOKEN, OTHER_TOKEN = "golden-token-one", "golden-token-two"
NOW: Final = "2026-11-22T10:00:01.000Z"
SCOPE: Final = "store:berlin-1"
ZEROS: Final = "0" * 64
Story = Generator[Ask, httpx.Response, None]


def golden_id(number: int) -> str:
    """A UUIDv7 of the story."""
    return f"019aab00-0000-7000-8000-{number:012x}"


DEVICE, INSTALL = golden_id(0xD1), golden_id(0xF1)
OTHER_DEVICE, OTHER_INSTALL = golden_id(0xD2), golden_id(0xF2)


@dataclass(slots=True)
class Journal:
    """The story's tablet: its ops in order."""

    ops: list[dict[str, Any]] = field(default_factory=list)

    def record(self, kind: str, body: dict[str, Any], **changed: Any) -> dict[str, Any]:
        """Append an op; `changed` spoils its envelope."""
        seq = len(self.ops) + 1
        op = {
            "seq": seq,
            "op_id": golden_id(0x1000 + seq),
            "kind": kind,
            "schema": 1,
            "scope": SCOPE,
            "associate_id": "a0001",
            "occurred_at": "2026-11-22T09:58:00.000Z",
            "amends": None,
            "sha": sha_of(body),
            "body": body,
        } | changed
        self.ops.append(op)
        return op

    def chain(self, through: int | None = None) -> str:
        """The chain at a seq, at the head by default."""
        return chain_over(CHAIN_START, [(op["op_id"], op["sha"]) for op in self.ops[:through]])


def shopper() -> dict[str, str]:
    """The shopper of the story."""
    return {"type": "loyalty_id", "value": "2900000000018"}


def first_ops(journal: Journal) -> None:
    """One op for each verdict a first push can bring."""
    outcome = {"shopper": shopper(), "play_id": "show-the-cart", "play_version": 1, "outcome": "bought"}
    outcome |= {"arm": "shown", "rule_pack": "0" * 64}
    note = {"shopper": shopper(), "text": "Liest gern auf der Bank; mag Grün \U0001f332"}
    journal.record("outcome_recorded", outcome)
    journal.record("note_added", note)
    journal.record("outcome_recorded", {**outcome, "play_id": "never-published"})
    journal.record("shoe_polished", {"shopper": shopper()})
    journal.record("note_added", note, schema=2)
    journal.record("note_added", {"shopper": shopper()})
    journal.record("note_added", note, sha=ZEROS)
    journal.record("note_added", note, scope="store:zurich-1")
    journal.record("op_withdrawn", {"why": "typed on the wrong card"}, amends=golden_id(0x1001))
    journal.ops.append({"seq": 10, "op_id": golden_id(0x100A), "kind": "withheld", "sha": sha_of(note), "bytes": 91})
    journal.ops.append({"seq": 11, "op_id": golden_id(0x100B), "kind": "erased", "sha": sha_of(note)})


def as_json(value: Any) -> bytes:
    """A request's bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def hello(**changed: Any) -> dict[str, Any]:
    """A first hello of the story's tablet."""
    message = {"proto": 1, "device_id": DEVICE, "install_id": INSTALL, "app": "1.0.0", "epoch": None}
    return message | {"device_now": NOW, "head_seq": 0, "acked_seq": 0, "chain": ZEROS} | changed


def push(ops: list[Any], batch: int, **changed: Any) -> dict[str, Any]:
    """A push of the story's tablet."""
    message = {"epoch": EPOCH, "device_id": DEVICE, "install_id": INSTALL, "batch_id": golden_id(0xB00 + batch)}
    first = ops[0]["seq"] if ops and isinstance(ops[0], dict) else 1
    return message | {"first_seq": first, "device_now": NOW, "ops": ops} | changed


def _post(name: str, path: str, message: Any, token: str | None = TOKEN, *, is_packed: bool = False) -> Ask:
    return Ask(name, "POST", f"/v1/{path}", token, as_json(message), is_packed)


def _get(name: str, path: str, token: str | None = TOKEN) -> Ask:
    return Ask(name, "GET", f"/v1/{path}", token)


def tell(hq: Headquarters, asker: Asker) -> Story:
    """The whole story."""
    journal = Journal()
    enrolled = yield from _connect(hq)
    yield from _send(journal)
    yield from _disagree(journal)
    yield from _receive(hq, journal, enrolled)
    yield from _resync(hq)
    yield from _fetch(asker)
    yield from _refuse(hq, asker)
    yield from _salvage(hq, journal)


def _connect(hq: Headquarters) -> Generator[Ask, httpx.Response, str]:
    row = {"code_hash": sha256_hex(fold_code(CODE)), "store": "berlin-1", "used_at": None}
    with hq.database.write() as tx:
        tx.put_row("enrolment_code", {**row, "expires_at": "2026-11-23T10:00:00.000Z"})
    request = {"code": CODE, "name": "Tablet 3", "install_id": golden_id(0xF0), "app": "1.0.0"}
    reply = yield _post("enroll", "enroll", request, None)
    yield _post("enroll-again", "enroll", request, None)
    for number, token in ((1, TOKEN), (2, OTHER_TOKEN)):
        device_id, install_id = golden_id(0xD0 + number), golden_id(0xF0 + number)
        plant_device(hq, Device(device_id, "berlin-1", f"Tablet {number}", ("berlin-1",), "1.0.0"), token, install_id)
    yield _post("hello-first", "sync/hello", hello())
    return str(reply.json()["device_id"])


def _send(journal: Journal) -> Story:
    first_ops(journal)
    yield _post("push-every-verdict", "sync/push", push(journal.ops, 1), is_packed=True)
    yield _post("push-again", "sync/push", push(journal.ops, 1), is_packed=True)
    clash = journal.record("note_added", {"shopper": shopper(), "text": "other bytes"}, op_id=golden_id(0x1002))
    yield _post("push-id-conflict", "sync/push", push([clash], 2))
    yield _post("push-nothing", "sync/push", push([], 3, first_seq=13))


def _disagree(journal: Journal) -> Story:
    ahead = {**journal.ops[0], "seq": 20, "op_id": golden_id(0x2000)}
    yield _post("push-gap", "sync/push", push([ahead], 4))
    other = {**journal.ops[0], "op_id": golden_id(0x2001)}
    yield _post("push-install-forked", "sync/push", push([other], 5))
    yield _post("push-epoch", "sync/push", push(journal.ops[:1], 6, epoch=golden_id(0xE0)))
    standing = {"epoch": EPOCH, "head_seq": 12, "acked_seq": 12, "chain": journal.chain()}
    yield _post("hello-again", "sync/hello", hello(**standing))
    yield _post("hello-lost-answer", "sync/hello", hello(**standing | {"acked_seq": 2, "chain": journal.chain(2)}))
    yield _post("hello-epoch-changed", "sync/hello", hello(**standing | {"epoch": golden_id(0xE0)}))
    yield _post("hello-install-forked", "sync/hello", hello(**standing | {"chain": ZEROS}))


def _receive(hq: Headquarters, journal: Journal, enrolled: str) -> Story:
    yield _get("snapshot-all", "sync/snapshot?scope=all")
    reply = yield _get("snapshot-store", f"sync/snapshot?scope={SCOPE}")
    header, *documents, end = [json.loads(line) for line in reply.text.splitlines()]
    going_on = f"&after={documents[0]['id']}&as_of={header['as_of']}&epoch={EPOCH}"
    yield _get("snapshot-resumed", f"sync/snapshot?scope={SCOPE}{going_on}")
    yield _get("pull-nothing-new", f"sync/pull?scope={SCOPE}&cursor={end['next']}")
    yield _get("wait-nothing-new", f"sync/wait?known={SCOPE}:{header['as_of']}&seconds=0")
    more = journal.record("preference_set", {"shopper": shopper(), "name": "boots", "value": "EU 42"})
    yield _post("push-one", "sync/push", push([more], 7))
    for device_id in (enrolled, OTHER_DEVICE):
        revoke_device(hq, device_id)
    yield _get("wait", f"sync/wait?known=all:1,{SCOPE}:{header['as_of']}&seconds=25")
    page = yield _get("pull-page", f"sync/pull?scope={SCOPE}&cursor={end['next']}&limit=1")
    yield _get("pull-last-page", f"sync/pull?scope={SCOPE}&cursor={page.json()['next']}")


def _resync(hq: Headquarters) -> Story:
    with hq.database.read() as reader:
        head = reader.head(SCOPE).n
    sound = Cursor.at(EPOCH, SCOPE, head)
    told = {
        "unreadable": "x",
        "epoch": seal_cursor(Cursor.at(golden_id(0xE0), SCOPE, 1), CURSOR_SECRET),
        "scope": seal_cursor(Cursor.at(EPOCH, "all", 1), CURSOR_SECRET),
        "schema": seal_cursor(replace(sound, schema=99), CURSOR_SECRET),
        "cursor_ahead": seal_cursor(replace(sound, position=head + 1), CURSOR_SECRET),
    }
    for reason, cursor in told.items():
        yield _get(f"resync-{reason}", f"sync/pull?scope={SCOPE}&cursor={cursor}")
    pass_time(hq, days=200)
    with hq.database.write() as tx:
        tx.drop_tombstones(hq.now_at())
    pass_time(hq, days=-200)
    old = seal_cursor(replace(sound, position=1), CURSOR_SECRET)
    yield _get("resync-cursor_too_old", f"sync/pull?scope={SCOPE}&cursor={old}")


def _fetch(asker: Asker) -> Story:
    yield _get("media", f"media/{picture_sha()}")
    yield _get("media-unknown", f"media/{ZEROS}")


def picture_sha() -> str:
    """A picture that came with the project."""
    picture = Path(str(files("assets").joinpath("products").joinpath("mugs-sky.webp")))
    return hashlib.sha256(picture.read_bytes()).hexdigest()


class _BrokenShelf:
    """Media that cannot be had, for a reason."""

    def __init__(self, reason: Exception) -> None:
        self._reason = reason

    def find(self, sha: str) -> bytes | None:
        raise self._reason

    def add(self, content: bytes) -> str:
        raise self._reason

    def sha_of_picture(self, name: str) -> str | None:
        raise self._reason


@contextmanager
def _broken(hq: Headquarters, asker: Asker, reason: Exception) -> Iterator[None]:
    asker.app.state.headquarters = replace(hq, media=_BrokenShelf(reason))
    try:
        yield
    finally:
        asker.app.state.headquarters = hq


@contextmanager
def _old_apps_refused() -> Iterator[None]:
    held = vars(enrolment)["read_term"]
    setattr(enrolment, "read_term", lambda _reader, _name: "2.0")  # noqa: B010 - a name the module imports, not its own
    try:
        yield
    finally:
        setattr(enrolment, "read_term", held)  # noqa: B010


def _refuse(hq: Headquarters, asker: Asker) -> Story:
    yield _post("problem-not_found", "sync/pusch", {})
    yield _get("problem-method_not_allowed", "sync/push")
    yield _post("problem-token_unknown", "sync/push", {}, "nobody")
    yield _post("problem-device_revoked", "sync/push", {}, OTHER_TOKEN)
    yield _post("problem-too_large", "sync/push", push([0] * 251, 8))
    yield _post("problem-malformed_request", "sync/push", push([], 9, device_now="noon"))
    yield _get("problem-scope_revoked", "sync/pull?scope=store:zurich-1&cursor=x")
    with _old_apps_refused():
        yield _get("problem-upgrade_required", "sync/snapshot?scope=all")
    for code, reason in _reasons():
        with _broken(hq, asker, reason):
            yield _get(f"problem-{code}", f"media/{ZEROS}")


def _reasons() -> Iterator[tuple[str, Exception]]:
    yield "slow_down", refuse("slow_down", retry_after_s=3)
    yield "busy", refuse("busy", "Other tablets are loading.", retry_after_s=4)
    yield "internal", RuntimeError("a bug")
    yield "storage_full", StorageFull("HQ's disk is full.")


def _salvage(hq: Headquarters, journal: Journal) -> Story:
    kept = {**journal.ops[1], "seq": 77, "op_id": golden_id(0x3000)}
    message: dict[str, Any] = {
        "epoch": None,
        "device_id": OTHER_DEVICE,
        "install_id": OTHER_INSTALL,
        "batch_id": golden_id(0xB20),
    }
    message |= {"device_now": NOW, "why": "revoked", "ops": [journal.ops[1], kept]}
    yield _post("salvage", "sync/salvage", message, OTHER_TOKEN)


# telling it -----------------------------------------------------------------------------------------------------------


def hold_conversation(folder: Path, frozen: dict[str, bytes] | None = None) -> list[tuple[Ask, Exchange]]:
    """Tell the story to the real app: what the story asks, beside what was sent and answered.

    `frozen` requests, by name, are sent instead of the story's own.
    """
    with golden_headquarters(folder) as hq:
        asker = Asker(hq)
        story = tell(hq, asker)
        told: list[tuple[Ask, Exchange]] = []
        ask = next(story)
        while True:
            name = f"{len(told) + 1:02}-{ask.name}"
            sent = Ask.from_bytes(ask.name, frozen[name]) if frozen and name in frozen else ask
            reply = sent.put_to(asker)
            told.append((ask, Exchange(name, sent.as_bytes(), answer_bytes(reply))))
            try:
                ask = story.send(reply)
            except StopIteration:
                return told
