"""Rows of shoppers, orders, consents and service cases as messages of the tracking API; ingest does the rest.

A message's id is made from what it says, so a file that comes again is known, and a mended row counts as new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from shared.consent import Decision, Method, Purpose
from shared.errors import Malformed
from sync_server.services.imports.mapping import ImportMapping
from sync_server.services.imports.readings import Reading

Message = dict[str, Any]
_GRANTED: Final = frozenset({"granted", "yes", "true", "1", "y", "opt-in", "subscribed"})
_DENIED: Final = frozenset({"denied", "no", "false", "0", "n", "opt-out", "unsubscribed", "withdrawn"})
_CASE_EVENTS: Final = {"open": "Support Case Opened", "opened": "Support Case Opened", "closed": "Support Case Closed"}
_TRAITS: Final = (
    *("given_name", "family_name", "birth_on", "language", "postcode", "country"),
    *("tier", "points", "home_store", "old_loyalty_ids"),
)


def _named(row: Reading, **message: Any) -> Message:
    """A message about whoever the row names. Raises Malformed where it names nobody."""
    traits = {name: row.text(name) for name in ("loyalty_id", "email", "phone")}
    who = {name: value for name, value in traits.items() if value is not None}
    account = row.text("customer_id")
    if account is None and not who:
        raise Malformed("the row names no shopper: number, account, e-mail and phone are empty")
    context = {"channel": "import", **message.pop("context", {}), "traits": {**message.pop("traits", {}), **who}}
    sent = {**message, "context": context}
    return {**sent, "userId": account} if account is not None else sent


def shopper_message(row: Reading) -> Message:
    """A row of the loyalty base."""
    row.must("loyalty_id")
    traits = {name: value for name in _TRAITS if (value := row.text(name)) is not None}
    return _named(row, type="identify", timestamp=row.moment("at"), traits=traits)


def consent_message(row: Reading) -> Message:
    """A decision with its proof. Raises Malformed for an unknown purpose, and for a grant without any proof."""
    purpose, said = row.must("purpose").lower(), row.must("decision").lower()
    if purpose not in {one.value for one in Purpose}:
        raise Malformed(f"{purpose!r:.40} is no purpose; there are {', '.join(one.value for one in Purpose)}")
    if said not in _GRANTED | _DENIED:
        raise Malformed(f"{said!r:.40} is neither granted nor denied")
    is_granted = said in _GRANTED
    proof = {name: row.text(name) for name in ("wording_version", "proof")}
    if is_granted and not any(proof.values()):
        raise Malformed("a grant needs its proof: the version of the wording, or where the proof is kept")
    told = {name: value for name, value in proof.items() if value is not None}
    method = row.text("method") or Method.IMPORT.value
    return _named(
        row,
        type="track",
        event="Segment Consent Preference Updated",
        timestamp=row.moment("at"),
        context={"consent": {"categoryPreferences": {purpose: is_granted}}},
        properties={**told, "method": method, "decision": (Decision.GRANTED if is_granted else Decision.DENIED).value},
    )


def service_message(row: Reading) -> Message:
    """A case opened or closed."""
    state = row.must("state").lower()
    if state not in _CASE_EVENTS:
        raise Malformed(f"the state {state!r:.40} is neither open nor closed")
    told = {"case_id": row.must("case_id"), "title": row.text("title"), "due_on": row.text("due_on")}
    properties = {name: value for name, value in told.items() if value is not None}
    return _named(row, type="track", event=_CASE_EVENTS[state], timestamp=row.moment("at"), properties=properties)


def order_message(rows: Sequence[Reading], mapping: ImportMapping) -> Message:
    """All lines of one order. A number with the refund prefix, or nothing but negative pieces, is money given back."""
    first = rows[0]
    order_id = first.must("order_id")
    lines = [_line(row) for row in rows]
    is_refund = all(line["quantity"] < 0 for line in lines)
    if mapping.refund_prefix and order_id.startswith(mapping.refund_prefix):
        is_refund = True
    elif any(line["quantity"] < 0 for line in lines) and not is_refund:
        raise Malformed(f"order {order_id} mixes pieces sold and pieces given back")
    store = first.text("store") or mapping.store
    properties: dict[str, Any] = {"order_id": order_id, "currency": first.text("currency") or mapping.currency}
    properties["products"] = [{**line, "quantity": abs(line["quantity"])} for line in lines]
    told = first.number("total")
    amount = told or str(sum((abs(line["quantity"]) * Decimal(line.get("price", "0")) for line in lines), Decimal(0)))
    properties["total" if is_refund else "revenue"] = amount
    properties["coupon"] = first.text("coupon")
    context = {"channel": "pos", "store": store} if store else {"channel": "web"}
    return _named(
        first,
        type="track",
        event="Order Refunded" if is_refund else "Order Completed",
        timestamp=min(moment for row in rows if (moment := row.moment("at"))),
        context=context,
        properties={name: value for name, value in properties.items() if value is not None},
    )


def _line(row: Reading) -> dict[str, Any]:
    quantity = row.whole("quantity")
    if quantity == 0:
        raise Malformed("the row is of no pieces")
    line: dict[str, Any] = {"quantity": 1 if quantity is None else quantity}
    for ours, sent in (("sku", "sku"), ("title", "name"), ("category", "category")):
        if (value := row.text(ours)) is not None:
            line[sent] = value
    if (price := row.number("price")) is not None:
        if price.startswith("-"):
            raise Malformed("the price is negative: an adjustment, not a sale")
        line["price"] = price
    return line


MESSAGES: Final[Mapping[str, Callable[[Reading], Message]]] = {
    "shoppers": shopper_message,
    "consents": consent_message,
    "service": service_message,
}
"""Kinds of which each row is a message by itself."""
