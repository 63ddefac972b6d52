"""Quarantine: ops HQ holds but could not apply, and raw bytes it rejected; looked at, and tried again after a fix.

A parked op keeps its place in the ledger and its time: tried again it takes effect as if it had merged at once, and its
device's document lists it no more. A dead letter goes again only when a person names it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shared.clock import shift_at
from shared.corrections import CORRECTED
from shared.errors import Malformed, Refused
from shared.fold import EVENT, Fact
from shared.pins import PIN_SET
from shared.wire.canonical import load_json
from shared.wire.ops import ERASED, WITHHELD, is_chainable, read_body
from sync_server.ports import CentralReader, CentralWriter, Device, DocWrite, LedgerRow, RowRefused
from sync_server.services.corrections import answer_claims
from sync_server.services.enrolment import device_document, find_devices
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.intake import take_push, told_documents
from sync_server.services.merge import fact_of_row, identifiers_of_op, merge, region_of
from sync_server.services.named import refused_name
from sync_server.services.opening import Doorkeeper, Opening
from sync_server.services.pins import kept, kept_body
from sync_server.services.pushes import LIMITS
from sync_server.services.sessions import EPOCH_NOTE

_PAGE: Final = 100
_LEDGER: Final = LedgerRow._fields
_SHOWN: Final = ("fact_id", "kind", "schema", "store", "associate_id", "device_id", "received_at", "code", "detail")


# looking --------------------------------------------------------------------------------------------------------------


def list_quarantine(hq: Headquarters) -> list[dict[str, Any]]:
    """Everything that waits: parked ops and events, then dead letters, oldest first, without what they say."""
    with hq.database.read() as reader:
        parked = [_parked(row) for row in reader.rows("fact", verdict="parked")]
        letters = [_letter(row) for row in reader.rows("dead_letter", replayed_at=None)]
    return sorted(parked, key=_when) + sorted(letters, key=_when)


def _when(row: dict[str, Any]) -> tuple[str, str]:
    return row["received_at"], row["id"]


def _parked(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["fact_id"], "what": "parked", **{name: row[name] for name in _SHOWN[1:]}}


def _letter(row: dict[str, Any]) -> dict[str, Any]:
    names = ("origin", "seq", "received_at", "code", "detail")
    return {"id": row["letter_id"], "what": "dead letter", **{name: row[name] for name in names}}


def show_quarantine(hq: Headquarters, named: str) -> dict[str, Any]:
    """One of them with what it says. Raises Refused where there is none of that id."""
    with hq.database.read() as reader:
        for row in reader.rows("fact", fact_id=named, verdict="parked"):
            body = kept_body(row["body"]) if row["kind"] == PIN_SET else row["body"]
            return {**_parked(row), "occurred_at": row["occurred_at"], "body": json.loads(body)}
        for row in reader.rows("dead_letter", letter_id=named):
            return {**_letter(row), "replayed_at": row["replayed_at"], "raw": row["raw"]}
    raise Refused(f"Nothing in quarantine has the id {named!r:.60}: see `sync-server quarantine list`.")


# trying again ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Again:
    """A page of parked rows on its way: those that are sound now, and why the others are not."""

    sound: dict[str, LedgerRow] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    left: dict[str, Malformed] = field(default_factory=dict)


def replay(hq: Headquarters, named: Collection[str] = ()) -> list[dict[str, Any]]:
    """Try parked ops again, all or those named, and the dead letters named. Works in pages, so that pushes pass.

    Returns {id, verdict, code, detail} of each. Raises Refused where an id names nothing.
    """
    with hq.database.read() as reader:
        parked = [row["fact_id"] for row in reader.rows("fact", verdict="parked")]
        letters = {row["letter_id"]: row for row in reader.rows("dead_letter", replayed_at=None)} if named else {}
    for one in named:
        if one not in letters and one not in parked:
            raise Refused(f"Nothing in quarantine has the id {one!r:.60}: see `sync-server quarantine list`.")
    wanted = [fact_id for fact_id in parked if not named or fact_id in named]
    told = [result for page in _pages(wanted) for result in _replay_page(hq, page)]
    told += [_replay_letter(hq, letters[one]) for one in named if one in letters]
    hq.doorbell.ring()
    return told


def _pages(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _PAGE):
        yield values[start : start + _PAGE]


def _replay_page(hq: Headquarters, page: Sequence[str]) -> list[dict[str, Any]]:
    """A page in one transaction; one op at a time where the database refuses what came of it."""
    try:
        with hq.database.write() as tx:
            return _settle(hq, tx, page)
    except RowRefused as problem:
        if len(page) == 1:
            told = f"the database refused it: {problem}"
            return [{"id": page[0], "verdict": "parked", "code": "merge_failed", "detail": told}]
        return [result for one in page for result in _replay_page(hq, [one])]


def _settle(hq: Headquarters, tx: CentralWriter, page: Sequence[str]) -> list[dict[str, Any]]:
    found = [row for one in page for row in tx.rows("fact", fact_id=one, verdict="parked")]
    rows = [LedgerRow(**{name: row[name] for name in _LEDGER}) for row in found]
    again, now_at = _judge(hq, tx, rows), hq.now_at()
    again.facts, answers = answer_claims(tx, again.facts, now_at)
    about = {one.id: about for one in again.facts if (about := _about(again, one.id))}
    about |= {row.fact_id: row.about for row in answers if row.about}
    merged = merge(tx, [*again.facts, *map(fact_of_row, answers)], about, now_at)
    tx.add_facts([row for row in answers if row.about not in merged.spoiled], merged.profile_of)
    for fact_id, why in merged.spoiled.items():
        if again.sound.pop(fact_id, None):
            again.left[fact_id] = Malformed(why, "merge_failed")
    named = {one.id: json.dumps(one.identifiers) for one in again.facts if one.kind == CORRECTED}
    for fact_id, row in again.sound.items():
        subject = named.get(fact_id, row.subject)
        changes = {"verdict": "accepted", "code": None, "detail": None, "subject": subject, "body": kept(row).body}
        tx.change_rows("fact", {**changes, "profile_id": merged.profile_of.get(fact_id)}, fact_id=fact_id)
    for fact_id, problem in again.left.items():
        tx.change_rows("fact", {"code": problem.code, "detail": str(problem)}, fact_id=fact_id)
    devices = find_devices(tx, {row.device_id for row in rows if row.device_id})
    documents = [device_document(tx, device, hq.now_at()) for device in devices if device.revoked_at is None]
    sound = list(again.sound.values())
    tx.publish([*merged.writes, *told_documents(tx, sound), *documents], now_at)
    if again.sound:
        hq.note_audit(tx, "command line", "replayed parked ops", f"{len(again.sound)} accepted")
    return [_result(row.fact_id, again.left.get(row.fact_id)) for row in rows]


def _about(again: _Again, fact_id: str) -> str | None:
    return again.sound[fact_id].about


def _result(named: str, problem: Malformed | None) -> dict[str, Any]:
    if problem is None:
        return {"id": named, "verdict": "accepted", "code": None, "detail": None}
    return {"id": named, "verdict": "parked", "code": problem.code, "detail": str(problem)}


def _judge(hq: Headquarters, tx: CentralWriter, rows: Sequence[LedgerRow]) -> _Again:
    """Judge parked rows by what HQ knows now, as intake judges new ones."""
    again, play_ids, stores = _Again(), tx.play_ids(), tx.stores()
    for row in rows:
        try:
            sound, fact = _read_again(tx, row, play_ids, region_of(stores, row.store))
        except Malformed as problem:
            again.left[row.fact_id] = problem
            continue
        again.sound[row.fact_id] = sound
        again.facts.append(fact)
        if row.kind == "shopper_opened":
            named = identifiers_of_op(row.kind, fact.body, region_of(stores, row.store))
            again.openings.append(Opening(sound, fact.body, named))
    refused = Doorkeeper(tx, hq.keys.public_card_keys()).refused(again.openings)
    again.facts = [
        fact for fact in again.facts if fact.id not in refused and (fact.identifiers or _about(again, fact.id))
    ]
    return again


def _read_again(
    reader: CentralReader, row: LedgerRow, play_ids: Collection[str], region: str
) -> tuple[LedgerRow, Fact]:
    """(the row as accepted, the fact the fold reads). Raises Malformed where the reason it was parked still holds."""
    accepted = row._replace(verdict="accepted", code=None, detail=None)
    if row.kind == EVENT:
        return accepted, fact_of_row(accepted)
    body = json.loads(row.body)
    if row.kind in (WITHHELD, ERASED) or not isinstance(body, dict):
        raise Malformed("its body is still on the tablet: it comes by salvage", WITHHELD)
    read_body(row.kind, row.schema, body)
    if (problem := refused_name(reader, row, body, play_ids)) is not None:
        raise problem
    pairs = tuple((one.type.value, one.value) for one in identifiers_of_op(row.kind, body, region))
    sound = accepted._replace(subject=json.dumps(pairs) if pairs else None)
    return sound, fact_of_row(sound)


# raw ops that come by another way than a tablet's push ----------------------------------------------------------------


def push_apart(
    hq: Headquarters, device: Device, ops: Sequence[dict[str, Any]], offset_ms: int, *, has_letters: bool = False
) -> list[dict[str, Any]]:
    """Push ops in the name of the device that recorded them, under an install of their own: one result each, in order.

    `offset_ms` is HQ's time minus the device's; `has_letters` says that what is rejected is a dead letter already. What
    cannot be chained is answered `rejected`, `malformed`.
    """
    results: dict[int, dict[str, Any]] = {}
    sound = [place for place, op in enumerate(ops) if is_chainable({**op, "seq": 1})]
    install_id = hq.make_id()
    for start in range(0, len(sound), LIMITS.max_ops):
        part = sound[start : start + LIMITS.max_ops]
        sent = [{**ops[place], "seq": start + number} for number, place in enumerate(part, 1)]
        with hq.database.read() as reader:
            epoch = reader.note(EPOCH_NOTE) or ""
        message = {
            "epoch": epoch,
            "device_id": device.device_id,
            "install_id": install_id,
            "batch_id": hq.make_id(),
            "first_seq": start + 1,
            "device_now": shift_at(hq.now_at(), ms=-offset_ms),
            "ops": sent,
        }
        reply = take_push(hq.database, hq.keys, hq.clock, hq.chance, device, message)
        results.update(zip(part, reply["results"], strict=True))
    _tidy(hq, device, install_id if has_letters else None)
    unsound = {"verdict": "rejected", "code": "malformed", "detail": "op_id or sha is not sound"}
    return [{**results.get(place, unsound), "op_id": op.get("op_id")} for place, op in enumerate(ops)]


def _tidy(hq: Headquarters, device: Device, install_id: str | None) -> None:
    """What was rejected again is a dead letter once; a revoked device gets no document back."""
    with hq.database.write() as tx:
        if install_id is not None:
            tx.change_rows("dead_letter", {"replayed_at": hq.now_at()}, origin=install_id)
        if device.revoked_at is not None:
            document = device_document(tx, device, hq.now_at())
            tx.publish([DocWrite(document.scope, document.id, None, "revoked")], hq.now_at())


def _replay_letter(hq: Headquarters, letter: dict[str, Any]) -> dict[str, Any]:
    try:
        raw = load_json(letter["raw"])
    except Malformed:
        return {"id": letter["letter_id"], "verdict": "rejected", "code": "malformed", "detail": "it was kept cut off"}
    with hq.database.read() as reader:
        device = _device_of_install(reader, letter["origin"])
    result = _push_letter(hq, device, raw) if device else _ingest_letter(hq, letter, raw)
    if result["verdict"] != "rejected":
        with hq.database.write() as tx:
            tx.change_rows("dead_letter", {"replayed_at": hq.now_at()}, letter_id=letter["letter_id"])
            hq.note_audit(tx, "command line", "replayed the dead letter", letter["letter_id"])
    return {"id": letter["letter_id"], "code": None, "detail": None, **result}


def _device_of_install(reader: CentralReader, install_id: str) -> Device | None:
    devices = find_devices(reader, {row["device_id"] for row in reader.rows("install", install_id=install_id)})
    return devices[0] if devices else None


def _push_letter(hq: Headquarters, device: Device, raw: Any) -> dict[str, Any]:
    [result] = push_apart(hq, device, [raw if isinstance(raw, dict) else {}], 0, has_letters=True)
    return {name: result.get(name) for name in ("verdict", "code", "detail")}


def _ingest_letter(hq: Headquarters, letter: dict[str, Any], raw: Any) -> dict[str, Any]:
    taken = take_messages(hq.database, hq.clock, letter["origin"], [raw])
    if taken.faulty:
        return {"verdict": "rejected", "code": letter["code"], "detail": letter["detail"]}
    return {"verdict": "accepted" if taken.accepted else "duplicate"}
