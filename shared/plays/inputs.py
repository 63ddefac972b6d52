"""What a rule sees, on both sides and nothing else: profile document, the store's stock, products, settings, now.

`EvaluationInputs` is frozen; its `view` is the same profile prepared once for all plays: times as UTC seconds, events
by name, newest first. Lines later than `now` are not seen, so a replay at an earlier time sees what was known then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.clock import local_time, seconds_of
from shared.lifecycle import StageDecision, decide_stage
from shared.plays.catalogue import ORDER_COMPLETED
from shared.plays.refusal import fold_text
from shared.plays.settings import PlaySettings
from shared.profile import Money, OutcomeLine, ProductLine, Profile, RecentEvent, WantedLine

fold: Final = lru_cache(maxsize=8192)(fold_text)
"""Folding with a memory: a chain's categories, brands and skus are few."""

TimedEvent = tuple[int, RecentEvent]
TimedOutcome = tuple[int, OutcomeLine]


@dataclass(frozen=True, slots=True)
class StockLevel:
    """What this store has of a sku, and where it lies."""

    quantity: int
    aisle: str | None = None


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What the catalogue says of a sku; `price` in the store's currency."""

    title: str
    category: str | None = None
    brand: str | None = None
    price: Money | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """The store the card is opened in. `timezone` is an IANA name; an unknown one is read as UTC."""

    code: str
    timezone: str
    currency: str
    region: str | None = None


@dataclass(frozen=True, slots=True)
class EvaluationInputs:
    """Everything an evaluation may look at. `now_s` is whole UTC seconds since 1970."""

    profile: Profile
    stock: Mapping[str, StockLevel]
    products: Mapping[str, ProductFacts]
    store: StoreFacts
    now_s: int
    settings: PlaySettings
    view: ShopperView = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "view", ShopperView(self))


class ShopperView:
    """A profile prepared for many rules: built once per evaluation, never changed afterwards."""

    __slots__ = ("claims", "events", "inputs", "outcomes", "stage", "zone")

    def __init__(self, inputs: EvaluationInputs) -> None:
        profile, now_s = inputs.profile, inputs.now_s
        self.inputs = inputs
        self.zone = zone_of(inputs.store.timezone)
        self.stage: StageDecision = decide_stage(profile.facts, now_s, inputs.settings.stages)
        self.events: dict[str, list[TimedEvent]] = _events_by_name(profile.recent, now_s)
        self.outcomes: list[TimedOutcome] = _outcomes(profile.outcomes, now_s)
        self.claims: list[TimedEvent] = _claims(self.outcomes, profile.products, now_s)

    def lines(self, names: tuple[str, ...], *, counts_claims: bool = False) -> list[TimedEvent]:
        """Event lines of these names, newest first; with `counts_claims` a claim *bought* is an order too."""
        found = [self.events[name] for name in names if name in self.events]
        if counts_claims and self.claims and ORDER_COMPLETED in names:
            found.append(self.claims)
        if len(found) == 1:
            return found[0]
        return sorted((line for lines in found for line in lines), key=_at, reverse=True)

    def last_known(self, name: str, *, counts_claims: bool = False) -> int | None:
        """When an event last happened at or before now, over the whole retention; None when never."""
        times = [lines[0][0]] if (lines := self.events.get(name)) else []
        profile = self.inputs.profile
        known: list[str | None] = []
        if (seen := profile.seen.get(name)) is not None:
            known += (seen.first_at, seen.last_at)
        if name == ORDER_COMPLETED:
            known += (profile.facts.first_order_at, profile.facts.last_order_at)
            times += [at_s for at_s, _ in self.claims[:1] if counts_claims]
        times += [at_s for at in known if at and (at_s := seconds_of(at)) is not None and at_s <= self.inputs.now_s]
        return max(times, default=None)

    def wanted(self, lines: list[WantedLine]) -> list[tuple[int, WantedLine]]:
        """Cart or wishlist lines with their time, newest first."""
        timed = [(at_s, line) for line in lines if (at_s := seconds_of(line.at)) is not None]
        return sorted((pair for pair in timed if pair[0] <= self.inputs.now_s), key=_at, reverse=True)

    def category_of(self, line: RecentEvent | WantedLine) -> str | None:
        """The folded category of a line: its own, else the catalogue's."""
        if line.category is not None:
            return fold(line.category)
        product = self.inputs.products.get(line.sku) if line.sku else None
        return fold(product.category) if product is not None and product.category else None

    def title_of(self, line: RecentEvent | WantedLine) -> str | None:
        """The name a person knows: the catalogue's, else the line's own."""
        product = self.inputs.products.get(line.sku) if line.sku else None
        return product.title if product is not None else line.title

    def local_day(self, at_s: int) -> dt.date:
        """The date in the store's time zone; the first and the last day of all hold what lies beyond."""
        return local_time(at_s, self.zone).date()


def _at(pair: tuple[int, object]) -> int:
    return pair[0]


def _events_by_name(recent: list[RecentEvent], now_s: int) -> dict[str, list[TimedEvent]]:
    timed = [(at_s, line) for line in recent if (at_s := seconds_of(line.at)) is not None and at_s <= now_s]
    timed.sort(key=_at, reverse=True)
    by_name: dict[str, list[TimedEvent]] = {}
    for pair in timed:
        by_name.setdefault(pair[1].event, []).append(pair)
    return by_name


def _outcomes(outcomes: list[OutcomeLine], now_s: int) -> list[TimedOutcome]:
    timed = [(at_s, line) for line in outcomes if (at_s := seconds_of(line.at)) is not None and at_s <= now_s]
    timed.sort(key=_at, reverse=True)
    return timed


def _claims(outcomes: list[TimedOutcome], products: list[ProductLine], now_s: int) -> list[TimedEvent]:
    """What associates saw being bought, by a play or without one, newest first."""
    claims = [_as_order(at_s, line) for at_s, line in outcomes if line.outcome == "bought"]
    if products:
        timed = [(seconds_of(line.at), line) for line in products if line.what == "bought"]
        claims += [_as_order(at_s, line) for at_s, line in timed if at_s is not None and at_s <= now_s]
        claims.sort(key=_at, reverse=True)
    return claims


def _as_order(at_s: int, line: OutcomeLine | ProductLine) -> TimedEvent:
    return at_s, RecentEvent(at=line.at, channel="pos", event=ORDER_COMPLETED, sku=line.sku, order_id=line.op_id)


@lru_cache(maxsize=64)
def zone_of(name: str) -> dt.tzinfo:
    """The time zone of a store; UTC when the name is unknown on this machine."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return dt.UTC
