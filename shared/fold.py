"""The fold: how a fact changes a shopper's profile. Flow step 7, at HQ. Pure; used by intake and by rebuild alike.

Theory of operation
-------------------
The central profile is a function of a *set* of distinct facts (ops from tablets, events from other channels). The
ledger keeps the set distinct (by op_id or event id, for ever), so folding is asked only to be indifferent to order:

    fold(fold(S, {a}), {b}) == fold(fold(S, {b}), {a}) == fold(S, {a, b}),   and   rebuild == incremental

Every part of `ProfileState` is therefore one of five shapes, each commutative and associative by itself:

    register   {name: [at, rank, fact id, value]}       the largest (at, rank, id) wins; late facts lose by themselves
    map        {fact id or order id: value}             distinct keys; corrections wait beside it under their target
    newest N   [[at, id, ...]]                          the N largest (at, id); a dropped one could never come back
    count      {n, first, last}                         sum, min, max (each fact is folded once: the ledger sees to it)
    latest     {key: at}                                max

What depends on other facts (open cart, net revenue, outcomes after corrections, consent in force) is never stored: it
is worked out of these parts when a document is projected (`shared/projection.py`). `at` is always the *effective*
time `min(occurred_at + offset, received_at)` as a wire string, so string order is time order and a wrong device clock
cannot reach into the future.

What a browser did while nobody was named in it stays in a state of its own, `unnamed`; whether it counts as the
shopper's is their consent to profiling, asked when a document is projected (`with_unnamed`, decision 0028).

A correction or withdrawal names the first op in `amends`; the last correction by (at, op_id) takes the op's place, a
withdrawal ends it for good; either may arrive first and waits. A correction of a correction has no
target and no effect.
"""

from __future__ import annotations

import bisect
import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from shared.consent import may_grant
from shared.consent_joins import key_of
from shared.event_catalogue import DIGITAL_CHANNELS

EVENT: Final = "event"
BROWSER: Final = "anonymous_id"
RECENT_MAX: Final = 100
CART_LOG_MAX: Final = 200
SHOWN_MAX: Final = 20
TIER_CHANNELS: Final = frozenset({"pos", "store", "import"})

_TRAIT_RANK: Final = {"import": 4, "pos": 3, "store": 2, "service": 2}
_TRAITS: Final = (
    "given_name",
    "family_name",
    "birth_on",
    "language",
    "postcode",
    "country",
    "home_store",
    "tier",
    "points",
)
_LINE_FIELDS: Final = ("sku", "category", "title", "image", "brand", "quantity", "price_minor")
_RECENT_FIELDS: Final = (*_LINE_FIELDS, "currency", "offer_id", "store", "cart_id", "query", "campaign_id")
_NOT_REMEMBERED: Final = frozenset({"Segment Consent Preference Updated"})
"""Counted, but no line for a card: the decision itself shows as a consent mark."""
_CART_SIGN: Final = {"Product Added": 1, "Product Removed": -1}
_WISH_SIGN: Final = {"Product Added to Wishlist": True, "Product Removed from Wishlist": False}
_OFFER_STATE: Final = {
    "Email Sent": "sent",
    "Email Delivered": "sent",
    "Email Opened": "sent",
    "Email Link Clicked": "clicked",
    "Promotion Clicked": "clicked",
    "Coupon Applied": "applied",
    "Order Completed": "used",
}
RECORD_KINDS: Final = frozenset(
    {
        "outcome_recorded",
        "product_recorded",
        "shopper_enrolled",
        "identifier_added",
        "consent_changed",
        "profile_corrected",
        "data_flagged",
        "correction_answered",
        "note_added",
        "preference_set",
        "shopper_pinned",
        "follow_up_requested",
        "follow_up_changed",
        "appointment_booked",
        "appointment_changed",
        "hold_requested",
        "hold_changed",
        "offer_overridden",
    }
)
"""Kinds whose ops are kept whole in the state, because they can be corrected, withdrawn or shown."""
DECIDING_KINDS: Final = frozenset({"consent_changed", "shopper_enrolled"})
"""Of these the state also keeps whom they named: a join of two sides weighs what each of them had decided."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact about one shopper. `id` is the op_id or event id, `at` the effective time, `store` where it was made.

    `kind` is an op kind, or EVENT with a `ShopperEvent` body. `identifiers` are the normalised ones it brings.
    """

    id: str
    at: str
    kind: str
    body: Mapping[str, Any]
    store: str | None = None
    associate_id: str | None = None
    amends: str | None = None
    identifiers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class ProfileState:
    """Everything the fold keeps of one shopper; plain JSON parts in the five shapes of the theory above."""

    latest_at: str = ""
    identifiers: dict[str, str] = field(default_factory=dict)
    traits: dict[str, list[Any]] = field(default_factory=dict)
    consent: dict[str, list[Any]] = field(default_factory=dict)
    """Decisions of states written before `decided` came; nothing is added to it."""
    decided: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    together: dict[str, str] = field(default_factory=dict)
    seen: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    last_seen: dict[str, str] = field(default_factory=dict)
    recent: list[list[Any]] = field(default_factory=list)
    cart_log: list[list[Any]] = field(default_factory=list)
    carts_closed: dict[str, str] = field(default_factory=dict)
    bought: dict[str, str] = field(default_factory=dict)
    wishlist: dict[str, list[Any]] = field(default_factory=dict)
    orders: dict[str, list[Any]] = field(default_factory=dict)
    cancelled: dict[str, str] = field(default_factory=dict)
    refunds: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    cases: dict[str, list[Any]] = field(default_factory=dict)
    cases_closed: dict[str, str] = field(default_factory=dict)
    offers: dict[str, dict[str, str]] = field(default_factory=dict)
    opened: dict[str, list[Any]] = field(default_factory=dict)
    contacts: dict[str, str] = field(default_factory=dict)
    shown: dict[str, list[list[Any]]] = field(default_factory=dict)
    first_shown: dict[str, list[Any]] = field(default_factory=dict)
    records: dict[str, list[Any]] = field(default_factory=dict)
    corrections: dict[str, list[Any]] = field(default_factory=dict)
    withdrawn: dict[str, str] = field(default_factory=dict)
    unnamed: dict[str, Any] = field(default_factory=dict)
    """What browsers did while nobody was named in them: a state of the same parts, as JSON."""

    def as_json(self) -> dict[str, Any]:
        """The parts that hold something, for the database."""
        return {name: value for name in _PARTS if (value := getattr(self, name))}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ProfileState:
        """Read a stored state; parts a newer version no longer knows are left out."""
        return cls(**{name: value for name, value in stored.items() if name in _PARTS})


_PARTS: Final = tuple(part.name for part in fields(ProfileState))


def fold(state: ProfileState, facts: Iterable[Fact]) -> ProfileState:
    """Fold distinct new facts into `state` (changed in place and returned). Raises what a broken body makes it raise:
    the intake parks that op alone."""
    unnamed: ProfileState | None = None
    for fact in facts:
        for type_, value in fact.identifiers:
            _earliest(state.identifiers, f"{type_}|{value}", fact.at)
        if len(fact.identifiers) > 1:
            _earliest(state.together, key_of(fact.identifiers), fact.at)
        meant = state
        if fact.kind == EVENT and _is_unnamed(fact):
            meant = unnamed = unnamed or ProfileState.from_json(state.unnamed)
        meant.latest_at = max(meant.latest_at, fact.at)
        if fact.kind == EVENT:
            _fold_consent(state, fact)
            _fold_event(meant, fact)
        else:
            _fold_op(state, fact)
    if unnamed is not None:
        state.unnamed = unnamed.as_json()
    return state


def _is_unnamed(fact: Fact) -> bool:
    """Whether a browser is all that is named."""
    return bool(fact.identifiers) and all(type_ == BROWSER for type_, _ in fact.identifiers)


def with_unnamed(state: ProfileState) -> ProfileState:
    """The state with what its browsers did while nobody was named in them; the state itself stays as it is."""
    if not state.unnamed:
        return state
    joined = ProfileState.from_json(copy.deepcopy({**state.as_json(), "unnamed": {}}))
    other = ProfileState.from_json(state.unnamed)
    joined.latest_at = max(joined.latest_at, other.latest_at)
    for name in ("traits", "wishlist", "orders", "cases"):
        for key, entry in getattr(other, name).items():
            _register(getattr(joined, name), key, entry)
    for name in ("last_seen", "carts_closed", "bought", "cancelled", "cases_closed"):
        _all_latest(getattr(joined, name), getattr(other, name))
    for name, most in (("recent", RECENT_MAX), ("cart_log", CART_LOG_MAX)):
        for entry in getattr(other, name):
            _newest(getattr(joined, name), entry, most)
    _add_by_name(joined, other)
    return joined


def _add_by_name(joined: ProfileState, other: ProfileState) -> None:
    """Parts whose values are named parts themselves."""
    for side, seen in other.seen.items():
        _add_counts(joined.seen.setdefault(side, {}), seen)
    for order_id, refunds in other.refunds.items():
        joined.refunds.setdefault(order_id, {}).update(refunds)
    for offer_id, states in other.offers.items():
        _all_latest(joined.offers.setdefault(offer_id, {}), states)


def _add_counts(into: dict[str, list[Any]], seen: Mapping[str, list[Any]]) -> None:
    for name, (n, first, last) in seen.items():
        held = into.get(name, [0, first, last])
        into[name] = [held[0] + n, min(held[1], first), max(held[2], last)]


def _latest(into: dict[str, str], key: str, at: str) -> None:
    if at > into.get(key, ""):
        into[key] = at


def _all_latest(into: dict[str, str], times: Mapping[str, str]) -> None:
    for key, at in times.items():
        _latest(into, key, at)


def _earliest(into: dict[str, str], key: str, at: str) -> None:
    if key not in into or at < into[key]:
        into[key] = at


def _register(into: dict[str, list[Any]], key: str, entry: list[Any]) -> None:
    """Keep the entry with the largest (at, rank, id): its first three places."""
    held = into.get(key)
    if held is None or entry[:3] > held[:3]:
        into[key] = entry


def _newest(into: list[list[Any]], entry: list[Any], most: int) -> None:
    """Insert by (at, id) and keep the newest `most`; the list is in rising order."""
    bisect.insort(into, entry, key=lambda kept: (kept[0], kept[1]))
    if len(into) > most:
        del into[0]


# ops ------------------------------------------------------------------------------------------------------------------


def _fold_op(state: ProfileState, fact: Fact) -> None:
    if fact.store:
        _latest(state.contacts, fact.store, fact.at)
    if fact.kind == "op_withdrawn":
        if fact.amends:
            _latest(state.withdrawn, fact.amends, fact.at)
    elif fact.amends:
        _register(state.corrections, fact.amends, [fact.at, 0, fact.id, fact.kind, dict(fact.body)])
    elif fact.kind == "shopper_opened":
        _fold_opened(state, fact)
    elif fact.kind == "impression_recorded":
        _fold_impression(state, fact)
    elif fact.kind in RECORD_KINDS:
        if fact.kind in DECIDING_KINDS:
            state.named[fact.id] = key_of(fact.identifiers)
        state.records[fact.id] = [fact.kind, fact.at, fact.store, fact.associate_id, dict(fact.body)]


def _fold_opened(state: ProfileState, fact: Fact) -> None:
    held = state.opened.get(fact.store or "", [0, ""])
    state.opened[fact.store or ""] = [held[0] + 1, max(held[1], fact.at)]
    _latest(state.last_seen, "store", fact.at)


def _fold_impression(state: ProfileState, fact: Fact) -> None:
    for shown in fact.body["shown"]:
        play_id, arm = shown["play_id"], shown["arm"]
        _newest(state.shown.setdefault(play_id, []), [fact.at, fact.id, arm], SHOWN_MAX)
        key = first_shown_key(play_id, shown.get("period") or 1)
        first = state.first_shown.get(key)
        if first is None or [fact.at, fact.id] < first[:2]:
            state.first_shown[key] = [fact.at, fact.id, arm]


def first_shown_key(play_id: str, period: int) -> str:
    """Under what `first_shown` keeps the first exposure in a period of a play's holdout; no play id has a slash."""
    return play_id if period == 1 else f"{play_id}/{period}"


# events ---------------------------------------------------------------------------------------------------------------


def _fold_event(state: ProfileState, fact: Fact) -> None:
    event = fact.body
    channel = event["channel"]
    _fold_traits(state, fact, event.get("traits") or {}, channel)
    if not event.get("name"):
        return
    _latest(state.last_seen, channel, fact.at)
    _count_seen(state, event["name"], channel, fact.at)
    _fold_track(state, fact, event)


def _fold_consent(state: ProfileState, fact: Fact) -> None:
    """A decision is kept under whom it named, a browser's among the shopper's: a join weighs what each side said."""
    event = fact.body
    for purpose, decision in (event.get("consent") or {}).items():
        if decision == "denied" or may_grant(_extra(event, "method") or "web"):
            note = [decision, _extra(event, "wording_version")]
            side = state.decided.setdefault(key_of(fact.identifiers), {})
            _register(side, purpose, [fact.at, int(decision == "denied"), fact.id, *note])


def _fold_traits(state: ProfileState, fact: Fact, traits: Mapping[str, Any], channel: str) -> None:
    rank = _TRAIT_RANK.get(channel, 1)
    for name in _TRAITS:
        value = traits.get(name)
        if value is not None and (name not in ("tier", "points") or channel in TIER_CHANNELS):
            _register(state.traits, name, [fact.at, rank, fact.id, value])


def _count_seen(state: ProfileState, name: str, channel: str, at: str) -> None:
    side = state.seen.setdefault("digital" if channel in DIGITAL_CHANNELS else "floor", {})
    held = side.get(name)
    side[name] = [held[0] + 1, min(held[1], at), max(held[2], at)] if held else [1, at, at]


def _fold_track(state: ProfileState, fact: Fact, event: Mapping[str, Any]) -> None:
    name = event["name"]
    if name not in _NOT_REMEMBERED and not event.get("is_aged"):
        _remember(state, fact, event)
    if name in _CART_SIGN and event.get("sku"):
        _newest(state.cart_log, [fact.at, fact.id, _CART_SIGN[name], _line(event, event)], CART_LOG_MAX)
    elif name in _WISH_SIGN and event.get("sku"):
        _register(state.wishlist, event["sku"], [fact.at, 0, fact.id, _WISH_SIGN[name], _line(event, event)])
    elif name in ("Order Completed", "Order Updated"):
        _fold_order(state, fact, event)
    elif name == "Order Cancelled":
        _latest(state.cancelled, _order_id(event, fact), fact.at)
    elif name == "Order Refunded":
        order = event.get("order") or {}
        state.refunds.setdefault(_order_id(event, fact), {})[fact.id] = [
            fact.at,
            order.get("refund_minor"),
            order.get("currency"),
        ]
    _fold_case(state, fact, event)
    if event.get("offer_id") and name in _OFFER_STATE:
        _latest(state.offers.setdefault(event["offer_id"], {}), _OFFER_STATE[name], fact.at)


def _line(line: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a product line; an order's lines are in the order's currency."""
    kept = {name: line[name] for name in _LINE_FIELDS if line.get(name) is not None}
    currency = event.get("currency") or (event.get("order") or {}).get("currency")
    if currency and "price_minor" in kept:
        kept["currency"] = currency
    if event.get("cart_id") is not None:
        kept["cart_id"] = event["cart_id"]
    return kept


def _order_lines(event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list((event.get("order") or {}).get("lines") or [])


def _order_id(event: Mapping[str, Any], fact: Fact) -> str:
    return (event.get("order") or {}).get("order_id") or fact.id


def _extra(event: Mapping[str, Any], name: str) -> str | None:
    """A text the sender gave that the event has no field for."""
    said = (event.get("extra") or {}).get(name)
    return said if isinstance(said, str) else None


def _remember(state: ProfileState, fact: Fact, event: Mapping[str, Any]) -> None:
    """One recent line for the event, or one for each product of an order (they share its order_id)."""
    base = {name: event[name] for name in _RECENT_FIELDS if event.get(name) is not None}
    base |= {"channel": event["channel"], "event": event["name"]}
    lines = _order_lines(event)
    if lines or event.get("order"):
        base["order_id"] = _order_id(event, fact)
    for number, line in enumerate(lines[:20]):
        _newest(state.recent, [fact.at, f"{fact.id}/{number:02d}", {**base, **_line(line, event)}], RECENT_MAX)
    if not lines:
        _newest(state.recent, [fact.at, fact.id, base], RECENT_MAX)


def _fold_order(state: ProfileState, fact: Fact, event: Mapping[str, Any]) -> None:
    order = event.get("order") or {}
    order_id, lines = _order_id(event, fact), [_line(line, event) for line in _order_lines(event)]
    net = order.get("revenue_minor")
    currency = order.get("currency") or event.get("currency")
    entry = [fact.at, 0, fact.id, event["channel"], event.get("store"), net, currency, lines]
    _register(state.orders, order_id, entry)
    if event["name"] == "Order Completed":
        _latest(state.carts_closed, event.get("cart_id") or "", fact.at)
        for line in lines:
            if line.get("sku"):
                _latest(state.bought, line["sku"], fact.at)


def _fold_case(state: ProfileState, fact: Fact, event: Mapping[str, Any]) -> None:
    case_id = event.get("case_id") or ""
    if event["name"] == "Support Case Opened":
        title = event.get("title") or "Service case"
        _register(state.cases, case_id, [fact.at, 0, fact.id, title, _extra(event, "due_on")])
    elif event["name"] == "Support Case Closed":
        _latest(state.cases_closed, case_id, fact.at)
