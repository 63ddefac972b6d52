"""One shopper's diary: notes what happened and spells it as messages of the Segment tracking API.

Conventions: `context.channel` is web, app, email, pos, store or service; what happened at a till or in a shop carries
`context.store`; money is decimal text, revenue is without shipping and tax; no `sentAt`, so that the stated time counts
(an import). Everybody has a `userId` (the web shop's account number); the loyalty number travels as a trait.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any, Final
from uuid import UUID

from shared.clock import seconds_at
from sync_server.demo.assets import DemoCampaign, DemoProduct, DemoStore
from sync_server.demo.moments import utc_day
from sync_server.demo.people import DemoShopper

Message = dict[str, Any]

WORDING_VERSION: Final = "1"
_FREE_SHIPPING_MINOR: Final = 6_000
_SHIPPING_MINOR: Final = 495
_MEMBER_SAVES_PERCENT: Final = 15


@dataclass(frozen=True, slots=True)
class Bought:
    """An order as it was placed, for what may follow it. Amounts are minor units; `net_minor` is without tax."""

    order_id: str
    at_s: int
    store: DemoStore | None
    lines: tuple[DemoProduct, ...]
    gross_minor: int
    net_minor: int


class Diary:
    """Collects what one shopper does; `messages()` spells it in order of time.

    Times are UTC seconds. `stem` begins every message id; ids are numbered by time, so the same history always has the
    same ids.
    """

    def __init__(self, shopper: DemoShopper, stem: str, rng: Random) -> None:
        self.shopper = shopper
        self.currency = shopper.store.currency
        self.orders: list[Bought] = []
        self._stem = stem
        self._device = str(UUID(int=Random(f"device/{shopper.index}").getrandbits(128), version=4))
        self._rng = rng
        self._notes: list[tuple[int, Message]] = []

    def messages(self) -> list[Message]:
        """All that was noted, oldest first."""
        self._notes.sort(key=lambda note: note[0])
        return [self._spelled(number, at_s, said) for number, (at_s, said) in enumerate(self._notes)]

    def _spelled(self, number: int, at_s: int, said: Message) -> Message:
        who = {"userId": self.shopper.account_id, "originalTimestamp": seconds_at(at_s)}
        if said["context"]["channel"] in ("web", "app"):
            who["anonymousId"] = self._device
        return {"messageId": f"{self._stem}-{number:04d}", **who, **said}

    def track(self, at_s: int, channel: str, event: str, properties: Mapping[str, Any], **context: Any) -> None:
        """Note one event; `context` is what stands beside its channel."""
        said = {"type": "track", "event": event, "properties": properties, "context": {"channel": channel, **context}}
        self._notes.append((at_s, said))

    def identify(self, at_s: int, channel: str, traits: Mapping[str, Any], **context: Any) -> None:
        """Note who the shopper says to be."""
        said = {"type": "identify", "traits": traits, "context": {"channel": channel, **context}}
        self._notes.append((at_s, said))

    # online ------------------------------------------------------------------------------------------------------

    def online_channel(self) -> str:
        """Web, or the app for about half of what those who have it do."""
        return "app" if self.shopper.has_app and self._rng.random() < 0.55 else "web"

    def touch(self, at_s: int, event: str, product: DemoProduct, cart_id: str | None = None) -> None:
        """Viewed, added, removed, wished for: any event about one product."""
        shown = product_properties(product, self.currency)
        in_cart = {**shown, "quantity": 1, "cart_id": cart_id} if cart_id else shown
        self.track(at_s, self.online_channel(), event, in_cart)

    def search(self, at_s: int, query: str) -> None:
        """Searched the web shop."""
        self.track(at_s, self.online_channel(), "Products Searched", {"query": query})

    def start_checkout(self, at_s: int, lines: Sequence[DemoProduct], cart_id: str) -> None:
        """Went to the web shop's checkout."""
        listed = [order_line(product, self.currency) for product in lines]
        told = {"cart_id": cart_id, "currency": self.currency, "products": listed}
        self.track(at_s, self.online_channel(), "Checkout Started", told)

    # orders ------------------------------------------------------------------------------------------------------

    def buy(
        self,
        at_s: int,
        lines: Iterable[DemoProduct],
        *,
        store: DemoStore | None = None,
        cart_id: str | None = None,
        offer_id: str | None = None,
    ) -> Bought:
        """An order, at a till (`store`) or in the web shop."""
        bought = self._priced(at_s, tuple(lines), store, is_reduced=offer_id is not None)
        told = self._order_properties(bought, is_reduced=offer_id is not None)
        told |= {"cart_id": cart_id} if cart_id else {}
        told |= {"coupon": offer_id, "offer_id": offer_id} if offer_id else {}
        self._at_counter(at_s, "Order Completed", told, store)
        self.orders.append(bought)
        return bought

    def _priced(
        self, at_s: int, lines: tuple[DemoProduct, ...], store: DemoStore | None, *, is_reduced: bool
    ) -> Bought:
        number, shopper = len(self.orders) + 1, self.shopper
        full_minor = sum(product.price_minor[self.currency] for product in lines)
        gross_minor = full_minor * (100 - _MEMBER_SAVES_PERCENT * is_reduced) // 100
        receipt = f"{store.code}-{utc_day(at_s):%y%m%d}-{shopper.index:05d}{number}" if store else ""
        order_id = receipt or f"W-{shopper.account_id}-{number}"
        net_minor = without_vat(gross_minor, (store or shopper.store).vat_per_mille)
        return Bought(order_id, at_s, store, lines, gross_minor, net_minor)

    def _order_properties(self, bought: Bought, *, is_reduced: bool) -> Message:
        is_posted = bought.store is None and bought.gross_minor < _FREE_SHIPPING_MINOR
        shipping_minor = _SHIPPING_MINOR if is_posted else 0
        full_minor = sum(product.price_minor[self.currency] for product in bought.lines)
        told = {
            "order_id": bought.order_id,
            "currency": self.currency,
            "revenue": decimal_text(bought.net_minor),
            "tax": decimal_text(bought.gross_minor - bought.net_minor),
            "shipping": decimal_text(shipping_minor),
            "total": decimal_text(bought.gross_minor + shipping_minor),
            "products": [self._sized(product) for product in bought.lines],
        }
        return {**told, "discount": decimal_text(full_minor - bought.gross_minor)} if is_reduced else told

    def _sized(self, product: DemoProduct) -> Message:
        """A line in the shopper's own size, the same in every order."""
        line = order_line(product, self.currency)
        place = (self.shopper.index * 37 + 29) % 100 * len(product.sizes) // 100
        return {**line, "variant": product.sizes[place]} if product.sizes else line

    def send_back(self, at_s: int, bought: Bought, *, store: DemoStore | None) -> None:
        """A refund: the first line of the order, or all of it when there is just one."""
        part_minor = bought.gross_minor
        if len(bought.lines) > 1:
            full_minor = sum(product.price_minor[self.currency] for product in bought.lines)
            part_minor = bought.gross_minor * bought.lines[0].price_minor[self.currency] // full_minor
        net_minor = without_vat(part_minor, (bought.store or self.shopper.store).vat_per_mille)
        told = {
            "order_id": bought.order_id,
            "currency": self.currency,
            "revenue": decimal_text(net_minor),
            "total": decimal_text(part_minor),
            "products": [order_line(bought.lines[0], self.currency)],
        }
        self._at_counter(at_s, "Order Refunded", told, store)

    def _at_counter(self, at_s: int, event: str, told: Message, store: DemoStore | None) -> None:
        if store is None:
            self.track(at_s, self.online_channel(), event, told)
        else:
            card = {"loyalty_id": self.shopper.loyalty_id}
            self.track(at_s, "pos", event, {**told, "affiliation": store.code}, store=store.code, traits=card)

    # who and what else -------------------------------------------------------------------------------------------

    def sign_up(self, at_s: int) -> None:
        """Opened an account in the web shop."""
        shopper, home = self.shopper, self.shopper.postcode
        told = {
            "email": shopper.email,
            "phone": shopper.phone,
            "firstName": shopper.given_name,
            "lastName": shopper.family_name,
            "birthday": shopper.birth_on,
            "language": shopper.language,
            "address": {"postalCode": home.postcode, "city": home.place, "country": home.country},
        }
        self.identify(at_s, "web", {name: value for name, value in told.items() if value is not None})

    def enrol(self, at_s: int) -> None:
        """Became a member at the counter of the home store."""
        store, shopper = self.shopper.store, self.shopper
        told = {"loyalty_id": shopper.loyalty_id, "store": store.code}
        self.track(at_s, "pos", "Loyalty Enrolled", told, store=store.code, traits={"loyalty_id": shopper.loyalty_id})

    def state_membership(self, at_s: int, tier: str, points: int) -> None:
        """What the till knows of the member; tier and points come from there alone."""
        shopper = self.shopper
        told = {"loyalty_id": shopper.loyalty_id, "tier": tier, "points": points, "home_store": shopper.store.code}
        self.identify(at_s, "pos", told, store=shopper.store.code)

    def decide_consent(self, at_s: int, decided: Mapping[str, bool], *, is_in_store: bool) -> None:
        """Said yes or no to each purpose, on paper in the store or in the web shop."""
        asked = {"wording_version": WORDING_VERSION, "language": self.shopper.language}
        asked["method"] = "paper" if is_in_store else "web"
        where = {"store": self.shopper.store.code} if is_in_store else {}
        said = {"categoryPreferences": dict(decided)}
        channel = "store" if is_in_store else "web"
        self.track(at_s, channel, "Segment Consent Preference Updated", asked, consent=said, **where)

    def mail(self, at_s: int, event: str, campaign: DemoCampaign) -> None:
        """Something that became of a marketing e-mail: `Email Delivered`, `Email Opened`, `Email Link Clicked`."""
        told = {"email_id": f"{campaign.id}-{self.shopper.account_id}", "email_subject": campaign.subject}
        told |= {"campaign_id": campaign.id, "campaign_name": campaign.subject}
        told |= {"offer_id": campaign.offer_id} if campaign.offer_id else {}
        told |= {"link_url": f"https://shop.example/{campaign.id}"} if event == "Email Link Clicked" else {}
        self.track(at_s, "email", event, told, traits={"email": self.shopper.email})

    def open_case(self, at_s: int, subject: str, product: DemoProduct, due_on: str) -> str:
        """Asked the service for help; gives the case's id."""
        case_id = f"S-{self.shopper.account_id}-{at_s % 100_000:05d}"
        told = {"case_id": case_id, "subject": subject, "sku": product.sku, "due_on": due_on}
        self.track(at_s, "service", "Support Case Opened", told)
        return case_id

    def close_case(self, at_s: int, case_id: str) -> None:
        """The service found an answer."""
        self.track(at_s, "service", "Support Case Closed", {"case_id": case_id, "resolution": "solved"})


def decimal_text(minor: int) -> str:
    """Minor units as decimal text: 8900 -> `89.00`. Both currencies of the chain have two decimals."""
    return f"{minor // 100}.{minor % 100:02d}"


def without_vat(gross_minor: int, vat_per_mille: int) -> int:
    """The part of a shelf price that is not tax, rounded half up."""
    return (gross_minor * 2_000 + 1_000 + vat_per_mille) // (2 * (1_000 + vat_per_mille))


@lru_cache(maxsize=2048)
def _product_texts(sku: str, product: tuple[str, ...], price_minor: int, currency: str) -> Message:
    title, category, brand, picture = product
    named = {"product_id": sku, "sku": sku, "name": title, "category": category, "brand": brand}
    return {**named, "price": decimal_text(price_minor), "currency": currency, "image": picture}


def product_properties(product: DemoProduct, currency: str) -> Message:
    """A product as an event about it shows it. The dictionary is shared: never change it."""
    texts = (product.title, product.category, product.brand, product.picture)
    return _product_texts(product.sku, texts, product.price_minor[currency], currency)


def order_line(product: DemoProduct, currency: str) -> Message:
    """A product as a line of an order or cart."""
    return {**product_properties(product, currency), "quantity": 1}
