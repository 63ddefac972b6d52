"""Rows of shoppers, orders, consents and service cases as messages of the tracking API; ingest does the rest.

A message's id is made from what it says, so a file that comes again is known, and a mended row counts as new.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from shared.consent import Decision, Method, Purpose
from shared.errors import Malformed
from sync_server.services.imports.kinds import ImportMapping
from sync_server.services.imports.readings import Reading

Message = dict[str, Any]
_GRANTED: Final = frozenset({"granted", "yes", "true", "1", "y", "opt-in", "subscribed"})
_DENIED: Final = frozenset({"denied", "no", "false", "0", "n", "opt-out", "unsubscribed", "withdrawn"})
_CASE_EVENTS: Final = {"open": "Support Case Opened", "opened": "Support Case Opened", "closed": "Support Case Closed"}
_TRAITS: Final = (
    *("given_name", "family_name", "birth_on", "language", "postcode", "country"),
    *("tier", "points", "home_store"),
)
_UNPAID: Final = frozenset({"pending", "authorized", "voided", "expired", "unpaid", "cancelled"})
SHARED_BY_ORDER: Final = (
    *("at", "loyalty_id", "customer_id", "email", "phone", "currency", "store", "coupon"),
    *("total", "subtotal", "payment_status", "refunded"),
)
"""Fields that belong to an order, not to a line: exports often say them in the order's first line alone."""


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
    """A row of the loyalty base, or of a shop's accounts. Tier and points are believed of the loyalty base alone."""
    traits: dict[str, Any] = {**row.texts(_TRAITS)}
    if row.flag("phone_verified"):
        traits["phone_verified"] = True
    channel = "web" if row.text("loyalty_id") is None else "pos"
    return _named(row, type="identify", timestamp=row.moment("at"), traits=traits, context={"channel": channel})


def alias_messages(row: Reading) -> list[Message]:
    """One for each old number of a row: it and the present one are one shopper.

    The numbers are named by their type, for an old one need not look like those the chain gives out now. The present
    number comes first.
    """
    present = row.text("loyalty_id")
    old = [one.strip() for one in re.split(r"[;|]", row.text("old_loyalty_ids") or "")]
    former = [one for one in dict.fromkeys(old) if one and one != present]
    if former and present is None:
        raise Malformed("the row has old numbers and no present one")
    return [
        {
            "type": "alias",
            "timestamp": row.moment("at"),
            "context": {"channel": "pos", "externalIds": [_external(present), _external(one)]},
        }
        for one in former
    ]


def _external(number: str | None) -> dict[str, str | None]:
    return {"id": number, "type": "loyalty_id", "collection": "users", "encoding": "none"}


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


def order_message(rows: Sequence[Reading], mapping: ImportMapping, stores: Mapping[str, str]) -> Message:
    """All lines of one order. A number with the refund prefix, or nothing but negative pieces, is money given back.
    `stores` are codes by the names, in small letters, that an export may call them by.

    Raises Malformed for a line that cannot be, and for an order that nobody paid.
    """
    first = rows[0]
    order_id = first.must("order_id")
    status = (first.text("payment_status") or "").lower()
    if status in _UNPAID:
        raise Malformed(f"the order is not paid: {status}")
    lines = [_line(row) for row in rows]
    is_refund = _is_refund(order_id, lines, mapping)
    properties: dict[str, Any] = {"order_id": order_id, "currency": first.text("currency")}
    properties["products"] = [{**line, "quantity": abs(line["quantity"])} for line in lines]
    properties |= _amounts(first, lines, is_refund=is_refund)
    properties["coupon"] = first.text("coupon")
    return _named(
        first,
        type="track",
        event="Order Refunded" if is_refund else "Order Completed",
        timestamp=min(_times(rows)),
        context=_place(first, stores),
        properties={name: value for name, value in properties.items() if value is not None},
    )


def _place(row: Reading, stores: Mapping[str, str]) -> dict[str, str]:
    """Where it was bought: at a store's till, or on the web where the row names no store."""
    store = row.text("store")
    return {"channel": "web"} if store is None else {"channel": "pos", "store": stores.get(store.casefold(), store)}


def _times(rows: Sequence[Reading]) -> list[str]:
    times = [moment for row in rows if (moment := row.moment("at"))]
    if not times:
        raise Malformed(f"{rows[0].called('at')} is empty")
    return times


def _is_refund(order_id: str, lines: Sequence[Mapping[str, Any]], mapping: ImportMapping) -> bool:
    if mapping.refund_prefix and order_id.startswith(mapping.refund_prefix):
        return True
    negative = [line["quantity"] < 0 for line in lines]
    if any(negative) and not all(negative):
        raise Malformed(f"the order mixes pieces sold and pieces given back: {order_id}")
    return all(negative)


def _amounts(first: Reading, lines: Sequence[Mapping[str, Any]], *, is_refund: bool) -> dict[str, str | None]:
    """What the order says of its money, else the sum of its lines; nothing where neither is told."""
    total, subtotal = first.number("total"), first.number("subtotal")
    priced = [abs(line["quantity"]) * Decimal(line["price"]) for line in lines if "price" in line]
    amount = subtotal or total or (str(sum(priced, Decimal(0))) if priced else None)
    if is_refund:
        return {"total": amount}
    return {"revenue": amount, "total": total if subtotal else None}


def refund_message(first: Reading, stores: Mapping[str, str]) -> Message | None:
    """What was given back of an order so far, by the shop's export; None for nothing. It says no time of its own, so
    it takes the order's. `due_refunds` makes of it what is not yet known."""
    given_back = first.decimal("refunded")
    if not given_back:
        return None
    properties = {"order_id": first.must("order_id"), "currency": first.text("currency"), "total": str(abs(given_back))}
    return _named(
        first,
        type="track",
        event="Order Refunded",
        timestamp=first.moment("at"),
        context=_place(first, stores),
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
