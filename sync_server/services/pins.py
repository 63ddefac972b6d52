"""New PINs that store managers gave: judged, put in force, and their hashes kept in no other place. Flow step 7.

The op stays in the ledger without its hash: who gave whom a new PIN, and when. A PIN is in force from the op's own time
on, so that one that was given offline before HQ set another does not bring the older one back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.documents import MANAGER
from shared.errors import Malformed
from shared.pins import PIN_SET, without_hash
from sync_server.ports import CentralReader, CentralWriter, DocWrite, LedgerRow
from sync_server.services.chain import associate_document
from sync_server.services.json_text import canonical

NOT_ALLOWED: Final = "not_allowed"


def refused_pin(reader: CentralReader, row: LedgerRow, body: Mapping[str, Any]) -> Malformed | None:
    """Why a PIN does not come into force (`not_allowed`): managers give them, to people of their own store, and to no
    other manager. By the roles HQ knows now."""
    signer, whom = (_person(reader, named) for named in (row.associate_id, body["associate_id"]))
    if signer is None or signer["role"] != MANAGER or signer["is_disabled"] or signer["store"] != row.store:
        return Malformed("only a manager of the store gives somebody a new PIN", NOT_ALLOWED)
    if whom is None or whom["store"] != row.store or whom["is_disabled"]:
        return Malformed("this store has nobody of that id who may sign in", NOT_ALLOWED)
    if whom["role"] == MANAGER and whom["associate_id"] != signer["associate_id"]:
        return Malformed("the PIN of another manager is HQ's to set", NOT_ALLOWED)
    return None


def _person(reader: CentralReader, associate_id: str | None) -> dict[str, Any] | None:
    rows = reader.rows("associate", associate_id=associate_id) if associate_id else []
    return rows[0] if rows else None


def set_pins(tx: CentralWriter, rows: Sequence[LedgerRow]) -> list[DocWrite]:
    """Put accepted PINs in force; the documents of whom they are. Of two the later one holds, whatever came first."""
    changed: dict[str, dict[str, Any]] = {}
    given = (row for row in rows if row.kind == PIN_SET and row.verdict == "accepted")
    for row in sorted(given, key=lambda row: (row.effective_at, row.fact_id)):
        body = json.loads(row.body)
        person = _person(tx, body.get("associate_id"))
        if person is None or "pin_hash" not in body or row.effective_at < (person["pin_set_at"] or ""):
            continue
        changes = {"pin_hash": body["pin_hash"], "pin_set_at": row.effective_at}
        tx.change_rows("associate", changes, associate_id=person["associate_id"])
        audit = {"audit_id": row.fact_id, "at": row.received_at, "who": row.associate_id or "", "did": "set the PIN of"}
        tx.put_row("audit", {**audit, "about": person["associate_id"]})
        changed[person["associate_id"]] = {**person, **changes}
    return [associate_document(person) for person in changed.values()]


def kept(row: LedgerRow) -> LedgerRow:
    """A row as the ledger keeps it: a PIN's hash stays out, whatever became of the op."""
    return row if row.kind != PIN_SET else row._replace(body=kept_body(row.body))


def kept_body(body: str) -> str:
    """The body of a `pin_set` without its hash; nothing of one that cannot be read."""
    return canonical(without_hash(json.loads(body))).decode()


def kept_raw(op: Mapping[str, Any]) -> Mapping[str, Any]:
    """A rejected op as it may be kept for people to look at."""
    return {**op, "body": without_hash(op.get("body"))} if op.get("kind") == PIN_SET else op
