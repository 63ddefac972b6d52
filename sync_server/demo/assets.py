"""Reads `assets/demo` into frozen types: stores, people, products, postcodes, names. Nothing else here reads
a file.

Money is minor units per currency, coordinates are millionths of a degree.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from shared import distances

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Postcode:
    """The middle of a postcode's area."""

    country: str
    postcode: str
    place: str
    lat_e6: int
    lon_e6: int


@dataclass(frozen=True, slots=True)
class DemoStore:
    """One shop. `hours` maps a weekday (`mon`) to opening and closing time; a missing day is closed."""

    code: str
    name: str
    country: str
    currency: str
    timezone: str
    lat_e6: int
    lon_e6: int
    address: str
    hours: Mapping[str, tuple[str, str]]
    vat_per_mille: int
    weight: int


@dataclass(frozen=True, slots=True)
class DemoAssociate:
    """One person on the floor. `role` is associate or manager; the PIN is for the demo only."""

    associate_id: str
    store: str
    name: str
    role: str
    pin: str


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """One product in one colour. `picture` is a file of `assets/products`."""

    sku: str
    gtin: str
    title: str
    category: str
    brand: str
    line: str
    price_minor: Mapping[str, int]
    cost_minor: Mapping[str, int]
    picture: str
    sizes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoCampaign:
    """An e-mail the chain sent lately; `offer_id` where an offer belongs to it."""

    id: str
    subject: str
    sent_days_ago: int
    categories: tuple[str, ...]
    offer_id: str | None = None


@dataclass(frozen=True, slots=True)
class NamePool:
    """Names of a country and the language its shoppers read."""

    language: str
    given: tuple[str, ...]
    family: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoAssets:
    """Everything the demo chain is made from."""

    chain_name: str
    currency: str
    timezone: str
    region: str
    stores: tuple[DemoStore, ...]
    associates: tuple[DemoAssociate, ...]
    products: tuple[DemoProduct, ...]
    postcodes: tuple[Postcode, ...]
    campaigns: tuple[DemoCampaign, ...]
    names: Mapping[str, NamePool]
    showcase: Mapping[str, Any]


@cache
def read_assets() -> DemoAssets:
    """Read all files once."""
    chain = _yaml("stores.yaml")
    return DemoAssets(
        chain_name=chain["chain"]["name"],
        currency=chain["chain"]["currency"],
        timezone=chain["chain"]["timezone"],
        region=chain["chain"]["region"],
        stores=tuple(_store(row) for row in chain["stores"]),
        associates=tuple(made for number, row in enumerate(chain["stores"], 1) for made in _associates(number, row)),
        products=tuple(_product(row) for row in json.loads(_text("catalogue.json"))),
        postcodes=_postcodes(),
        campaigns=tuple(
            DemoCampaign(**{**row, "categories": tuple(row["categories"])}) for row in _yaml("campaigns.yaml")
        ),
        names={country: _names(row) for country, row in _yaml("names.yaml").items()},
        showcase=_yaml("showcase.yaml"),
    )


def distance_m(postcode: Postcode, store: DemoStore) -> int:
    """Metres from the middle of the postcode to the store, as HQ reckons them."""
    return distances.distance_m(postcode.lat_e6, postcode.lon_e6, store.lat_e6, store.lon_e6)


def _text(name: str) -> str:
    return (files("assets") / "demo" / name).read_text(encoding="utf-8")


def _yaml(name: str) -> Any:
    return yaml.load(_text(name), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both are safe loaders)


def _store(row: Mapping[str, Any]) -> DemoStore:
    kept = {name: value for name, value in row.items() if name not in ("hours", "associates", "manager")}
    return DemoStore(hours={day: (opens, closes) for day, (opens, closes) in row["hours"].items()}, **kept)


def _associates(number: int, row: Mapping[str, Any]) -> tuple[DemoAssociate, ...]:
    """Store k has the PINs k147, k247, k347, k447, and k90047 for its manager."""
    code = row["code"]
    staff = [
        DemoAssociate(f"{code}-{place}", code, name, "associate", f"{number}{place}47")
        for place, name in enumerate(row["associates"], 1)
    ]
    return (*staff, DemoAssociate(f"{code}-manager", code, row["manager"], "manager", f"{number}90047"))


def _product(row: Mapping[str, Any]) -> DemoProduct:
    return DemoProduct(**{**row, "sizes": tuple(row["sizes"])})


def _postcodes() -> tuple[Postcode, ...]:
    rows = csv.DictReader(io.StringIO(_text("postcodes.csv")))
    return tuple(
        Postcode(row["country"], row["postcode"], row["place"], int(row["lat_e6"]), int(row["lon_e6"])) for row in rows
    )


def _names(row: Mapping[str, str]) -> NamePool:
    return NamePool(row["language"], tuple(row["given"].split()), tuple(row["family"].split()))
