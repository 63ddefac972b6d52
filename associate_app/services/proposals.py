"""What this store proposed to HQ about plays, and what became of it: here, waiting, taken or declined. Reads only.

HQ's word comes with the feed as `play_proposal/<op id>` (decision 0034); what it has not heard of yet is this tablet's
own. A change beyond the guardrails became a proposal at HQ by itself and says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from associate_app.ports import TabletDatabase
from shared.clock import is_at
from shared.plays.word_changes import ChangedLine, proposed_lines

State = Literal["here", "open", "accepted", "rejected"]
_STATES: Final[Mapping[str, State]] = {"open": "open", "accepted": "accepted", "rejected": "rejected"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """One of them. `state` here: HQ has not got it yet. `problem` is why HQ could not follow a change; `answer` its
    reason; times are wire times."""

    op_id: str
    play_id: str
    at: str
    associate_id: str | None
    text: str
    lines: tuple[ChangedLine, ...]
    state: State
    problem: str | None = None
    answer: str | None = None
    decided_at: str | None = None


def read_proposals(database: TabletDatabase) -> tuple[Proposal, ...]:
    """All of this store, the newest first."""
    known = {one.op_id: one for one in _told(database)}
    found = {**{one.op_id: one for one in _own(database)}, **known}
    return tuple(sorted(found.values(), key=lambda one: (one.at, one.op_id), reverse=True))


def _told(database: TabletDatabase) -> Iterator[Proposal]:
    for stored in database.documents("play_proposal"):
        body = stored.body
        told = body.get("asked")
        asked: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
        if not is_at(body.get("at")) or not isinstance(body.get("play_id"), str):
            continue
        yield Proposal(
            op_id=stored.id.partition("/")[2],
            play_id=body["play_id"],
            at=body["at"],
            associate_id=body.get("associate_id"),
            text=_text(asked, "text"),
            lines=proposed_lines(asked),
            state=_STATES.get(str(body.get("state")), "open"),
            problem=_text(body, "problem") or None,
            answer=_text(body, "answer") or None,
            decided_at=body["decided_at"] if is_at(body.get("decided_at")) else None,
        )


def _own(database: TabletDatabase) -> Iterator[Proposal]:
    for entry in database.recorded_since("play_changed", ""):
        asked = entry.op.body.get("proposal")
        if isinstance(asked, Mapping) and entry.state != "rejected":
            who, at = entry.op.associate_id, entry.op.occurred_at
            lines = proposed_lines(asked)
            yield Proposal(entry.op.op_id, entry.op.body["play_id"], at, who, _text(asked, "text"), lines, "here")


def _text(body: Mapping[str, Any], name: str) -> str:
    text = body.get(name)
    return text if isinstance(text, str) else ""
