"""One thing a shopper did in a channel, as the ledger keeps it: `ShopperEvent`, its body, its consent decisions.

Every source ends here: the tracking API (`segment_messages.py`), webhooks and file imports. A body is canonical JSON:
no floats, money in minor units, times as wire strings, absent parts left out. Nothing here folds events into profiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from shared.consent import ConsentDecision, Decision, Method, Purpose
from shared.errors import Malformed
from shared.event_catalogue import DIGITAL_CHANNELS, Channel, entry_for
from shared.identity import Identifier
from shared.ids import derived_id


class EventKind(StrEnum):
    """The call that brought the event: only track, page and screen are things a shopper did."""

    TRACK = "track"
    IDENTIFY = "identify"
    PAGE = "page"
    SCREEN = "screen"
    GROUP = "group"
    ALIAS = "alias"


class FaultReason(StrEnum):
    """Why a message became no event: it goes to the dead letters, visible and replayable."""

    NOT_AN_OBJECT = "not_an_object"
    TOO_BIG = "too_big"
    UNREADABLE = "unreadable"
    UNKNOWN_TYPE = "unknown_type"
    NO_IDENTIFIER = "no_identifier"
    NO_EVENT_NAME = "no_event_name"


@dataclass(frozen=True, slots=True)
class FaultyMessage:
    """A message that became no event: the reason for programs, one plain sentence for people."""

    reason: FaultReason
    sentence: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One product of an order or basket; `price_minor` is for one piece, in the order's currency."""

    sku: str
    title: str | None = None
    category: str | None = None
    brand: str | None = None
    image: str | None = None
    price_minor: int | None = None
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class EventOrder:
    """What an order event says of the order. `revenue_minor` is without shipping and tax, `total_minor` with them.

    `refund_minor` is set on `Order Refunded` only: how much was given back, positive; None there = the whole order.
    """

    order_id: str | None
    currency: str
    lines: tuple[OrderLine, ...] = ()
    revenue_minor: int | None = None
    total_minor: int | None = None
    refund_minor: int | None = None


@dataclass(frozen=True, slots=True)
class ShopperEvent:
    """One event. `name` is the catalogue's name or the sender's own; empty for identify, group and alias.

    `identifiers` may link; `blocked` are those that identify nobody and are only kept. `traits` holds known fields
    under our names, `extra` what we do not know, as the sender wrote it. `consent` maps purpose to granted or denied.
    `price_minor` is in `currency`; `store` is the shop's code where one is known.
    """

    event_id: str
    kind: EventKind
    name: str
    channel: Channel
    occurred_at: str
    source: str
    identifiers: tuple[Identifier, ...] = ()
    blocked: tuple[Identifier, ...] = ()
    traits: Mapping[str, Any] = field(default_factory=dict)
    store: str | None = None
    sku: str | None = None
    category: str | None = None
    brand: str | None = None
    title: str | None = None
    image: str | None = None
    price_minor: int | None = None
    currency: str | None = None
    quantity: int | None = None
    cart_id: str | None = None
    query: str | None = None
    campaign_id: str | None = None
    offer_id: str | None = None
    case_id: str | None = None
    order: EventOrder | None = None
    consent: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_digital(self) -> bool:
        """Whether this is online behaviour, hidden from tablets without `personalise_in_store`."""
        return self.channel in DIGITAL_CHANNELS

    @property
    def is_known(self) -> bool:
        """Whether the catalogue has the event; calls without a name are always known."""
        return not self.name or entry_for(self.name) is not None

    @property
    def is_signal(self) -> bool:
        """Whether the event shows intent."""
        entry = entry_for(self.name)
        return entry is not None and entry.is_signal

    def decisions(self) -> tuple[ConsentDecision, ...]:
        """The consent decisions the event carries, each with its time and `web` as its method."""
        return tuple(
            ConsentDecision(Purpose(purpose), Decision(said), self.occurred_at, method=Method.WEB, store=self.store)
            for purpose, said in sorted(self.consent.items())
        )

    def to_body(self) -> dict[str, Any]:
        """As the ledger keeps it; absent parts are left out."""
        body: dict[str, Any] = {"kind": self.kind.value, "channel": self.channel.value}
        body.update({name: value for name in _PLAIN if (value := getattr(self, name)) not in (None, "")})
        for name in ("identifiers", "blocked"):
            found = getattr(self, name)
            if found:
                body[name] = [identifier.to_body() for identifier in found]
        body.update({name: dict(getattr(self, name)) for name in _MAPPINGS if getattr(self, name)})
        if self.order is not None:
            body["order"] = _order_body(self.order)
        return body

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read a body of the ledger back. Raises Malformed where it is none."""
        try:
            return cls(
                kind=EventKind(body["kind"]),
                channel=Channel(body["channel"]),
                name=body.get("name", ""),
                identifiers=_identifiers(body.get("identifiers", ())),
                blocked=_identifiers(body.get("blocked", ())),
                order=_read_order(body["order"]) if "order" in body else None,
                traits=dict(body.get("traits", {})),
                consent=dict(body.get("consent", {})),
                extra=dict(body.get("extra", {})),
                **{name: body[name] for name in _PLAIN if name in body and name != "name"},
            )
        except (KeyError, TypeError, ValueError) as problem:
            raise Malformed(f"not an event: {problem}"[:200]) from None


def event_id_for(source: str, message_id: str) -> str:
    """The id by which an event of a source is known for ever: a UUIDv5 of source and message id."""
    return derived_id("event", source, message_id)


_PLAIN: Final = (
    "event_id",
    "name",
    "occurred_at",
    "source",
    "store",
    "sku",
    "category",
    "brand",
    "title",
    "image",
    "price_minor",
    "currency",
    "quantity",
    "cart_id",
    "query",
    "campaign_id",
    "offer_id",
    "case_id",
)
_MAPPINGS: Final = ("traits", "consent", "extra")
_ORDER_PARTS: Final = ("order_id", "currency", "revenue_minor", "total_minor", "refund_minor")
_LINE_PARTS: Final = ("sku", "title", "category", "brand", "image", "price_minor", "quantity")


def _order_body(order: EventOrder) -> dict[str, Any]:
    body = {name: value for name in _ORDER_PARTS if (value := getattr(order, name)) is not None}
    if order.lines:
        body["lines"] = [_line_body(line) for line in order.lines]
    return body


def _line_body(line: OrderLine) -> dict[str, Any]:
    return {name: value for name in _LINE_PARTS if (value := getattr(line, name)) is not None}


def _read_order(body: Mapping[str, Any]) -> EventOrder:
    parts = {name: body[name] for name in _ORDER_PARTS if name in body}
    lines = tuple(
        OrderLine(**{name: line[name] for name in _LINE_PARTS if name in line}) for line in body.get("lines", ())
    )
    return EventOrder(**{"order_id": None, **parts, "lines": lines})


def _identifiers(bodies: Any) -> tuple[Identifier, ...]:
    return tuple(Identifier.from_body(body) for body in bodies)
