"""What the sync engine remembers, and its lanes: which requests may go out, and which wait for how long.

The theory is at the head of `engine.py`. Everything here is frozen and pure: a function takes a state and gives a new
one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from associate_app.sync.steps import Batch, Moment
from shared.wire.messages import Limits

BACKOFF_S_MAX: Final = 300.0
BACKOFF_S_MIN: Final = 0.1
"""Even a draw of nought waits a moment, so that chance alone never makes a tight loop."""
RETRY_AFTER_S_MAX: Final = 3600
TRIES_MAX: Final = 3
REQUESTS_A_ROUND_MAX: Final = 1000
BREATHER_S: Final = 5.0
SESSION_S: Final = 900.0
LONG_OFFLINE_S: Final = 600.0
RETURN_SPREAD_S: Final = 30.0
POLL_S_MIN: Final = 1.0
POLL_S_MAX: Final = 3600.0
REPAIR_S_MIN: Final = 60.0
REPAIR_S_MAX: Final = 3600.0
REVOKED_S_MIN: Final = 60.0
UNENROLLED_S: Final = 3600.0
BATCH_STRIKES_MAX: Final = 3
OP_FAILURES_MAX: Final = 8
OP_FAILING_S_MIN: Final = 3600.0

Phase = Literal[
    "rest",
    "look",
    "wipe",
    "hello",
    "adopt",
    "fork",
    "purge",
    "push",
    "settle",
    "withhold",
    "recompute",
    "pull",
    "apply",
    "open",
    "load",
    "swap",
    "finish",
]
Lane = str
"""`hq`, `push`, or a scope."""
HQ: Final = "hq"
PUSH: Final = "push"
FORK: Final = "fork"

TroubleKind = Literal[
    "offline",
    "certificate",
    "busy",
    "hq_full",
    "hq_error",
    "not_hq",
    "not_final",
    "needs_connect",
    "revoked",
    "upgrade",
    "storage_full",
    "receipt_key",
    "receipt_unsound",
    "copy_unsound",
    "poison",
    "no_progress",
    "broken",
]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong on a lane, for the status: its kind, HQ's time if the clock may be why, words if there are any."""

    kind: TroubleKind
    hq_at: str | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """A lane rests until `until_s`; `is_owed` when HQ asked for it (Retry-After), which nobody cuts short."""

    until_s: float
    is_owed: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """What a hello granted, and until when it counts."""

    epoch: str
    device_id: str
    scopes: tuple[str, ...]
    limits: Limits
    retain_acked_days: int
    next_poll_s: int
    may_pull: bool
    notice: str | None
    until_s: float


@dataclass(frozen=True, slots=True)
class Poison:
    """A push that HQ could not take. `strikes` against this very batch; `width` ops at most until `suspect_through`;
    `op_failures` since `op_failing_since_s` once it is a single op."""

    first_seq: int
    last_seq: int
    strikes: int = 0
    width: int | None = None
    suspect_through: int = 0
    op_failures: int = 0
    op_failing_since_s: float = 0.0

    @property
    def is_single(self) -> bool:
        """Whether one op alone stands accused."""
        return self.first_seq == self.last_seq


@dataclass(frozen=True, slots=True)
class EngineState:
    """Everything the engine remembers; all of it may be forgotten at any time without losing an op or a document."""

    app_version: str
    phase: Phase = "rest"
    session: Session | None = None
    scope: str | None = None
    """The scope of the action on its way."""
    to_purge: tuple[str, ...] = ()
    to_pull: tuple[str, ...] = ()
    """Scopes not yet received whole and checked in this round."""
    to_recompute: frozenset[str] = frozenset()
    has_recomputed: bool = False
    to_snapshot: Mapping[str, bool] = field(default_factory=dict)
    """Scopes that take a snapshot; True: from the beginning."""
    snapshots: Mapping[str, int] = field(default_factory=dict)
    """Snapshots of a scope since its last check that was met."""
    loading: str | None = None
    """The scope whose snapshot is open."""
    loading_count_max: int = 0
    is_complete: bool = False
    """The last round sent, received and checked everything."""
    has_started: bool = False
    is_asked: bool = False
    is_revoked: bool = False
    is_wiped: bool = False
    """The shoppers are gone since it was revoked; until then each refusal deletes them: a disk may have been full."""
    is_cut_short: bool = False
    """The doorbell has already shortened the present back-off."""
    offline_since_s: float | None = None
    closed: Mapping[Lane, Closed] = field(default_factory=dict)
    failures: Mapping[Lane, int] = field(default_factory=dict)
    """Failures of a lane in a row."""
    tries: Mapping[Lane, int] = field(default_factory=dict)
    """Requests on a lane in this round since something moved."""
    troubles: Mapping[Lane, Trouble] = field(default_factory=dict)
    requests: int = 0
    unsettled: Batch | None = None
    """Sent without a final answer: exactly these ops go again."""
    poison: Poison | None = None
    accused: Batch | None = None
    """Struck by a 5xx; whether the batch is to blame is known when the next hello works."""


def is_closed(state: EngineState, lane: Lane, moment: Moment) -> bool:
    """Say whether a lane still rests."""
    closed = state.closed.get(lane)
    return closed is not None and moment.now_s < closed.until_s


def backoff_s(failures: int, draw: float) -> float:
    """Full jitter over an exponential bound; `failures` counts from 0."""
    return max(BACKOFF_S_MIN, draw * min(BACKOFF_S_MAX, 2.0 ** min(failures, 20)))


def close(
    state: EngineState,
    lane: Lane,
    moment: Moment,
    trouble: Trouble,
    *,
    retry_after_s: int | None = None,
    least_s: float = 0.0,
) -> EngineState:
    """Close a lane after a failure, and say why. What HQ asked for is waited for: jitter never shortens it."""
    failures = state.failures.get(lane, 0)
    owed_s = float(min(retry_after_s or 0, RETRY_AFTER_S_MAX))
    until_s = moment.now_s + max(owed_s, least_s, backoff_s(failures, moment.draw))
    return replace(
        state,
        closed={**state.closed, lane: Closed(until_s, retry_after_s is not None)},
        failures={**state.failures, lane: failures + 1},
        troubles={**state.troubles, lane: trouble},
        accused=None if lane == HQ else state.accused,
        loading=None if lane in (HQ, state.loading) else state.loading,
        is_cut_short=False,
    )


def progress(state: EngineState, lane: Lane) -> EngineState:
    """Something really moved on a lane: its counts begin anew, and so do those of HQ as a whole."""
    return forget(state, {lane, HQ, FORK} if lane == PUSH else {lane, HQ})


def forget(state: EngineState, lanes: set[Lane]) -> EngineState:
    """Lanes as if they had never been asked."""
    return replace(
        state,
        closed=without(state.closed, lanes),
        failures=without(state.failures, lanes),
        tries=without(state.tries, lanes),
        troubles=without(state.troubles, lanes),
    )


def without(known: Mapping[str, Any], gone: set[str]) -> dict[str, Any]:
    """A mapping without some keys."""
    return {lane: value for lane, value in known.items() if lane not in gone}


def heard(state: EngineState) -> EngineState:
    """Any answer at all: HQ is there."""
    told = state.troubles.get(HQ)
    is_gone = told is not None and told.kind in ("offline", "certificate")
    troubles = without(state.troubles, {HQ}) if is_gone else state.troubles
    return replace(state, offline_since_s=None, troubles=troubles)


def end_session(state: EngineState) -> EngineState:
    """What hello granted no longer counts; an open snapshot goes with it."""
    return replace(state, session=None, loading=None)


def lane_of(state: EngineState) -> Lane:
    """The lane of the action on its way."""
    if state.phase in ("push", "settle", "withhold"):
        return PUSH
    return state.scope if state.scope is not None and state.phase != "purge" else HQ
