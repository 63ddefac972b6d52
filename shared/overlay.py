"""Read your writes: a profile document with the tablet's own unsettled ops laid over it. Flow step 3.

The card must show what was just recorded before HQ has merged it, and each record exactly once when it has: records
carry their op_id, so an op the document already shows changes nothing. Pure.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from shared.consent import may_grant
from shared.corrections import CORRECTED, FLAGGED, WAITING
from shared.projection import LISTED_MAX
from shared.promises import OPEN, STORE, Change, Standing, changed, follow_up_line, made_of
from shared.redaction import without_behaviour, without_counts
from shared.wire.ops import Op

_LISTS: Final = {
    "outcome_recorded": "outcomes",
    "product_recorded": "products",
    "note_added": "notes",
    "follow_up_requested": "follow_ups",
}
_BODY_FIELDS: Final = {
    "outcomes": ("play_id", "outcome", "reason", "sku"),
    "products": ("sku", "what"),
    "notes": ("text",),
    "follow_ups": ("what", "text", "due_at"),
}


def overlay(document: dict[str, Any], ops: Iterable[Op]) -> dict[str, Any]:
    """The document with `ops` (oldest first) applied; the stored document is left as it is."""
    ops = list(ops)
    if not ops:
        return document
    result = copy.deepcopy(document)
    withdrawn = {op.amends for op in ops if op.kind == "op_withdrawn" and op.amends}
    corrections = {op.amends: op for op in ops if op.amends and op.kind != "op_withdrawn"}
    for op in ops:
        if op.amends is None and op.op_id not in withdrawn:
            _lay(result, op, corrections.get(op.op_id, op).body)
    _amend(result, withdrawn, corrections)
    consent = {name: made["decision"] for name, made in result.get("consent", {}).items()}
    if consent.get("personalise_in_store") != "granted":
        return without_behaviour(result)
    return without_counts(result) if consent.get("profiling") == "denied" else result


def bare_document(profile_id: str, identifiers: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A document for a shopper this tablet holds nothing of, to lay own ops over."""
    known = [{"type": type_, "value": value} for type_, value in identifiers]
    return {"id": profile_id, "identifiers": known, "redacted": ["behaviour"], "is_provisional": True}


def _lay(document: dict[str, Any], op: Op, body: dict[str, Any]) -> None:
    lay = _LAID.get(op.kind)
    if lay is not None:
        lay(document, op, body)


def _list(document: dict[str, Any], op: Op, body: dict[str, Any]) -> None:
    """A line of one of the card's lists, which keep the newest."""
    listed = _LISTS[op.kind]
    _append(document.setdefault(listed, []), op, {name: body.get(name) for name in _BODY_FIELDS[listed]})
    document[listed] = document[listed][-LISTED_MAX:]


def _follow(document: dict[str, Any], op: Op, body: dict[str, Any]) -> None:
    _promise(document.setdefault("follow_ups", []), follow_up_line(replace(made_of(op), body=body)))


def _change_follow_up(document: dict[str, Any], op: Op, body: dict[str, Any]) -> None:
    document["follow_ups"] = list(_changed_lines(document.get("follow_ups", []), op, body))


def _prefer(document: dict[str, Any], _: Op, body: dict[str, Any]) -> None:
    document.setdefault("preferences", {})[body["name"]] = body["value"]


def _correct(document: dict[str, Any], op: Op, body: dict[str, Any]) -> None:
    told = {name: body.get(name) for name in ("field", "value", "text")}
    _append(document.setdefault("corrections", []), op, {**told, "state": WAITING})


def _promise(lines: list[dict[str, Any]], made: dict[str, Any]) -> None:
    if all(line.get("op_id") != made["op_id"] for line in lines):
        lines.append(made)


def _changed_lines(lines: Iterable[dict[str, Any]], op: Op, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The open follow-ups after a change of one of them."""
    for line in lines:
        if line.get("op_id") != body.get("id"):
            yield line
            continue
        before = Standing(line.get("state", OPEN), line.get("due_at"), line.get("assignee") or STORE)
        after = changed("follow_up", before, Change.of(op.op_id, op.occurred_at, body))
        if after.is_open:
            yield {**line, "due_at": after.due, "assignee": after.owner}


def _pin(document: dict[str, Any], op: Op, body: dict[str, Any]) -> None:
    others = {who for who in document.get("pinned_by", ()) if who != op.associate_id}
    document["pinned_by"] = sorted(others | ({op.associate_id} if body["pinned"] and op.associate_id else set()))


def _append(lines: list[dict[str, Any]], op: Op, told: dict[str, Any]) -> None:
    if all(line.get("op_id") != op.op_id for line in lines):
        line = {"op_id": op.op_id, "associate_id": op.associate_id, "at": op.occurred_at, **told}
        lines.append({name: value for name, value in line.items() if value is not None})


def _note_product(document: dict[str, Any], op: Op, body: dict[str, Any]) -> None:
    """What came of a product; what is wished for joins the wishlist, unless HQ has put it there by this very op."""
    is_new = all(line.get("op_id") != op.op_id for line in document.get("products", ()))
    _list(document, op, body)
    if is_new and body["what"] == "wished":
        others = [line for line in document.get("wishlist", []) if line.get("sku") != body["sku"]]
        document["wishlist"] = [{"sku": body["sku"], "at": op.occurred_at}, *others]


def _answer(document: dict[str, Any], op: Op, body: dict[str, Any]) -> None:
    _decide(document, op, body["consent"])


def _decide(document: dict[str, Any], op: Op, given: dict[str, Any]) -> None:
    """A withdrawal counts at once, whatever this tablet's clock says: HQ's time settles it later."""
    if given["decision"] == "granted" and not may_grant(given.get("method")):
        return
    held = document.setdefault("consent", {}).get(given["purpose"])
    at = max(op.occurred_at, held["at"]) if held is not None else op.occurred_at
    if given["decision"] == "denied" or op.occurred_at == at:
        decided = {"decision": given["decision"], "at": at}
        document["consent"][given["purpose"]] = decided


def _enrol(document: dict[str, Any], op: Op, body: dict[str, Any]) -> None:
    for name in ("given_name", "family_name", "postcode"):
        if body.get(name) and not document.get(name):
            document[name] = body[name]
    for type_ in ("loyalty_id", "email", "phone"):
        if body.get(type_):
            _identify(document, {"type": type_, "value": body[type_]})
    for given in body.get("consents") or []:
        _decide(document, op, given)


def _add_identifier(document: dict[str, Any], _: Op, body: dict[str, Any]) -> None:
    _identify(document, body["identifier"])


def _identify(document: dict[str, Any], identifier: dict[str, Any]) -> None:
    known = document.setdefault("identifiers", [])
    pair = {"type": identifier["type"], "value": identifier["value"]}
    if pair not in known:
        known.append(pair)


def _expose(document: dict[str, Any], op: Op, body: dict[str, Any]) -> None:
    for shown in body["shown"]:
        state = document.setdefault("plays_state", {}).setdefault(shown["play_id"], {"shown_at": []})
        if "arm" not in state or (shown.get("period") or 1) > (state.get("period") or 1):
            state["arm"], state["period"] = shown["arm"], shown.get("period") or 1
        if shown["arm"] == "shown" and op.occurred_at not in state["shown_at"]:
            state["shown_at"] = [*state["shown_at"], op.occurred_at][-20:]


_LAID: Final[Mapping[str, Callable[[dict[str, Any], Op, dict[str, Any]], None]]] = {
    "outcome_recorded": _list,
    "note_added": _list,
    "product_recorded": _note_product,
    "follow_up_requested": _follow,
    "follow_up_changed": _change_follow_up,
    "preference_set": _prefer,
    "shopper_pinned": _pin,
    CORRECTED: _correct,
    FLAGGED: _correct,
    "consent_changed": _answer,
    "shopper_enrolled": _enrol,
    "identifier_added": _add_identifier,
    "impression_recorded": _expose,
}
"""How an op's kind is laid; what is not here changes nothing on a card."""


def _amend(document: dict[str, Any], withdrawn: set[str], corrections: dict[str, Op]) -> None:
    """Withdrawals and corrections of records the document already shows."""
    taken_back = [line for line in document.get("products", []) if line.get("op_id") in withdrawn]
    if taken_back:
        gone = {(line.get("sku"), line.get("at")) for line in taken_back if line.get("what") == "wished"}
        wishes = document.get("wishlist", [])
        document["wishlist"] = [line for line in wishes if (line.get("sku"), line.get("at")) not in gone]
    for listed, names in _BODY_FIELDS.items():
        kept = [line for line in document.get(listed, []) if line.get("op_id") not in withdrawn]
        for line in kept:
            correction = corrections.get(line.get("op_id", ""))
            if correction is not None and _LISTS.get(correction.kind) == listed:
                line.update({name: correction.body[name] for name in names if correction.body.get(name) is not None})
        if listed in document:
            document[listed] = kept
