"""How one message of the Segment tracking API becomes a `ShopperEvent`. Flow step 7, before the ledger.

Reads what unmodified clients really send: null ids, traits in two places, floats or texts as amounts, clocks that are
wrong. Pure and total: a message gives an event or a `FaultyMessage`, never an exception. A value that cannot be read
counts as absent, a field nobody knows is kept in `extra`; faulty is only what nothing could be told from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from shared.clock import format_at, parse_at
from shared.code_patterns import Fit, best_fit
from shared.event_catalogue import Channel, EventCategory, entry_for
from shared.identity import Identifier, IdentifierType, canonical_form
from shared.ids import is_uuid
from shared.ingest_rules import IngestRules
from shared.segment_fields import (
    MessageParts,
    consent_of,
    currency_of,
    extra_of,
    known_traits,
    order_of,
    read_properties,
    traits_of,
    what_of,
    with_sole_product,
)
from shared.segment_parts import moment_of, part_of, text_of
from shared.shopper_events import EventKind, FaultReason, FaultyMessage, ShopperEvent, event_id_for

MESSAGE_BYTES_MAX: Final = 32_768
SKEW_TOLERATED: Final = timedelta(minutes=5)

_SENTENCES: Final = {
    FaultReason.NOT_AN_OBJECT: "The message is no JSON object.",
    FaultReason.TOO_BIG: "The message is larger than 32 kB: send less in its properties.",
    FaultReason.UNREADABLE: "The message is nested too deeply or holds values that JSON does not have.",
    FaultReason.UNKNOWN_TYPE: "The message's type is none of track, identify, page, screen, group and alias.",
    FaultReason.NO_IDENTIFIER: "The message names nobody: give a userId, an anonymousId, an e-mail or a phone number.",
    FaultReason.NO_EVENT_NAME: "The message is a track call without the name of its event.",
}


def normalise_message(
    message: object,
    *,
    source: str,
    received_at: str,
    rules: IngestRules,
    sent_at: object = None,
    kind: str | None = None,
) -> ShopperEvent | FaultyMessage:
    """Read one message of `source` (the write key's name). Never raises for anything `json.loads` can give.

    `received_at` is a wire time; `sent_at` the batch's `sentAt`, used where the message has none of its own; `kind`
    what the route says where the message has no `type`. An event may come back without identifiers: it then has
    `blocked` ones only, and belongs to nobody.
    """
    if not isinstance(message, dict):
        return _fault(FaultReason.NOT_AN_OBJECT)
    taken = _weigh(message) or _take_apart(message, kind, rules)
    if isinstance(taken, FaultReason):
        return _fault(taken)
    named = tuple(dict.fromkeys(_identifiers(taken)))
    if not named:
        return _fault(FaultReason.NO_IDENTIFIER)
    message_id = text_of(message.get("messageId")) or _id_from_body(message)
    occurred_at = _occurred_at(message, received_at, sent_at)
    return _build(taken, named, event_id_for(source, message_id), occurred_at, source)


def _fault(reason: FaultReason) -> FaultyMessage:
    return FaultyMessage(reason, _SENTENCES[reason])


_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_encode_sorted: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def _weigh(message: Mapping[str, Any]) -> FaultReason | None:
    """Bytes as written compactly in UTF-8; an unpaired surrogate, which UTF-8 cannot hold, counts as one."""
    try:
        text = _encode(message)
    except (RecursionError, TypeError, ValueError):
        return FaultReason.UNREADABLE
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return FaultReason.TOO_BIG if size > MESSAGE_BYTES_MAX else None


def _id_from_body(message: Mapping[str, Any]) -> str:
    """A message id made from what the message says; its times of sending are left out, for a resend changes them."""
    said = {name: value for name, value in message.items() if name not in ("sentAt", "receivedAt", "messageId")}
    return "body:" + hashlib.sha256(_encode_sorted(said).encode()).hexdigest()


def _take_apart(message: Mapping[str, Any], kind: str | None, rules: IngestRules) -> MessageParts | FaultReason:
    called = _KINDS.get((text_of(message.get("type")) or kind or "").lower())
    if called is None:
        return FaultReason.UNKNOWN_TYPE
    name = _NAMES[called] if called in _NAMES else text_of(message.get("event"))
    if name is None:
        return FaultReason.NO_EVENT_NAME
    entry = entry_for(name) if name else None
    context = part_of(message, "context")
    traits = {} if called is EventKind.GROUP else {**part_of(context, "traits"), **part_of(message, "traits")}
    stated, unread = read_properties(with_sole_product(part_of(message, "properties")))
    return MessageParts(
        raw=message,
        kind=called,
        entry=entry,
        name=entry.name if entry else name,
        stated=stated,
        known=known_traits(traits) if traits else {},
        unread=unread,
        traits=traits,
        context=context,
        rules=rules,
    )


_KINDS: Final = {kind.value: kind for kind in EventKind}
_NAMES: Final = {
    EventKind.PAGE: "Page Viewed",
    EventKind.SCREEN: "Screen Viewed",
    EventKind.IDENTIFY: "",
    EventKind.GROUP: "",
    EventKind.ALIAS: "",
}
"""Calls whose event has no name of its own; "" for those that are nothing a shopper did."""


def _build(
    taken: MessageParts, named: tuple[Identifier, ...], event_id: str, occurred_at: str, source: str
) -> ShopperEvent:
    blocked = tuple(filter(taken.rules.blocked.blocks, named))
    store, is_at_till = _store(taken)
    currency = currency_of(taken, store)
    order = order_of(taken, currency)
    return ShopperEvent(
        event_id=event_id,
        kind=taken.kind,
        name=taken.name,
        channel=_channel(taken, is_at_till=is_at_till),
        occurred_at=occurred_at,
        source=source,
        identifiers=tuple(one for one in named if one not in blocked) if blocked else named,
        blocked=blocked,
        traits=traits_of(taken) if taken.known else {},
        store=store,
        order=order,
        consent=consent_of(taken),
        extra=extra_of(taken, has_order=order is not None),
        **what_of(taken, currency),
    )


def _identifiers(taken: MessageParts) -> Iterator[Identifier]:
    """Every identifier the message promotes, canonical, blocked ones included."""
    for kind, raw in _promoted(taken):
        found = canonical_form(kind, raw, region=taken.rules.region) if raw is not None else None
        if found is not None:
            yield found


def _promoted(taken: MessageParts) -> Iterator[tuple[IdentifierType, object]]:
    account, previous = taken.raw.get("userId"), taken.raw.get("previousId")
    is_alias = previous is not None and taken.kind is EventKind.ALIAS
    if account is not None:
        yield _kind_of_account(account, taken.rules), account
    if is_alias:
        yield _kind_of_previous(previous, taken.rules), previous
        if account is not None:
            return  # an alias call says that these two are one; a browser adds itself, who is in it no third name
    yield IdentifierType.ANONYMOUS_ID, taken.raw.get("anonymousId")
    for kind in _IN_TRAITS if taken.known else ():
        yield kind, taken.known.get(kind)
    for kind in _IN_PROPERTIES if taken.stated else ():
        yield kind, taken.stated.get(kind)
    yield IdentifierType.ANONYMOUS_ID, part_of(taken.context, "device").get("id")
    yield from _external_ids(taken.context)


_IN_TRAITS: Final = (IdentifierType.LOYALTY_ID, IdentifierType.EMAIL, IdentifierType.PHONE)
_IN_PROPERTIES: Final = (IdentifierType.LOYALTY_ID, IdentifierType.EMAIL, IdentifierType.PAYMENT_TOKEN)
"""Traits and properties that name the shopper; they are called as the type. A property `phone` may be anybody's."""


def _kind_of_account(raw: object, rules: IngestRules) -> IdentifierType:
    """A `userId` is the shop account's number, unless it is plainly an e-mail address or a loyalty number."""
    text = str(raw).strip() if isinstance(raw, str | int) else ""
    if "@" in text and canonical_form(IdentifierType.EMAIL, text, region=rules.region):
        return IdentifierType.EMAIL
    is_loyalty = bool(rules.loyalty) and best_fit(text, rules.loyalty) is Fit.FITS
    return IdentifierType.LOYALTY_ID if is_loyalty else IdentifierType.CUSTOMER_ID


def _kind_of_previous(raw: object, rules: IngestRules) -> IdentifierType:
    """An alias call's `previousId` is the browser's anonymous id (the libraries make UUIDs), else an older account."""
    is_anonymous = isinstance(raw, str) and is_uuid(raw.strip().lower())
    return IdentifierType.ANONYMOUS_ID if is_anonymous else _kind_of_account(raw, rules)


_EXTERNAL_TYPES: Final = {
    "user_id": IdentifierType.CUSTOMER_ID,
    "customer_id": IdentifierType.CUSTOMER_ID,
    "loyalty_id": IdentifierType.LOYALTY_ID,
    "email": IdentifierType.EMAIL,
    "phone": IdentifierType.PHONE,
    "anonymous_id": IdentifierType.ANONYMOUS_ID,
    "payment_token": IdentifierType.PAYMENT_TOKEN,
}


def _external_ids(context: Mapping[str, Any]) -> Iterator[tuple[IdentifierType, object]]:
    """`context.externalIds`: a list of {id, type, collection, encoding}; a hashed id (other encoding) names nobody."""
    listed = context.get("externalIds")
    for one in listed if isinstance(listed, list) else ():
        kind = _EXTERNAL_TYPES.get(str(one.get("type"))) if isinstance(one, dict) else None
        if kind is not None and one.get("encoding") in (None, "none"):
            yield kind, one.get("id")


def _occurred_at(message: Mapping[str, Any], received_at: str, sent_at: object) -> str:
    """When it happened, by HQ's clock: `received_at - (sentAt - originalTimestamp|timestamp)`.

    A device's wrong clock cancels out, for both times are its own. Differences under 5 s, which need no correction,
    take the same way, so that the order within a batch is kept. Without a time of sending the stated time counts as
    it is (an import of old events); so does a `timestamp` beside the `originalTimestamp`, which a library writes by
    itself: the shop said it, or a sender's server has corrected it. Never later than 5 minutes after `received_at`.
    """
    called, stated = moment_of(message.get("originalTimestamp")), moment_of(message.get("timestamp"))
    is_said = called is not None and stated is not None
    sent = None if is_said else moment_of(message.get("sentAt")) or moment_of(sent_at)
    stated = stated or called
    if stated is None:
        return received_at
    received = _received(received_at)
    try:
        happened = stated if sent is None else received - (sent - stated)
        return format_at(min(happened, received + SKEW_TOLERATED))
    except OverflowError:
        return received_at


_received: Final = lru_cache(maxsize=64)(parse_at)
"""A batch of messages shares its time of arrival."""


def _store(taken: MessageParts) -> tuple[str | None, bool]:
    """The shop's code, and whether it says that this happened at its till.

    `context.store` is believed as it is; an `affiliation` only when it is a known code, for web shops send their own
    name there; `properties.store` (the shop picked for collection, say) names the shop, not the till.
    """
    declared = taken.context.get("store")
    code = text_of(declared.get("code") if isinstance(declared, dict) else declared)
    if code is None:
        affiliation = text_of(taken.stated.get("affiliation"))
        code = affiliation if affiliation in taken.rules.stores else None
    if code is not None:
        return code, True
    return text_of(taken.stated.get("store")), False


_DECLARED: Final = {
    **{channel.value: channel for channel in Channel},
    "browser": Channel.WEB,
    "website": Channel.WEB,
    "online": Channel.WEB,
    "ecommerce": Channel.WEB,
    "mobile": Channel.APP,
    "ios": Channel.APP,
    "android": Channel.APP,
    "e-mail": Channel.EMAIL,
    "ad": Channel.ADS,
    "till": Channel.POS,
    "support": Channel.SERVICE,
    "kiosk": Channel.STORE,
    "in_store": Channel.STORE,
    "in-store": Channel.STORE,
}


def _channel(taken: MessageParts, *, is_at_till: bool) -> Channel:
    """Declared, else what the event's name says, else the till for an order of a shop, else app or web.

    Only orders become `pos` by their shop: a website that knows its visitor's favourite shop must not turn browsing
    into something a tablet may see without consent. The message's own `channel` says how it travelled (`server`,
    `mobile`), so it comes late.
    """
    declared = _declared(taken.context) or _declared(taken.stated)
    if declared is not None:
        return declared
    entry = taken.entry
    if entry is not None and entry.is_fixed:
        return entry.channel
    if is_at_till and entry is not None and entry.category is EventCategory.ORDER:
        return Channel.POS
    travelled = _declared(taken.raw)
    if travelled in (Channel.WEB, Channel.APP):
        return travelled
    return Channel.APP if _is_app(taken.context) else (entry.channel if entry is not None else Channel.WEB)


def _declared(part: Mapping[str, Any]) -> Channel | None:
    raw = part.get("channel")
    return _DECLARED.get(raw.strip().lower()) if isinstance(raw, str) else None


def _is_app(context: Mapping[str, Any]) -> bool:
    system = part_of(context, "os").get("name")
    return bool(context.get("app")) or (isinstance(system, str) and system.lower() in ("ios", "ipados", "android"))
