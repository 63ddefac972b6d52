"""How long a tablet takes with 20,000 shoppers of a real size and the seed playbook. Figures, never verdicts."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from associate_app.services import record
from associate_app.services.lookup import look_up
from associate_app.services.search import find_shoppers
from associate_app.sync.errands import LINES_A_STEP
from shared.code_patterns import CheckRule, with_check_digit
from tests.conftest import RecordFigure
from tests.support.plays import days_ago, granted
from tests.support.replica import (
    STORE_SCOPE,
    ShopTablet,
    card_for,
    catalogue,
    end_of,
    header,
    line,
    load,
    make_shop_tablet,
    open_file,
    store_documents,
)

SHOPPERS = 20_000
LOOKUPS = 400
GIVEN = (
    "Anna",
    "Ben",
    "Carla",
    "David",
    "Elif",
    "Finn",
    "Greta",
    "Hugo",
    "Ida",
    "Jonas",
    "Karim",
    "Lena",
    "Mara",
    "Noor",
)
SYLLABLES = (
    "an",
    "bel",
    "cor",
    "dan",
    "el",
    "fal",
    "gar",
    "hol",
    "jan",
    "kel",
    "lind",
    "mar",
    "nor",
    "ost",
    "per",
    "qvist",
)


def shopper(number: int, rng: random.Random, products: list[dict[str, Any]]) -> dict[str, Any]:
    """A profile document of about the size HQ sends: some 20 recent events, a cart, purchases, notes and outcomes."""
    lines = [
        {
            "at": days_ago(rng.uniform(0, 90)),
            "channel": rng.choice(("web", "web", "app", "email", "pos")),
            "event": rng.choice(
                ("Product Viewed", "Product Added", "Products Searched", "Email Opened", "Order Completed")
            ),
            **{name: product[name] for name in ("sku", "category", "title", "image")},
            "price": product["prices"][0],
        }
        for product in rng.choices(products, k=min(100, int(rng.expovariate(1 / 20)) + 2))
    ]
    lines.sort(key=lambda line: line["at"])
    orders = rng.randrange(0, 12)
    return {
        "id": f"01a20000-0000-5000-8000-{number:012d}",
        "identifiers": [
            {"type": "email", "value": f"shopper{number}@example.org"},
            {"type": "loyalty_id", "value": loyalty_id(number)},
            {"type": "phone", "value": f"+4915{rng.randrange(10**9):09d}"},
        ],
        "given_name": rng.choice(GIVEN),
        "family_name": "".join(rng.choices(SYLLABLES, k=rng.randrange(2, 4))).capitalize(),
        "tier": rng.choice(("Bronze", "Silver", "Gold")),
        "consent": granted("personalise_in_store", "email") if rng.random() < 0.8 else granted("email"),
        "facts": {
            "first_order_at": days_ago(400),
            "last_order_at": days_ago(rng.uniform(1, 500)),
            "orders": orders,
            "net_revenue": [{"minor": orders * 7000, "currency": "EUR"}],
            "distance": {"this_store_m": rng.randrange(300, 20_000)},
            "last_seen": {"web": days_ago(3)},
        }
        if orders
        else {"orders": 0},
        "seen": {line["event"]: {"n": 3, "first_at": days_ago(200), "last_at": line["at"]} for line in lines},
        "recent": lines,
        "cart": [{"sku": lines[-1]["sku"], "at": lines[-1]["at"]}],
        "purchases": [line for line in lines if line["event"] == "Order Completed"],
        "notes": [{"op_id": f"n{number}", "text": "likes wool", "at": days_ago(20)}],
        "outcomes": [{"op_id": f"o{number}", "play_id": "birthday", "outcome": "interested", "at": days_ago(50)}],
        "value_band": rng.choice(("top_5", "top_20", "rest", "rest", "rest")),
        "as_of": lines[-1]["at"],
    }


def loyalty_id(number: int) -> str:
    """The loyalty number of a shopper."""
    return with_check_digit(f"29{number:010d}", CheckRule.EAN13)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopTablet]:
    """A tablet that holds 20,000 shoppers."""
    rng, products = random.Random(11), catalogue()
    shoppers = {f"profile/{doc['id']}": doc for doc in (shopper(number, rng, products) for number in range(SHOPPERS))}
    made = make_shop_tablet(Path(tmp_path_factory.mktemp("bench")), {})
    begun_s = time.perf_counter()
    load(made.database, STORE_SCOPE, {**store_documents(), **shoppers}, as_of=20)
    print(f"\n{SHOPPERS} shoppers loaded in {time.perf_counter() - begun_s:.1f} s, {size_mb(made)} MB")
    yield made
    made.close()


def size_mb(shop: ShopTablet) -> int:
    """The size of the file."""
    return shop.database.path.stat().st_size // 1_000_000


def milliseconds(work: Callable[[int], object], times: int) -> list[float]:
    """How long each of so many runs took, sorted."""
    taken = []
    for number in range(times):
        begun_s = time.perf_counter()
        work(number)
        taken.append((time.perf_counter() - begun_s) * 1000)
    return sorted(taken)


def told(record_figure: RecordFigure, claim: str, taken: list[float]) -> None:
    """Print and note median and 99th percentile."""
    p50, p99 = taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
    print(f"\n{claim}: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    record_figure(f"{claim}, p99", round(p99, 1), "ms")


def test_a_card_with_its_plays(shop: ShopTablet, record_figure: RecordFigure):
    """From the scanned text to the ranked plays, each time another shopper, signature checked."""
    rng = random.Random(3)
    cards = [card_for(loyalty_id(rng.randrange(SHOPPERS))) for _ in range(LOOKUPS)]
    first = milliseconds(lambda _: look_up(shop.database, shop.book, cards[0], now=shop.clock.now()), 1)
    views: list[Any] = []
    taken = milliseconds(
        lambda number: views.append(look_up(shop.database, shop.book, cards[number], now=shop.clock.now())), LOOKUPS
    )
    assert all(view.is_in_replica for view in views)
    assert sum(bool(view.plays) for view in views) > LOOKUPS // 2
    print(f"\nthe very first card, with the playbook read: {first[0]:.0f} ms")
    told(record_figure, f"card lookup with plays at {SHOPPERS:,} shoppers", taken)


def test_saving_an_outcome(shop: ShopTablet, record_figure: RecordFigure):
    """An outcome with its impression, committed to the disk."""
    views = [look_up(shop.database, shop.book, loyalty_id(number), now=shop.clock.now()) for number in range(100)]
    taken = milliseconds(
        lambda number: record.record_outcome(
            shop.recorder, shop.book, views[number], "first-conversation", "interested"
        ),
        len(views),
    )
    assert shop.database.counts().pending >= len(views)
    told(record_figure, "outcome saved on the tablet", taken)


def test_searching(shop: ShopTablet, record_figure: RecordFigure):
    """Parts of names, full names, slips, phone digits, numbers."""
    texts = [
        "lind",
        "Mara Lindqvist",
        "holjanper",
        "kelmra",
        "Ida mar",
        "015123",
        loyalty_id(17)[:9],
        "shopper77@",
        "zzz",
        "an",
    ]
    taken = milliseconds(lambda number: find_shoppers(shop.database, texts[number % len(texts)]), 100)
    assert find_shoppers(shop.database, "lind")
    told(record_figure, f"search at {SHOPPERS:,} shoppers", taken)


def test_saving_while_a_snapshot_loads(shop: ShopTablet, record_figure: RecordFigure):
    """Outcomes one after the other, while another connection loads the whole store anew and makes it live."""
    rng, products = random.Random(12), catalogue()
    shoppers = [shopper(number, rng, products) for number in range(SHOPPERS)]
    documents = {**store_documents(), **{f"profile/{doc['id']}": doc for doc in shoppers}}
    views = [look_up(shop.database, shop.book, loyalty_id(number), now=shop.clock.now()) for number in range(100)]
    lines = [line(document_id, documents[document_id]) for document_id in sorted(documents)]
    worker = open_file(shop.database.path.parent, clock=shop.clock)

    def load_all() -> None:
        for start in range(0, len(lines), LINES_A_STEP):
            worker.load_snapshot(header(STORE_SCOPE, 30, len(lines)), lines[start : start + LINES_A_STEP])
        worker.swap_snapshot(STORE_SCOPE, end_of(lines))

    taken: list[float] = []

    def save(_: int) -> None:
        view = views[len(taken) % len(views)]
        record.record_outcome(shop.recorder, shop.book, view, "first-conversation", "interested")

    with ThreadPoolExecutor(1) as loading:
        loaded = loading.submit(load_all)
        while not loaded.done():
            taken += milliseconds(save, 1)
        loaded.result()
    worker.close()
    taken.sort()
    print(f"\nsaved while {SHOPPERS:,} shoppers load: {len(taken)} times, p50 {taken[len(taken) // 2]:.1f} ms")
    p95 = taken[int(len(taken) * 0.95)]
    print(f"p95 {p95:.1f} ms, longest {taken[-1]:.1f} ms (load {os.getloadavg()[0]:.1f})")
    record_figure(f"outcome saved while {SHOPPERS:,} shoppers load, p95", round(p95, 1), "ms")
