"""What is promised to a shopper, and what may become of it: follow-ups, holds and appointments. Flow steps 5, 7 and 8.

`STATES` is the one table of their states. HQ's projection and the tablet ask the same functions, so a promise stands
alike wherever the same records are known, in whatever order they came. Pure; who sees a promise is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from shared.wire.messages import store_of
from shared.wire.ops import Op

OPEN: Final = "open"
MOVED: Final = "moved"
HANDED_OVER: Final = "handed_over"
STORE: Final = "store"
"""Whose a promise is that nobody in particular keeps: the store's."""

STATES: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "follow_up": {
        OPEN: {MOVED: OPEN, HANDED_OVER: OPEN, "done": "done", "dropped": "dropped"},
        "done": {},
        "dropped": {},
    },
    "hold": {OPEN: {MOVED: OPEN, "sold": "sold", "released": "released"}, "sold": {}, "released": {}},
    "appointment": {
        OPEN: {MOVED: OPEN, HANDED_OVER: OPEN, "kept": "kept", "missed": "missed", "cancelled": "cancelled"},
        "kept": {},
        "missed": {},
        "cancelled": {},
    },
}
"""Kind -> state -> what may be done in it -> the state it leads to. A state in which nothing can be done is the end."""

REQUESTS: Final = {"follow_up_requested": "follow_up", "hold_requested": "hold", "appointment_booked": "appointment"}
CHANGES: Final = {f"{kind}_changed": kind for kind in STATES}
WAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "message": ("email", "sms"),
    "call": ("phone",),
    "visit": ("none",),
    "reminder": ("none",),
}
"""What a follow-up may be -> by which channels; each but `none` needs the shopper's consent to it."""

HOLDS_END_H: Final = 20
"""The hour of the store's day at which holds of that day are gone, where the chain sets no other."""

_MINE: Final = "me"
_DUE: Final = {"follow_up": "due_at", "hold": "until_on", "appointment": "starts_at"}
_PARTS: Final = ("state", "due", "assignee", "reason")


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a promise: `state` is what was done (a word of the table), `at` when, `op_id` by which record."""

    op_id: str
    at: str
    state: str | None = None
    due: str | None = None
    assignee: str | None = None
    reason: str | None = None

    @classmethod
    def of(cls, op_id: str, at: str, told: Mapping[str, Any]) -> Change:
        """Read a body. One that names no state is told by what it brings: another day, or somebody else."""
        made = cls(op_id, at, **{name: told.get(name) for name in _PARTS})
        return (
            made if made.state else replace(made, state=MOVED if made.due else HANDED_OVER if made.assignee else None)
        )

    def as_document(self) -> dict[str, Any]:
        """As a promise's document lists it."""
        return _without_none({name: getattr(self, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True)
class Standing:
    """How a promise stands: `due` as its kind writes it (a time, or a hold's day), `owner` an associate's id or STORE,
    `reason` why it was dropped."""

    state: str
    due: str | None
    owner: str
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be kept."""
        return self.state == OPEN


@dataclass(frozen=True, slots=True)
class Promise:
    """A follow-up, hold or appointment (`kind`) as it was made, with every change that counts, in any order.

    `op_id`, `at`, `store` and `associate_id` are those of the record that made it, `body` is that record's.
    """

    kind: str
    op_id: str
    at: str
    store: str | None
    associate_id: str | None
    body: Mapping[str, Any]
    changes: tuple[Change, ...] = ()
    profile_id: str | None = None

    @property
    def standing(self) -> Standing:
        """How it stands after its changes: those the table does not allow when their turn comes leave no trace."""
        asked = self.body.get("with") if self.kind == "appointment" else self.body.get("assignee")
        owner = self.associate_id if asked == _MINE else asked
        standing = Standing(OPEN, self.body.get(_DUE[self.kind]), owner or STORE)
        for change in sorted(self.changes, key=_in_time):
            standing = changed(self.kind, standing, change)
        return standing

    def as_document(self) -> dict[str, Any]:
        """The document `<kind>/<op_id>` of the store's feed."""
        standing = self.standing
        told = {**self.body, "id": self.op_id, "profile_id": self.profile_id, "store": self.store, "at": self.at}
        told |= {"associate_id": self.associate_id, "state": standing.state, "due": standing.due}
        told |= {"owner": standing.owner, "reason": standing.reason}
        told["changes"] = [change.as_document() for change in sorted(self.changes, key=_in_time)] or None
        return _without_none(told)

    @classmethod
    def from_document(cls, kind: str, told: Mapping[str, Any]) -> Promise:
        """Read a document; of one that an older server wrote, only how it stood is known."""
        changes = [Change.of(one["op_id"], one["at"], one) for one in told.get("changes") or ()]
        if not changes and told.get("state", OPEN) != OPEN:
            changes = [Change(str(told.get("id", "")), told.get("at", ""), told["state"])]
        body = {name: value for name, value in told.items() if name not in _OWN_FIELDS}
        made_by = told.get("associate_id")
        return cls(
            kind,
            str(told.get("id", "")),
            told.get("at", ""),
            told.get("store"),
            made_by,
            body,
            tuple(changes),
            told.get("profile_id"),
        )


_OWN_FIELDS: Final = ("id", "profile_id", "store", "at", "associate_id", "state", "due", "owner", "reason", "changes")


def _in_time(change: Change) -> tuple[str, str]:
    return change.at, change.op_id


def is_hold_over(until_on: str | None, today: date, hour: int, end_h: int) -> bool:
    """Whether a hold is gone by itself at an hour of the store's day: on its last day from `end_h` on, and after it.

    One whose day nobody can read stays until somebody releases it.
    """
    try:
        last = date.fromisoformat(until_on or "")
    except ValueError:
        return False
    return last < today or (last == today and hour >= end_h)


def may_change(kind: str, standing: Standing, deed: str | None) -> bool:
    """Whether the table allows this to be done with a promise as it stands."""
    return deed in STATES[kind].get(standing.state, {})


def changed(kind: str, standing: Standing, change: Change) -> Standing:
    """How a promise stands after a change; what the table does not allow changes nothing."""
    if not may_change(kind, standing, change.state):
        return standing
    state = STATES[kind][standing.state][change.state or ""]
    due = change.due if change.state == MOVED and change.due else standing.due
    owner = change.assignee if change.state == HANDED_OVER and change.assignee else standing.owner
    return Standing(state, due, owner, None if state == OPEN else change.reason)


def lay_over(kind: str, known: Iterable[Promise], ops: Iterable[Op]) -> tuple[Promise, ...]:
    """What a tablet knows of its store's promises: the feed's, with its own unsettled ops (oldest first) over them.

    An op the feed shows already changes nothing; what was taken back is gone, with all that was done about it.
    """
    ops = list(ops)
    withdrawn = {op.amends for op in ops if op.kind == "op_withdrawn"}
    held = {one.op_id: one for one in known}
    for op in ops:
        if REQUESTS.get(op.kind) == kind and op.amends is None and op.op_id not in held:
            held[op.op_id] = made_of(op)
    for op in ops:
        if CHANGES.get(op.kind) == kind and op.amends is None and (one := held.get(op.body.get("id", ""))) is not None:
            held[one.op_id] = _with_change(one, Change.of(op.op_id, op.occurred_at, op.body))
    return tuple(_without_withdrawn(held.values(), withdrawn))


def made_of(op: Op) -> Promise:
    """A promise as the op that made it says."""
    return Promise(REQUESTS[op.kind], op.op_id, op.occurred_at, store_of(op.scope), op.associate_id, op.body)


def follow_up_line(promise: Promise) -> dict[str, Any]:
    """An open follow-up as the shopper's own document lists it."""
    standing = promise.standing
    told = {"op_id": promise.op_id, "what": promise.body["what"], "text": promise.body.get("text")}
    told |= {"due_at": standing.due, "state": standing.state, "store": promise.store}
    return _without_none({**told, "assignee": standing.owner, "associate_id": promise.associate_id})


def _with_change(promise: Promise, change: Change) -> Promise:
    is_known = any(one.op_id == change.op_id for one in promise.changes)
    return promise if is_known else replace(promise, changes=(*promise.changes, change))


def _without_withdrawn(promises: Iterable[Promise], withdrawn: set[str | None]) -> Iterator[Promise]:
    for one in promises:
        if one.op_id not in withdrawn:
            yield replace(one, changes=tuple(change for change in one.changes if change.op_id not in withdrawn))


def _without_none(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}
