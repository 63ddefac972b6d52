"""Bench of audience previews: 100,000 shoppers in the feeds of two stores, on SQLite and PostgreSQL. Figures only."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.wire.messages import store_scope
from sync_server.ports import DocWrite
from sync_server.services.audience import preview
from sync_server.services.audience_tables import refresh_audience
from sync_server.services.headquarters import Headquarters
from sync_server.services.playbook import publish_playbook
from tests.conftest import RecordFigure
from tests.support.plays import ago, granted
from tests.support.postgresql import PostgresServer, shared_folder
from tests.support.world import make_headquarters

SHOPPERS = 100_000
EVENTS = ("Product Viewed", "Product Viewed", "Product Added", "Order Completed", "Email Opened", "Promotion Clicked")
PLAYS: dict[str, dict[str, Any]] = {
    "cart left, in stock, lives near": {
        "kind": "Group",
        "op": "all",
        "items": [
            {"kind": "NotFollowed", "first": "Product Added", "then": ["Order Completed"], "same": "sku", "idle_h": 24},
            {"kind": "Stock", "source": ["cart"]},
            {"kind": "Near", "max_m": 3000},
        ],
    },
    "viewed twice in a category, not bought": {
        "kind": "EventCount",
        "events": ["Product Viewed"],
        "cmp": ">=",
        "n": 2,
        "same": "category",
        "unless": ["Order Completed"],
    },
    "loyal and silent": {
        "kind": "Group",
        "op": "all",
        "items": [
            {"kind": "Profile", "field": "orders", "op": "gte", "value": 3},
            {"kind": "Recency", "events": ["any online event"], "cmp": "older_than", "hours": 720},
        ],
    },
}


def document(chance: random.Random, number: int) -> dict[str, Any]:
    """A shopper as a feed holds one: ten lines, a cart, a wish, orders."""
    recent = [
        {
            "at": ago(chance.randrange(1, 2160)),
            "channel": "web",
            "event": chance.choice(EVENTS),
            "sku": f"S{chance.randrange(400)}",
            "category": f"category-{chance.randrange(20)}",
        }
        for _ in range(10)
    ]
    last = chance.randrange(1, 12_000)
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "identifiers": [{"type": "loyalty_id", "value": f"29{number:011d}"}],
        "given_name": "Mara",
        "family_name": "Lind",
        "consent": granted("personalise_in_store") if number % 3 else {},
        "recent": sorted(recent, key=lambda line: line["at"], reverse=True),
        "seen": {
            name: {"n": 2, "first_at": ago(9000), "last_at": ago(chance.randrange(1, 9000))} for name in EVENTS[1:4]
        },
        "cart": [{"sku": f"S{chance.randrange(400)}", "at": ago(50)}],
        "wishlist": [{"sku": f"S{chance.randrange(400)}", "at": ago(500)}],
        "value_band": chance.choice(["top_5", "top_20", "rest"]),
        "facts": {
            "orders": chance.randrange(6),
            "first_order_at": ago(last + 3000),
            "last_order_at": ago(last),
            "net_revenue": [{"minor": chance.randrange(90_000), "currency": "EUR"}],
            "distance": {"this_store_m": chance.randrange(200) * 100},
        },
    }


def fill(hq: Headquarters) -> None:
    """The feeds of two stores: two thirds of the shoppers in one, one third in the other."""
    chance = random.Random(7)
    stock = [(f"S{number}", number % 4) for number in range(400)]
    for store in ("berlin-1", "zurich-1"):
        with hq.database.write() as tx:
            scope = store_scope(store)
            bodies = {sku: {"sku": sku, "quantity": quantity} for sku, quantity in stock}
            tx.publish([DocWrite(scope, f"stock/{sku}", json.dumps(body).encode()) for sku, body in bodies.items()], "")
    for start in range(0, SHOPPERS, 5_000):
        made = [document(chance, number) for number in range(start, start + 5_000)]
        writes = [
            DocWrite(
                store_scope("zurich-1" if number % 3 == 0 else "berlin-1"),
                f"profile/{one['id']}",
                json.dumps(one, separators=(",", ":")).encode(),
            )
            for number, one in enumerate(made)
        ]
        with hq.database.write() as tx:
            tx.publish(writes, hq.now_at())


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Headquarters]]:
    """A chain of two stores with the shipped playbook, on one of the engines."""
    server = PostgresServer(shared_folder("audience")) if request.param == "PostgreSQL" else None
    url = server.fresh_url() if server else f"sqlite:///{tmp_path / 'central.db'}"
    hq = make_headquarters(url, tmp_path)
    publish_playbook(hq)
    yield request.param, hq
    hq.database.close()
    if server:
        server.close()


def play_file(folder: Path, name: str, condition: dict[str, Any]) -> Path:
    """A play's file with this condition."""
    path = folder / f"{name.split(maxsplit=1)[0]}.yaml"
    play = {
        "id": "draft",
        "title": name,
        "tags": ["draft"],
        "class": "recommended",
        "consents": ["personalise_in_store"],
        "condition": condition,
        "talking_points": {"en": {"opener": "Hello."}},
    }
    path.write_text(yaml.safe_dump(play), "utf-8")
    return path


@pytest.mark.timeout(1200)
def test_previews_at_a_hundred_thousand_shoppers(
    engine: tuple[str, Headquarters], tmp_path: Path, record_figure: RecordFigure
):
    """A preview is whole: file read, feeds looked at, count, samples, overlap with every shipped play, audit."""
    name, hq = engine
    fill(hq)
    started_s = time.perf_counter()
    assert refresh_audience(hq.database) > SHOPPERS
    say(record_figure, f"audience rows of {SHOPPERS:,} profiles made for the first time, {name}", started_s)
    for title, condition in PLAYS.items():
        path, taken = play_file(tmp_path, title, condition), []
        for _ in range(5):
            started_s = time.perf_counter()
            told = preview(hq, path)
            taken.append(time.perf_counter() - started_s)
        assert told["shoppers"] == SHOPPERS
        assert 0 < told["count"] < SHOPPERS
        claim = f"preview of '{title}' at {SHOPPERS:,} profiles ({told['count']:,} met), median of 5, {name}"
        record_figure(claim, f"{sorted(taken)[2]:.2f}", "s")
        print(f"\n{claim}: {sorted(taken)[2]:.2f} s (slowest {max(taken):.2f})")


def say(record_figure: RecordFigure, claim: str, started_s: float) -> None:
    """Record and print the seconds since."""
    taken_s = time.perf_counter() - started_s
    record_figure(claim, f"{taken_s:.0f}", "s")
    print(f"\n{claim}: {taken_s:.0f} s")
