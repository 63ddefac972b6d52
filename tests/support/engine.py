"""Feeds the sync engine by hand: a rig that keeps the state, moves the time, and makes replies HQ could have given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from associate_app.ports import ReplicaState
from associate_app.sync import steps
from associate_app.sync.engine import advance, begin
from associate_app.sync.state import EngineState
from shared.journal import CHAIN_START, sign_receipt
from shared.wire.messages import (
    Check,
    FeedPage,
    HelloReply,
    Limits,
    PushReply,
    SnapshotEnd,
    SnapshotHeader,
)

EPOCH = "0192f0c1-0000-7000-8000-000000000001"
INSTALL = "0192f0c1-0000-7000-8000-0000000000aa"
DEVICE = "device-1"
SCOPES = ("all", "store:berlin-1")
KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
CHAIN = "c" * 64


def hello_reply(**given: Any) -> HelloReply:
    """A hello reply for a tablet that is up to date."""
    fields = {
        "epoch": EPOCH,
        "server_now": "2026-11-22T10:00:00.000Z",
        "acked_seq": 0,
        "chain": CHAIN_START,
        "scopes": list(SCOPES),
        "limits": Limits(max_ops=8),
        "next_poll_s": 47,
    }
    return HelloReply(**(fields | given))


def receipt(through_seq: int, **given: Any) -> dict[str, Any]:
    """A signed receipt."""
    fields = {
        "install_id": INSTALL,
        "through_seq": through_seq,
        "chain": CHAIN,
        "epoch": EPOCH,
        "issued_at": "2026-11-22T10:00:00.000Z",
        "kid": "k1",
    }
    return sign_receipt(fields | given, KEY)


def push_reply(batch: steps.Batch, **given: Any) -> PushReply:
    """A reply that settles a batch."""
    fields: dict[str, Any] = {
        "epoch": EPOCH,
        "batch_id": batch.batch_id,
        "results": [{"seq": seq, "verdict": "accepted"} for seq in range(batch.first_seq, batch.last_seq + 1)],
        "receipt": receipt(batch.last_seq),
        "next_poll_s": 47,
        "end": True,
    }
    return PushReply.model_validate(fields | given)


def page(scope: str, **given: Any) -> FeedPage:
    """A page with nothing new and a check that an untouched replica meets."""
    fields: dict[str, Any] = {
        "epoch": EPOCH,
        "scope": scope,
        "next": "cursor",
        "head": 7,
        "more": False,
        "changes": [],
        "check": Check(at=7, count=3, sum="0" * 16),
        "end": True,
    }
    return FeedPage.model_validate(fields | given)


def replica(scope: str, **given: Any) -> ReplicaState:
    """A replica that meets the check of `page`."""
    return replace(ReplicaState(scope, "cursor", 7, 3, "0" * 16), **given)


class Rig:
    """An engine with a clock of its own. `draw` is what chance gives, `pending` whether ops wait."""

    def __init__(self, *, draw: float = 0.5, pending: bool = False, app_version: str = "1.0.0") -> None:
        self.now_s = 1000.0
        self.draw = draw
        self.pending = pending
        self.state: EngineState
        self.action: steps.Action
        self.state, self.action = begin(app_version)

    def moment(self) -> steps.Moment:
        """Now."""
        return steps.Moment(self.now_s, self.draw, self.pending)

    def tell(self, event: type[steps.Event], /, *values: Any, **fields: Any) -> steps.Action:
        """Tell what happened; returns the next action."""
        self.state, self.action = advance(self.state, event(self.moment(), *values, **fields))
        return self.action

    # shortcuts through what is not the point of a test

    def wake(self, ring: steps.Ring = "timer", **looked: Any) -> steps.Action:
        """Wake and look."""
        self.tell(steps.Woke, ring)
        return self.tell(steps.Looked, **({"device_id": DEVICE, "scopes_held": SCOPES} | looked))

    def greet(self, reply: HelloReply | None = None, **given: Any) -> steps.Action:
        """Answer the hello."""
        fields: dict[str, Any] = {
            "reply": reply or hello_reply(),
            "device_id": DEVICE,
            "own": steps.OwnJournal(INSTALL, head_seq=20, acked_seq=0, chain_there=CHAIN_START),
            "stored_epoch": EPOCH,
            "scopes_held": SCOPES,
        }
        return self.tell(steps.Greeted, **(fields | given))

    def begin_session(self, **hello: Any) -> steps.Action:
        """Wake, hello, adopt."""
        self.wake()
        assert self.action == steps.SayHello()
        self.greet(hello_reply(**hello))
        return self.tell(steps.Adopted)

    def push(self, batch: steps.Batch, **given: Any) -> steps.Action:
        """Answer a push."""
        fields: dict[str, Any] = {
            "batch": batch,
            "reply": push_reply(batch),
            "install_id": INSTALL,
            "own_chain": CHAIN,
            "receipt_key": PUBLIC,
            "is_key_listed": True,
        }
        return self.tell(steps.Pushed, **(fields | given))

    def pull_all(self) -> steps.Action:
        """Answer pulls with nothing new until there is none."""
        while isinstance(self.action, steps.PullPage):
            scope = self.action.scope
            self.tell(steps.Paged, "before", page(scope))
            self.tell(steps.Applied, page(scope), replica(scope))
        return self.action

    def sleep_through(self) -> None:
        """Let the time of the present sleep pass."""
        assert isinstance(self.action, steps.Sleep)
        self.now_s += self.action.seconds

    def fail_push(self, batch: steps.Batch, code: str = "internal", status: int = 500) -> steps.Action:
        """The push draws a problem."""
        return self.tell(steps.ProblemCame, code, status, None, batch)

    def open_snapshot(self, scope: str, count: int = 10, **given: Any) -> steps.Action:
        """The snapshot asked for begins."""
        fields = {"epoch": EPOCH, "scope": scope, "as_of": 7, "schema": 1, "count": count} | given
        return self.tell(steps.SnapshotOpened, SnapshotHeader.model_validate(fields), 0)

    def end_snapshot(self, scope: str, count: int = 10) -> steps.Action:
        """Its last lines come and it goes live."""
        self.tell(steps.LinesLoaded, count, SnapshotEnd(end=True, count=count, sum="0" * 16, next="cursor"))
        return self.tell(steps.Swapped, replica(scope))
