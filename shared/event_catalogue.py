"""The event catalogue as data: what each known event is called, where it happens, whether it shows intent.

Names are those of the Segment specifications (e-commerce v2, e-mail, mobile, live chat) and Floorside's own. An event
that is not here is kept and counted under its own name. `DIGITAL_CHANNELS` are what missing consent hides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Channel(StrEnum):
    """Where an event happened. `store` is the shop floor without the till, `pos` the till."""

    WEB = "web"
    APP = "app"
    EMAIL = "email"
    SMS = "sms"
    ADS = "ads"
    POS = "pos"
    SERVICE = "service"
    STORE = "store"


DIGITAL_CHANNELS: Final = frozenset({Channel.WEB, Channel.APP, Channel.EMAIL, Channel.SMS, Channel.ADS})
"""Behaviour in these never leaves HQ for a tablet without `personalise_in_store`."""


class EventCategory(StrEnum):
    """What an event is about."""

    BROWSING = "browsing"
    PROMOTION = "promotion"
    CART = "cart"
    CHECKOUT = "checkout"
    ORDER = "order"
    COUPON = "coupon"
    WISHLIST = "wishlist"
    REVIEW = "review"
    MESSAGE = "message"
    APP = "app"
    STORE = "store"
    APPOINTMENT = "appointment"
    SERVICE = "service"
    LOYALTY = "loyalty"
    CONSENT = "consent"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One known event. `is_fixed`: the event itself says its channel; else `channel` is only the likeliest."""

    name: str
    category: EventCategory
    channel: Channel = Channel.WEB
    is_signal: bool = False
    is_fixed: bool = False

    @property
    def is_digital(self) -> bool:
        """Whether the event is online behaviour where nothing else says so."""
        return self.channel in DIGITAL_CHANNELS


def _entries(
    category: EventCategory, names: str, channel: Channel = Channel.WEB, *, signals: bool = False, fixed: bool = False
) -> list[CatalogueEntry]:
    return [CatalogueEntry(name.strip(), category, channel, signals, fixed) for name in names.split("|")]


_ALL: Final = (
    *_entries(EventCategory.BROWSING, "Page Viewed|Product Impression|Category Viewed"),
    *_entries(EventCategory.BROWSING, "Screen Viewed", Channel.APP, fixed=True),
    *_entries(
        EventCategory.BROWSING,
        "Products Searched|Product List Viewed|Product List Filtered|Product Clicked|Product Viewed|Product Shared",
        signals=True,
    ),
    *_entries(EventCategory.BROWSING, "Product Scanned", Channel.STORE, signals=True, fixed=True),
    *_entries(EventCategory.PROMOTION, "Promotion Viewed"),
    *_entries(EventCategory.PROMOTION, "Promotion Clicked", signals=True),
    *_entries(EventCategory.CART, "Product Removed"),
    *_entries(EventCategory.CART, "Product Added|Cart Viewed|Cart Shared|Wishlist Product Added to Cart", signals=True),
    *_entries(
        EventCategory.CHECKOUT,
        "Checkout Started|Checkout Step Viewed|Checkout Step Completed|Payment Info Entered",
        signals=True,
    ),
    *_entries(EventCategory.ORDER, "Order Completed|Order Updated|Order Cancelled|Order Refunded"),
    *_entries(EventCategory.COUPON, "Coupon Entered|Coupon Applied", signals=True),
    *_entries(EventCategory.COUPON, "Coupon Denied|Coupon Removed"),
    *_entries(EventCategory.WISHLIST, "Product Added to Wishlist", signals=True),
    *_entries(EventCategory.WISHLIST, "Product Removed from Wishlist"),
    *_entries(EventCategory.REVIEW, "Product Reviewed"),
    *_entries(
        EventCategory.MESSAGE, "Email Sent|Email Delivered|Email Opened|Email Bounced", Channel.EMAIL, fixed=True
    ),
    *_entries(EventCategory.MESSAGE, "Email Link Clicked", Channel.EMAIL, signals=True, fixed=True),
    *_entries(EventCategory.CONSENT, "Email Unsubscribed|Email Marked as Spam", Channel.EMAIL, fixed=True),
    *_entries(EventCategory.MESSAGE, "SMS Sent|SMS Delivered|SMS Bounced", Channel.SMS, fixed=True),
    *_entries(EventCategory.MESSAGE, "SMS Link Clicked", Channel.SMS, signals=True, fixed=True),
    *_entries(EventCategory.CONSENT, "SMS Unsubscribed", Channel.SMS, fixed=True),
    *_entries(EventCategory.MESSAGE, "Push Notification Received|Push Notification Bounced", Channel.APP, fixed=True),
    *_entries(EventCategory.MESSAGE, "Push Notification Tapped", Channel.APP, signals=True, fixed=True),
    *_entries(EventCategory.MESSAGE, "Ad Viewed", Channel.ADS, fixed=True),
    *_entries(EventCategory.MESSAGE, "Ad Clicked", Channel.ADS, signals=True, fixed=True),
    *_entries(
        EventCategory.APP,
        "App Installed|App Opened|App Updated|App Backgrounded|App Crashed|App Uninstalled|Deep Link Opened",
        Channel.APP,
        fixed=True,
    ),
    *_entries(EventCategory.STORE, "Store Entered|Store Event Attended", Channel.STORE, signals=True, fixed=True),
    *_entries(EventCategory.STORE, "Store Exited", Channel.STORE, fixed=True),
    *_entries(EventCategory.STORE, "Store Event Registered", signals=True),
    *_entries(EventCategory.APPOINTMENT, "Appointment Booked", Channel.STORE, signals=True),
    *_entries(EventCategory.APPOINTMENT, "Appointment Kept", Channel.STORE, signals=True, fixed=True),
    *_entries(EventCategory.APPOINTMENT, "Appointment Missed|Appointment Cancelled", Channel.STORE, fixed=True),
    *_entries(
        EventCategory.SERVICE,
        "Support Case Opened|Support Case Updated|Support Case Closed|Live Chat Conversation Started|"
        "Live Chat Conversation Ended|Live Chat Message Sent|Live Chat Message Received",
        Channel.SERVICE,
        fixed=True,
    ),
    *_entries(EventCategory.SERVICE, "Support Article Viewed"),
    *_entries(EventCategory.LOYALTY, "Loyalty Enrolled|Loyalty Tier Changed"),
    *_entries(EventCategory.CONSENT, "Segment Consent Preference Updated"),
    *_entries(EventCategory.ACCOUNT, "Signed Up|Signed In|Signed Out"),
)

_ALIASES: Final = {
    "Viewed Product": "Product Viewed",
    "Viewed Product Category": "Product List Viewed",
    "Clicked Product": "Product Clicked",
    "Added Product": "Product Added",
    "Added to Cart": "Product Added",
    "Removed Product": "Product Removed",
    "Searched Products": "Products Searched",
    "Viewed Promotion": "Promotion Viewed",
    "Clicked Promotion": "Promotion Clicked",
    "Started Checkout": "Checkout Started",
    "Completed Order": "Order Completed",
    "Updated Order": "Order Updated",
    "Cancelled Order": "Order Cancelled",
    "Canceled Order": "Order Cancelled",
    "Order Canceled": "Order Cancelled",
    "Refunded Order": "Order Refunded",
    "Added Product to Wishlist": "Product Added to Wishlist",
    "Application Installed": "App Installed",
    "Application Opened": "App Opened",
    "Application Updated": "App Updated",
    "Application Backgrounded": "App Backgrounded",
    "Application Crashed": "App Crashed",
    "Application Uninstalled": "App Uninstalled",
    "Unsubscribed": "Email Unsubscribed",
    "Segment Consent Preference": "Segment Consent Preference Updated",
}
"""Older names of the same specifications and their spellings, read as today's."""


def fold_event_name(name: str) -> str:
    """The form in which names are compared: `product_added` and `Product  Added` are one event."""
    return " ".join(name.replace("_", " ").casefold().split())


CATALOGUE: Final = {entry.name: entry for entry in _ALL}
_BY_FOLDED: Final = {
    **{fold_event_name(alias): CATALOGUE[name] for alias, name in _ALIASES.items()},
    **{fold_event_name(name): entry for name, entry in CATALOGUE.items()},
}


def entry_for(name: str) -> CatalogueEntry | None:
    """The catalogue's entry for a name in any of its spellings; None for an event we do not know."""
    return CATALOGUE.get(name) or _BY_FOLDED.get(fold_event_name(name))
