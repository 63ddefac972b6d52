"""The other documents of the feed: associates, stock, products, cards and settings; plays and offers live in `plays/`.

Ids are `<kind>/<key>`. Scope `all` carries product, available, play, offer, calendar, card_key, receipt_key,
card_cancelled, setting, store, lift, template, library; a store's scope carries profile, associate, stock, follow_up,
hold, appointment, feedback, device, figures, tasks.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from shared.profile import Money

MANAGER: Final = "manager"
"""The role of an associate who answers for a store."""
LOCK_AFTER_MIN: Final = 2
"""Minutes without a touch after which a tablet's screen is locked, where the chain sets no other (`setting/tablet`)."""


class Document(BaseModel):
    """Base of the documents: frozen, unknown fields ignored by the tablet."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class AssociateDocument(Document):
    """Who may sign in at a store. `pin_hash` (argon2) never leaves the tablet's encrypted database; `pin_set_at` is
    when it was set, for a tablet that set one itself meanwhile."""

    associate_id: str
    name: str
    role: str = "associate"
    pin_hash: str | None = None
    pin_set_at: str | None = None
    is_disabled: bool = False


class StockDocument(Document):
    """`stock/<sku>`: what this store has and where."""

    sku: str
    quantity: int
    aisle: str | None = None
    as_of: str | None = None


class ProductDocument(Document):
    """`product/<sku>`: price per currency in minor units; `image` is a picture's file name or sha."""

    sku: str
    title: str
    category: str | None = None
    brand: str | None = None
    gtin: str | None = None
    prices: list[Money] = []
    image: str | None = None
    sizes: list[str] = []

    def price_in(self, currency: str) -> Money | None:
        """The price in a currency, None where the product is not sold in it."""
        return next((price for price in self.prices if price.currency == currency), None)


class AvailableDocument(Document):
    """`available/<sku>` in scope all: the codes of the stores whose last count found some, in order. It changes only
    when a store's shelf gets empty or full again, so that counting costs the other stores nothing."""

    sku: str
    stores: list[str] = []


class StoreDocument(Document):
    """`store/<code>` in scope all: what a tablet needs of its own store and the near ones."""

    code: str
    name: str
    currency: str
    timezone: str
    country: str | None = None
    lat_e6: int | None = None
    lon_e6: int | None = None
    hours: dict[str, Any] = {}


class DeviceDocument(Document):
    """`device/<device_id>` in its store's scope: `parked` lists the device's ops HQ holds but could not apply, `erased`
    those of the last 400 days about shoppers who were erased."""

    name: str
    parked: list[str] = []
    erased: list[str] = []
    unsent: int | None = None


class CardKeyDocument(Document):
    """`card_key/<kid>`: public key that verifies loyalty cards, base64."""

    kid: int
    public_key: str


class ReceiptKeyDocument(Document):
    """`receipt_key/<kid>`: public key that verifies receipts, base64."""

    kid: str
    public_key: str


class CardCancelledDocument(Document):
    """`card_cancelled/<card id>`: a card that no longer counts."""

    card_id: str
    at: str
