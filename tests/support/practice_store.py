"""The practice store as it ships: made here from the seed playbook and the demo's products, kept as one JSON file.

A tablet reads no YAML, so the documents are written out. `python -m tests.redraw` writes the file; a test says when.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from shared.code_patterns import CheckRule, CodePattern, with_check_digit
from shared.plays.files import document_of, parse_wording
from shared.plays.playbook import play_document
from sync_server.services.wordings import wording_document
from tests.support.plays import NOW_AT, days_ago, event, granted, load_folder, seed_playbook, seed_settings

FILE = Path(str(files("assets").joinpath("practice/store.json")))
PLAYS = (
    *("ask-consent", "boot-care", "browsed-category", "cart-reminder-near", "enrol-in-loyalty", "first-conversation"),
    *("new-member-welcome", "thank-you", "viewed-not-added", "win-back", "wishlist-in-stock"),
)
JACKET, JUMPER, BEANIE, BOOTS, STOVE, TENT = PRODUCTS = (
    *("JKT-HEKLA-OCHRE", "KNT-ARAN-SAND", "BNE-MERINO-RUST", "HBT-KEPLER-CLAY", "STV-EMBER-EMBER"),
    "TNT-LAVVO2-FOREST",
)
AISLES = {JACKET: (4, "B3"), JUMPER: (3, "B2"), BEANIE: (9, "B1"), BOOTS: (2, "A4"), STOVE: (3, "C4"), TENT: (1, "C1")}


def practice_store() -> dict[str, Any]:
    """The file's content: when it was, and the documents of both scopes."""
    chain, store = _chain(), {**_stock(), **_shoppers()}
    return {"now_at": NOW_AT, "all": dict(sorted(chain.items())), "store": dict(sorted(store.items()))}


def written() -> str:
    """The file as it is written."""
    return json.dumps(practice_store(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _chain() -> dict[str, Any]:
    book = seed_playbook()
    plays = [play for play in book.plays if play.id in PLAYS]
    offers = [book.offers[play.offer_id] for play in plays if play.offer_id]
    wordings = [wording_document(parse_wording(held, name)) for name, held in load_folder("wordings").items()]
    patterns = [CodePattern("29", 13, check=CheckRule.EAN13).to_body()]
    return {
        **{f"play/{play.id}": {**play_document(play), "holdout": {"percent": 0}} for play in plays},
        **{f"offer/{offer.id}": document_of(offer) for offer in offers},
        **{f"product/{product['sku']}": product for product in _products()},
        **{wording.id: json.loads(wording.body or b"{}") for wording in wordings},
        "setting/plays": seed_settings().as_document(),
        "setting/chain": {
            "name": "Nordhang",
            "currency": "EUR",
            "timezone": "Europe/Berlin",
            "region": "DE",
            "loyalty_numbers": patterns,
        },
        "store/practice": {"code": "practice", "name": "Practice", "currency": "EUR", "timezone": "Europe/Berlin"},
    }


def _products() -> list[dict[str, Any]]:
    listed = json.loads(files("assets").joinpath("demo/catalogue.json").read_text("utf-8"))
    return [
        {
            **{name: product[name] for name in ("sku", "gtin", "title", "category", "brand", "sizes")},
            "prices": [{"minor": minor, "currency": code} for code, minor in sorted(product["price_minor"].items())],
            "image": product["picture"],
        }
        for product in listed
        if product["sku"] in PRODUCTS
    ]


def _stock() -> dict[str, Any]:
    return {f"stock/{sku}": {"sku": sku, "quantity": count, "aisle": aisle} for sku, (count, aisle) in AISLES.items()}


def _shoppers() -> dict[str, Any]:
    facts = {"home_store": "practice", "distance": {"this_store_m": 1200, "home_store_m": 1200}}
    return dict(
        (
            _shopper(
                1,
                ("Pia", "Muster"),
                tier="Gold",
                consent=granted("personalise_in_store", "email", "sms"),
                facts={
                    **facts,
                    "first_order_at": days_ago(310),
                    "last_order_at": days_ago(34),
                    "orders": 3,
                    "last_order_store": "practice",
                },
                purchases=[_bought(JUMPER, 34, 8900), _bought(BOOTS, 310, 14900)],
                recent=[
                    event("Product Viewed", 3, sku=JACKET, category="jackets"),
                    event("Product Added", 50, sku=JACKET, category="jackets"),
                    event("Product Viewed", 51, sku=JACKET, category="jackets"),
                    event("Product Added to Wishlist", 120, sku=BEANIE, category="beanies"),
                ],
                cart=[{"sku": JACKET, "at": days_ago(2), "category": "jackets"}],
                wishlist=[{"sku": BEANIE, "at": days_ago(5), "category": "beanies"}],
            ),
            _shopper(
                2,
                ("Max", "Beispiel"),
                tier="Silver",
                consent=granted("email"),
                facts={
                    **facts,
                    "first_order_at": days_ago(200),
                    "last_order_at": days_ago(20),
                    "orders": 2,
                    "last_order_store": "practice",
                },
                purchases=[_bought(STOVE, 20, 6900), _bought(BEANIE, 200, 2900)],
            ),
            _shopper(
                3,
                ("Nora", "Probst"),
                tier="Member",
                consent=granted("personalise_in_store", "email"),
                facts={
                    **facts,
                    "first_order_at": days_ago(700),
                    "last_order_at": days_ago(420),
                    "orders": 4,
                    "last_order_store": "practice",
                },
                purchases=[_bought(BOOTS, 420, 14900)],
                recent=[event("Product Viewed", 240, sku=TENT, category="tents")],
            ),
        )
    )


def _bought(sku: str, days: float, minor: int) -> dict[str, Any]:
    """A line of an order in this store, so many days old."""
    paid = {"minor": minor, "currency": "EUR"}
    order = {"order_id": f"practice-{sku}-{days:.0f}", "store": "practice", "price": paid}
    return {**event("Order Completed", days * 24, sku=sku, **order), "channel": "pos"}


def _shopper(number: int, name: tuple[str, str], **more: Any) -> tuple[str, dict[str, Any]]:
    loyalty_id = with_check_digit(f"29999999900{number}", CheckRule.EAN13)
    shopper_id = f"01a20000-0000-5000-8000-00000000000{number}"
    given, family = name
    return f"profile/{shopper_id}", {
        "id": shopper_id,
        "identifiers": [
            {"type": "email", "value": f"{given}.{family}@example.org".lower()},
            {"type": "loyalty_id", "value": loyalty_id},
        ],
        "given_name": given,
        "family_name": family,
        "postcode": "10115",
        "value_band": "rest",
        "as_of": days_ago(0),
        **more,
    }
