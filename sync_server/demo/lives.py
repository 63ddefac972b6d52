"""The year of an ordinary made-up shopper, from its habits: orders first, then what led to them, then the rest.

Rates and shares come from `patterns.py`. Everything is counted back from `now`; nothing lies in the future.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from random import Random
from typing import Final

from sync_server.demo.assets import DemoCampaign, DemoProduct, DemoStore, read_assets
from sync_server.demo.diary import Bought, Diary, Message
from sync_server.demo.moments import DAY_S, is_open, online_moment, till_moment, utc_day
from sync_server.demo.patterns import (
    CART_BEFORE_STORE_ORDER,
    CLICK_RATE,
    CLOSED_ISSUE_SHARE,
    COUPON_RATE,
    OPEN_RATE,
    REFUND_RATE_OF_OTHERS,
    band_for,
    cart_before_web_order,
    carts_left_per_order,
)
from sync_server.demo.people import DemoShopper

HOUR_S: Final = 3_600
_YEAR_DAYS: Final = 358
_CART_LIFE_DAYS: Final = 45  # what lies longer in a cart is mostly taken out again
_OTHER_STORE_RATE: Final = 0.12  # of till orders, where the town has another store
_RETURN_S_MIN: Final = 4 * DAY_S  # over a closed Sunday still after the purchase
_MAILED_RATE: Final = 0.55
_ISSUES: Final = (
    ("Zip repair", "jackets"),
    ("Sole coming loose", "hiking-boots"),
    ("Lamp does not charge", "headlamps"),
    ("Seam open", "tents"),
    ("Wrong size delivered", "trousers"),
    ("Parcel not arrived", "knitwear"),
    ("Buckle broken", "backpacks"),
    ("Leaking lid", "bottles"),
)


@dataclass(frozen=True, slots=True)
class _Order:
    """An order to come: when, how many days ago that is, and at which store (None = the web shop)."""

    at_s: int
    days_ago: float
    store: DemoStore | None


def live_a_year(shopper: DemoShopper, seed: int, now_s: int) -> list[Message]:
    """All messages about one shopper, oldest first."""
    rng = Random(f"{seed}/life/{shopper.index}")
    diary = Diary(shopper, f"demo-{seed}-{shopper.index:06d}", rng)
    life = _Life(shopper, diary, rng, now_s)
    life.live()
    return diary.messages()


class _Life:
    """One shopper's year being written: what is already bought and when carts were emptied."""

    def __init__(self, shopper: DemoShopper, diary: Diary, rng: Random, now_s: int) -> None:
        self.shopper, self.diary, self.rng, self.now_s = shopper, diary, rng, now_s
        self.band = band_for(shopper.distance_m)
        self.orders = self._plan_orders()
        self.emptied_s = [order.at_s for order in self.orders if order.store is None]
        self.taken: set[str] = set()

    def live(self) -> None:
        self._join()
        for order in self.orders:
            self._order(order)
        self._return_some()
        self._leave_carts()
        self._browse()
        self._be_mailed()
        self._need_service()
        self._drop_in()
        self._show_membership()

    # orders ------------------------------------------------------------------------------------------------------

    def _plan_orders(self) -> list[_Order]:
        days = sorted(_order_days(self.shopper, self.rng), reverse=True)
        return sorted((self._place(days_ago) for days_ago in days), key=lambda order: order.at_s)

    def _place(self, days_ago: float) -> _Order:
        share = self.band.order_in_store if self.shopper.has_card else 0.0
        if self.rng.random() >= share:
            return _Order(online_moment(self.rng, self.shopper.store, self.now_s, days_ago), days_ago, None)
        store = _other_store(self.shopper.store) if self.rng.random() < _OTHER_STORE_RATE else self.shopper.store
        return _Order(till_moment(self.rng, store, self.now_s, days_ago), days_ago, store)

    def _order(self, order: _Order) -> None:
        if order.store is not None:
            if self.rng.random() < CART_BEFORE_STORE_ORDER:
                lines = self._fill_cart(order.at_s, days_min=2.2, lines_max=self.band.lines_max)
                self._buy(order, lines[: self.rng.randint(1, 2)])
            else:
                self._buy(order, self._pick(self.rng.choices((1, 2, 3), (5, 3, 1))[0]))
        elif self.rng.random() < cart_before_web_order(self.band):
            lines = self._fill_cart(order.at_s, days_min=2.2, lines_max=2)
            self._check_out(order, lines)
        else:
            lines = self._fill_cart(order.at_s, days_min=0, lines_max=2)
            self._check_out(order, lines)

    def _check_out(self, order: _Order, lines: list[DemoProduct]) -> None:
        self.diary.start_checkout(order.at_s - 240, lines, self._cart_id(order.at_s))
        self._buy(order, lines)

    def _buy(self, order: _Order, lines: list[DemoProduct]) -> None:
        cart_id = self._cart_id(order.at_s) if order.store is None else None
        offer = next(
            (mail.offer_id for mail in _campaigns() if mail.offer_id and mail.sent_days_ago > order.days_ago), None
        )
        offer_id = offer if offer and self.rng.random() < COUPON_RATE else None
        self.diary.buy(order.at_s, lines, store=order.store, cart_id=cart_id, offer_id=offer_id)

    def _return_some(self) -> None:
        newest_first = self.diary.orders[::-1]
        sure = 2 + (self.rng.random() < 0.3) if self.shopper.is_returner else 0
        for place, bought in enumerate(newest_first):
            if place >= sure and self.rng.random() >= REFUND_RATE_OF_OTHERS:
                continue
            room_s = self.now_s - HOUR_S - bought.at_s
            if room_s > _RETURN_S_MIN:
                self._return(bought, bought.at_s + self.rng.randint(_RETURN_S_MIN, min(14 * DAY_S, room_s)))

    def _return(self, bought: Bought, at_s: int) -> None:
        """Bring it back where it was bought: at the till in opening hours, or by post."""
        if bought.store is not None:
            at_s = till_moment(self.rng, bought.store, self.now_s, (self.now_s - at_s) / DAY_S)
        self.diary.send_back(at_s, bought, store=bought.store)

    # carts and browsing ------------------------------------------------------------------------------------------

    def _cart_id(self, at_s: int) -> str:
        """A cart lives until the next order in the web shop."""
        return f"K-{self.shopper.account_id}-{bisect_left(self.emptied_s, at_s)}"

    def _fill_cart(self, before_s: int, *, days_min: float, lines_max: int) -> list[DemoProduct]:
        """Put things into the cart `days_min` to 12 days before a moment; 0 means in the same half hour."""
        if days_min:
            days_ago = (self.now_s - before_s) / DAY_S + self.rng.uniform(days_min, 12)
            at_s = online_moment(self.rng, self.shopper.store, self.now_s, days_ago)
        else:
            at_s = before_s - self.rng.randint(600, 1_800)
        return self._add(at_s, self.rng.randint(1, lines_max))

    def _add(self, at_s: int, count: int) -> list[DemoProduct]:
        lines = self._pick(count)
        for place, product in enumerate(lines):
            self.diary.touch(at_s + 90 * place - 50, "Product Viewed", product)
            self.diary.touch(at_s + 90 * place, "Product Added", product, self._cart_id(at_s))
        return lines

    def _leave_carts(self) -> None:
        mean = carts_left_per_order(self.band) * len(self.orders) if self.orders else 0.55 * self.shopper.keenness
        for _ in range(_whole(self.rng, mean)):
            days_ago = 0.1 + 340 * self.rng.random() ** 2.4
            at_s = online_moment(self.rng, self.shopper.store, self.now_s, days_ago)
            lines = self._add(at_s, self.rng.randint(1, self.band.lines_max))
            if days_ago > _CART_LIFE_DAYS and self.rng.random() < 0.9:
                for product in lines:
                    away_s = at_s + round(self.rng.uniform(5, 40) * DAY_S)
                    self.diary.touch(away_s, "Product Removed", product, self._cart_id(at_s))

    def _browse(self) -> None:
        for _ in range(_whole(self.rng, 1.3 * self.shopper.keenness)):
            days_ago = 0.04 + 330 * self.rng.random() ** 2.2
            self._look_around(online_moment(self.rng, self.shopper.store, self.now_s, days_ago))

    def _look_around(self, at_s: int) -> None:
        category = self.rng.choice(self.shopper.categories)
        if self.rng.random() < 0.35:
            self.diary.search(at_s - 40, category.replace("-", " "))
        seen = self.rng.sample(_products_of(category), self.rng.choices((1, 2, 3, 4), (4, 4, 2, 1))[0])
        for place, product in enumerate(seen):
            self.diary.touch(at_s + 35 * place, "Product Viewed", product)
        if self.rng.random() < 0.3:
            self.diary.touch(at_s + 35 * len(seen), "Product Added to Wishlist", seen[-1])

    def _pick(self, count: int) -> list[DemoProduct]:
        """Products of favourite categories (mostly), never one that was bought or carted before."""
        picked: list[DemoProduct] = []
        while len(picked) < count:
            is_usual = self.rng.random() < 0.8 and len(self.taken) < 25
            shelf = _products_of(self.rng.choice(self.shopper.categories)) if is_usual else read_assets().products
            product = self.rng.choice(shelf)
            if product.sku not in self.taken or len(self.taken) > 200:
                self.taken.add(product.sku)
                picked.append(product)
        return picked

    # membership, e-mail, service, visits -------------------------------------------------------------------------

    def _join(self) -> None:
        shopper, rng = self.shopper, self.rng
        first_s = min((order.at_s for order in self.orders), default=None)
        if first_s is None:
            first_s = online_moment(rng, shopper.store, self.now_s, rng.uniform(2, 340))
        self.joined_s = first_s - rng.randint(2_000, 6_000)
        self.diary.sign_up(self.joined_s)
        if shopper.consents:
            self.diary.decide_consent(self.joined_s + 60, shopper.consents, is_in_store=rng.random() < 0.5)
        if shopper.has_card:
            self.diary.enrol(self.joined_s + 90)
        if shopper.has_app:
            self.diary.track(self.joined_s + 400, "app", "App Installed", {"version": "4.2"})

    def _show_membership(self) -> None:
        """The till states tier and points with the last order there, or at joining."""
        if not self.shopper.has_card:
            return
        at_s = max((order.at_s for order in self.orders if order.store), default=self.joined_s + 90)
        count, spent = len(self.orders), sum(bought.gross_minor for bought in self.diary.orders)
        tier = "Gold" if count >= 6 else "Silver" if count >= 3 else "Member"
        self.diary.state_membership(at_s + 5, tier, spent // 100)

    def _be_mailed(self) -> None:
        if not self.shopper.consents.get("email"):
            return
        for campaign in _campaigns():
            sent_s = self.now_s - campaign.sent_days_ago * DAY_S - self.shopper.index % 7_200
            if sent_s > self.joined_s and self.rng.random() < _MAILED_RATE:
                self._read_mail(campaign, sent_s)

    def _read_mail(self, campaign: DemoCampaign, sent_s: int) -> None:
        self.diary.mail(sent_s, "Email Delivered", campaign)
        opened_s = sent_s + self.rng.randint(600, 40 * HOUR_S)
        if self.rng.random() < OPEN_RATE:
            self.diary.mail(opened_s, "Email Opened", campaign)
            if self.rng.random() < CLICK_RATE:
                self.diary.mail(opened_s + 25, "Email Link Clicked", campaign)
                self.diary.touch(opened_s + 40, "Product Viewed", self._advertised(campaign))

    def _advertised(self, campaign: DemoCampaign) -> DemoProduct:
        return self.rng.choice(_products_of(self.rng.choice(campaign.categories)))

    def _need_service(self) -> None:
        rng = self.rng
        if self.shopper.has_open_issue:
            self._open_case(self.now_s - rng.randint(4 * HOUR_S, 12 * DAY_S))
        if rng.random() < CLOSED_ISSUE_SHARE:
            opened_s = self.now_s - rng.randint(20 * DAY_S, 300 * DAY_S)
            self.diary.close_case(opened_s + rng.randint(1, 9) * DAY_S, self._open_case(opened_s))

    def _open_case(self, at_s: int) -> str:
        subject, category = self.rng.choice(_ISSUES)
        due_on = utc_day(at_s) + timedelta(days=self.rng.randint(9, 16))
        return self.diary.open_case(at_s, subject, self.rng.choice(_products_of(category)), due_on.isoformat())

    def _drop_in(self) -> None:
        """A few who live near are in the store right now, if it is open."""
        shopper = self.shopper
        if not shopper.consents.get("personalise_in_store") or not shopper.is_urban or self.rng.random() >= 0.03:
            return
        at_s = self.now_s - self.rng.randint(120, 80 * 60)
        if is_open(shopper.store, at_s):
            self.diary.track(at_s, "store", "Store Entered", {"store": shopper.store.code}, store=shopper.store.code)


def _order_days(shopper: DemoShopper, rng: Random) -> Iterator[float]:
    """How many days ago the shopper ordered, so that the stage comes out as planned."""
    stage, more = shopper.stage, _whole(rng, _MORE_ORDERS.get(shopper.stage, 0) * shopper.keenness)
    if stage == "new":
        first = rng.uniform(2, 56)
        yield from (first, *(rng.uniform(0.3, first) for _ in range(min(more, 4))))
    elif stage == "active":
        yield from _active_days(shopper, rng, more)
    elif stage == "lapsing":
        last = rng.uniform(94, 300)
        yield from (last, *(rng.uniform(last, _YEAR_DAYS) for _ in range(more)))
    elif stage == "win_back":
        yield from (rng.uniform(369, 386) for _ in range(1 + min(more, 3)))


_MORE_ORDERS: Final = {"new": 0.3, "active": 2.1, "lapsing": 1.3, "win_back": 0.4}
"""Orders beyond the one that makes the stage, for a shopper of average keenness."""


def _active_days(shopper: DemoShopper, rng: Random, more: int) -> Iterator[float]:
    if shopper.is_returner:
        yield from (rng.uniform(18, 80) for _ in range(2 + rng.randint(0, 1)))
        yield rng.uniform(100, _YEAR_DAYS)
    elif more == 0:
        yield rng.uniform(66, 86)
    else:
        yield min(rng.uniform(0.3, 86), rng.uniform(0.3, 86))
        yield rng.uniform(66, _YEAR_DAYS)
        yield from (rng.uniform(2, _YEAR_DAYS) for _ in range(more - 1))


def _whole(rng: Random, mean: float) -> int:
    """A whole number around a mean (Poisson, by Knuth's product; means here stay far below 700)."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


@cache
def _products_of(category: str) -> tuple[DemoProduct, ...]:
    return tuple(product for product in read_assets().products if product.category == category)


@cache
def _campaigns() -> tuple[DemoCampaign, ...]:
    return read_assets().campaigns


@cache
def _sisters() -> dict[str, DemoStore]:
    """The other store of a town that has two."""
    stores = read_assets().stores
    towns: dict[str, list[DemoStore]] = {}
    for store in stores:
        towns.setdefault(store.code.rpartition("-")[0], []).append(store)
    return {store.code: other for town in towns.values() for store in town for other in town if other is not store}


def _other_store(store: DemoStore) -> DemoStore:
    return _sisters().get(store.code, store)
