"""Who the made-up shoppers are: name, contact, home, habits and consents of the shopper with a given index.

A shopper depends on the seed and the index alone, never on how many others are generated or on `now`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any, Final

from sync_server.demo.assets import DemoAssets, DemoStore, Postcode, distance_m, read_assets
from sync_server.demo.numbers import account_number, loyalty_number, phone_number
from sync_server.demo.patterns import (
    CONSENT_RATES,
    COUPLE,
    FAMILY,
    FAMILY_EVERY,
    HAS_APP_RATE,
    HAS_BIRTHDAY_RATE,
    HAS_CARD_RATE,
    HAS_PHONE_RATE,
    NEVER_ASKED_RATE,
    NO_PERSONALISE_SHARE,
    OPEN_ISSUE_SHARE,
    RETURNER_SHARE,
    STAGE_SHARES,
    URBAN_MAX_M,
    URBAN_SHARE,
)

_DOMAINS: Final = ("example.com", "example.org", "example.net")
_FAR_M: Final = 45_000
_OLDEST_BORN: Final = date(1950, 1, 1)
_BORN_DAYS: Final = 57 * 365
_SPELLINGS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ı": "i", "ø": "o", "ł": "l"})


@dataclass(frozen=True, slots=True)
class DemoShopper:
    """One made-up shopper. `consents` holds only what was asked; `keenness` scales how much happens (about 1).

    `account_id` travels as `userId`; `loyalty_id` only where `has_card`.
    """

    index: int
    loyalty_id: str
    account_id: str
    given_name: str
    family_name: str
    email: str
    phone: str | None
    birth_on: str | None
    language: str
    postcode: Postcode
    distance_m: int
    store: DemoStore
    stage: str
    is_returner: bool
    has_card: bool
    has_app: bool
    has_open_issue: bool
    consents: Mapping[str, bool]
    keenness: float
    categories: tuple[str, ...]

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}"

    @property
    def is_urban(self) -> bool:
        """Whether the shopper lives near enough to drop in."""
        return self.distance_m <= URBAN_MAX_M


def home_store_of(seed: int, index: int) -> DemoStore:
    """The store a shopper belongs to; the showcase belongs to the first."""
    assets = read_assets()
    if index < len(assets.showcase["shoppers"]):
        return assets.stores[0]
    return Random(f"{seed}/home/{_head_of_household(index)}").choices(assets.stores, _store_weights())[0]


def make_shopper(seed: int, index: int, now_on: date) -> DemoShopper:
    """The shopper with this index. `now_on` dates the birthdays of the showcase, nothing else."""
    written = read_assets().showcase["shoppers"]
    return _written_shopper(written[index], index, now_on) if index < len(written) else _made_shopper(seed, index)


def _made_shopper(seed: int, index: int) -> DemoShopper:
    assets, head = read_assets(), _head_of_household(index)
    home, rng = Random(f"{seed}/home/{head}"), Random(f"{seed}/shopper/{index}")
    store = home.choices(assets.stores, _store_weights())[0]
    postcode, pool = _pick_home(home, store), assets.names[store.country]
    family, given, stage = home.choice(pool.family), rng.choice(pool.given), _pick_stage(rng)
    has_card = rng.random() < HAS_CARD_RATE
    return DemoShopper(
        index=index,
        loyalty_id=loyalty_number(index),
        account_id=account_number(index),
        given_name=given,
        family_name=family,
        email=f"{_ascii(given)}.{_ascii(family)}{index}@{rng.choice(_DOMAINS)}",
        phone=phone_number(store.country, head) if rng.random() < HAS_PHONE_RATE or _household(index) else None,
        birth_on=_born_on(rng) if rng.random() < HAS_BIRTHDAY_RATE else None,
        language=pool.language,
        postcode=postcode,
        distance_m=distance_m(postcode, store),
        store=store,
        stage=stage,
        is_returner=stage == "active" and rng.random() < RETURNER_SHARE / STAGE_SHARES["active"],
        has_card=has_card,
        has_app=rng.random() < HAS_APP_RATE,
        has_open_issue=rng.random() < OPEN_ISSUE_SHARE,
        consents=_pick_consents(rng),
        keenness=min(8.0, rng.lognormvariate(-0.32, 0.85)),
        categories=tuple(rng.sample(_categories(), 4)),
    )


def _written_shopper(written: Mapping[str, Any], index: int, now_on: date) -> DemoShopper:
    assets = read_assets()
    store, (given, family) = assets.stores[0], written["name"]
    postcode = next(place for place in assets.postcodes if place.postcode == str(written["postcode"]))
    decided = {**dict.fromkeys(written["consents"], True), **dict.fromkeys(written.get("refused", ()), False)}
    return DemoShopper(
        index=index,
        loyalty_id=loyalty_number(index),
        account_id=account_number(index),
        given_name=given,
        family_name=family,
        email=written["email"],
        phone=phone_number(store.country, index),
        birth_on=_birthday_in(written["born"], now_on + timedelta(days=written["birthday_in_days"])),
        language="de",
        postcode=postcode,
        distance_m=distance_m(postcode, store),
        store=store,
        stage="",
        is_returner=False,
        has_card=True,
        has_app=written.get("has_app", False),
        has_open_issue=False,
        consents=decided,
        keenness=1.0,
        categories=(),
    )


def _head_of_household(index: int) -> int:
    """Whose phone and address a shopper shares; the shopper's own index for nearly all."""
    household = _household(index)
    return index if household is None else index - index % FAMILY_EVERY + household.start


def _household(index: int) -> range | None:
    """The places of those who share a home and a phone with this shopper, within their row; None for nearly all."""
    return next((places for places in (FAMILY, COUPLE) if index % FAMILY_EVERY in places), None)


@cache
def _store_weights() -> tuple[int, ...]:
    return tuple(store.weight for store in read_assets().stores)


@cache
def _categories() -> tuple[str, ...]:
    return tuple(dict.fromkeys(product.category for product in read_assets().products))


@cache
def _homes(code: str) -> tuple[tuple[Postcode, ...], tuple[Postcode, ...], tuple[float, ...]]:
    """Postcodes in walking distance, those farther out whose nearest store this is, and the latter's weights."""
    assets = read_assets()
    here = next(one for one in assets.stores if one.code == code)
    ours = [place for place in assets.postcodes if _nearest(assets, place) == code]
    near = tuple(place for place in ours if distance_m(place, here) <= URBAN_MAX_M)
    far = tuple(place for place in ours if URBAN_MAX_M < distance_m(place, here) <= _FAR_M)
    return near, far, tuple(1 / (1 + distance_m(place, here) / 20_000) for place in far)


def _nearest(assets: DemoAssets, place: Postcode) -> str:
    own = [store for store in assets.stores if store.country == place.country]
    return min(own, key=lambda store: distance_m(place, store)).code


def _pick_home(rng: Random, store: DemoStore) -> Postcode:
    near, far, weights = _homes(store.code)
    return rng.choice(near) if rng.random() < URBAN_SHARE else rng.choices(far, weights)[0]


def _pick_stage(rng: Random) -> str:
    return rng.choices(tuple(STAGE_SHARES), tuple(STAGE_SHARES.values()))[0]


def _pick_consents(rng: Random) -> dict[str, bool]:
    """Decisions by purpose; empty for someone who was never asked."""
    is_personal, was_asked = rng.random() >= NO_PERSONALISE_SHARE, rng.random() >= NEVER_ASKED_RATE
    if not is_personal and not was_asked:
        return {}
    others = {purpose: rng.random() < rate for purpose, rate in CONSENT_RATES.items()}
    return {"personalise_in_store": is_personal, **others}


def _born_on(rng: Random) -> str:
    return (_OLDEST_BORN + timedelta(days=rng.randrange(_BORN_DAYS))).isoformat()


def _birthday_in(year: int, day: date) -> str:
    """A birth date with the month and day of `day`; the 29th of February becomes the 28th."""
    return date(year, day.month, min(day.day, 28) if day.month == 2 else day.day).isoformat()


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower().translate(_SPELLINGS))
    return "".join(letter for letter in plain if letter.isascii() and letter.isalpha())
