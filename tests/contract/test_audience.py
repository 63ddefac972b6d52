"""Audiences on both engines: rows follow the feed, an erasure empties them at once, previews tell what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import func, select

from shared.errors import Refused
from shared.plays.catalogue import FIELDS
from shared.wire.canonical import canonical
from sync_server.adapters import audience_schema as tables
from sync_server.adapters.database import SqlDatabase
from sync_server.ports import DocWrite
from sync_server.services.audience import preview
from sync_server.services.audience_tables import refresh_audience
from sync_server.services.headquarters import Headquarters
from sync_server.services.journeys import count_published
from sync_server.services.playbook import publish_playbook, shipped_folder
from sync_server.services.segments import export_segment
from sync_server.services.upkeep import drop_tombstones
from tests.support.plays import PLAY, ago, days_ago, event, granted, group
from tests.support.world import pass_time

LOYAL: dict[str, Any] = {"kind": "Profile", "field": "orders", "op": "gte", "value": 3}


def put(hq: Headquarters, number: int, *, store: str = "berlin-1", **document: Any) -> None:
    """A shopper in a store's feed; with `gone=True` no more."""
    made = {
        "id": f"p{number}",
        "identifiers": [{"type": "loyalty_id", "value": f"L{number}"}],
        "given_name": "Mara",
        "family_name": "Lind",
        "consent": granted("personalise_in_store"),
        "recent": [{"at": ago(30), "channel": "web", "event": "Product Viewed", "sku": "A"}],
        "facts": {"orders": number},
    }
    body = None if document.pop("gone", False) else canonical({**made, **document})
    with hq.database.write() as tx:
        tx.publish([DocWrite(f"store:{store}", f"profile/p{number}", body)], hq.now_at())


def rows(hq: Headquarters) -> dict[str, int]:
    """How many rows each table of a shopper has."""
    database = hq.database
    assert isinstance(database, SqlDatabase)
    wanted = (tables.shopper, tables.place, *tables.OF_A_SHOPPER)
    with database.engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in wanted
        }


def play_file(folder: Path, **changes: Any) -> Path:
    """A play's file."""
    path = folder / "draft.yaml"
    path.write_text(yaml.safe_dump({**PLAY, "id": "draft", "condition": LOYAL, **changes}), "utf-8")
    return path


def count(hq: Headquarters, path: Path, store: str | None = None) -> int:
    """How many a preview counts."""
    return int(preview(hq, path, store)["count"])


def test_rows_follow_the_feed(hq: Headquarters, tmp_path: Path):
    """New, changed and gone documents; who is in two feeds is one shopper until the last feed lets go."""
    path = play_file(tmp_path)
    for number in range(1, 6):
        put(hq, number)
    put(hq, 5, store="zurich-1")
    assert (count(hq, path), count(hq, path, "zurich-1")) == (3, 1)
    assert refresh_audience(hq.database) == 0
    put(hq, 3, facts={"orders": 1})
    put(hq, 5, gone=True)
    assert (count(hq, path), count(hq, path, "berlin-1"), count(hq, path, "zurich-1")) == (2, 1, 1)
    put(hq, 5, store="zurich-1", gone=True)
    assert count(hq, path) == 1
    assert rows(hq)["audience_shopper"] == 4
    assert rows(hq)["audience_event"] == 4


def test_whoever_missed_deletions_begins_anew(hq: Headquarters, tmp_path: Path):
    """Below the floor of a feed its deletions are not told any more."""
    path = play_file(tmp_path)
    put(hq, 3)
    put(hq, 4)
    assert count(hq, path) == 2
    put(hq, 4, gone=True)
    pass_time(hq, days=100)
    assert drop_tombstones(hq.database, hq.clock) == 1
    assert count(hq, path) == 1
    assert rows(hq)["audience_shopper"] == 1
    assert refresh_audience(hq.database) == 0


def test_an_erasure_empties_the_rows_at_once(hq: Headquarters):
    """It waits for no preview."""
    put(hq, 3, tier="gold", offers=[{"offer_id": "gift", "state": "sent"}], cart=[{"sku": "A", "at": ago(5)}])
    refresh_audience(hq.database)
    assert all(rows(hq)[name] for name in ("audience_shopper", "audience_event", "audience_wanted", "audience_word"))
    with hq.database.write() as tx:
        tx.forget_audience(["p3"])
    assert set(rows(hq).values()) == {0}


def test_a_preview_tells_count_share_samples_and_overlap(hq: Headquarters, tmp_path: Path):
    """Names are cut to an initial, and that somebody looked is in the audit log."""
    publish_playbook(hq)
    for number in range(1, 31):
        put(hq, number)
    told = preview(hq, play_file(tmp_path))
    assert (told["shoppers"], told["count"], told["share_ppm"]) == (30, 28, 933_333)
    assert len(told["samples"]) == 10
    assert {one["name"] for one in told["samples"]} == {"Mara L."}
    assert told["overlap_of"] == 28
    assert told["overlap"]
    assert max(row["count"] for row in told["overlap"]) <= 28
    with hq.database.read() as reader:
        assert "previewed an audience" in {row["did"] for row in reader.rows("audit")}


def test_a_play_is_previewed_only_where_it_runs(hq: Headquarters, tmp_path: Path):
    """Consents, stages and stores of the play are of its audience."""
    put(hq, 3)
    put(hq, 4, store="zurich-1")
    put(hq, 5, consent={})
    assert count(hq, play_file(tmp_path)) == 3
    assert count(hq, play_file(tmp_path, stores=["zurich-1"])) == 1
    assert count(hq, play_file(tmp_path, consents=["personalise_in_store"])) == 2
    assert count(hq, play_file(tmp_path, stages=["active"])) == 0


def test_a_segment_is_previewed_and_named_by_a_play(hq: Headquarters, tmp_path: Path):
    """Segments lie beside the folder of plays."""
    put(hq, 3)
    put(hq, 1)
    (tmp_path / "segments").mkdir()
    (tmp_path / "playbook").mkdir()
    segment = tmp_path / "segments" / "loyal.yaml"
    segment.write_text(yaml.safe_dump({"id": "loyal", "title": "Loyal", "condition": LOYAL}), "utf-8")
    named = {"kind": "Segment", "in": ["loyal"]}
    assert count(hq, segment) == 1
    assert count(hq, play_file(tmp_path / "playbook", condition=group("none", named))) == 1
    with pytest.raises(Refused, match=r"condition.in\[0\]: there is no segment 'loyl'. Did you mean loyal"):
        preview(hq, play_file(tmp_path / "playbook", condition={"kind": "Segment", "in": ["loyl"]}))


def test_what_cannot_be_previewed_is_refused_in_words(hq: Headquarters, tmp_path: Path):
    """No file, no such store."""
    with pytest.raises(Refused, match="There is no file"):
        preview(hq, tmp_path / "none.yaml")
    with pytest.raises(Refused, match="There is no store 'x'"):
        preview(hq, play_file(tmp_path), "x")


def test_every_field_of_the_catalogue_has_its_rows():
    """A field without a column would be refused by no one and met by nobody."""
    elsewhere = {"net_revenue_minor"} | {name for name, field in FIELDS.items() if field.type == "text_set"}
    assert FIELDS.keys() - elsewhere <= set(tables.shopper.c.keys())


def test_the_shipped_segments_and_journeys_are_asked_of_the_feeds(hq: Headquarters):
    """Each segment previewed and written for other systems, each journey counted: the same on both engines."""
    publish_playbook(hq)
    both, all_three = ("personalise_in_store", "analytics"), ("personalise_in_store", "analytics", "profiling")
    member: dict[str, Any] = {"value_band": "top_5", "consent": granted(*all_three)}
    bought = event("Order Completed", 24, channel="pos", order_id="1")
    near = {"orders": 4, "last_order_at": days_ago(1), "last_seen": {"web": ago(30)}, "distance": {"this_store_m": 900}}
    put(hq, 1, **member, facts=near, recent=[event("Product Added", 30, sku="A"), bought])
    put(hq, 2, **member, facts={**near, "distance": {"home_store_m": 20_000}})
    returned = [event("Order Refunded", back, order_id=str(back)) for back in (24, 48)]
    put(hq, 3, consent=granted(*both), recent=returned, facts={"orders": 2, "distance": {"this_store_m": 900}})
    files = sorted(Path(str(path)) for path in shipped_folder().joinpath("segments").iterdir())
    found = {path.stem: (count(hq, path), [row["profile_id"] for row in export_segment(hq, path)]) for path in files}
    assert found == {
        "far": (1, ["p2"]),
        "frequent-returners": (1, ["p3"]),
        "ideal-shopper": (2, ["p1", "p2"]),
        "top-value": (2, ["p1", "p2"]),
        "urban-near-store": (2, ["p1", "p3"]),
    }
    counted = {one["journey"]: (one["counted"], one["entered"], one["completed"]) for one in count_published(hq)}
    assert counted["cart-to-store"] == (3, 1, 1)
    assert counted["lapsed-to-back"][0] == 3
