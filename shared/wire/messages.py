"""The messages of floor-sync 1, as protocol.md writes them: one definition for tablet and server.

Requests are read strictly by the server (types, bounds), unknown envelope fields are ignored; replies are read
leniently by the tablet. `end` closes a whole reply: one without it was torn, and counts as weather.
Ops in a push stay raw objects here, because each gets its own verdict.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

PROTO: Final = 1
DOCUMENT_SCHEMA: Final = 1
"""Version of the feed's document shapes; it is sealed into every cursor, so a change of shape means a snapshot."""

SCOPE_ALL: Final = "all"
Short = Annotated[str, Field(max_length=200)]
Seq = Annotated[int, Field(ge=0, le=2**53 - 1)]


def store_scope(code: str) -> str:
    """The scope that carries a store's documents."""
    return f"store:{code}"


def store_of(scope: str) -> str | None:
    """The store code of a store scope; None for any other scope."""
    return scope[6:] if scope.startswith("store:") else None


class Message(BaseModel):
    """Base of every message: frozen, unknown fields ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Limits(Message):
    """What a push may hold."""

    max_ops: int = 250
    max_bytes: int = 524_288
    max_op_bytes: int = 32_768


class EnrollRequest(Message):
    """A new device presents its one-time code."""

    code: Short
    name: Annotated[str, Field(min_length=1, max_length=80)]
    install_id: Short
    app: Short


class EnrollReply(Message):
    """What a device needs for ever; the token is shown this once."""

    device_id: str
    token: str
    store: str
    scopes: list[str]
    receipt_key: str
    epoch: str


class HelloRequest(Message):
    """Start of a session, and after any 409 or 410."""

    proto: Literal[1]
    device_id: Short
    install_id: Short
    app: Short
    epoch: Short | None = None
    device_now: Short
    head_seq: Seq
    acked_seq: Seq
    chain: Short


class StockCard(Message):
    """A pre-signed card for a shopper enrolled offline."""

    card: str
    expires_on: str | None = None


class HelloReply(Message):
    """What the server knows of this install, and the limits in force."""

    proto: int = PROTO
    epoch: str
    epoch_changed: bool = False
    server_now: str
    offset_ms: int = 0
    acked_seq: int
    chain: str
    scopes: list[str]
    limits: Limits = Limits()
    retain_acked_days: int = 30
    next_poll_s: int = 60
    min_app: str = "0"
    notice: str | None = None
    token: str | None = None
    card_stock: list[StockCard] = []
    receipt_keys: dict[str, str] = {}


class PushRequest(Message):
    """A contiguous run of ops. The same batch_id always carries the same ops."""

    epoch: Short
    device_id: Short
    install_id: Short
    batch_id: Short
    first_seq: Annotated[int, Field(ge=1, le=2**53 - 1)]
    device_now: Short
    ops: list[Any]


Verdict = Literal["accepted", "duplicate", "rejected", "parked"]


class OpResult(Message):
    """The final verdict on one op; `was` tells what a duplicate was at first."""

    seq: int
    verdict: Verdict
    was: Literal["accepted", "parked"] | None = None
    code: str | None = None
    detail: str | None = None


class Receipt(Message):
    """The server's signed statement of what it holds of an install's journal."""

    model_config = ConfigDict(extra="allow", frozen=True)

    install_id: str
    through_seq: int
    chain: str
    epoch: str
    issued_at: str
    kid: str
    signature: str


class PushReply(Message):
    """One verdict for each op, in order, and the receipt."""

    epoch: str
    batch_id: str
    results: list[OpResult]
    visible_at: dict[str, int] = {}
    receipt: Receipt
    next_poll_s: int = 60
    end: Literal[True]


class Change(Message):
    """One document of a page: `put` with its doc and hash, or `del` with the reason."""

    s: int
    id: str
    op: Literal["put", "del"]
    h: str | None = None
    doc: dict[str, Any] | None = None
    why: str | None = None


class ProvenChange(Change):
    """A put whose document's bytes, as they came, have the hash it names: `body` is its canonical bytes, `doc` is left
    out. Only the tablet's endpoint makes these; read from the wire a change is never one."""

    body: bytes


class Check(Message):
    """What a replica must hold when it has applied everything up to `at`."""

    at: int
    count: int
    sum: str


class FeedPage(Message):
    """A page of a scope's feed."""

    epoch: str
    scope: str
    next: str
    head: int
    more: bool
    changes: list[Change]
    check: Check | None = None
    end: Literal[True]


class SnapshotHeader(Message):
    """First line of a snapshot."""

    epoch: str
    scope: str
    as_of: int
    schema_: Annotated[int, Field(alias="schema")]
    count: int


class DocumentLine(Message):
    """One live document of a snapshot, as its line is written."""

    s: int
    id: str
    h: str
    doc: dict[str, Any]


class SnapshotLine(NamedTuple):
    """One live document of a snapshot, ready to be stored: `body` is its canonical bytes. No model: a store's snapshot
    is tens of thousands of these."""

    s: int
    id: str
    h: str
    body: bytes


class SnapshotEnd(Message):
    """Last line of a snapshot: without it the snapshot is incomplete."""

    end: Literal[True]
    count: int
    sum: str
    next: str


class WaitReply(Message):
    """The doorbell: heads only, no documents."""

    epoch: str
    heads: dict[str, int]
    end: Literal[True]


class SalvageRequest(Message):
    """Ops of any seq from a revoked, forked or withheld journal; merged only when a person approves."""

    epoch: Short | None = None
    device_id: Short
    install_id: Short
    batch_id: Short
    device_now: Short
    why: Literal["revoked", "forked", "withheld"]
    ops: list[Any]
