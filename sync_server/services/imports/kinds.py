"""What can be imported: the kinds with their fields, and how a file of one is read. Data and its checks, no reading."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, field_validator

WHO: Final = ("loyalty_id", "customer_id", "email", "phone")
_NAME: Final = ("given_name", "family_name", "birth_on", "language", "postcode", "country")
FIELDS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "stores": (("code", "name"), ("currency", "timezone", "country", "region", "lat", "lon", "hours")),
    "associates": (("store", "name"), ("role", "pin", "associate_id")),
    "postcodes": (("country", "postcode", "lat", "lon"), ()),
    "products": (("sku", "title"), ("category", "brand", "gtin", "price", "currency", "image", "sizes")),
    "stock": (("store", "sku", "quantity"), ("aisle",)),
    "rates": (("day", "currency", "rate"), ()),
    "traffic": (("store", "visitors"), ("date", "hour", "at")),
    "shoppers": ((), (*WHO, "phone_verified", *_NAME, "tier", "points", "home_store", "at", "old_loyalty_ids")),
    "consents": (("purpose", "decision", "at"), (*WHO, "wording_version", "method", "proof")),
    "orders": (
        ("order_id", "at"),
        (
            *(*WHO, "sku", "title", "category", "quantity", "price", "total", "subtotal", "currency", "store"),
            *("coupon", "country", "payment_status", "refunded"),
        ),
    ),
    "service": (("case_id", "state", "at"), (*WHO, "title", "due_on")),
    "events": ((), ()),
}
"""Kind -> (fields it must have, fields it may have). In this order a chain is set up, and a drop is taken."""

_CONSTANTS: Final = frozenset({"currency", "store", "purpose", "at"})


class ImportMapping(BaseModel):
    """How to read a file of one kind.

    `dates` are strptime forms tried in turn (ISO 8601 always is), `timezone` is meant where a time says none,
    `refund_prefix` marks the numbers of orders that were taken back, `empty` are the texts that mean nothing.
    `currency`, `store`, `purpose` and `at` hold for every row that does not say its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, str]
    dates: tuple[str, ...] = ()
    timezone: str | None = None
    decimal: Literal[".", ","] = "."
    currency: str | None = None
    store: str | None = None
    purpose: str | None = None
    at: str | None = None
    refund_prefix: str | None = None
    empty: tuple[str, ...] = ("", "NA", "N/A", "NULL", "null", "None")

    @field_validator("at", mode="before")
    @classmethod
    def _as_text(cls, said: Any) -> Any:
        """YAML makes a day of what looks like one."""
        return said.isoformat() if isinstance(said, date) else said

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, said: str | None) -> str | None:
        if said is not None:
            try:
                ZoneInfo(said)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise ValueError(f"{said!r} is no time zone such as Europe/Berlin") from None
        return said

    def constant(self, field: str) -> str | None:
        """What holds for every row that does not say its own."""
        said: str | None = getattr(self, field) if field in _CONSTANTS else None
        return said
