"""Erasure and access on both databases: what is gone is found in no byte, stays gone, and every tablet shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from associate_app.adapters.sqlite import open_tablet_database
from sync_server.adapters import schema
from sync_server.bootstrap import open_headquarters, restore
from sync_server.command_line.app import run
from sync_server.ports import DocWrite
from sync_server.services.cards import issue_card
from sync_server.services.enrolment import move_device
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.privacy import erase, export_shopper, plan_erasure, show_erasures
from sync_server.services.salvage import take_salvage
from sync_server.services.upkeep import drop_tombstones
from sync_server.services.who_is_who import rebuild
from tests.support.backups import keep_backup
from tests.support.tablet import Tablet
from tests.support.world import LOYALTY_ID, Journalist, pass_time, verdicts

EMAIL = "mara.lindqvist@example.com"
PHONE = "+4915123456789"
OTHER = "2900000000025"
WORDS = (EMAIL, "15123456789", LOYALTY_ID, "Lindqvist", "blue kayak", "browser-of-mara")
TRAITS = {"email": EMAIL, "phone": PHONE, "given_name": "Mara", "family_name": "Lindqvist"}


def tell(hq: Headquarters, number: int = 1, loyalty_id: str = LOYALTY_ID) -> None:
    """What a web shop and a till say of the shopper."""
    names = {"context": {"externalIds": [{"type": "loyalty_id", "id": loyalty_id}]}}
    order = {"order_id": f"o{number}", "currency": "EUR", "total": 49.9, "store": "berlin-1"}
    order["products"] = [{"product_id": "sku-1", "price": 49.9, "quantity": 1}]
    messages: list[dict[str, Any]] = [
        {"type": "identify", "anonymousId": "browser-of-mara", "traits": TRAITS, **names},
        {"type": "track", "event": "Order Completed", "properties": order, "traits": TRAITS, **names},
        {"type": "nonsense", "traits": TRAITS},
    ]
    numbered = [{**message, "messageId": f"m{number}-{place}"} for place, message in enumerate(messages)]
    take_messages(hq.database, hq.clock, "web-shop", numbered)


def dump(hq: Headquarters) -> str:
    """Every value of every table."""
    with hq.database._writing.connect() as connection:  # type: ignore[attr-defined]
        return "\n".join(
            repr(tuple(row)) for table in schema.metadata.tables.values() for row in connection.execute(table.select())
        )


def found_in(text: str) -> list[str]:
    """Which of the shopper's words stand in a text."""
    return [word for word in WORDS if word in text]


def found_in_files(folder: Path, pattern: str = "central.db*") -> list[str]:
    """The same in the bytes of files."""
    raw = b"".join(path.read_bytes() for path in sorted(folder.glob(pattern)))
    assert raw, "no file, no proof"
    return [word for word in WORDS if word.encode() in raw]


def rows(hq: Headquarters, table: str, **equal: Any) -> list[dict[str, Any]]:
    """Rows of a table."""
    with hq.database.read() as reader:
        return reader.rows(table, **equal)


def fill(hq: Headquarters, tablet: Journalist) -> None:
    """A shopper with a card, events, notes, a parked op and a dead letter; and another one."""
    issue_card(hq, LOYALTY_ID)
    tell(hq)
    tablet.note("likes the blue kayak")
    tablet.record("from_the_future", {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, "text": "blue kayak"})
    tablet.note("of somebody else", OTHER)
    assert "rejected" not in " ".join(verdicts(tablet.push()))


def test_an_erased_shopper_is_found_in_no_byte(hq: Headquarters, tablet: Journalist, tmp_path: Path):
    """Neither in a row nor in the files; others stay, and an order keeps its amount without whose it was."""
    fill(hq, tablet)
    assert set(found_in(dump(hq))) == set(WORDS)
    plan = plan_erasure(hq, EMAIL)
    assert {"fact", "identifier", "profile", "doc", "sighting", "dead_letter", "card"} <= plan["rows"].keys()
    assert set(found_in(dump(hq))) == set(WORDS)
    told = erase(hq, LOYALTY_ID, who="hq")
    assert told["files_cleared_at"]
    assert told["rows"].items() >= plan["rows"].items()
    assert found_in(dump(hq)) == []
    if (tmp_path / "central.db").exists():
        assert found_in_files(tmp_path) == []
    [order] = [json.loads(row["body"]) for row in rows(hq, "fact", kind="event") if row["body"] != "{}"]
    assert order["order"]["total_minor"] == 4990
    assert "order_id" not in order["order"]
    with hq.database.read() as reader:
        assert reader.profile_ids([("loyalty_id", OTHER)])


def test_nothing_that_comes_late_brings_the_shopper_back(hq: Headquarters, tablet: Journalist, tmp_path: Path):
    """Pushes keep their verdicts and chains, events and files are taken, and none of it is stored in words."""
    fill(hq, tablet)
    note = next(op for op in tablet.ops if op["kind"] == "note_added")
    erase(hq, f"phone:{PHONE}", who="hq")
    known = len(rows(hq, "fact"))
    late = tablet.note("still likes the blue kayak")
    tablet.record("note_added", {"text": "blue kayak, really"}, amends=note["op_id"])
    tablet.record("note_added", {"text": "blue kayak, red"}, amends=late["op_id"])
    tablet.record("from_the_future", {"text": LOYALTY_ID})
    tablet.record("note_added", {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}}, sha="0" * 64)
    reply = tablet.push(tablet.ops[-5:])
    assert verdicts(reply)[:3] == ["accepted"] * 3
    assert reply["receipt"]["chain"] == tablet.chain()
    tell(hq, 2)
    assert len(rows(hq, "fact")) > known
    rebuild(hq)
    assert found_in(dump(hq)) == []
    if (tmp_path / "central.db").exists():
        hq.database.compact()
        assert found_in_files(tmp_path) == []


def test_a_backup_from_before_loses_the_shopper_again(tmp_path: Path, hq: Headquarters, tablet: Journalist):
    """A restore applies the list, and refuses without it."""
    if not hq.settings.database.startswith("sqlite"):
        pytest.skip("restoring PostgreSQL is pg_restore's; --new-epoch applies the list the same way")
    fill(hq, tablet)
    keep_backup(hq.settings.database, tmp_path / "old.db")
    erase(hq, LOYALTY_ID, who="hq")
    hq.database.close()
    told = restore(hq.settings, tmp_path / "old.db")
    assert told["erasures_applied"] == 1
    with open_headquarters(hq.settings) as again:
        assert found_in(dump(again)) == []
        assert show_erasures(again)[0]["outstanding"] == 1
    assert found_in_files(tmp_path) == []
    (tmp_path / "keys" / "erased.jsonl").rename(tmp_path / "away")
    with pytest.raises(Exception, match="lacks 1 of 1 erasures"):
        restore(hq.settings, tmp_path / "old.db")
    with pytest.raises(Exception, match="lacks 1 of 1 erasures"), open_headquarters(hq.settings):
        pass


def test_a_tablet_forgets_and_shows_it(hq: Headquarters, shop_tablet: Tablet):
    """After one sync no row of the tablet names the shopper; the next pull is the proof."""
    tell(hq)
    shop_tablet.note("likes the blue kayak")
    assert shop_tablet.sync().is_complete
    assert {EMAIL, LOYALTY_ID, "blue kayak"} <= set(found_in(tablet_dump(shop_tablet)))
    told = erase(hq, LOYALTY_ID, who="hq")
    assert (told["confirmed"], told["outstanding"]) == (0, 1)
    assert shop_tablet.sync().is_complete
    assert found_in(tablet_dump(shop_tablet)) == []
    assert shop_tablet.sync().is_complete
    [told] = show_erasures(hq)
    assert (told["confirmed"], told["outstanding"]) == (1, 0)


def test_a_tablet_that_takes_a_snapshot_instead_forgets_too(hq: Headquarters, shop_tablet: Tablet):
    """Away for longer than deletions are told: what it had sent, and what it recorded since, is gone after one round;
    what others are about stays, and nothing is lost."""
    tell(hq)
    shop_tablet.note("likes the blue kayak")
    rejected = shop_tablet.note("blue kayak", LOYALTY_ID, scope="store:zurich-1")
    parked = shop_tablet.record("from_the_future", {"text": f"{LOYALTY_ID} blue kayak"})
    assert shop_tablet.sync().is_complete
    late = shop_tablet.note("still likes the blue kayak")
    late_rejected = shop_tablet.note("blue kayak", LOYALTY_ID, scope="store:zurich-1")
    other = shop_tablet.note("of somebody else", OTHER)
    erase(hq, LOYALTY_ID, who="hq")
    pass_time(hq, days=91)
    assert drop_tombstones(hq.database, hq.clock)
    assert shop_tablet.sync().is_complete
    assert found_in(tablet_dump(shop_tablet)) == []
    kept = {entry.op.op_id: entry for entry in shop_tablet.database.entries()}
    assert [kept[one.op_id].state for one in (rejected, late, late_rejected)] == ["rejected", "acked", "rejected"]
    assert parked.op_id not in kept or kept[parked.op_id].op.body == {}
    assert kept[other.op_id].op.body["text"] == "of somebody else"


def test_a_wiped_or_moved_tablet_forgets_what_it_had_sent(hq: Headquarters, shop_tablet: Tablet):
    """It held no document when the shopper was erased, takes a snapshot of another store, and no deletion names what
    it sent: its own document does."""
    tell(hq)
    sent = shop_tablet.note("likes the blue kayak")
    other = shop_tablet.note("of somebody else", OTHER)
    assert shop_tablet.sync().is_complete
    shop_tablet.database.wipe_shoppers()
    device = shop_tablet.database.device()
    assert device is not None
    erase(hq, LOYALTY_ID, who="hq")
    move_device(hq, device.device_id, "zurich-1")
    assert shop_tablet.sync().is_complete
    assert shop_tablet.sync().is_complete
    assert found_in(tablet_dump(shop_tablet)) == []
    kept = {entry.op.op_id: entry.op.body for entry in shop_tablet.database.entries()}
    assert kept[sent.op_id] == {}
    assert kept[other.op_id]["text"] == "of somebody else"


def tablet_dump(tablet: Tablet) -> str:
    """Every value of every table of a tablet's database."""
    database = open_tablet_database(tablet.path, "ab" * 32, clock=tablet.clock, chance=tablet.chance)
    connection = database._connection
    try:
        names = [name for (name,) in connection.rows("SELECT name FROM sqlite_master WHERE type = 'table'", ())]
        return "\n".join(repr(row) for name in names for row in connection.rows(f'SELECT * FROM "{name}"', ()))
    finally:
        database.close()


def test_access_hands_out_what_erasure_takes(hq: Headquarters, tablet: Journalist):
    """Identifiers, facts with bodies, documents, dead letters and cards; and that it was asked for is noted."""
    fill(hq, tablet)
    told = export_shopper(hq, EMAIL, who="hq")
    assert set(found_in(json.dumps(told))) == set(WORDS)
    assert {"identifiers", "facts", "consents", "documents", "dead_letter", "review", "card"} <= told.keys()
    assert any(isinstance(fact["body"], Mapping) and fact["body"].get("text") for fact in told["facts"])
    assert [row["did"] for row in rows(hq, "audit") if row["who"] == "hq"] == ["handed out everything of a shopper"]


def test_salvage_about_an_erased_shopper_waits_without_words(hq: Headquarters, tablet: Journalist):
    """What is handed in late keeps its place among the ops and nothing else; what waited already is blanked."""
    tell(hq)
    ops = [tablet.note("blue kayak, early"), tablet.note("blue kayak, late")]
    message = {"device_id": tablet.device.device_id, "install_id": tablet.install_id, "why": "revoked"}
    message |= {"batch_id": hq.make_id(), "device_now": hq.now_at()}
    take_salvage(hq, tablet.device, {**message, "ops": ops[:1]})
    erase(hq, LOYALTY_ID, who="hq")
    take_salvage(hq, tablet.device, {**message, "ops": ops[1:]})
    assert found_in(dump(hq)) == []
    assert [op["op_id"] for op in ops] == sorted(row["op_id"] for row in rows(hq, "salvage"))


def test_the_commands_erase_export_and_prove(hq: Headquarters, tablet: Journalist, capsys: pytest.CaptureFixture[str]):
    """The same by command line, as JSON."""
    if not hq.settings.database.startswith("sqlite"):
        pytest.skip("the command line is the same over either")
    fill(hq, tablet)
    hq.database.close()
    place = ["--data-dir", str(hq.settings.data_dir), "--database", hq.settings.database, "--json"]
    file = hq.settings.data_dir / "mara.json"
    assert run(["privacy", "export", EMAIL, str(file), *place]) == 0
    assert EMAIL in file.read_text("utf-8")
    assert run(["privacy", "export", EMAIL, str(file), *place]) == 1
    assert run(["privacy", "erase", EMAIL, "--dry-run", *place]) == 0
    capsys.readouterr()
    assert run(["privacy", "erase", EMAIL, *place]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["outstanding"] == 1
    assert run(["privacy", "status", told["id"], *place]) == 0
    assert json.loads(capsys.readouterr().out) == told
    assert run(["privacy", "erase", EMAIL, *place]) == 1


def test_a_store_that_lost_the_shopper_long_ago_is_told_too(hq: Headquarters):
    """Its tablets may still hold what they recorded, so an older tombstone gives way to this one."""
    tell(hq)
    with hq.database.write() as tx:
        [profile_id] = tx.profile_ids([("loyalty_id", LOYALTY_ID)]).values()
        tx.publish([DocWrite("store:berlin-1", f"profile/{profile_id}", None, "slice")], hq.now_at())
    erase(hq, LOYALTY_ID, who="hq")
    with hq.database.read() as reader:
        told = {scope: reader.doc(scope, f"profile/{profile_id}") for scope in ("store:berlin-1", "store:zurich-1")}
    assert [row and row.why for row in told.values()] == ["erased", "erased"]
