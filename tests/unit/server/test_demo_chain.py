"""Filling the demo: through the same ingest, first store first, to be gone on with after a break."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import Refused
from sync_server.bootstrap import open_headquarters
from sync_server.services import demo
from sync_server.services.chain import Chain, list_stores, make_chain
from sync_server.services.demo import DemoProgress, fill_demo, is_first_store_in
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.shoppers import explain_slice, list_shoppers, show_profile
from sync_server.settings import read_settings

SHOPPERS = 40


@pytest.fixture
def empty(tmp_path: Path):
    """A headquarters without a chain."""
    with open_headquarters(read_settings({}, {"data_dir": tmp_path}, tmp_path)) as hq:
        yield hq


def test_the_demo_is_a_whole_chain_and_every_shopper_is_somewhere(empty: Headquarters) -> None:
    """Six stores, their people, products and plays; each shopper known once, with a reason for each store."""
    told: list[DemoProgress] = []
    assert not is_first_store_in(empty)
    filled = fill_demo(empty, SHOPPERS, 7, told.append)
    assert is_first_store_in(empty)
    assert len(list_stores(empty)) == 6
    assert told[-1].shoppers == SHOPPERS
    assert told[-1].messages == filled["messages"] > SHOPPERS * 5
    assert len(told[-1].stores_in) == 6
    found = {one["loyalty_id"] for store in list_stores(empty) for one in list_shoppers(empty, store.code, 1000)}
    assert len(found) > SHOPPERS * 0.7
    number = min(found)
    held = [row["store"] for row in explain_slice(empty, number)["stores"] if row["is_held"]]
    assert held == show_profile(empty, number)["stores"] != []


def test_a_demo_broken_off_goes_on_and_counts_nothing_twice(empty: Headquarters, monkeypatch) -> None:
    """The power went in the middle of the second batch of messages."""
    taken = take_messages
    calls = []

    def break_off(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise OSError("no power")
        return taken(*args, **kwargs)

    monkeypatch.setattr(demo, "take_messages", break_off)
    with pytest.raises(OSError, match="no power"):
        fill_demo(empty, SHOPPERS, 7)
    filled = fill_demo(empty, SHOPPERS, 7)
    with empty.database.read() as reader:
        row_count = sum(1 for _ in reader.facts_of([one.profile_id for one in reader.every_profile()]))
    assert row_count <= filled["messages"]
    with pytest.raises(Refused, match="already in this chain"):
        fill_demo(empty, SHOPPERS, 7)


def test_a_demo_goes_into_an_empty_place_only(empty: Headquarters) -> None:
    """It never mixes with a real chain, nor with another demo half done."""
    with pytest.raises(Refused, match="takes 0 to"):
        fill_demo(empty, -1, 7)
    make_chain(empty, Chain("Real", "EUR", "Europe/Berlin"))
    with pytest.raises(Refused, match="already a chain here"):
        fill_demo(empty, SHOPPERS, 7)
