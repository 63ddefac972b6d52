"""What stores told HQ, and HQ's answers: `feedback/<op_id>` in the scope of the store that told it. Flow steps 7 and 8.

An op makes the document, with the deadline the chain has agreed on; a person at HQ answers it, and the answer returns
to the tablets by the feed. Nobody answers on a tablet.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from shared.clock import shift_at
from shared.errors import Refused
from shared.feedback import DECLINED, SETTLED, STATES, FeedbackDocument, may_say
from shared.wire.canonical import TEXT_POINTS_MAX, canonical
from shared.wire.messages import store_scope
from sync_server.ports import CentralReader, CentralWriter, DocWrite, LedgerRow
from sync_server.services.chain import find_store
from sync_server.services.headquarters import Headquarters
from sync_server.services.terms import FEEDBACK_DAYS, read_term

_PREFIX: Final = "feedback/"


# what ops make --------------------------------------------------------------------------------------------------------


def feedback_documents(reader: CentralReader, rows: Sequence[LedgerRow]) -> list[DocWrite]:
    """The documents that accepted messages make; one that was taken back leaves the feed."""
    taken_back = {write.id: write for write in _taken_back(reader, rows)}
    told = [row for row in rows if row.kind == "feedback_given" and row.amends is None]
    days = int(read_term(reader, FEEDBACK_DAYS)) if told else 0
    writes = [_told(row, shift_at(row.effective_at, days=days)) for row in told]
    return [*(write for write in writes if write.id not in taken_back), *taken_back.values()]


def _told(row: LedgerRow, due_at: str) -> DocWrite:
    told = {"id": row.fact_id, "at": row.effective_at, "associate_id": row.associate_id, "due_at": due_at}
    document = {name: value for name, value in {**json.loads(row.body), **told}.items() if value is not None}
    return DocWrite(store_scope(row.store or ""), f"{_PREFIX}{row.fact_id}", canonical(document))


def _taken_back(reader: CentralReader, rows: Sequence[LedgerRow]) -> Iterator[DocWrite]:
    """Messages of this batch or of an earlier one."""
    amended = {row.about: row for row in rows if row.kind == "op_withdrawn" and row.about}
    kinds = {row.fact_id: row.kind for row in rows}
    known = reader.known_facts(set(amended)) if amended else {}
    for op_id, row in amended.items():
        kind = kinds.get(op_id) or (known[op_id].kind if op_id in known else None)
        if kind == "feedback_given":
            yield DocWrite(store_scope(row.store or ""), f"{_PREFIX}{op_id}", None, "withdrawn")


# HQ's side ------------------------------------------------------------------------------------------------------------


def list_feedback(hq: Headquarters, store: str | None = None, *, is_every: bool = False) -> list[dict[str, Any]]:
    """What waits for an answer, or everything that was told, soonest due first."""
    with hq.database.read() as reader:
        found = list(_messages(reader, store))
    now_at = hq.now_at()
    rows = [_listed(code, one, now_at) for code, one in found if is_every or not one.is_settled]
    return sorted(rows, key=lambda row: (row["due_at"] or "", row["id"]))


def agreement(hq: Headquarters) -> list[dict[str, Any]]:
    """Store by store: answers in time (`kept`), late or owed since (`missed`), and what is still `open`."""
    now_at, counted = hq.now_at(), dict[str, Counter[str]]()
    with hq.database.read() as reader:
        days = int(read_term(reader, FEEDBACK_DAYS))
        for code, one in _messages(reader):
            counted.setdefault(code, Counter())[_promise(one, now_at)] += 1
    names = ("kept", "missed", "open")
    return [{"store": code, "days": days, **{name: found[name] for name in names}} for code, found in counted.items()]


def _promise(one: FeedbackDocument, now_at: str) -> str:
    if one.is_settled:
        return "missed" if one.was_kept is False else "kept"
    return "missed" if one.is_late(now_at) else "open"


def answer_feedback(hq: Headquarters, op_id: str, text: str, state: str, *, who: str) -> dict[str, Any]:
    """Answer a message; its store reads the answer at its next contact. Raises Refused for one that is not there, an
    empty text, or what cannot be said any more."""
    said = text.strip()
    if not said or len(said) > TEXT_POINTS_MAX:
        raise Refused(f"An answer is 1 to {TEXT_POINTS_MAX} characters: say what HQ does, or why not.")
    if not any(state in allowed for allowed in STATES.values()):
        raise Refused(f"An answer is {', '.join(sorted({*SETTLED, 'taken_up'}))}, not {state!r:.40}.")
    with hq.database.write() as tx:
        store, held = _find(tx, op_id)
        one = _read(op_id, held)
        if not may_say(one.state, state):
            raise Refused(f"This message was {one.state} already; it cannot become {state} any more.")
        now_at = hq.now_at()
        told = {**held, "state": state, "answer": said, "said_at": now_at}
        if state in SETTLED:
            told["answered_at"] = one.answered_at or now_at
        hq.note_audit(
            tx, who, "declined feedback" if state == DECLINED else f"feedback: {state}", f"{op_id} of {store}"
        )
        tx.publish([DocWrite(store_scope(store), f"{_PREFIX}{op_id}", canonical(told))], now_at)
    hq.doorbell.ring()
    return _listed(store, _read(op_id, told), now_at)


def _find(tx: CentralWriter, op_id: str) -> tuple[str, dict[str, Any]]:
    for store in tx.stores():
        row = tx.doc(store_scope(store.code), f"{_PREFIX}{op_id}")
        if row is not None and row.body:
            return store.code, json.loads(row.body)
    raise Refused(f"No store has told anything under {op_id!r:.60}. See `sync-server feedback list --every`.")


def _messages(reader: CentralReader, store: str | None = None) -> Iterator[tuple[str, FeedbackDocument]]:
    codes = [find_store(reader, store).code] if store else [one.code for one in reader.stores()]
    for code in codes:
        for row in reader.docs_of(store_scope(code), _PREFIX):
            yield code, _read(row.id.removeprefix(_PREFIX), json.loads(row.body))


def _read(op_id: str, body: Mapping[str, Any]) -> FeedbackDocument:
    one = FeedbackDocument.from_document(op_id, body)
    if one is None:
        raise Refused(f"HQ cannot read the message {op_id:.60}.")
    return one


def _listed(store: str, one: FeedbackDocument, now_at: str) -> dict[str, Any]:
    names = ("id", "about", "text", "play_id", "at", "associate_id", "due_at", "state", "answer", "answered_at")
    told = {name: getattr(one, name) for name in names}
    return {"store": store, **told, "is_late": one.is_late(now_at)}
