"""The tablet's ports: what services and the sync engine need of the world, as Protocols. No implementation lives here.

`TabletDatabase` is one encrypted SQLite file behind three faces: the journal (what this device recorded), the replica
(what its scopes hold) and the notebook (who this device is and how its sync stands). Every method that writes is one
transaction and has committed when it returns; a full disk raises `StorageFull` and leaves nothing half-written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Protocol

from shared.errors import Weather
from shared.wire.messages import (
    EnrollReply,
    EnrollRequest,
    FeedPage,
    HelloReply,
    HelloRequest,
    PushReply,
    Receipt,
    SnapshotEnd,
    SnapshotHeader,
    SnapshotLine,
    WaitReply,
)
from shared.wire.ops import Op

OpState = Literal["pending", "acked", "parked", "rejected", "withheld"]

EPOCH_NOTE: Final = "epoch"
"""The history of HQ this tablet last agreed with. Only the sync worker writes it, never the enrolment: an old epoch met
by a new one is what makes the tablet send again what it keeps."""
LAST_COMPLETE_SYNC_NOTE: Final = "last_complete_sync_at"
"""When everything was sent, received and checked."""
LAST_CONTACT_NOTE: Final = "last_contact_at"
"""When HQ last answered a hello, by this tablet's clock: the age of the slice."""
CLOCK_OFFSET_NOTE: Final = "clock_offset_ms"
"""HQ's clock minus this tablet's, at the last hello."""
CARD_STOCK_NOTE: Final = "card_stock"
"""Pre-signed cards for shoppers enrolled offline: JSON `{"install_id", "cards": [{"card", "expires_on"}]}`. Of another
install they are void. The sync worker writes HQ's whole list at each hello; who hands one out skips those whose loyalty
id the journal already enrolled, for HQ sends a card again until it knows that it was used."""
SLICE_WIPED_NOTE: Final = "slice_wiped_at"
"""When this tablet deleted its shoppers by itself, after too long without HQ or at a revocation; gone once HQ vouches
for it again."""


class Clock(Protocol):
    """The device's clock, which may be wrong; the sync engine never trusts it for order."""

    def now(self) -> datetime:
        """Aware UTC."""

    def monotonic_s(self) -> float:
        """Seconds that never go back, for waits and back-off."""


class Chance(Protocol):
    """Randomness: ids and jitter."""

    def bits(self, count: int) -> int:
        """A whole number of `count` random bits."""

    def uniform(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""


class KeyStore(Protocol):
    """Keeps the database key outside the database: the system's key ring, or a file of mode 0600."""

    def database_key(self, name: str) -> str:
        """The key (64 hex digits) for a database, made at first use. Raises Damaged if it cannot be read."""

    def has_key(self, name: str) -> bool:
        """Say whether a key was made."""

    def forget(self, name: str) -> None:
        """Delete a key; what it sealed cannot be opened again."""


class PictureShelf(Protocol):
    """Pictures fetched from HQ. Nothing raises: where a picture cannot be kept, a drawing stands in."""

    def missed(self) -> tuple[str, ...]:
        """Pictures a card wanted to show and could not."""

    def holds(self, sha: str) -> bool:
        """Say whether a picture is here."""

    def has_room(self) -> bool:
        """Say whether a picture fits without another one having to go."""

    def keep(self, sha: str, picture: bytes) -> bool:
        """Keep a picture, the least recently shown going for it; False for one that is not what its name says."""

    def give_up(self, sha: str) -> None:
        """Forget that a picture was missed."""

    def clear(self) -> None:
        """Delete every picture: they go with the slice."""


@dataclass(frozen=True, slots=True)
class FoundCode:
    """A code in a picture: its format (`QR Code`, `EAN-13`, `Code 128`) and its text."""

    format: str
    text: str


class CodeReader(Protocol):
    """Finds codes in pictures."""

    def read(self, picture: bytes) -> tuple[FoundCode, ...]:
        """Codes in a JPEG, PNG or WebP; empty for none, for a broken file and for a hostile code. Never raises."""


@dataclass(frozen=True, slots=True)
class NewOp:
    """An op about to be recorded; the journal adds seq, sha and chain. `amends` names the op it corrects or undoes."""

    op_id: str
    kind: str
    scope: str
    associate_id: str | None
    occurred_at: str
    body: Mapping[str, Any]
    amends: str | None = None
    profile_id: str | None = None
    """The profile it is about as this tablet knew it: needed to blank the body at erasure, never sent."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A recorded op and how it stands. `visible_at` is the feed position by which its effect is in the documents."""

    op: Op
    chain: str
    state: OpState
    code: str | None = None
    detail: str | None = None
    visible_at: int | None = None
    acked_at: str | None = None
    profile_id: str | None = None


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """What the Sync pill and `status` tell: recorded = pending + acked + parked + rejected + withheld.
    `kept` are those whose records are still on this tablet."""

    recorded: int
    kept: int
    pending: int
    acked: int
    parked: int
    rejected: int
    withheld: int
    oldest_pending_at: str | None


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """Who this device is, from enrolment. `receipt_key` is the base64 Ed25519 key of the server."""

    server_url: str
    device_id: str
    token: str
    name: str
    store: str
    receipt_key: str
    ca_fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document of the replica with its scope and position."""

    id: str
    scope: str
    s: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """How the replica of a scope stands: `count` and `sum` (16 hex digits) are computed from what is stored."""

    scope: str
    cursor: str | None
    at: int
    count: int
    sum: str


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A shopper found by search."""

    profile_id: str
    name: str
    loyalty_id: str | None
    tier: str | None
    hint: str
    """What tells namesakes apart: town, masked e-mail or last digits of the phone."""


class Journal(Protocol):
    """The append-only, hash-chained list of ops."""

    def install_id(self) -> str:
        """The install whose journal this is (UUIDv7, made with the file)."""

    def record(self, ops: Sequence[NewOp]) -> tuple[Op, ...]:
        """Append ops in order: seq, canonical sha, chain and frozen body in ONE transaction. Raises StorageFull."""

    def head(self) -> tuple[int, str]:
        """(seq, chain) of the newest op of this install; (0, CHAIN_START) when empty."""

    def acked(self) -> tuple[int, str]:
        """(seq, chain) up to which HQ has answered every op of this install."""

    def chain_at(self, seq: int) -> str | None:
        """The chain of this install at a seq; None where it is not (or no longer) known here."""

    def next_batch(self, *, after_seq: int, max_ops: int, max_bytes: int) -> tuple[Op, ...]:
        """The next contiguous ops after a seq, bytes as frozen. A stand-in has kind `withheld` and the body
        `{"bytes": n}`, or kind `erased` and an empty body; both keep the op's own op_id and sha."""

    def settle(self, reply: PushReply, *, at: str) -> None:
        """Apply a push reply whole: verdicts, visible_at, acked position, receipt, in one transaction.

        The caller has checked the receipt's signature. A reply for another install changes nothing.
        """

    def withhold(self, seq: int) -> None:
        """Mark a poison op: from now on its stand-in is sent and its body stays here."""

    def resend_from(self, seq: int) -> bool:
        """The server is behind (restored backup): ops after `seq` are to be sent again. False, and nothing changed,
        when not all of them are kept any more: then what is kept goes under a new install id."""

    def requeue_earlier_installs(self) -> int:
        """The server's history changed: kept ops of earlier installs are queued again at the end of this one (new seq
        and chain; op_id, sha and bytes stay). Returns how many."""

    def restart_install(self, install_id: str, *, include_acked: bool) -> None:
        """Take a new install id: unacknowledged ops (and with `include_acked` all kept ones) are renumbered under it
        from 1 with new chains; op_id, sha and bytes stay."""

    def counts(self) -> OutboxCounts:
        """What is where."""

    def entries(self, *, limit: int = 50, before_seq: int | None = None) -> tuple[JournalEntry, ...]:
        """Newest first, for the Sync screen and export."""

    def unsettled(self, profile_id: str | None, identifiers: Iterable[tuple[str, str]]) -> tuple[Op, ...]:
        """Own ops about a shopper that the replica does not show yet (pending, parked, or accepted with `visible_at`
        above the scope's cursor), oldest first, corrections included."""

    def unsettled_of(self, kinds: Iterable[str]) -> tuple[Op, ...]:
        """The same of some kinds, about whomever."""

    def newest_about(
        self, kind: str, profile_id: str | None, identifiers: Iterable[tuple[str, str]]
    ) -> JournalEntry | None:
        """The newest own op of a kind about a shopper that was not withdrawn."""

    def recorded_since(self, kind: str, since_at: str) -> tuple[JournalEntry, ...]:
        """Own ops of a kind that occurred at or after a time, newest first: what was seen in this shift."""

    def entry(self, op_id: str) -> JournalEntry | None:
        """One recorded op by its id."""

    def corrections_of(self, op_id: str) -> tuple[Op, ...]:
        """Own corrections of an op, oldest first; withdrawals are none."""

    def newest_op_id(self) -> str | None:
        """The largest op_id ever recorded here: new ones are made to sort after it."""

    def last_receipt(self) -> Receipt | None:
        """The newest receipt that was checked and found sound."""

    def forget_acked(self, before_at: str) -> int:
        """Drop acknowledged ops older than the retention; returns how many."""


class Replica(Protocol):
    """The device's copy of its scopes."""

    def state(self, scope: str) -> ReplicaState | None:
        """Cursor, count and sum of a scope; None before its first snapshot."""

    def states(self) -> tuple[ReplicaState, ...]:
        """All scopes held."""

    def apply_page(self, page: FeedPage) -> ReplicaState:
        """Upsert newer, delete, adjust count and sum, save the cursor: ONE transaction."""

    def load_snapshot(self, header: SnapshotHeader, lines: Iterable[SnapshotLine]) -> None:
        """Add lines to the scope's shadow (resumable: call again with further lines)."""

    def shadow_progress(self, scope: str) -> tuple[SnapshotHeader, str | None, int] | None:
        """(header, last id, lines so far) of an unfinished snapshot, to resume it."""

    def swap_snapshot(self, scope: str, end: SnapshotEnd) -> ReplicaState:
        """Swap the shadow in with the cursor, ONE transaction. Raises Weather if count or sum differ."""

    def drop_shadow(self, scope: str) -> None:
        """Forget an unfinished snapshot."""

    def recompute(self, scope: str) -> ReplicaState:
        """Count and sum from what is stored, for the daily check and after a crash."""

    def purge_scope(self, scope: str) -> None:
        """Delete a scope's documents, cursor, shadow and search rows."""

    def wipe_shoppers(self) -> None:
        """Delete every profile, the search index and pictures; keeps journal, playbook and notebook. A scope that held
        some has no cursor afterwards, so that the next contact takes a snapshot."""

    def revision(self, kinds: Iterable[str]) -> int:
        """A number that changes when a document `kind/...` of these kinds does: what derived tables are kept by."""

    def pictures_shown(self) -> tuple[str, ...]:
        """SHA-256 of each picture that a card of the slice can show."""

    def document(self, document_id: str) -> StoredDocument | None:
        """One document by id."""

    def documents(self, kind: str, *, with_part: str = "") -> tuple[StoredDocument, ...]:
        """All documents `kind/...` in order of id, or those whose canonical JSON has a part like `"state":"open"`."""

    def versions_after(self, kind: str, after: str, *, limit: int) -> tuple[tuple[str, int], ...]:
        """(id, position) of the next documents `kind/...` behind an id (empty: from the first), in order of id: to go
        through all of them in pieces."""

    def find_profile(self, type_: str, value: str) -> StoredDocument | None:
        """The profile an identifier (normalised) leads to, or (`profile_id`) an id or redirect. None when it leads
        nowhere, and when it leads to several people (a shared phone): then search shows them."""

    def count_shoppers(self) -> int:
        """How many profiles are here."""

    def shoppers_after(self, profile_id: str, limit: int) -> tuple[str, ...]:
        """The next ids of profiles that are here, in order: to walk over all of them in pieces."""

    def search(self, text: str, *, limit: int = 20, seen: Collection[str] = ()) -> tuple[SearchHit, ...]:
        """Shoppers by name, phone digits, e-mail or number, the likeliest first; of equally likely ones those of `seen`
        (profile ids)."""


class Notebook(Protocol):
    """Small facts that belong to the file: device identity, epoch, times, settings, card stock."""

    def device(self) -> DeviceIdentity | None:
        """None until enrolled."""

    def save_device(self, device: DeviceIdentity) -> None:
        """After enrolment or token rotation."""

    def read_note(self, name: str) -> str | None:
        """A small text by name."""

    def write_note(self, name: str, value: str | None) -> None:
        """Save or, with None, delete a small text."""

    def lease(self, owner: str, until_s: float, now_s: float) -> bool:
        """Take or renew the one sync worker's lease; False while another holds it."""


class TabletDatabase(Journal, Replica, Notebook, Protocol):
    """The whole file."""

    def atomic(self) -> AbstractContextManager[Any]:
        """Several writes in one transaction."""

    def close(self) -> None:
        """Close the connection."""


class NoTrust(Weather):
    """HQ's certificate was not accepted. `hq_at` is HQ's own time (wire form) where it could be learned: a clock that
    is wrong by months makes every certificate look expired or not yet valid."""

    def __init__(self, detail: str, *, hq_at: str | None = None) -> None:
        super().__init__(detail)
        self.hq_at = hq_at


class SyncEndpoint(Protocol):
    """HQ as the tablet sees it. Methods raise `Problem` for a problem document, `Weather` for no usable answer."""

    def enroll(self, request: EnrollRequest) -> EnrollReply:
        """Trade a one-time code for a device token."""

    def hello(self, request: HelloRequest) -> HelloReply:
        """Start a session."""

    def push(self, message: Mapping[str, Any]) -> PushReply:
        """Send a batch."""

    def pull(self, scope: str, cursor: str, limit: int = 1000) -> FeedPage:
        """Fetch a page."""

    def snapshot(
        self, scope: str, *, after: str | None = None, as_of: int | None = None, epoch: str | None = None
    ) -> Iterator[SnapshotHeader | SnapshotLine | SnapshotEnd]:
        """Stream a snapshot; a stream that stops without its end raises Weather."""

    def wait(self, known: Mapping[str, int], seconds: int) -> WaitReply:
        """The doorbell."""

    def media(self, sha: str) -> bytes:
        """A picture by its hash."""

    def salvage(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Hand in ops a normal push can no longer carry."""
