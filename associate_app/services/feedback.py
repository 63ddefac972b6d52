"""What this store told HQ, and what HQ said to it: the feed's documents with what this tablet has not sent yet on top.

Telling itself is `record.give_feedback`. Which answers somebody has read is this tablet's own note, never sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from associate_app.ports import DeviceIdentity, TabletDatabase
from shared.clock import format_at, shift_at
from shared.feedback import FeedbackDocument
from shared.wire.messages import store_scope
from shared.wire.ops import Op

TOLD_DAYS: Final = 90
"""What is older and settled is not listed; what HQ still owes stays however old it is."""
_NEWS_DAYS: Final = 14
"""An answer is new for so long at most: who comes to this tablet later is not told old news."""
_READ_NOTE: Final = "answers_read/{}"


@dataclass(frozen=True, slots=True)
class Told:
    """One message as it stands: `is_here` until HQ has it, `is_late` where HQ owes an answer, `is_new` an answer that
    this associate has not read."""

    message: FeedbackDocument
    is_here: bool = False
    is_late: bool = False
    is_new: bool = False


def told_to_hq(database: TabletDatabase, now: datetime, associate_id: str | None = None) -> tuple[Told, ...]:
    """The store's messages, the newest first. Without an associate no answer is new."""
    now_at, since_at = format_at(now), shift_at(format_at(now), days=-TOLD_DAYS)
    read = _read_by(database, associate_id) if associate_id else None
    own = database.unsettled_of(["feedback_given", "op_withdrawn"])
    found = {one.id: Told(one) for one in _documents(database)}
    for message in _messages_in(own, database.device()):
        found.setdefault(message.id, Told(message, is_here=True))
    withdrawn = {op.amends for op in own if op.kind == "op_withdrawn"}
    told = (
        Told(one.message, one.is_here, one.message.is_late(now_at), is_new=_is_news(one.message, read, now_at))
        for one in found.values()
        if one.message.id not in withdrawn and (one.message.at >= since_at or not one.message.is_settled)
    )
    return tuple(sorted(told, key=lambda one: (one.message.at, one.message.id), reverse=True))


def _documents(database: TabletDatabase) -> Iterator[FeedbackDocument]:
    for stored in database.documents("feedback"):
        message = FeedbackDocument.from_document(stored.id.partition("/")[2], stored.body)
        if message is not None:
            yield message


def _messages_in(ops: Iterable[Op], device: DeviceIdentity | None) -> Iterator[FeedbackDocument]:
    """This tablet's own messages of the store it belongs to."""
    for op in ops:
        if op.kind == "feedback_given" and op.amends is None and device and op.scope == store_scope(device.store):
            message = FeedbackDocument.from_document(op.op_id, {**op.body, "at": op.occurred_at})
            if message is not None:
                yield message


# what is new ----------------------------------------------------------------------------------------------------------


def count_news(database: TabletDatabase, now: datetime, associate_id: str) -> int:
    """How many answers of HQ this associate has not read."""
    return sum(one.is_new for one in told_to_hq(database, now, associate_id))


def mark_read(database: TabletDatabase, associate_id: str, op_ids: Iterable[str]) -> None:
    """These answers, as they stand now, are read. Notes of messages that are gone are dropped."""
    known = {one.id: one.said_at or "" for one in _documents(database)}
    read = {**_read_by(database, associate_id), **{op_id: known[op_id] for op_id in op_ids if op_id in known}}
    kept = {op_id: said_at for op_id, said_at in sorted(read.items()) if op_id in known}
    database.write_note(_READ_NOTE.format(associate_id), json.dumps(kept))


def _is_news(message: FeedbackDocument, read: dict[str, str] | None, now_at: str) -> bool:
    if read is None or not message.answer or not message.said_at:
        return False
    is_fresh = message.said_at >= shift_at(now_at, days=-_NEWS_DAYS)
    return is_fresh and read.get(message.id) != message.said_at


def _read_by(database: TabletDatabase, associate_id: str) -> dict[str, str]:
    try:
        noted = json.loads(database.read_note(_READ_NOTE.format(associate_id)) or "{}")
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in noted.items()} if isinstance(noted, dict) else {}
