"""The server's ports: what services need of the world, as Protocols and frozen rows. No implementation lives here.

`CentralDatabase.write()` and `.read()` are the only ways in: each is ONE transaction, a write is durable when left.
Feed positions are taken by `publish` as the last step of a write (protocol.md, Server rules). The rows that a batch
makes by the hundred are named tuples: a frozen dataclass of 21 fields takes four times as long to make.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.errors import FloorsideError, Problem
from sync_server.audience_ports import AudienceReader, AudienceWriter

R = TypeVar("R")
T = TypeVar("T")


class RowRefused(FloorsideError):
    """The database refused a row for what is in it: the intake goes op by op and parks the culprit."""


class Conflict(Problem):
    """Two writers met, and this one's transaction was rolled back: run again, it sees what the other committed.

    `services/conflicts.py` does that a few times; what still conflicts then is answered 503 `busy`.
    """

    def __init__(self) -> None:
        super().__init__("busy", "Other writers were at the same records.", status=503, retry_after_s=2)


class Clock(Protocol):
    """The server's clock."""

    def now(self) -> datetime:
        """Aware UTC."""

    def pause(self, seconds: float) -> Awaitable[None]:
        """Wait; in a simulation it returns at once."""


class Chance(Protocol):
    """Randomness: ids, tokens, jitter."""

    def bits(self, count: int) -> int:
        """A whole number of `count` random bits."""

    def uniform(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""


class KeyFolder(Protocol):
    """`<data-dir>/keys/`: private keys, mode 0600, never in the database (protocol.md, Server rules)."""

    def receipt_key(self) -> tuple[str, Ed25519PrivateKey]:
        """(kid, key) that signs receipts now."""

    def card_key(self) -> tuple[int, Ed25519PrivateKey]:
        """(kid 0-255, key) that signs cards now."""

    def hmac_key(self, purpose: str) -> bytes:
        """A 32-byte secret: `cursor`, `erasure`, ..."""

    def hook_secret(self, name: str) -> bytes | None:
        """What the sender of a webhook signs with or shows; None where the folder has none."""

    def public_receipt_keys(self) -> Mapping[str, bytes]:
        """kid -> raw public key, old ones included."""

    def public_card_keys(self) -> Mapping[int, bytes]:
        """kid -> raw public key, old ones included."""


class WriteQueue(Protocol):
    """Where requests that write wait for their turn (protocol.md, Overload)."""

    async def take(self, read: Callable[[], R], write: Callable[[R], T]) -> T:
        """Give `write` what `read` made of the request, and return what it returns.

        `read` works without the database's writer and holds nobody up; `write` runs in its turn. Raises Problem 503
        busy, with nothing read or written, when the queue is full.
        """


@dataclass(frozen=True, slots=True)
class Device:
    """An enrolled device. The credential belongs to it; `stores_held` is every store it ever held."""

    device_id: str
    store: str
    name: str
    stores_held: tuple[str, ...]
    app: str | None = None
    enrolled_at: str = ""
    revoked_at: str | None = None
    last_seen_at: str | None = None
    unsent: int | None = None


@dataclass(frozen=True, slots=True)
class Install:
    """A journal as HQ holds it: every seq up to `acked_seq`, with `chain` there."""

    install_id: str
    device_id: str
    acked_seq: int
    chain: str
    last_effective_at: str = ""
    card_stock_at: str | None = None


class Entry(NamedTuple):
    """What an install sent at a seq, and the verdict."""

    install_id: str
    seq: int
    op_id: str
    sha: str
    chain: str
    verdict: str
    code: str | None = None


class LedgerRow(NamedTuple):
    """A fact as the ledger stores it (columns of table `fact`); `body` and `subject` are JSON text."""

    fact_id: str
    kind: str
    schema: int
    origin: str
    store: str | None
    associate_id: str | None
    occurred_at: str
    effective_at: str
    received_at: str
    offset_ms: int | None
    is_clock_suspect: bool
    about: str | None
    amends: str | None
    sha: str
    body: str
    verdict: str
    code: str | None = None
    detail: str | None = None
    device_id: str | None = None
    profile_id: str | None = None
    subject: str | None = None


class KnownFact(NamedTuple):
    """What dedupe needs of a fact the ledger already has."""

    fact_id: str
    sha: str
    verdict: str
    code: str | None
    profile_id: str | None
    kind: str
    store: str | None


class SightingRow(NamedTuple):
    """Identifiers seen together, each combination once, with its first moment (table `sighting`)."""

    sighting_id: str
    at: str
    fact_id: str
    identifiers: tuple[tuple[str, str], ...]
    family_name: str | None = None
    postcode: str | None = None
    is_verified: bool = False


class IdentityFactRow(NamedTuple):
    """What was said of who is who: `link`, `alias` (a shop's own), `split`, `block` (no b) or `release`."""

    fact_id: str
    kind: str
    a_type: str
    a_value: str
    b_type: str | None
    b_value: str | None
    at: str
    who: str
    reason: str = ""


class ReviewRow(NamedTuple):
    """A pair a person should look at; `evidence` is JSON, `score` in thousandths."""

    review_id: str
    a_type: str
    a_value: str
    b_type: str
    b_value: str
    why: str
    evidence: str
    score: int | None
    found_at: str
    decided_at: str | None = None
    decision: str | None = None
    """linked, split, kept by a person; settled where its cause went without one."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Raw bytes that were refused, with the reason."""

    letter_id: str
    origin: str
    seq: int | None
    code: str
    detail: str
    received_at: str
    raw: str


class Delivery(NamedTuple):
    """What a webhook's sender delivered (columns of table `hook_delivery`); `headers` and `letters` are JSON text."""

    delivery_id: str
    hook: str
    received_at: str
    headers: str
    body: str
    state: str
    detail: str | None = None
    waits_for: str | None = None
    messages: int = 0
    letters: str = "[]"
    mapped_at: str | None = None


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """A profile's folded state (JSON text), the stores whose feed holds it, its value band, and since when its
    publication is held."""

    profile_id: str
    state: str
    stores: tuple[str, ...] = ()
    value_band: str = "none"
    held_at: str | None = None


@dataclass(frozen=True, slots=True)
class DocWrite:
    """A document to put into a scope's feed; `body` None deletes it, `why` says why."""

    scope: str
    id: str
    body: bytes | None
    why: str | None = None


class DocRow(NamedTuple):
    """A document of a feed as stored; `body` is canonical JSON text, empty for a tombstone."""

    id: str
    s: int
    deleted: bool
    why: str | None
    h: str
    body: str


@dataclass(frozen=True, slots=True)
class ScopeHead:
    """Where a scope's feed stands: last position, live documents, their sum (16 hex digits), lowest cursor served."""

    scope: str
    n: int
    count: int
    sum: str
    floor: int


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a history has come: its first and its present epoch, each scope's position, how many ops were taken.

    `devices`: what HQ alone can know of each device (`services/recall.py`); no tablet could tell an older database.
    `erasures`: the ids of those it knew; an older erasure list beside an older database is found out by them.
    """

    first_epoch: str
    epoch: str
    heads: Mapping[str, int]
    ops: int
    devices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    erasures: tuple[str, ...] = ()


class TraitRow(NamedTuple):
    """When a profile's summary for other systems changed: its place `n`, of what it was made, and its hash ("" for a
    profile that is gone)."""

    profile_id: str
    n: int
    source_sha: str
    sha: str


class TargetSecrets(Protocol):
    """The secrets that sign what is sent to other systems; in the keys folder, never in the database."""

    def make(self, target_id: str) -> str:
        """A fresh secret for a target, kept; replaces one that was there."""

    def read(self, target_id: str) -> bytes:
        """The secret. Raises Damaged where it is missing."""

    def drop(self, target_id: str) -> None:
        """Forget it."""


class Sender(Protocol):
    """The way to other systems."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """POST once; the status answered. Raises Unreachable where nobody answers in time."""


class Unreachable(FloorsideError):
    """Nobody answered at an address; the text says why."""


class ErasedNames(Protocol):
    """Whose identifiers are never to be stored again, as keyed hashes."""

    def is_empty(self) -> bool:
        """Whether nobody was ever erased."""

    def holds(self, pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these (type, value) are of somebody who was erased. Raises Damaged without its key."""


class ErasureList(ErasedNames, Protocol):
    """The list of them. It lies outside the database, so that a restored backup does not forget it."""

    @property
    def place(self) -> str:
        """Where it lies, for people."""

    def as_it_stands(self) -> ErasedNames:
        """The names as of now, for a transaction that keeps erasures off: nothing is looked up again."""

    def known(self) -> Mapping[str, str]:
        """Erasure id -> when."""

    def add(self, erasure_id: str, at: str, pairs: Collection[tuple[str, str]]) -> None:
        """Remember these for ever; durable when it returns. Raises StorageFull."""


@dataclass(frozen=True, slots=True)
class Store:
    """A shop. Coordinates in millionths of a degree."""

    code: str
    name: str
    currency: str
    timezone: str
    country: str | None = None
    region: str | None = None
    lat_e6: int | None = None
    lon_e6: int | None = None
    hours: str = "{}"


class CentralReader(AudienceReader, Protocol):
    """Reads, all from one state of the database."""

    def note(self, name: str) -> str | None:
        """A small fact of the chain."""

    def stores(self) -> tuple[Store, ...]:
        """All shops, by code."""

    def device_by_token(self, token_hash: str) -> tuple[Device, bool] | None:
        """(device, is it the rotated token) for a token's SHA-256."""

    def install(self, install_id: str) -> Install | None:
        """An install, or None for one never heard of."""

    def entries(self, install_id: str, first_seq: int, last_seq: int) -> dict[int, Entry]:
        """What an install sent at these seqs."""

    def known_facts(self, fact_ids: Collection[str]) -> dict[str, KnownFact]:
        """The facts of these ids the ledger already has."""

    def facts_about(self, op_ids: Collection[str]) -> list[LedgerRow]:
        """Accepted facts that correct, withdraw or change these ops and are not yet of any profile."""

    def facts_of(self, profile_ids: Collection[str]) -> Iterator[LedgerRow]:
        """Accepted facts of profiles in order of (profile, effective_at, id)."""

    def facts_naming(self, after_id: str, limit: int) -> list[LedgerRow]:
        """Accepted facts that name somebody, in order of id, above one."""

    def owners_named(self, after_id: str, limit: int) -> list[tuple[str, str, str | None]]:
        """The same as (fact, the identifiers it names as JSON, its profile)."""

    def owners_after(self, after_id: str, limit: int) -> list[str]:
        """Profiles that are stored, or that facts belong to, in order of id, above one."""

    def values_sighted(self, after: tuple[str, str], limit: int) -> list[tuple[str, str]]:
        """Values that were ever seen, references to profiles left out, in order, above one."""

    def count_rows(self, table: str) -> int:
        """How many rows a table has."""

    def count_typed_openings(self, associate_id: str, since_at: str, until_at: str) -> int:
        """How many shoppers an associate opened by typing, in a time (since excluded)."""

    def opened_since(self, since_at: str) -> list[str]:
        """Loyalty numbers of shoppers whose cards were opened since a time, each once."""

    def overrides(self) -> list[LedgerRow]:
        """Accepted overrides of offers that still say something, in order of time."""

    def parked_op_ids(self, device_id: str) -> list[str]:
        """Ops of a device HQ holds but could not apply, in order."""

    def erased_op_ids(self, device_id: str, since_at: str) -> list[str]:
        """Ops of a device, received since a time, whose shopper was erased, whatever became of them; in order."""

    def profile_ids(self, identifiers: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Which profiles these identifiers lead to."""

    def stores_holding(self, identifiers: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, ...]]:
        """The stores whose feeds hold the profiles that these identifiers lead to."""

    def cancelled_cards(self, card_ids: Collection[str]) -> set[str]:
        """Which of these cards were cancelled."""

    def first_seen(self, sighting_ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """Sighting -> (when, in which fact) first, for those that are known."""

    def sightings_of(self, pairs: Collection[tuple[str, str]]) -> list[SightingRow]:
        """All sightings that hold one of these (type, value)."""

    def every_sighting(self) -> Generator[SightingRow, None, None]:
        """All of them, streamed."""

    def identity_facts_of(self, pairs: Collection[tuple[str, str]]) -> list[IdentityFactRow]:
        """Links and splits that name one of these."""

    def identity_facts(self, kind: str | None = None) -> list[IdentityFactRow]:
        """All that was said, or all of a kind, oldest first."""

    def identifiers_called(self, own_ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """Profile id an identifier gives -> the identifier."""

    def reviews(self, *, is_open: bool) -> list[ReviewRow]:
        """The review queue, oldest first."""

    def reviews_of_first(self, identifiers: Collection[tuple[str, str]]) -> list[ReviewRow]:
        """Rows whose first identifier is one of these, decided or not."""

    def count_profiles(self) -> int:
        """How many shoppers HQ knows."""

    def held_profiles(self) -> list[tuple[str, str]]:
        """(profile id, since when) of those whose publication waits for HQ's word, longest first."""

    def identifiers_of(self, profile_ids: Collection[str]) -> dict[str, list[tuple[str, str]]]:
        """The identifiers that lead to these profiles."""

    def count_live(self, scope: str, after_id: str) -> int:
        """How many live documents `live_docs` would give."""

    def redirects(self, old_ids: Collection[str]) -> dict[str, str]:
        """Where former profile ids lead now."""

    def redirects_to(self, profile_ids: Collection[str]) -> dict[str, list[str]]:
        """Former ids of profiles."""

    def profiles(self, profile_ids: Collection[str], *, for_update: bool = False) -> dict[str, StoredProfile]:
        """Stored profiles; `for_update` locks them where the database can."""

    def every_profile(self) -> Iterator[StoredProfile]:
        """All stored profiles in order of id, streamed."""

    def centroids(self, places: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, int]]:
        """(country, postcode) -> (lat, lon) in millionths of a degree."""

    def play_ids(self) -> set[str]:
        """Every play ever published."""

    def head(self, scope: str) -> ScopeHead:
        """Where a scope stands; zeros for one without documents."""

    def heads(self, scopes: Collection[str]) -> dict[str, int]:
        """Positions only, for the doorbell."""

    def count_ops(self) -> int:
        """How many ops were taken of all installs; it only ever grows."""

    def page(self, scope: str, after_s: int, limit: int) -> list[DocRow]:
        """Documents above a position in rising order, at most `limit`."""

    def live_docs(self, scope: str, after_id: str) -> Iterator[DocRow]:
        """Live documents in byte order of id, streamed."""

    def docs_of(self, scope: str, prefix: str) -> list[DocRow]:
        """Live documents whose id begins so, in order of id."""

    def doc(self, scope: str, document_id: str) -> DocRow | None:
        """One document."""

    def deliveries(
        self, hook: str, states: Collection[str], *, after: tuple[str, str] = ("", ""), limit: int = 20
    ) -> list[Delivery]:
        """Deliveries of a hook in these states, in order of (received_at, delivery_id), those above `after`."""

    def latest_deliveries(self, hook: str, states: Collection[str], limit: int) -> list[Delivery]:
        """The last deliveries of a hook in these states, the newest first, their bodies left out."""

    def count_deliveries(self) -> list[tuple[str, str, int, str]]:
        """(hook, state, how many, when the last was received) of all deliveries."""

    def rows(self, table: str, **equal: Any) -> list[dict[str, Any]]:
        """Plain rows of a small administrative table, by equality; ordered by its key."""

    def count_by(self, table: str, column: str) -> dict[str, int]:
        """How many rows of a table have each value of a column."""

    def facts_of_shopper(self, profile_ids: Collection[str], pairs: Collection[tuple[str, str]]) -> list[LedgerRow]:
        """Every fact, whatever its verdict, that belongs to these profiles or names one of these identifiers, and those
        about such a fact; in order of time. Walks the ledger."""

    def every_identifier(self) -> Iterator[tuple[str, str]]:
        """Every identifier that leads somewhere or was ever seen, streamed; some come twice."""

    def events_before(self, before_at: str, profile_ids: Collection[str] | None = None) -> Iterator[LedgerRow]:
        """Accepted events from before a time that still hold all their words: of these profiles, or of none."""

    def facts_by_id(self, fact_ids: Collection[str]) -> list[LedgerRow]:
        """Facts as they are stored."""

    def every_row(self, table: str) -> Iterator[dict[str, Any]]:
        """All rows of a table that may be large, streamed."""

    def known_traits(self, profile_ids: Collection[str], table: str = ...) -> dict[str, TraitRow]:
        """What is noted of these profiles in the row of changes of a table."""

    def traits_after(self, n: int, limit: int, table: str = ...) -> list[TraitRow]:
        """Changes above a place in rising order, at most `limit`."""

    def traits_without_profile(self, table: str = ...) -> list[str]:
        """Profiles once told of that are there no more and of which nobody was told yet."""

    def profile_marks(self, limit: int) -> dict[str, str]:
        """Mark -> the profile that a committed transaction wrote, at most `limit` of them."""


class CentralWriter(AudienceWriter, CentralReader, Protocol):
    """A writing transaction."""

    def write_note(self, name: str, value: str) -> None:
        """Save a small fact of the chain."""

    def put_row(self, table: str, row: Mapping[str, Any]) -> None:
        """Insert or replace a row of a small administrative table."""

    def put_rows(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace many rows of one shape at once."""

    def drop_rows(self, table: str, **equal: Any) -> int:
        """Delete rows of a small administrative table by equality; how many."""

    def add_row(self, table: str, row: Mapping[str, Any]) -> bool:
        """Insert a row; False where its key is taken."""

    def change_rows(self, table: str, values: Mapping[str, Any], **equal: Any) -> int:
        """Update rows by equality; how many."""

    def lock_install(self, install_id: str, device_id: str) -> Install:
        """The install, locked; made at seq 0 for the device if never heard of."""

    def save_install(self, install: Install) -> None:
        """After a batch."""

    def add_entries(self, entries: Sequence[Entry]) -> None:
        """Many at once."""

    def add_facts(self, rows: Sequence[LedgerRow], profile_of: Mapping[str, str]) -> None:
        """Many at once; `profile_of` says which profile each belongs to, if any."""

    def assign_facts(self, assignments: Iterable[tuple[str, str | None]]) -> None:
        """(fact_id, profile_id): which profile each fact belongs to now, None for nobody."""

    def judge_facts(self, verdicts: Iterable[tuple[str, str, str | None, str | None]]) -> None:
        """(fact_id, verdict, code, detail): after a replay."""

    def blank_facts(self, left: Iterable[tuple[str, str]]) -> None:
        """(fact_id, what is left of its body): the row stays, without a word of whom it was about or who said it."""

    def age_facts(self, code: str, left: Iterable[tuple[str, str]]) -> None:
        """(fact_id, what is left of its body), marked by a code."""

    def drop_older(self, table: str, column: str, before_at: str, most: int) -> int:
        """Delete at most so many rows from before a time; how many."""

    def heed_erasures(self, *, is_erasing: bool = False) -> None:
        """Until COMMIT nobody is erased, or, `is_erasing`, nobody else stores what a shopper did. It comes before any
        look at the erasure list."""

    def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Many at once."""

    def follow_targets(self) -> int:
        """Facts that name nobody go where the op they are about is; how many moved."""

    def lock_identity(self) -> None:
        """Until COMMIT no other writer changes who is who."""

    def save_sightings(self, sightings: Sequence[SightingRow]) -> None:
        """New ones, or an earlier first moment of known ones."""

    def add_identity_facts(self, facts: Sequence[IdentityFactRow]) -> None:
        """What was said; one that is there stays as it was."""

    def add_reviews(self, reviews: Sequence[ReviewRow]) -> None:
        """New pairs for the queue; one that is there, decided or not, stays as it was."""

    def lead_identifiers(self, leads: Mapping[tuple[str, str], tuple[str, str] | None]) -> None:
        """(type, value) -> (profile id, the id it would give itself); None leads nowhere."""

    def set_redirects(self, redirects: Mapping[str, str | None]) -> None:
        """Former id -> the profile it leads to; None where it is a profile again."""

    def drop_profiles(self, profile_ids: Collection[str]) -> None:
        """Delete the rows of profiles that are none any more; their facts were given to others before."""

    def hold_profiles(self, since: Mapping[str, str | None]) -> None:
        """Profile -> since when its publication is held, None for no longer."""

    def forget_answers(self) -> None:
        """Before a rebuild: sightings and what identifiers lead to, which is kept aside; nothing that anybody said."""

    def count_changed_answers(self) -> int:
        """After a rebuild: how many identifiers lead elsewhere than before it."""

    def save_profiles(self, profiles: Sequence[StoredProfile]) -> None:
        """Many at once: those locked by this transaction are changed, the others are new. Raises Conflict where
        another writer has made one meanwhile."""

    def move_profiles(self, former_ids: Sequence[str], profile_id: str) -> None:
        """Merge profiles into another: facts and redirects move, former ids become redirects, their rows go."""

    def hold_feed(self, scope: str) -> None:
        """Let nobody else publish into a scope until COMMIT: what is read of it from now on is what stands there then.
        Who holds several takes them in order of their names, as `publish` does."""

    def publish(self, writes: Sequence[DocWrite], written_at: str) -> dict[str, int]:
        """Put documents into their feeds; LAST step of a transaction. A document that is already so in the feed is left
        alone. Returns the head of every scope written to."""

    def drop_tombstones(self, before_at: str) -> int:
        """Delete tombstones written before a time and raise their scopes' floors; how many."""

    def drop_marks(self, mark_ids: Collection[str]) -> None:
        """The profiles of these marks were looked at."""

    def savepoint(self) -> AbstractContextManager[Any]:
        """Part of the transaction that can fail by itself."""


class CentralDatabase(Protocol):
    """HQ's database. Reads and writes raise Problem `busy` while it does not answer.

    `erasures` comes with it, so that no way in can forget to look there.
    """

    erasures: ErasureList

    def read(self) -> AbstractContextManager[CentralReader]:
        """One read transaction."""

    def write(self) -> AbstractContextManager[CentralWriter]:
        """One write transaction, durable when left; an exception rolls it back."""

    def follow_heads(self, ring: Callable[[], None], stopped: threading.Event) -> None:
        """Call `ring` when any process moved a head, until `stopped`; also once at the beginning."""

    def compact(self) -> bool:
        """Write the files anew without what was deleted; False where others used them and old bytes may be left."""

    def close(self) -> None:
        """Close all connections."""
