"""What store managers change about plays: ops become documents of their store, proposals wait for HQ's word. Step 7.

`play_change/<play id>` holds what is in force, each part as it was said last, whatever came first. What lies outside
the guardrails, or was said by somebody who is no manager, changes nothing: it becomes a proposal that says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from shared.documents import MANAGER
from shared.errors import Refused
from shared.plays.guardrails import ONLY_MANAGERS, change_problem, parts_of, with_parts
from shared.plays.playbook import Play
from shared.wire.messages import store_scope
from sync_server.ports import CentralReader, CentralWriter, DocRow, DocWrite, LedgerRow
from sync_server.services.headquarters import Headquarters
from sync_server.services.json_text import canonical

OPEN: Final = "open"


def change_documents(reader: CentralReader, rows: Sequence[LedgerRow]) -> list[DocWrite]:
    """The documents that accepted `play_changed` ops make, in order of time."""
    made: dict[tuple[str, str], dict[str, Any]] = {}
    writes: list[DocWrite] = []
    for row in sorted(_changes_in(rows), key=lambda row: (row.effective_at, row.fact_id)):
        scope, body = store_scope(row.store or ""), json.loads(row.body)
        said = parts_of(body)
        problem = _problem(reader, row, said) if said else None
        if said and problem is None:
            key = (scope, f"play_change/{body['play_id']}")
            mine = (row.effective_at, row.fact_id, row.associate_id)
            made[key] = with_parts(made.get(key) or _held(reader, *key), said, mine)
        asked = {**(body.get("proposal") or {}), **(said if problem else {})}
        if asked:
            told = {"id": row.fact_id, "play_id": body["play_id"], "asked": asked, "problem": problem, "state": OPEN}
            told |= {"at": row.effective_at, "associate_id": row.associate_id}
            writes.append(_write(scope, f"play_proposal/{row.fact_id}", told))
    return [*(_write(scope, id_, document) for (scope, id_), document in made.items()), *writes]


def _changes_in(rows: Sequence[LedgerRow]) -> Iterator[LedgerRow]:
    return (row for row in rows if row.kind == "play_changed" and row.verdict == "accepted" and row.store)


def _held(reader: CentralReader, scope: str, document_id: str) -> dict[str, Any]:
    row = reader.doc(scope, document_id)
    return json.loads(row.body) if row is not None and row.body else {}


def _write(scope: str, document_id: str, told: Mapping[str, Any]) -> DocWrite:
    return DocWrite(scope, document_id, canonical({name: value for name, value in told.items() if value is not None}))


# guardrails -----------------------------------------------------------------------------------------------------------


def _problem(reader: CentralReader, row: LedgerRow, said: Mapping[str, Any]) -> str | None:
    people = reader.rows("associate", associate_id=row.associate_id) if row.associate_id else []
    if not people or people[0]["role"] != MANAGER or people[0]["is_disabled"]:
        return ONLY_MANAGERS
    versions = reader.rows("play_version", play_id=json.loads(row.body)["play_id"])
    try:
        play = Play.from_document(json.loads(versions[-1]["body"]))
    except (ValidationError, IndexError):
        return "HQ cannot read this play."
    return change_problem(play, said)


# HQ's side ------------------------------------------------------------------------------------------------------------


def list_changes(hq: Headquarters) -> list[dict[str, Any]]:
    """What is changed in which store, beside what HQ published."""
    with hq.database.read() as reader:
        return [_listed(store, row) for store, row in _documents(reader, "play_change/")]


def _documents(reader: CentralReader, prefix: str) -> Iterator[tuple[str, DocRow]]:
    for store in reader.stores():
        yield from ((store.code, row) for row in reader.docs_of(store_scope(store.code), prefix))


def _listed(store: str, row: DocRow) -> dict[str, Any]:
    document = json.loads(row.body)
    at, _, who = max(document["said_at"].values(), key=lambda said: (said[0], said[1]))
    words = sorted(document.get("talking_points") or {})
    told = {"paused": document.get("paused", False), "lever": document.get("lever", 0), "words": words}
    return {"store": store, "play_id": row.id.partition("/")[2], **told, "at": at, "associate_id": who}


def list_proposals(hq: Headquarters, *, is_every: bool = False) -> list[dict[str, Any]]:
    """Proposals that wait for HQ's word, or all of them, store by store."""
    with hq.database.read() as reader:
        every = [{"store": store, **json.loads(row.body)} for store, row in _documents(reader, "play_proposal/")]
    return [one for one in every if is_every or one["state"] == OPEN]


def decide(hq: Headquarters, named: str, *, is_accepted: bool, why: str | None = None) -> dict[str, Any]:
    """Accept or reject a proposal; its store reads the answer. What it asks for comes with the next play file: HQ's
    files are the source. Raises Refused for one that is not there or was decided."""
    with hq.database.write() as tx:
        store, held = _proposal(tx, named)
        if held["state"] != OPEN:
            raise Refused(f"The proposal {named:.60} was {held['state']} already.")
        state = "accepted" if is_accepted else "rejected"
        told = {**held, "state": state, "decided_at": hq.now_at(), "answer": why}
        hq.note_audit(tx, "command line", f"{state} a proposal", f"{held['play_id']} of {store}")
        tx.publish([_write(store_scope(store), f"play_proposal/{named}", told)], hq.now_at())
    hq.doorbell.ring()
    return {"store": store, **told}


def _proposal(tx: CentralWriter, named: str) -> tuple[str, dict[str, Any]]:
    for store in tx.stores():
        row = tx.doc(store_scope(store.code), f"play_proposal/{named}")
        if row is not None and row.body:
            return store.code, json.loads(row.body)
    raise Refused(f"There is no proposal {named!r:.60}. See `sync-server play proposals`.")
