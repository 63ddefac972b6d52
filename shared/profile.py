"""The profile document `profile/<id>`: what a store's feed says of one shopper, after redaction. Flow steps 3, 4 and 8.

Written by the server's projection (`shared/fold.py`), stored by the tablet as it came, read here. Times are wire
strings, money is minor units with its currency. Read leniently: a newer server may add fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


def full_name(told: Mapping[str, Any]) -> str:
    """Given and family name as a person says them, of a document or of the body of `shopper_enrolled`; empty when
    neither is known."""
    return " ".join(told[part] for part in ("given_name", "family_name") if told.get(part))


class Part(BaseModel):
    """Base of the document's parts: frozen, unknown fields ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class KnownIdentifier(Part):
    """An identifier the profile answers to."""

    type: str
    value: str


class Money(Part):
    """Minor units of one currency; never added across currencies."""

    minor: int
    currency: str


class ConsentState(Part):
    """The decision in force for a purpose. A purpose that is missing is not granted.

    `is_conflict`: denied since two profiles with different answers were found to be one; asking again settles it.
    """

    decision: str
    at: str
    wording_version: str | None = None
    is_conflict: bool = False


class Distance(Part):
    """Metres, rounded up to 100 m; None where the postcode or store has no coordinates."""

    this_store_m: int | None = None
    home_store_m: int | None = None


class ProfileFacts(Part):
    """Aggregates over the whole retention. `refunds` counts refunded orders; `net_revenue` one row a currency."""

    first_order_at: str | None = None
    last_order_at: str | None = None
    last_order_store: str | None = None
    orders: int = 0
    net_revenue: list[Money] = []
    refunds: int = 0
    home_store: str | None = None
    distance: Distance = Distance()
    last_seen: dict[str, str] = {}


class SeenCount(Part):
    """How often an event was seen over the whole retention, and when first and last."""

    n: int
    first_at: str
    last_at: str


class RecentEvent(Part):
    """One line of the last 90 days. An order has a line for each product; lines with one `order_id` are one event."""

    at: str
    channel: str
    event: str
    sku: str | None = None
    category: str | None = None
    title: str | None = None
    image: str | None = None
    price: Money | None = None
    offer_id: str | None = None
    brand: str | None = None
    store: str | None = None
    quantity: int | None = None
    cart_id: str | None = None
    order_id: str | None = None
    query: str | None = None
    campaign_id: str | None = None


class WantedLine(Part):
    """A line of the open cart or the wishlist; `at` is when it was added last."""

    sku: str
    at: str
    title: str | None = None
    category: str | None = None
    image: str | None = None
    price: Money | None = None
    quantity: int = 1
    cart_id: str | None = None


class NoteLine(Part):
    """A note, once, however often its op was sent."""

    op_id: str
    text: str
    associate_id: str | None = None
    at: str


class OutcomeLine(Part):
    """An outcome, once; a corrected one shows its last correction."""

    op_id: str
    play_id: str
    outcome: str
    reason: str | None = None
    associate_id: str | None = None
    at: str
    sku: str | None = None


class ProductLine(Part):
    """What came of a product on the floor without a play, once: `what` = bought (as an associate saw it) | wished."""

    op_id: str
    sku: str
    what: str
    associate_id: str | None = None
    at: str


class OfferState(Part):
    """An offer the shopper already has: sent, clicked, used or overridden."""

    offer_id: str
    state: str
    at: str | None = None


class FollowUpLine(Part):
    """An open promise to the shopper."""

    op_id: str
    what: str
    text: str | None = None
    due_at: str | None = None
    state: str = "open"
    store: str | None = None
    assignee: str | None = None
    associate_id: str | None = None


class CorrectionLine(Part):
    """A field somebody corrected (`value`) or flagged as wrong (`text`), and what HQ said: `state` is open, taken, kept
    or settled, on the tablet that told it also waiting; `why` a word of HQ's rule, `answer` a person's words, `right`
    what a person at HQ found."""

    op_id: str
    at: str
    associate_id: str | None = None
    field: str
    value: str | None = None
    text: str | None = None
    state: str = "open"
    why: str | None = None
    answer: str | None = None
    right: str | None = None
    answered_at: str | None = None


class OpenIssue(Part):
    """An open service case: what about, since when, promised for when."""

    title: str
    opened_at: str
    due_on: str | None = None


class PlayState(Part):
    """What caps and sticky holdouts need: times a play was shown (newest 20), and the arm of the first exposure in the
    newest period of its holdout."""

    shown_at: list[str] = []
    arm: str | None = None
    period: int = 1


class Profile(Part):
    """What the tablet knows of a shopper, own unsettled ops folded in by `services/lookup.py`."""

    id: str
    identifiers: list[KnownIdentifier] = []
    redirects: list[str] = []
    given_name: str | None = None
    family_name: str | None = None
    tier: str | None = None
    points: int | None = None
    birth_on: str | None = None
    language: str | None = None
    postcode: str | None = None
    consent: dict[str, ConsentState] = {}
    facts: ProfileFacts = ProfileFacts()
    seen: dict[str, SeenCount] = {}
    recent: list[RecentEvent] = []
    cart: list[WantedLine] = []
    wishlist: list[WantedLine] = []
    purchases: list[RecentEvent] = []
    notes: list[NoteLine] = []
    preferences: dict[str, str] = {}
    pinned_by: list[str] = []
    """Associates who keep the shopper among their own."""
    value_band: str = "none"
    slice: list[str] = []
    offers: list[OfferState] = []
    follow_ups: list[FollowUpLine] = []
    outcomes: list[OutcomeLine] = []
    products: list[ProductLine] = []
    open_issue: OpenIssue | None = None
    corrections: list[CorrectionLine] = []
    plays_state: dict[str, PlayState] = {}
    redacted: list[str] = []
    is_provisional: bool = False
    as_of: str | None = None

    def has_consent(self, purpose: str) -> bool:
        """Say whether a purpose is granted; missing is not granted."""
        state = self.consent.get(purpose)
        return state is not None and state.decision == "granted"

    @property
    def loyalty_id(self) -> str | None:
        """The loyalty number, if the profile has one."""
        return next((known.value for known in self.identifiers if known.type == "loyalty_id"), None)

    @property
    def name(self) -> str:
        """Given and family name as a person says it; empty when neither is known."""
        return full_name({"given_name": self.given_name, "family_name": self.family_name})

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Profile:
        """Read a stored document."""
        return cls.model_validate(document)
