"""What is planted in the demo chain: shares, rates and the distance effect, as constants a test holds the result to.

Every figure of the demo that a report should find again is here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STAGE_SHARES: Final = {"prospect": 0.18, "new": 0.12, "active": 0.35, "lapsing": 0.20, "win_back": 0.15}
"""Share of shoppers in each lifecycle stage, by the default settings (60, 90 and 365 days)."""

RETURNER_SHARE: Final = 0.04  # of all shoppers; each has two or three refunds within 90 days
REFUND_SHARE: Final = 0.08  # of all orders, the frequent returners' among them
REFUND_RATE_OF_OTHERS: Final = 0.04

NO_PERSONALISE_SHARE: Final = 0.15
CONSENT_RATES: Final = {"profiling": 0.80, "analytics": 0.86, "email": 0.70, "sms": 0.24, "phone": 0.14}
NEVER_ASKED_RATE: Final = 0.30  # of those without personalise_in_store: no decision at all, which counts as denied

OPEN_ISSUE_SHARE: Final = 0.05
CLOSED_ISSUE_SHARE: Final = 0.05
HAS_APP_RATE: Final = 0.45
HAS_CARD_RATE: Final = 0.95  # the rest know the web shop only
HAS_PHONE_RATE: Final = 0.80
HAS_BIRTHDAY_RATE: Final = 0.75
OPEN_RATE: Final = 0.42  # of e-mails delivered
CLICK_RATE: Final = 0.22  # of e-mails opened
COUPON_RATE: Final = 0.10  # of orders in the weeks of an offer

URBAN_MAX_M: Final = 3_000
URBAN_SHARE: Final = 0.45

FAMILY_EVERY: Final = 200  # in each row of so many shoppers a family of four and a couple share a phone
FAMILY: Final = range(60, 64)
COUPLE: Final = range(140, 142)


@dataclass(frozen=True, slots=True)
class DistanceBand:
    """What living this far from the home store does to a cart that was left for more than a day, and to orders.

    `cart_to_store` and `cart_to_web` are the shares of such carts bought there within 14 days; `order_in_store` is
    the share of all orders made at a till; `lines_max` says how many things a cart holds, for it is a list in town.
    """

    up_to_m: int
    cart_to_store: float
    cart_to_web: float
    order_in_store: float
    lines_max: int


DISTANCE_BANDS: Final = (
    DistanceBand(2_000, 0.40, 0.08, 0.72, 4),
    DistanceBand(5_000, 0.30, 0.12, 0.62, 3),
    DistanceBand(15_000, 0.17, 0.22, 0.42, 2),
    DistanceBand(40_000, 0.08, 0.32, 0.22, 2),
    DistanceBand(10**9, 0.04, 0.36, 0.10, 2),
)
CART_BEFORE_STORE_ORDER: Final = 0.30  # share of till orders that were in a web cart before


def band_for(metres: int) -> DistanceBand:
    """The band a distance falls in."""
    return next(band for band in DISTANCE_BANDS if metres <= band.up_to_m)


def cart_before_web_order(band: DistanceBand) -> float:
    """Share of web orders that lay in the cart for more than a day, so that both rates of the band come out."""
    in_store = band.order_in_store * CART_BEFORE_STORE_ORDER
    return in_store / (1 - band.order_in_store) * band.cart_to_web / band.cart_to_store


def carts_left_per_order(band: DistanceBand) -> float:
    """Carts left for good for each order, so that both rates of the band come out."""
    bought = band.order_in_store * CART_BEFORE_STORE_ORDER / band.cart_to_store
    return bought * (1 - band.cart_to_store - band.cart_to_web)
