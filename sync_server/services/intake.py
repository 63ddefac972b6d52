"""Intake: a push becomes ledger, profiles and feed in one transaction, and a receipt. Flow steps 6 and 7.

Every op gets one final verdict (protocol.md, push). What is well framed is stored and acknowledged even when it cannot
be merged: it is parked alone, visible, and replayed after a fix. The batch is judged and folded in memory and written
with executemany; only if the database refuses a row does it go again, op by op under savepoints, to park the culprit.
Nothing here answers before COMMIT.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from shared.clock import format_at, ms_between, shift_at
from shared.corrections import CORRECTED, contact_of
from shared.errors import Malformed
from shared.fold import Fact
from shared.ids import derived_id
from shared.journal import extend_chain, sign_receipt
from shared.wire.messages import store_of, store_scope
from shared.wire.ops import ERASED, SCHEMA, WITHHELD
from sync_server.ports import (
    CentralDatabase,
    CentralReader,
    CentralWriter,
    Chance,
    Clock,
    DeadLetter,
    Device,
    DocWrite,
    Entry,
    ErasedNames,
    ErasureList,
    Install,
    KeyFolder,
    KnownFact,
    LedgerRow,
    RowRefused,
)
from sync_server.services.conflicts import tried_again
from sync_server.services.corrections import answer_claims
from sync_server.services.enrolment import device_document
from sync_server.services.evidence import as_pair
from sync_server.services.feedback import feedback_documents
from sync_server.services.json_text import canonical
from sync_server.services.merge import fact_of_row, identifiers_of_op, merge, region_of
from sync_server.services.named import refused_name
from sync_server.services.opening import Doorkeeper, Opening
from sync_server.services.overrides import override_documents
from sync_server.services.parity import parity_row
from sync_server.services.pins import kept, kept_raw, set_pins
from sync_server.services.play_changes import change_documents
from sync_server.services.problems import refuse
from sync_server.services.pushes import STAND_INS, Push, ReadOp, read_push
from sync_server.services.sessions import EPOCH_NOTE, next_poll_s
from sync_server.services.store_tasks import task_documents
from sync_server.services.suppression import blanked, mentions_erased, names_erased, stand_in

SUSPECT_MS: Final = 300_000
_ACCEPTED: Final = {"verdict": "accepted"}


@dataclass(frozen=True, slots=True)
class _Setting:
    """What every op of one push is judged by."""

    device: Device
    received_at: str
    offset_ms: int
    read: Mapping[int, ReadOp]
    region_of: Mapping[str | None, str]
    play_ids: frozenset[str]
    doorkeeper: Doorkeeper
    erasures: ErasedNames
    reader: CentralReader


@dataclass(slots=True)
class _Draft:
    """A batch on its way: how far the journal is, what will be written, and each op's result in order. `erased`: ops,
    known or of the batch, whose shopper was erased."""

    install: Install
    acked_seq: int
    chain: str
    last_effective_at: str
    results: list[dict[str, Any]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    rows: dict[str, LedgerRow] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)
    openings: list[Opening] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    sent_inputs: list[dict[str, Any]] = field(default_factory=list)
    scopes: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    has_erased_letter: bool = False

    @classmethod
    def after(cls, install: Install) -> _Draft:
        """An empty draft behind what the install has sent so far."""
        return cls(install, install.acked_seq, install.chain, install.last_effective_at)

    def settled(self) -> Install:
        """The install after these ops."""
        return replace(
            self.install, acked_seq=self.acked_seq, chain=self.chain, last_effective_at=self.last_effective_at
        )


@tried_again
def take_push(
    database: CentralDatabase, keys: KeyFolder, clock: Clock, chance: Chance, device: Device, raw: Any
) -> dict[str, Any]:
    """Take a push, as it came or as `read_push` gave it: returns the reply after COMMIT.

    Raises Problem (422, 413, 409 epoch, install_forked, gap).
    """
    push = raw if isinstance(raw, Push) else read_push(device, raw)
    received_at = format_at(clock.now())
    try:
        with database.write() as tx:
            draft, heads, epoch = _take(tx, keys, device, push, received_at, database.erasures, one_by_one=False)
    except RowRefused:
        with database.write() as tx:
            draft, heads, epoch = _take(tx, keys, device, push, received_at, database.erasures, one_by_one=True)
    receipt = {
        "install_id": draft.install.install_id,
        "through_seq": draft.install.acked_seq,
        "chain": draft.install.chain,
        "epoch": epoch,
        "issued_at": received_at,
    }
    kid, key = keys.receipt_key()
    return {
        "epoch": epoch,
        "batch_id": push.request.batch_id,
        "results": draft.results,
        "visible_at": heads,
        "receipt": sign_receipt({**receipt, "kid": kid}, key),
        "next_poll_s": next_poll_s(chance),
        "end": True,
    }


# taking ---------------------------------------------------------------------------------------------------------------


def _take(
    tx: CentralWriter,
    keys: KeyFolder,
    device: Device,
    push: Push,
    received_at: str,
    erasures: ErasureList,
    *,
    one_by_one: bool,
) -> tuple[_Draft, dict[str, int], str]:
    request = push.request
    tx.heed_erasures()
    epoch = tx.note(EPOCH_NOTE) or ""
    if request.epoch != epoch:
        raise refuse("epoch", epoch=epoch)
    install = tx.lock_install(request.install_id, device.device_id)
    if install.device_id != device.device_id:
        raise refuse("install_forked", "This install belongs to another device.")
    if request.first_seq > install.acked_seq + 1:
        raise refuse("gap", expected_seq=install.acked_seq + 1)
    stores = tx.stores()
    setting = _Setting(
        device=device,
        received_at=received_at,
        offset_ms=ms_between(request.device_now, received_at),
        read=push.read,
        region_of={store: region_of(stores, store) for store in device.stores_held},
        play_ids=frozenset(tx.play_ids()),
        doorkeeper=Doorkeeper(tx, keys.public_card_keys()),
        erasures=erasures.as_it_stands(),
        reader=tx,
    )
    draft = _Draft.after(install)
    heads: dict[str, int] = {}
    parts: list[list[Any]] = [[op] for op in request.ops] if one_by_one else [request.ops]
    for part in parts:
        heads |= _take_part(tx, draft, part, setting, one_by_one=one_by_one)
    tx.save_install(draft.install)
    return draft, {**tx.heads(draft.scopes), **heads} if draft.scopes else heads, epoch


def _take_part(
    tx: CentralWriter, draft: _Draft, ops: Sequence[dict[str, Any]], setting: _Setting, *, one_by_one: bool
) -> dict[str, int]:
    part = _Draft.after(draft.install)
    _judge_all(tx, part, ops, setting)
    try:
        with tx.savepoint() if one_by_one else _whole():
            heads = _write(tx, part, setting)
    except RowRefused as problem:
        if not one_by_one:
            raise
        _park_all(part, f"the database refused it: {problem}")
        heads = _write(tx, part, setting)
    draft.install = part.settled()
    draft.results += part.results
    draft.scopes |= part.scopes
    return heads


class _whole:  # noqa: N801 - reads as a word in the `with` above
    """Stands where a savepoint would: the transaction itself is the whole."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


# judging --------------------------------------------------------------------------------------------------------------


def _judge_all(tx: CentralWriter, draft: _Draft, ops: Sequence[dict[str, Any]], setting: _Setting) -> None:
    held = tx.entries(draft.install.install_id, ops[0]["seq"], ops[-1]["seq"]) if ops else {}
    wanted = {op["op_id"] for op in ops}
    if not setting.erasures.is_empty():
        wanted |= {about for op in ops if (about := _about(op))}
    known = tx.known_facts(wanted)
    draft.erased = {op_id for op_id, fact in known.items() if ERASED in (fact.code, fact.kind)}
    for op in ops:
        entry = held.get(op["seq"])
        if entry is not None and entry.op_id != op["op_id"]:
            raise refuse("install_forked", f"Another op stands at seq {op['seq']}.")
        result = _judge_again(entry, op, known) if entry else _judge_new(draft, op, known, setting)
        draft.results.append({"seq": op["seq"], **result})
        if (scope := op.get("scope")) and isinstance(scope, str) and store_of(scope) in setting.device.stores_held:
            draft.scopes.add(scope)
    _turn_away(draft, setting.doorkeeper.refused(draft.openings))


def _turn_away(draft: _Draft, op_ids: Collection[str]) -> None:
    """Openings that may not move the slice are stored and answered like the others, and merged nowhere."""
    if op_ids:
        draft.facts = [fact for fact in draft.facts if fact.id not in op_ids]
        for op_id in op_ids:
            draft.about.pop(op_id, None)


def _judge_again(entry: Entry, op: Mapping[str, Any], known: Mapping[str, KnownFact]) -> dict[str, Any]:
    """A seq HQ already answered: the same answer, unless other bytes came under the same op_id."""
    if entry.verdict == "rejected":
        return {"verdict": "rejected", "code": entry.code}
    if entry.sha != op["sha"]:
        return {"verdict": "rejected", "code": "id_conflict"}
    return _duplicate(known.get(op["op_id"]))


def _duplicate(fact: KnownFact | None) -> dict[str, Any]:
    if fact is not None and fact.verdict == "parked":
        return {"verdict": "duplicate", "was": "parked", "code": fact.code}
    return {"verdict": "duplicate", "was": "accepted"}


def _judge_new(draft: _Draft, op: dict[str, Any], known: Mapping[str, KnownFact], setting: _Setting) -> dict[str, Any]:
    """The first verdict that fits, in protocol.md's order; notes down what is to be written for it."""
    fact = known.get(op["op_id"]) or _drafted(draft, op["op_id"])
    if fact is not None and fact.sha == op["sha"]:
        result = _duplicate(fact)
    elif fact is not None:
        result = _reject(draft, op, Malformed("stored bytes are never overwritten", "id_conflict"), setting)
    elif op.get("kind") in STAND_INS:
        result = _take_stand_in(draft, op, setting)
    else:
        try:
            result = _take_op(draft, op, setting)
        except Malformed as problem:
            result = _reject(draft, op, problem, setting)
    _enter(draft, op, result)
    return result


def _drafted(draft: _Draft, op_id: str) -> KnownFact | None:
    row = draft.rows.get(op_id)
    if row is None:
        return None
    return KnownFact(op_id, row.sha, row.verdict, row.code, None, row.kind, row.store)


def _enter(draft: _Draft, op: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    seq, op_id, sha = op["seq"], op["op_id"], op["sha"]
    draft.acked_seq, draft.chain = seq, extend_chain(draft.chain, op_id, sha)
    verdict, code = result["verdict"], result.get("code")
    draft.entries.append(Entry(draft.install.install_id, seq, op_id, sha, draft.chain, verdict, code))


def _reject(draft: _Draft, op: Mapping[str, Any], problem: Malformed, setting: _Setting) -> dict[str, Any]:
    letter_id = derived_id("rejected", draft.install.install_id, str(op["seq"]), op["sha"])
    is_erased = mentions_erased(setting.reader, setting.erasures, op)
    draft.has_erased_letter |= is_erased
    raw = json.dumps(stand_in(op) if is_erased else kept_raw(op), ensure_ascii=True)
    origin, at = draft.install.install_id, setting.received_at
    draft.letters.append(DeadLetter(letter_id, origin, op["seq"], problem.code, str(problem), at, raw))
    return {"verdict": "rejected", "code": problem.code, "detail": str(problem)}


def _take_stand_in(draft: _Draft, op: dict[str, Any], setting: _Setting) -> dict[str, Any]:
    """A withheld op is parked without its body, an erased one is accepted without it."""
    is_erased = op["kind"] == ERASED
    result = {"verdict": "accepted"} if is_erased else {"verdict": "parked", "code": WITHHELD}
    draft.rows[op["op_id"]] = _row(draft, op, setting, result, body="{}", schema=SCHEMA)
    return result


def _take_op(draft: _Draft, op: dict[str, Any], setting: _Setting) -> dict[str, Any]:
    """Accept or park; raises Malformed for what is rejected."""
    read = setting.read[op["seq"]]
    if read.rejected is not None:
        raise read.rejected
    kind, body, store = op["kind"], op["body"], store_of(op["scope"])
    if store not in setting.device.stores_held:
        raise Malformed(f"this device never held {op['scope']}", "wrong_scope")
    row = _row(draft, op, setting, _ACCEPTED, body=read.text, schema=op["schema"])
    problem = read.parked or refused_name(setting.reader, row, body, setting.play_ids)
    if problem is not None:
        row = row._replace(verdict="parked", code=problem.code, detail=str(problem))
        if row.about in draft.erased or mentions_erased(setting.reader, setting.erasures, body):
            return _take_erased(draft, row)
        draft.rows[op["op_id"]] = _without_inputs(draft, row, body)
        return {"verdict": "parked", "code": problem.code, "detail": str(problem)}
    named = identifiers_of_op(kind, body, setting.region_of[store])
    pairs = tuple((one.type.value, one.value) for one in named)
    row = row._replace(subject=_subject(pairs))
    if row.about in draft.erased or names_erased(setting.erasures, [*pairs, *_claimed(kind, body, setting, store)]):
        return _take_erased(draft, row)
    draft.rows[row.fact_id] = _without_inputs(draft, row, body)
    draft.facts.append(Fact(row.fact_id, row.effective_at, kind, body, store, row.associate_id, row.amends, pairs))
    if row.about:
        draft.about[row.fact_id] = row.about
    if kind == "shopper_opened":
        draft.openings.append(Opening(row, body, named))
    return {**_ACCEPTED}


def _claimed(kind: str, body: Mapping[str, Any], setting: _Setting, store: str | None) -> list[tuple[str, str]]:
    """The e-mail or phone a correction claims: it may be of somebody who was erased."""
    if kind != CORRECTED:
        return []
    claimed = contact_of(body["field"], body["value"], region=setting.region_of[store])
    return [as_pair(claimed)] if claimed is not None else []


def _without_inputs(draft: _Draft, row: LedgerRow, body: Mapping[str, Any]) -> LedgerRow:
    """What an impression's evaluator looked at lies apart from the ledger, for it is kept for thirty days only."""
    if row.kind != "impression_recorded" or not isinstance(body.get("inputs"), dict):
        return row
    draft.sent_inputs.append(parity_row(row, body))
    return row._replace(body=canonical({name: part for name, part in body.items() if name != "inputs"}).decode())


def _take_erased(draft: _Draft, row: LedgerRow) -> dict[str, Any]:
    """What a tablet says late of an erased shopper is answered as ever, kept without its words, and merged nowhere."""
    draft.rows[row.fact_id] = blanked(row)
    draft.erased.add(row.fact_id)
    return {**_ACCEPTED}


@lru_cache(maxsize=1_024)
def _subject(pairs: tuple[tuple[str, str], ...]) -> str | None:
    """The column of that name; ops about one shopper come in rows."""
    return json.dumps(pairs) if pairs else None


def _row(
    draft: _Draft,
    op: Mapping[str, Any],
    setting: _Setting,
    result: Mapping[str, Any],
    *,
    body: str,
    schema: int,
) -> LedgerRow:
    occurred_at, corrected_at = _times_of(op, setting)
    effective_at = max(min(corrected_at, setting.received_at), draft.last_effective_at)
    draft.last_effective_at = effective_at
    return LedgerRow(
        fact_id=op["op_id"],
        kind=op["kind"],
        schema=schema,
        origin=draft.install.install_id,
        store=store_of(op.get("scope") or ""),
        associate_id=op.get("associate_id"),
        occurred_at=occurred_at,
        effective_at=effective_at,
        received_at=setting.received_at,
        offset_ms=setting.offset_ms,
        is_clock_suspect=abs(setting.offset_ms) > SUSPECT_MS or corrected_at > setting.received_at,
        about=_about(op),
        amends=op.get("amends"),
        sha=op["sha"],
        body=body,
        verdict=result["verdict"],
        code=result.get("code"),
        detail=result.get("detail"),
        device_id=setting.device.device_id,
        subject=None,
    )


def _about(op: Mapping[str, Any]) -> str | None:
    """The op that this one corrects, withdraws or changes."""
    kind, body = op.get("kind"), op.get("body")
    is_change = isinstance(kind, str) and kind.endswith("_changed") and isinstance(body, dict)
    changed = body.get("id") if is_change and body else None
    said = op.get("amends") or changed
    return said if isinstance(said, str) and len(said) <= 36 else None


def _times_of(op: Mapping[str, Any], setting: _Setting) -> tuple[str, str]:
    """(when the device says it was, the same by HQ's clock); a stand-in without a time came when it came."""
    try:
        return op["occurred_at"], shift_at(op["occurred_at"], ms=setting.offset_ms)
    except (KeyError, TypeError, ValueError):
        return setting.received_at, shift_at(setting.received_at, ms=setting.offset_ms)


# writing --------------------------------------------------------------------------------------------------------------


def _write(tx: CentralWriter, draft: _Draft, setting: _Setting) -> dict[str, int]:
    """Fold, then ledger, entries and documents; feed positions are taken last. Returns the heads written."""
    answers = _answer_claims(tx, draft, setting)
    merged = merge(tx, draft.facts, draft.about, setting.received_at)
    for op_id, why in merged.spoiled.items():
        if op_id in draft.rows:
            _park(draft, op_id, "merge_failed", why)
    rows = list(draft.rows.values())
    tx.add_facts([*map(kept, rows), *(row for row in answers if row.about not in merged.spoiled)], merged.profile_of)
    tx.add_entries(draft.entries)
    tx.add_dead_letters(draft.letters)
    if draft.sent_inputs:
        tx.put_rows("parity_check", draft.sent_inputs)
    writes = [*merged.writes, *told_documents(tx, rows)]
    if any(row.verdict == "parked" or row.code == ERASED for row in rows) or draft.has_erased_letter:
        writes.append(device_document(tx, setting.device, setting.received_at))
    return tx.publish(writes, setting.received_at)


def _answer_claims(tx: CentralWriter, draft: _Draft, setting: _Setting) -> list[LedgerRow]:
    """HQ's rule answers corrections as they come: facts of its own beside the ops, and claims named that it takes."""
    draft.facts, answers = answer_claims(tx, draft.facts, setting.received_at)
    for fact in draft.facts if answers else ():
        if fact.kind == CORRECTED:
            draft.rows[fact.id] = draft.rows[fact.id]._replace(subject=_subject(fact.identifiers))
    draft.facts += [fact_of_row(row) for row in answers]
    draft.about.update((row.fact_id, row.about or "") for row in answers)
    return answers


def _park(draft: _Draft, op_id: str, code: str, why: str) -> None:
    draft.rows[op_id] = draft.rows[op_id]._replace(verdict="parked", code=code, detail=why)
    for place, entry in enumerate(draft.entries):
        if entry.op_id == op_id and entry.verdict == "accepted":
            draft.entries[place] = entry._replace(verdict="parked", code=code)
            result = draft.results[place - len(draft.entries)]
            draft.results[place - len(draft.entries)] = {
                "seq": result["seq"],
                "verdict": "parked",
                "code": code,
                "detail": why,
            }


def _park_all(draft: _Draft, why: str) -> None:
    """The database refused the op's rows: keep it raw, without the parts that were refused."""
    for op_id in list(draft.rows):
        _park(draft, op_id, "merge_failed", why)
        raw = json.dumps(draft.rows[op_id].body, ensure_ascii=True)
        draft.rows[op_id] = draft.rows[op_id]._replace(body=raw, subject=None)
    draft.facts.clear()
    draft.about.clear()
    draft.sent_inputs.clear()


def told_documents(tx: CentralWriter, rows: Sequence[LedgerRow]) -> list[DocWrite]:
    """The documents that ops make by themselves, beside what the fold makes of the shopper."""
    sound = [row for row in rows if row.verdict == "accepted" and row.store is not None and row.code != ERASED]
    mine = [*_calendar_documents(sound), *feedback_documents(tx, sound), *task_documents(tx, rows)]
    return [*mine, *change_documents(tx, rows), *override_documents(tx, rows), *set_pins(tx, rows)]


def _calendar_documents(rows: Sequence[LedgerRow]) -> list[DocWrite]:
    """A store's own calendar entries become documents of that store."""
    writes = []
    for row in rows:
        if row.kind == "calendar_entry_added" and row.amends is None:
            told = {"at": row.effective_at, "associate_id": row.associate_id}
            writes.append(_told(row, f"calendar/{row.fact_id}", told))
    return writes


def _told(row: LedgerRow, document_id: str, told: Mapping[str, Any]) -> DocWrite:
    document = {**json.loads(row.body), **{name: value for name, value in told.items() if value is not None}}
    return DocWrite(store_scope(row.store or ""), document_id, canonical({**document, "id": row.fact_id}))
