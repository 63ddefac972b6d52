"""Hand-written shoppers: `assets/demo/showcase.yaml` told into a diary, so that the first cards are worth it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any, Final

from sync_server.demo.assets import DemoCampaign, DemoProduct, DemoStore, read_assets
from sync_server.demo.diary import Bought, Diary, Message
from sync_server.demo.moments import till_moment, utc_day
from sync_server.demo.people import DemoShopper

_UNIT_S: Final = {"d": 86_400, "h": 3_600, "m": 60}
_AGO: Final = re.compile(r"(\d+)([dhm])")
_MINUTE_S: Final = 60

Deed = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ShowcaseShopper:
    """A shopper worth scanning, with one sentence why."""

    loyalty_id: str
    name: str
    say: str


def tell_story(shopper: DemoShopper, seed: int, now_s: int) -> list[Message]:
    """All messages about one hand-written shopper, oldest first."""
    rng = Random(f"{seed}/life/{shopper.index}")
    diary = Diary(shopper, f"demo-{seed}-{shopper.index:06d}", rng)
    written = read_assets().showcase["shoppers"][shopper.index]
    _Story(shopper, diary, rng, now_s).tell(written)
    return diary.messages()


class _Story:
    """One story being told; remembers orders by the name the story gives them."""

    def __init__(self, shopper: DemoShopper, diary: Diary, rng: Random, now_s: int) -> None:
        self.shopper, self.diary, self.rng, self.now_s = shopper, diary, rng, now_s
        self.named: dict[str, Bought] = {}
        self.carts = 0

    def tell(self, written: Mapping[str, Any]) -> None:
        joined_s = till_moment(self.rng, self.shopper.store, self.now_s, _seconds(written["enrolled"]) / _UNIT_S["d"])
        self.diary.sign_up(joined_s)
        self.diary.decide_consent(joined_s + _MINUTE_S, self.shopper.consents, is_in_store=True)
        self.diary.enrol(joined_s + 90)
        self.diary.state_membership(joined_s + 95, written["tier"], written["points"])
        if self.shopper.has_app:
            self.diary.track(joined_s + 400, "app", "App Installed", {"version": "4.2"})
        for deed in written["story"]:
            _DEEDS[deed["do"]](self, deed, self._at(deed))

    def _at(self, deed: Deed) -> int:
        """When it was; what happened at a till is moved into opening hours, to that day or the open one before."""
        ago_s, store = _seconds(deed["ago"]), _store_of(deed)
        if store is None:
            return self.now_s - ago_s
        return till_moment(self.rng, store, self.now_s, ago_s / _UNIT_S["d"])

    def cart_id(self) -> str:
        """A cart lives until the next order in the web shop."""
        return f"K-{self.shopper.account_id}-{self.carts}"

    def touch(self, deed: Deed, at_s: int) -> None:
        is_cart = deed["do"] == "Product Added"
        self.diary.touch(at_s, deed["do"], _product(deed["sku"]), self.cart_id() if is_cart else None)

    def search(self, deed: Deed, at_s: int) -> None:
        self.diary.search(at_s, deed["query"])

    def check_out(self, deed: Deed, at_s: int) -> None:
        self.diary.start_checkout(at_s, [_product(deed["sku"])], self.cart_id())

    def buy(self, deed: Deed, at_s: int) -> None:
        store = _store_of(deed)
        cart_id = self.cart_id() if store is None else None
        bought = self.diary.buy(at_s, map(_product, deed["lines"]), store=store, cart_id=cart_id)
        self.carts += store is None
        self.named[deed.get("order", "")] = bought

    def send_back(self, deed: Deed, at_s: int) -> None:
        self.diary.send_back(at_s, self.named[deed["order"]], store=_store_of(deed))

    def mail(self, deed: Deed, at_s: int) -> None:
        self.diary.mail(at_s, deed["do"], _campaign(deed["campaign"]))

    def open_case(self, deed: Deed, at_s: int) -> None:
        due_on = utc_day(self.now_s) + timedelta(days=deed["due_in_days"])
        self.diary.open_case(at_s, deed["subject"], _product(deed["sku"]), due_on.isoformat())


_DEEDS: Final[Mapping[str, Callable[[_Story, Deed, int], None]]] = {
    **dict.fromkeys(("Product Viewed", "Product Added", "Product Added to Wishlist"), _Story.touch),
    **dict.fromkeys(("Email Delivered", "Email Opened", "Email Link Clicked"), _Story.mail),
    "Products Searched": _Story.search,
    "Checkout Started": _Story.check_out,
    "Order Completed": _Story.buy,
    "Order Refunded": _Story.send_back,
    "Support Case Opened": _Story.open_case,
}


def _seconds(ago: str) -> int:
    """`2d`, `50h`, `18m` -> seconds."""
    found = _AGO.fullmatch(ago)
    if found is None:
        raise ValueError(f"not a time ago such as 2d, 50h or 18m: {ago!r}")
    return int(found[1]) * _UNIT_S[found[2]]


def _store_of(deed: Deed) -> DemoStore | None:
    return next((store for store in read_assets().stores if store.code == deed.get("till")), None)


@cache
def _catalogue() -> dict[str, DemoProduct]:
    return {product.sku: product for product in read_assets().products}


def _product(sku: str) -> DemoProduct:
    return _catalogue()[sku]


def _campaign(campaign_id: str) -> DemoCampaign:
    return next(campaign for campaign in read_assets().campaigns if campaign.id == campaign_id)
