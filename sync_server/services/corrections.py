"""HQ's answers to what the floor corrected or flagged: the rule's at once, a person's where one is needed. Flow step 7.

A claim of an e-mail or phone becomes an identifier only where nobody else was ever seen with it: then the fact names
it like any other. Else the fact names the shopper alone, so no claim joins anybody (decision 0046). Each answer is a
fact in the ledger; the fold and the projection read it, and nothing here is worked out again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from shared.corrections import (
    ANSWERED,
    CONTACTS,
    CORRECTED,
    FIELDS,
    FLAGGED,
    KEPT,
    NOT_HERE,
    SETTLED,
    SOMEBODY_ELSE,
    TAKEN,
    TRAITS,
    UNREADABLE,
    cleaned,
    contact_of,
    is_persons,
)
from shared.errors import Refused
from shared.fold import Fact
from shared.identity import Identifier
from shared.ids import derived_id
from shared.wire.canonical import TEXT_POINTS_MAX
from sync_server.ports import CentralReader, CentralWriter, LedgerRow
from sync_server.services.conflicts import tried_again
from sync_server.services.evidence import as_identifier, as_pair
from sync_server.services.headquarters import Headquarters
from sync_server.services.identity import known_leads
from sync_server.services.identity_rules import blocks_of
from sync_server.services.json_text import canonical
from sync_server.services.merge import fact_of_row, merge, region_of

_RULE: Final = "HQ's rule"
_PERSON: Final = "command line"


# the rule -------------------------------------------------------------------------------------------------------------


def answer_claims(tx: CentralWriter, facts: Sequence[Fact], now_at: str) -> tuple[list[Fact], list[LedgerRow]]:
    """The facts with those claims named that are taken over, and the rule's answers as rows of the ledger."""
    if not any(fact.kind == CORRECTED and fact.amends is None for fact in facts):
        return list(facts), []
    rule, answered, rows = _Rule(tx, facts), list[Fact](), list[LedgerRow]()
    for fact in facts:
        if fact.kind == CORRECTED and fact.amends is None:
            claimed, told = rule.judge(fact)
            answered.append(replace(fact, identifiers=(*fact.identifiers, *claimed)))
            rows.append(_answer_row(derived_id("answer", fact.id), fact.id, told, now_at, origin=_RULE))
        else:
            answered.append(fact)
    return answered, rows


class _Rule:
    """What is decided of each claim, with what is known when it comes."""

    def __init__(self, tx: CentralWriter, facts: Sequence[Fact]) -> None:
        tx.lock_identity()  # nobody else may come to have the same address meanwhile
        self._reader: CentralReader = tx
        self._facts = list(facts)
        self._stores = tx.stores()
        self._blocked = blocks_of(tx)
        self._taken: dict[tuple[str, str], set[tuple[str, str]]] = {}

    def judge(self, fact: Fact) -> tuple[tuple[tuple[str, str], ...], dict[str, Any]]:
        """(the identifier the fact names from now on, what is answered)."""
        field, value = str(fact.body["field"]), str(fact.body["value"])
        region = region_of(self._stores, fact.store)
        if field not in FIELDS:
            return (), _kept(NOT_HERE)
        if cleaned(field, value, region=region) is None:
            return (), _kept(UNREADABLE)
        claimed = contact_of(field, value, region=region)
        if claimed is None:
            return (), {"state": TAKEN}
        if self._blocked.blocks(claimed):
            return (), _kept(UNREADABLE)
        if not self._is_free(claimed, fact):
            return (), _kept(SOMEBODY_ELSE)
        self._taken.setdefault(as_pair(claimed), set()).update(fact.identifiers)
        return (as_pair(claimed),), {"state": TAKEN}

    def _is_free(self, claimed: Identifier, fact: Fact) -> bool:
        """Whether nobody but this shopper was ever seen with it, by the ledger or in this batch."""
        pair, mine = as_pair(claimed), set(fact.identifiers)
        beside = [set(other.identifiers) for other in self._facts if pair in other.identifiers]
        if pair in self._taken:
            beside.append(self._taken[pair])
        if any(not (others & mine) for others in beside):
            return False
        seen = {one for row in self._reader.sightings_of([pair]) for one in row.identifiers}
        if not seen:
            return True
        leads = known_leads(self._reader, {as_identifier(one) for one in seen | mine})
        home = {leads.get(as_identifier(one)) for one in mine}
        return len(home) == 1 and None not in home and {leads.get(as_identifier(one)) for one in seen} == home


def _kept(why: str) -> dict[str, Any]:
    return {"state": KEPT, "why": why}


def _answer_row(fact_id: str, op_id: str, told: Mapping[str, Any], now_at: str, *, origin: str) -> LedgerRow:
    return LedgerRow(
        fact_id=fact_id,
        kind=ANSWERED,
        schema=1,
        origin=origin,
        store=None,
        associate_id=None,
        occurred_at=now_at,
        effective_at=now_at,
        received_at=now_at,
        offset_ms=None,
        is_clock_suspect=False,
        about=op_id,
        amends=None,
        sha="",
        body=canonical({"id": op_id, **told}).decode(),
        verdict="accepted",
        subject=None,
    )


# a person's answer ----------------------------------------------------------------------------------------------------


def list_corrections(hq: Headquarters, *, is_every: bool = False) -> list[dict[str, Any]]:
    """Flags nobody answered and claims that are somebody else's, oldest first; or everything that was corrected."""
    with hq.database.read() as reader:
        rows = [row for kind in (CORRECTED, FLAGGED) for row in reader.rows("fact", kind=kind, verdict="accepted")]
        answers = [(row, json.loads(row["body"])) for row in reader.rows("fact", kind=ANSWERED, verdict="accepted")]
    answers.sort(key=lambda one: (is_persons(one[1]), one[0]["effective_at"], one[0]["fact_id"]))
    last = {row["about"]: said for row, said in answers}
    told = [_listed(row, last.get(row["fact_id"])) for row in rows if row["code"] is None and row["amends"] is None]
    return sorted((one for one in told if is_every or one["waits"]), key=lambda one: (one["at"], one["id"]))


def _listed(row: Mapping[str, Any], answer: Mapping[str, Any] | None) -> dict[str, Any]:
    body, said = json.loads(row["body"]), answer or {}
    names = {
        "id": row["fact_id"],
        "store": row["store"],
        "associate_id": row["associate_id"],
        "at": row["effective_at"],
    }
    told = {"shopper": ":".join(body["shopper"].values()), "field": body["field"]}
    told |= {"value": body.get("value"), "text": body.get("text"), "state": said.get("state", "open")}
    told |= {"why": said.get("why"), "answer": said.get("text")}
    is_waiting = answer is None or (said.get("why") == SOMEBODY_ELSE and not is_persons(said))
    return {**names, **told, "waits": is_waiting}


@tried_again
def answer_correction(hq: Headquarters, op_id: str, text: str, *, value: str | None = None, who: str) -> dict[str, Any]:
    """Say what came of a flag or a kept correction; with a value, what is right. Raises Refused."""
    said = text.strip()
    if not said or len(said) > TEXT_POINTS_MAX:
        raise Refused(f"An answer is 1 to {TEXT_POINTS_MAX} characters: say what HQ found.")
    now_at = hq.now_at()
    with hq.database.write() as tx:
        row = next(_found(tx, op_id), None)
        if row is None:
            raise Refused(f"Nothing was corrected under {op_id!r:.60}. See `sync-server correction list --every`.")
        field = str(json.loads(row["body"])["field"])
        told = {"state": SETTLED if row["kind"] == FLAGGED else KEPT, "text": said}
        if value is not None:
            told |= {"state": TAKEN, "value": _right(field, value, region_of(tx.stores(), row["store"]))}
        answer = _answer_row(hq.make_id(), op_id, told, now_at, origin=_PERSON)
        merged = merge(tx, [fact_of_row(answer)], {answer.fact_id: op_id}, now_at)
        tx.add_facts([answer], merged.profile_of)
        hq.note_audit(tx, who, "answered a correction", f"{field}, {op_id}")
        tx.publish(merged.writes, now_at)
    hq.doorbell.ring()
    return {"id": op_id, "field": field, **told}


def _found(reader: CentralReader, op_id: str) -> Iterator[dict[str, Any]]:
    for row in reader.rows("fact", fact_id=op_id, verdict="accepted"):
        if row["kind"] in (CORRECTED, FLAGGED) and row["code"] is None:
            yield row


def _right(field: str, value: str, region: str) -> str:
    if field in CONTACTS:
        raise Refused(
            "Who an e-mail or phone belongs to is said with `sync-server identity link` or `identity split`; "
            "answer without --value."
        )
    right = cleaned(field, value, region=region) if field in TRAITS else None
    if right is None:
        raise Refused(f"{value!r:.60} is no {field.replace('_', ' ')}: check it.")
    return right
