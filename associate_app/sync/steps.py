"""What the sync engine is told and what it asks for: frozen events and actions, one type each. Flow steps 6 and 8.

The driver carries out one action at a time and answers it with one event; `Moment` is all an event brings of clock,
chance and outbox. Nothing here decides or touches anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from associate_app.ports import ReplicaState
from shared.wire.messages import FeedPage, HelloReply, PushReply, SnapshotEnd, SnapshotHeader, StockCard

Ring = Literal["timer", "record", "doorbell", "asked"]
"""What ends a sleep: its time, an op recorded here, HQ's heads, a person who asked (or a connection just made)."""

Silence = Literal["weather", "certificate"]
"""Why there is no usable answer."""


@dataclass(frozen=True, slots=True)
class Moment:
    """`now_s` never goes back; `draw` is a fresh uniform number in [0, 1); `has_pending`: ops wait to be sent."""

    now_s: float
    draw: float
    has_pending: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """The ops of a push: consecutive seqs. The same ops always go under the same `batch_id`."""

    batch_id: str
    first_seq: int
    last_seq: int

    @property
    def count(self) -> int:
        """How many ops."""
        return self.last_seq - self.first_seq + 1


@dataclass(frozen=True, slots=True)
class OwnJournal:
    """The journal as hello showed it; `chain_there` is its own chain at the reply's `acked_seq`, None if unknown."""

    install_id: str
    head_seq: int
    acked_seq: int
    chain_there: str | None


# what the engine asks for


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait so many seconds, or until somebody rings."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Look:
    """Read how this tablet stands, before any request."""


@dataclass(frozen=True, slots=True)
class WipeSlice:
    """Delete the shoppers on this tablet: it was revoked, or had no HQ for too long. The journal stays."""


@dataclass(frozen=True, slots=True)
class SayHello:
    """Start a session."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """Take over what hello granted to `device_id`, in one transaction. `resend_from`: HQ is behind, ops after it go
    again. `must_requeue`: HQ has another history, kept ops of earlier installs go again."""

    device_id: str
    epoch: str
    token: str | None
    offset_ms: int
    card_stock: tuple[StockCard, ...]
    resend_from: int | None
    must_requeue: bool


@dataclass(frozen=True, slots=True)
class TakeNewInstall:
    """Another journal stands under this install at HQ: go on under a new install id."""

    include_acked: bool


@dataclass(frozen=True, slots=True)
class PurgeScope:
    """Delete a scope this tablet may not hold."""

    scope: str


@dataclass(frozen=True, slots=True)
class PushOps:
    """Send the next ops after the acknowledged ones, within both limits."""

    max_ops: int
    max_bytes: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Write the verdicts of a reply that was checked."""

    reply: PushReply


@dataclass(frozen=True, slots=True)
class Withhold:
    """Keep a poison op's body here and send its stand-in from now on."""

    seq: int


@dataclass(frozen=True, slots=True)
class Recompute:
    """Count and sum of a scope from what is stored."""

    scope: str


@dataclass(frozen=True, slots=True)
class PullPage:
    """Ask for the next page of a scope."""

    scope: str


@dataclass(frozen=True, slots=True)
class ApplyPage:
    """Store a page and its cursor in one transaction."""

    scope: str
    page: FeedPage


@dataclass(frozen=True, slots=True)
class OpenSnapshot:
    """Ask for a snapshot; it goes on where an unfinished one stopped unless `is_fresh`."""

    scope: str
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class LoadLines:
    """Store the next lines of the open snapshot in its shadow."""

    scope: str


@dataclass(frozen=True, slots=True)
class SwapSnapshot:
    """Make the whole shadow live with its cursor, in one transaction."""

    scope: str
    end: SnapshotEnd


@dataclass(frozen=True, slots=True)
class FinishRound:
    """Everything was sent, received and checked: note it, and drop what was kept long enough."""

    retain_acked_days: int
    has_recomputed: bool


Action = (
    Sleep
    | Look
    | WipeSlice
    | SayHello
    | Adopt
    | TakeNewInstall
    | PurgeScope
    | PushOps
    | Settle
    | Withhold
    | Recompute
    | PullPage
    | ApplyPage
    | OpenSnapshot
    | LoadLines
    | SwapSnapshot
    | FinishRound
)


# what the engine is told


@dataclass(frozen=True, slots=True)
class Event:
    """Base of everything the driver tells."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class Woke(Event):
    """The sleep is over."""

    ring: Ring


@dataclass(frozen=True, slots=True)
class Looked(Event):
    """How this tablet stands: whom HQ knows it as (None: not connected), what it holds, seconds since HQ last answered
    (None: never), and what is due by the calendar."""

    device_id: str | None
    scopes_held: tuple[str, ...] = ()
    idle_s: float | None = None
    is_recompute_due: bool = False
    is_wipe_due: bool = False


@dataclass(frozen=True, slots=True)
class Wiped(Event):
    """The shoppers are gone from this tablet."""


@dataclass(frozen=True, slots=True)
class Greeted(Event):
    """HQ answered a hello. `stored_epoch` is the history this tablet agreed with before."""

    reply: HelloReply
    device_id: str
    own: OwnJournal
    stored_epoch: str | None
    scopes_held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Adopted(Event):
    """Hello's terms are in force; not `is_resendable`: ops HQ lacks are no longer all kept, and nothing was changed."""

    is_resendable: bool = True


@dataclass(frozen=True, slots=True)
class Restarted(Event):
    """The journal goes on under a new install id."""


@dataclass(frozen=True, slots=True)
class Purged(Event):
    """The scope is gone from this tablet."""


@dataclass(frozen=True, slots=True)
class Pushed(Event):
    """HQ answered a push. `own_chain` is this journal's chain at the receipt's `through_seq`, None when it has no such
    op; `receipt_key` the key for the receipt's kid, `is_key_listed` whether HQ's documents name it."""

    batch: Batch
    reply: PushReply
    install_id: str
    own_chain: str | None
    receipt_key: bytes
    is_key_listed: bool


@dataclass(frozen=True, slots=True)
class NothingToSend(Event):
    """The outbox turned out to be empty."""


@dataclass(frozen=True, slots=True)
class Settled(Event):
    """The verdicts are written; every op up to `acked_seq` has one."""

    acked_seq: int


@dataclass(frozen=True, slots=True)
class Withheld(Event):
    """The op's stand-in goes from now on."""


@dataclass(frozen=True, slots=True)
class Recomputed(Event):
    """Count and sum of the scope are what is stored."""


@dataclass(frozen=True, slots=True)
class NoCursor(Event):
    """The scope was never received whole."""


@dataclass(frozen=True, slots=True)
class Paged(Event):
    """A page came, asked for with `cursor`."""

    cursor: str
    page: FeedPage


@dataclass(frozen=True, slots=True)
class Applied(Event):
    """The page is stored; the scope now stands so."""

    page: FeedPage
    replica: ReplicaState


@dataclass(frozen=True, slots=True)
class SnapshotOpened(Event):
    """A snapshot began; `held` documents of it were here already, as of `as_of_held` (None: it begins anew)."""

    header: SnapshotHeader
    held: int
    as_of_held: int | None = None


@dataclass(frozen=True, slots=True)
class LinesLoaded(Event):
    """`count` documents of the open snapshot are here by now; `end` is its last line, None while more come."""

    count: int
    end: SnapshotEnd | None


@dataclass(frozen=True, slots=True)
class Swapped(Event):
    """The snapshot is live."""

    replica: ReplicaState


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The complete round is noted."""


@dataclass(frozen=True, slots=True)
class NoAnswer(Event):
    """A request got no usable answer; `hq_at` is HQ's time where a refused certificate still let it be read, `batch` is
    the push it was. Of a swap: the snapshot is not whole."""

    silence: Silence = "weather"
    hq_at: str | None = None
    batch: Batch | None = None


@dataclass(frozen=True, slots=True)
class ProblemCame(Event):
    """HQ answered with a problem document; `batch` is the push it answers."""

    code: str
    status: int
    retry_after_s: int | None = None
    batch: Batch | None = None


@dataclass(frozen=True, slots=True)
class DiskFull(Event):
    """This tablet's storage took no more; nothing was half-written."""


@dataclass(frozen=True, slots=True)
class Broke(Event):
    """The step raised what nobody expected; it was logged. `words` is a sentence for a person where there is one."""

    words: str | None = None
