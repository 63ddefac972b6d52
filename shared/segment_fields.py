"""What a message of the tracking API says, field by field: product, order, traits, consent, and what is left over.

Used by `segment_messages.py` alone; each reader takes the whole message apart already and returns values as
`ShopperEvent` keeps them. No field decides whether a message is faulty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from shared.consent import Decision, Purpose
from shared.event_catalogue import CatalogueEntry, EventCategory
from shared.identity import IdentifierType, canonical_form
from shared.ingest_rules import CategoryMeaning, IngestRules
from shared.money import currency_code, minor_units, whole_number
from shared.offers import offer_for_code
from shared.segment_parts import first_of, part_of, text_of, truth_of, wire_name, wire_safe
from shared.shopper_events import EventKind, EventOrder, OrderLine
from shared.wire.canonical import INTEGER_MAX

_EXTRA_DEPTH_MAX: Final = 8
_LINES_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class MessageParts:
    """A message taken apart: parts that are missing are empty.

    `stated` holds the properties and `known` the traits that we know, raw, under our names; `unread` the others.
    """

    raw: Mapping[str, Any]
    kind: EventKind
    entry: CatalogueEntry | None
    name: str
    stated: Mapping[str, Any]
    known: Mapping[str, Any]
    unread: Mapping[str, Any]
    traits: Mapping[str, Any]
    context: Mapping[str, Any]
    rules: IngestRules


_SENT_AS: Final = {
    "sku": "sku product_id productId variant_sku gtin ean",
    "title": "name product_name title email_subject subject campaign_name topic",
    "category": "category",
    "brand": "brand",
    "image": "image_url imageUrl image",
    "price": "price",
    "currency": "currency",
    "quantity": "quantity",
    "cart_id": "cart_id cartId",
    "query": "query search_query searchQuery",
    "campaign_id": "campaign_id campaignId",
    "offer_id": "offer_id offerId promotion_id promotionId coupon coupon_id",
    "case_id": "case_id caseId ticket_id ticketId conversation_id conversationId",
    "order_id": "order_id orderId",
    "revenue": "revenue",
    "subtotal": "subtotal",
    "total": "total",
    "shipping": "shipping",
    "tax": "tax",
    "discount": "discount",
    "products": "products",
    "store": "store store_code storeCode store_id storeId",
    "affiliation": "affiliation",
    "channel": "channel",
    "consent": "consent",
    "email": "email",
    "loyalty_id": "loyalty_id loyaltyId",
    "payment_token": "payment_token paymentToken",
}
"""Our name of a property -> the names it is sent as, the best first (Segment e-commerce v2 and what shops write)."""

_FIELD_BY_NAME: Final = {
    name: (ours, rank) for ours, names in _SENT_AS.items() for rank, name in enumerate(names.split())
}
_KEPT_TOO: Final = frozenset({"coupon", "affiliation", "shipping", "tax", "discount", "subtotal"})
"""Properties that are read and kept in `extra` all the same: evidence for an amount or an offer we worked out."""


def read_properties(properties: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Properties under our names, raw, the best spelling winning; and those left over."""
    stated: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    unread: dict[str, Any] = {}
    for name, value in properties.items():
        if value is None or value == "":
            continue
        field, rank = _FIELD_BY_NAME.get(name, ("", 0))
        if field and rank <= ranks.get(field, rank):
            stated[field], ranks[field] = value, rank
        if not field or name in _KEPT_TOO:
            unread[name] = value
    return stated, unread


def with_sole_product(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Some senders list the one product of `Product Added` under `products`: it counts as the event's own."""
    products = properties.get("products")
    if not isinstance(products, list) or len(products) != 1 or not isinstance(products[0], dict):
        return properties
    is_own = "order_id" in properties or "sku" in properties or "product_id" in properties
    return properties if is_own else {**products[0], **properties}


def currency_of(taken: MessageParts, store: str | None) -> str | None:
    """The amounts' currency; None, and with it no amounts, when one is stated that cannot be read."""
    stated = taken.stated.get("currency")
    return taken.rules.stores.get(store or "", taken.rules.currency) if stated is None else currency_code(stated)


_TEXTS: Final = ("sku", "category", "brand", "title", "image", "cart_id", "query", "case_id")


def what_of(taken: MessageParts, currency: str | None) -> dict[str, Any]:
    """What the event is about: those fields of `ShopperEvent` that were stated."""
    stated = taken.stated
    what: dict[str, Any] = {name: text_of(stated[name]) for name in _TEXTS if name in stated}
    for name in ("title", "category"):
        if name not in what:
            what[name] = text_of(taken.raw.get("name" if name == "title" else name))
    if "quantity" in stated:
        what["quantity"] = whole_number(stated["quantity"])
    what["price_minor"] = _minor(stated, "price", currency)
    what["currency"] = currency if what["price_minor"] is not None else None
    what["campaign_id"] = _campaign(taken)
    what["offer_id"] = _offer(taken)
    return what


def _minor(stated: Mapping[str, Any], name: str, currency: str | None) -> int | None:
    raw = stated.get(name)
    return None if raw is None or currency is None else minor_units(raw, currency)


def _campaign(taken: MessageParts) -> str | None:
    own = text_of(taken.stated.get("campaign_id"))
    return own or text_of(first_of(part_of(taken.context, "campaign"), "id", "name"))


def _offer(taken: MessageParts) -> str | None:
    """The offer behind a coupon or promotion: by the chain's code registry, else what was sent, for it may be an id."""
    raw = text_of(taken.stated.get("offer_id"))
    return None if raw is None else offer_for_code(raw, taken.rules.offers) or raw


def order_of(taken: MessageParts, currency: str | None) -> EventOrder | None:
    """What an order event says of the order; None for every other event."""
    if taken.entry is None or taken.entry.category is not EventCategory.ORDER:
        return None
    lines = tuple(_lines(taken.stated.get("products"), currency))
    revenue = _revenue_minor(taken.stated, lines, currency)
    is_refund = taken.name == "Order Refunded"
    return EventOrder(
        order_id=text_of(taken.stated.get("order_id")),
        currency=currency or taken.rules.currency,
        lines=lines,
        revenue_minor=None if is_refund else revenue,
        total_minor=None if is_refund else _minor(taken.stated, "total", currency),
        refund_minor=abs(revenue) if is_refund and revenue is not None else None,
    )


def _lines(products: object, currency: str | None) -> Iterator[OrderLine]:
    for product in _products(products):
        stated, _ = read_properties(product)
        sku = text_of(stated.get("sku"))
        if sku is not None:
            quantity = whole_number(stated.get("quantity"))
            yield OrderLine(
                sku=sku,
                title=text_of(stated.get("title")),
                category=text_of(stated.get("category")),
                brand=text_of(stated.get("brand")),
                image=text_of(stated.get("image")),
                price_minor=_minor(stated, "price", currency),
                quantity=1 if quantity is None else quantity,
            )


def _products(products: object) -> list[Mapping[str, Any]]:
    listed = products[:_LINES_MAX] if isinstance(products, list) else []
    return [product for product in listed if isinstance(product, dict)]


def _revenue_minor(stated: Mapping[str, Any], lines: Iterable[OrderLine], currency: str | None) -> int | None:
    """Revenue is without shipping and tax (Segment e-commerce v2), as is subtotal; else it follows from the rest."""
    amounts = {name: _minor(stated, name, currency) for name in _AMOUNTS if name in stated}
    revenue = next((amounts[name] for name in ("revenue", "subtotal") if amounts.get(name) is not None), None)
    total = amounts.get("total")
    if revenue is None and total is not None:
        revenue = total - (amounts.get("shipping") or 0) - (amounts.get("tax") or 0)
    priced = [line.price_minor * line.quantity for line in lines if line.price_minor is not None]
    if revenue is None and priced:
        revenue = sum(priced) - (amounts.get("discount") or 0)
    return revenue if revenue is not None and abs(revenue) <= INTEGER_MAX else None


_AMOUNTS: Final = ("revenue", "subtotal", "total", "shipping", "tax", "discount")

_TRAITS_SENT_AS: Final = {
    "given_name": "firstname givenname",
    "family_name": "lastname familyname surname",
    "name": "name",
    "email": "email",
    "phone": "phone phonenumber mobile",
    "phone_verified": "phoneverified phonenumberverified verifiedphone",
    "postcode": "postcode postalcode zip zipcode",
    "city": "city",
    "country": "country countrycode",
    "tier": "tier loyaltytier",
    "points": "points loyaltypoints",
    "birth_on": "birthday birthdate birthon dateofbirth",
    "language": "language locale",
    "home_store": "homestore",
    "loyalty_id": "loyaltyid loyaltynumber",
    "address": "address",
}
"""Our name of a trait -> the names it is sent as, without underscores and case, the best first."""

_TRAIT_BY_NAME: Final = {
    name: (ours, rank) for ours, names in _TRAITS_SENT_AS.items() for rank, name in enumerate(names.split())
}
_ADDRESS_PARTS: Final = ("postcode", "city", "country")


def _trait_named(sent: str) -> tuple[str, int]:
    """Our name, empty for a trait we do not know, and how good the spelling is."""
    return _TRAIT_BY_NAME.get(sent.replace("_", "").lower(), ("", 0))


def known_traits(traits: Mapping[str, Any]) -> dict[str, Any]:
    """Raw values under our names, the best spelling winning; parts of a nested address where none stands beside it."""
    known: dict[str, Any] = {}
    ranks: dict[str, tuple[int, str]] = {}
    for sent, value in traits.items():
        name, rank = _trait_named(sent)
        if name and value is not None and (rank, sent) <= ranks.get(name, (rank, sent)):
            known[name], ranks[name] = value, (rank, sent)
    address = known.pop("address", None)
    if isinstance(address, dict):
        nested = known_traits(address)
        known = {**{name: nested[name] for name in _ADDRESS_PARTS if name in nested}, **known}
    return known


def traits_of(taken: MessageParts) -> dict[str, Any]:
    """Values as the profile keeps them; what cannot be read is left out."""
    known = _with_split_name(taken.known)
    read = {name: _TRAIT_READERS[name](value) for name, value in known.items() if name in _TRAIT_READERS}
    for name, kind in _CONTACT_TRAITS.items():
        found = canonical_form(kind, known.get(name), region=taken.rules.region)
        read[name] = found.value if found is not None and not taken.rules.blocked.blocks(found) else None
    if read["phone"] is not None and truth_of(known.get("phone_verified")):
        read["phone_verified"] = True
    return {name: value for name, value in read.items() if value is not None}


def _with_split_name(known: Mapping[str, Any]) -> Mapping[str, Any]:
    """A single `name` fills given and family name (its last word) where neither was sent."""
    whole = text_of(known.get("name"))
    if whole is None or "given_name" in known or "family_name" in known:
        return known
    given, _, family = whole.rpartition(" ")
    return {**known, "given_name": given or family, "family_name": family if given else None}


def _country(raw: object) -> str | None:
    text = text_of(raw)
    return text.upper() if text is not None and len(text) == 2 else text


def _language(raw: object) -> str | None:
    text = text_of(raw)
    return text.replace("_", "-").partition("-")[0].lower() if text is not None else None


def _day(raw: object) -> str | None:
    text = text_of(raw)
    try:
        return date.fromisoformat(text[:10]).isoformat() if text is not None else None
    except ValueError:
        return None


_TRAIT_READERS: Final[Mapping[str, Callable[[object], Any]]] = {
    "given_name": text_of,
    "family_name": text_of,
    "postcode": text_of,
    "city": text_of,
    "country": _country,
    "tier": text_of,
    "points": whole_number,
    "birth_on": _day,
    "language": _language,
    "home_store": text_of,
}
_CONTACT_TRAITS: Final = {
    "email": IdentifierType.EMAIL,
    "phone": IdentifierType.PHONE,
    "loyalty_id": IdentifierType.LOYALTY_ID,
}


def consent_of(taken: MessageParts) -> dict[str, str]:
    """Decisions the message carries: unsubscribing, and `context.consent.categoryPreferences`.

    Absent preferences change nothing, empty ones deny every purpose; where two categories speak of one purpose, the
    denial counts. Only `true` grants.
    """
    if taken.name in _UNSUBSCRIBES:
        return {_UNSUBSCRIBES[taken.name].value: Decision.DENIED.value}
    holder = part_of(taken.context, "consent") or part_of(taken.stated, "consent")
    preferences = holder.get("categoryPreferences")
    if not isinstance(preferences, dict):
        return {}
    if not preferences:
        return {purpose.value: Decision.DENIED.value for purpose in Purpose}
    return _decide(preferences, taken.rules.consent_categories)


_UNSUBSCRIBES: Final = {
    "Email Unsubscribed": Purpose.EMAIL,
    "Email Marked as Spam": Purpose.EMAIL,
    "SMS Unsubscribed": Purpose.SMS,
}


def _decide(preferences: Mapping[str, Any], meanings: Mapping[str, CategoryMeaning]) -> dict[str, str]:
    decided: dict[str, str] = {}
    for category, said in preferences.items():
        meaning = meanings.get(category.strip().lower().replace(" ", "_"), CategoryMeaning())
        for purpose in meaning.granted if said is True else meaning.denied:
            if said is True:
                decided.setdefault(purpose.value, Decision.GRANTED.value)
            else:
                decided[purpose.value] = Decision.DENIED.value
    return decided


_CONTEXT: Final = (
    "traits device externalIds consent store channel library ip userAgent userAgentData screen os network app locale "
    "timezone direct active sessionId location"
)
_READ_OR_DROPPED_CONTEXT: Final = frozenset(_CONTEXT.split())
"""Context that became fields, or that nobody needs to serve a shopper: what is not kept need not be protected."""

_TOP: Final = (
    "type event name category userId anonymousId previousId groupId properties traits context messageId timestamp "
    "originalTimestamp sentAt receivedAt channel integrations options version writeKey _metadata"
)
_READ_TOP: Final = frozenset(_TOP.split())


def extra_of(taken: MessageParts, *, has_order: bool) -> dict[str, Any]:
    """What the sender said that we have no field for, made safe for the wire: properties by their own names, the rest
    under `@context`, `@message`, `@traits`, `@group`, and the skus of a list or cart under `@skus`."""
    parts: dict[str, Any] = {
        **taken.unread,
        "@context": _leftover(taken.context, _READ_OR_DROPPED_CONTEXT),
        "@message": _leftover(taken.raw, _READ_TOP),
    }
    if taken.traits:
        parts["@traits"] = {name: value for name, value in taken.traits.items() if not _trait_named(name)[0]}
    if taken.kind is EventKind.GROUP:
        parts["@group"] = {"id": text_of(taken.raw.get("groupId")), **part_of(taken.raw, "traits")}
    if not has_order and "products" in taken.stated:
        parts["@skus"] = _skus(taken.stated["products"])
    return {wire_name(name): wire_safe(part, _EXTRA_DEPTH_MAX) for name, part in parts.items() if part not in _EMPTY}


_EMPTY: Final[tuple[Any, ...]] = ({}, [], None)


def _leftover(part: Mapping[str, Any], read: frozenset[str]) -> dict[str, Any]:
    unread = part.keys() - read
    return {name: part[name] for name in sorted(unread) if part[name] is not None} if unread else {}


def _skus(products: object) -> list[str]:
    """The products a list, a cart or a checkout showed, by sku alone."""
    found = (text_of(read_properties(product)[0].get("sku")) for product in _products(products))
    return [sku for sku in found if sku is not None]
