"""The field catalogue: what a rule may ask about, as data. Names, types, units, sources, and the consent they need.

Read by the save-time checks of `condition.py`, by the evaluator and by the server's SQL compiler, so that all three
know the same fields. A rule on a field without its consent purpose is refused at save (plays.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from shared.event_catalogue import CATALOGUE, CatalogueEntry, EventCategory

FieldType = Literal["integer", "text", "choice", "text_set", "day", "birthday"]
Purpose = Literal["personalise_in_store", "profiling", "analytics", "email", "sms", "phone"]

PURPOSES: Final[tuple[Purpose, ...]] = ("personalise_in_store", "profiling", "analytics", "email", "sms", "phone")
ONLINE: Final[Purpose] = "personalise_in_store"

HOUR_S: Final = 3600
DAY_S: Final = 86_400
WINDOW_HOURS_MAX: Final = 2160
"""`recent` holds 90 days: a longer window would silently answer for 90."""
HISTORY_HOURS_MAX: Final = 9600
"""`outcomes` holds 400 days."""

_EQUAL: Final = ("eq", "ne", "in", "not_in")
_ORDER: Final = ("gt", "gte", "lt", "lte", "between")
_THERE: Final = ("exists", "missing")

OPERATORS: Final[dict[FieldType, tuple[str, ...]]] = {
    "integer": (*_EQUAL, *_ORDER, *_THERE),
    "text": (*_EQUAL, "contains", "starts_with", *_THERE),
    "choice": (*_EQUAL, *_THERE),
    "text_set": ("has_any", "has_none"),
    "day": ("eq", "ne", *_ORDER, *_THERE),
    "birthday": ("within_next_days", *_THERE),
}
"""A set is never missing, only empty, so it has no exists and missing."""


@dataclass(frozen=True, slots=True)
class CatalogueField:
    """One field a rule may name: `source` is its place in the profile document."""

    name: str
    type: FieldType
    source: str
    english: str
    german: str
    unit: str = ""
    is_personal: bool = False
    purpose: Purpose | None = None
    choices: tuple[str, ...] = ()


_FIELDS: Final = (
    CatalogueField("orders", "integer", "facts.orders", "orders so far", "bisherige Bestellungen", "orders"),
    CatalogueField("refunds", "integer", "facts.refunds", "refunded orders", "erstattete Bestellungen", "orders"),
    CatalogueField("points", "integer", "points", "loyalty points", "Treuepunkte", "points"),
    CatalogueField(
        "net_revenue_minor",
        "integer",
        "facts.net_revenue[currency of the store].minor",
        "net revenue in cents",
        "Nettoumsatz in Cent",
        "minor units of the store's currency",
    ),
    CatalogueField("tier", "text", "tier", "tier", "Stufe"),
    CatalogueField(
        "value_band",
        "choice",
        "value_band",
        "value band",
        "Wertklasse",
        choices=("top_5", "top_20", "rest", "none"),
    ),
    CatalogueField("first_order_on", "day", "facts.first_order_at", "first order", "erste Bestellung"),
    CatalogueField("last_order_on", "day", "facts.last_order_at", "last order", "letzte Bestellung"),
    CatalogueField("last_order_store", "text", "facts.last_order_store", "store of the last order", "Laden zuletzt"),
    CatalogueField("home_store", "text", "facts.home_store", "home store", "Stammladen"),
    CatalogueField(
        "open_issue_on", "day", "open_issue.opened_at", "open service issue since", "offener Servicefall seit"
    ),
    CatalogueField("language", "text", "language", "language", "Sprache", is_personal=True),
    CatalogueField("postcode", "text", "postcode", "postcode", "Postleitzahl", is_personal=True),
    CatalogueField("birth_on", "birthday", "birth_on", "birthday", "Geburtstag", is_personal=True),
    CatalogueField(
        "identifier_types",
        "text_set",
        "identifiers[].type",
        "known identifiers",
        "bekannte Kennungen",
        is_personal=True,
    ),
    CatalogueField(
        "channels_seen",
        "text_set",
        "facts.last_seen",
        "channels seen",
        "genutzte Kanäle",
        purpose=ONLINE,
    ),
    CatalogueField(
        "offers_known", "text_set", "offers[].offer_id", "offers they have", "vorhandene Angebote", purpose=ONLINE
    ),
    CatalogueField(
        "preferences", "text_set", "preferences", "noted preferences", "notierte Vorlieben", is_personal=True
    ),
)
FIELDS: Final[dict[str, CatalogueField]] = {field.name: field for field in _FIELDS}


@dataclass(frozen=True, slots=True)
class EventKind:
    """An event a rule may name, with its words; `purpose` is the consent its use needs, None for no behaviour."""

    name: str
    english: str
    german: str
    purpose: Purpose | None
    is_online: bool


_EVENT_WORDS: Final = {
    "Products Searched": ("searched online", "hat online gesucht"),
    "Product List Viewed": ("looked at a product list", "hat eine Produktliste angesehen"),
    "Product List Filtered": ("filtered a product list", "hat eine Produktliste gefiltert"),
    "Promotion Viewed": ("saw a promotion", "hat eine Aktion gesehen"),
    "Promotion Clicked": ("clicked a promotion", "hat eine Aktion angeklickt"),
    "Product Clicked": ("clicked a product", "hat ein Produkt angeklickt"),
    "Product Viewed": ("viewed a product", "hat ein Produkt angesehen"),
    "Product Added": ("put something in the cart", "hat etwas in den Warenkorb gelegt"),
    "Product Removed": ("took something out of the cart", "hat etwas aus dem Warenkorb genommen"),
    "Cart Viewed": ("looked at the cart", "hat den Warenkorb angesehen"),
    "Cart Shared": ("shared the cart", "hat den Warenkorb geteilt"),
    "Product Shared": ("shared a product", "hat ein Produkt geteilt"),
    "Product Reviewed": ("reviewed a product", "hat ein Produkt bewertet"),
    "Product Added to Wishlist": ("put something on the wishlist", "hat etwas auf die Wunschliste gesetzt"),
    "Product Removed from Wishlist": ("took something off the wishlist", "hat etwas von der Wunschliste genommen"),
    "Wishlist Product Added to Cart": ("moved a wish to the cart", "hat einen Wunsch in den Warenkorb gelegt"),
    "Checkout Started": ("started the checkout", "hat die Bestellung begonnen"),
    "Checkout Step Viewed": ("went on with the checkout", "war bei der Bestellung"),
    "Checkout Step Completed": ("went on with the checkout", "war bei der Bestellung"),
    "Payment Info Entered": ("entered payment details", "hat Zahlungsdaten eingegeben"),
    "Coupon Entered": ("entered a coupon", "hat einen Gutschein eingegeben"),
    "Coupon Applied": ("used a coupon", "hat einen Gutschein genutzt"),
    "Coupon Denied": ("had a coupon refused", "bekam einen Gutschein abgelehnt"),
    "Coupon Removed": ("removed a coupon", "hat einen Gutschein entfernt"),
    "Ad Clicked": ("clicked an ad", "hat eine Anzeige angeklickt"),
    "App Installed": ("installed the app", "hat die App installiert"),
    "App Opened": ("opened the app", "hat die App geöffnet"),
    "Email Sent": ("was sent an e-mail", "bekam eine E-Mail"),
    "Email Delivered": ("got an e-mail", "bekam eine E-Mail"),
    "Email Opened": ("opened an e-mail", "hat eine E-Mail geöffnet"),
    "Email Link Clicked": ("clicked a link in an e-mail", "hat einen Link in einer E-Mail angeklickt"),
    "Email Bounced": ("could not be reached by e-mail", "war per E-Mail nicht erreichbar"),
    "Email Unsubscribed": ("unsubscribed from e-mail", "hat E-Mails abbestellt"),
    "Support Article Viewed": ("read a help page", "hat eine Hilfeseite gelesen"),
    "Support Case Opened": ("asked support for help", "hat den Service um Hilfe gebeten"),
    "Support Case Closed": ("had a support case closed", "hatte einen Servicefall abgeschlossen"),
    "Live Chat Conversation Started": ("chatted with support", "hat mit dem Service gechattet"),
    "Product Scanned": ("scanned a product in a store", "hat im Laden ein Produkt gescannt"),
    "Store Entered": ("came into a store", "kam in einen Laden"),
    "Store Exited": ("left a store", "hat einen Laden verlassen"),
    "Store Event Registered": ("signed up for an event", "hat sich zu einer Veranstaltung angemeldet"),
    "Store Event Attended": ("came to an event", "war bei einer Veranstaltung"),
    "Appointment Booked": ("booked an appointment", "hat einen Termin gebucht"),
    "Appointment Kept": ("kept an appointment", "hat einen Termin wahrgenommen"),
    "Appointment Missed": ("missed an appointment", "hat einen Termin verpasst"),
    "Order Completed": ("bought something", "hat etwas gekauft"),
    "Order Updated": ("changed an order", "hat eine Bestellung geändert"),
    "Order Cancelled": ("cancelled an order", "hat eine Bestellung storniert"),
    "Order Refunded": ("returned something", "hat etwas zurückgegeben"),
    "Loyalty Enrolled": ("joined the loyalty programme", "ist Mitglied geworden"),
}
"""What an event is called in a sentence. An event without words here is named as it is."""

_NO_BEHAVIOUR: Final = frozenset(
    {
        EventCategory.ORDER,
        EventCategory.APPOINTMENT,
        EventCategory.SERVICE,
        EventCategory.LOYALTY,
        EventCategory.CONSENT,
    }
)
"""What a chain must know to serve a shopper at all; everything else is behaviour and needs consent."""
_FREE: Final = frozenset({"Store Event Registered", "Store Event Attended"})
_NOT_THEIR_DOING: Final = frozenset(
    {
        "Product Impression",
        "Email Sent",
        "Email Delivered",
        "Email Bounced",
        "SMS Sent",
        "SMS Delivered",
        "SMS Bounced",
        "Push Notification Received",
        "Push Notification Bounced",
        "Ad Viewed",
        "App Updated",
        "App Backgrounded",
        "App Crashed",
        "App Uninstalled",
    }
)
_HELP_PAGE: Final = "Support Article Viewed"


def _event_kind(entry: CatalogueEntry) -> EventKind:
    is_free = entry.name in _FREE or (entry.category in _NO_BEHAVIOUR and entry.name != _HELP_PAGE)
    english, german = _EVENT_WORDS.get(entry.name, (f"had the event {entry.name}", f"hatte das Ereignis {entry.name}"))
    is_online = not is_free and entry.is_digital and entry.name not in _NOT_THEIR_DOING
    return EventKind(entry.name, english, german, None if is_free else ONLINE, is_online)


EVENTS: Final[dict[str, EventKind]] = {name: _event_kind(entry) for name, entry in CATALOGUE.items()}
ORDER_COMPLETED: Final = "Order Completed"

ANY_ONLINE: Final = "any online event"
"""A name a rule may use for everything a shopper does online."""
ONLINE_EVENTS: Final[tuple[str, ...]] = tuple(name for name, event in EVENTS.items() if event.is_online)


def spelled_out(events: tuple[str, ...]) -> tuple[str, ...]:
    """A rule's event names with `any online event` written out, each once, in catalogue order for the group."""
    names = (name for event in events for name in (ONLINE_EVENTS if event == ANY_ONLINE else (event,)))
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class EventProperty:
    """A property of an event line that `where` may test."""

    name: str
    type: FieldType
    english: str
    german: str


PROPERTIES: Final[dict[str, EventProperty]] = {
    prop.name: prop
    for prop in (
        EventProperty("category", "text", "category", "Kategorie"),
        EventProperty("sku", "text", "article number", "Artikelnummer"),
        EventProperty("brand", "text", "brand", "Marke"),
        EventProperty("price", "integer", "price in cents", "Preis in Cent"),
        EventProperty("store", "text", "store", "Laden"),
        EventProperty("offer_id", "text", "offer", "Angebot"),
        EventProperty("channel", "text", "channel", "Kanal"),
    )
}
