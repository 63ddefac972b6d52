"""Erasure and access on both databases: what is gone is found in no byte, stays gone, and every tablet shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Refused
from sync_server.adapters import schema
from sync_server.bootstrap import open_headquarters, restore
from sync_server.command_line.app import run
from sync_server.ports import DocWrite
from sync_server.services.enrolment import move_device
from sync_server.services.headquarters import Headquarters
from sync_server.services.hooks.deliveries import replay as replay_hook
from sync_server.services.hooks.registry import add_hook
from sync_server.services.imports.run import run_import
from sync_server.services.ingest import take_messages
from sync_server.services.operations import begin_new_epoch
from sync_server.services.privacy import apply_list, erase, export_shopper, plan_erasure, show_erasures
from sync_server.services.quarantine import replay
from sync_server.services.salvage import take_salvage
from sync_server.services.upkeep import drop_tombstones
from sync_server.services.who_is_who import rebuild
from tests.support.backups import keep_backup
from tests.support.forgotten import (
    EMAIL,
    OTHER,
    PHONE,
    WORDS,
    dump,
    fill,
    fill_every_table,
    found_in,
    found_in_files,
    ring_up,
    rows,
    tablet_dump,
    tell,
    ticket,
)
from tests.support.tablet import Tablet
from tests.support.world import LOYALTY_ID, Journalist, pass_time, verdicts

STILL_TOLD = ("doc", "trait_row", "suppression_row", "profile_mark")
"""Tables that hold the bare id of a profile for a while: by it tablets and other systems are told what to drop."""


def test_an_erased_shopper_is_found_in_no_byte(hq: Headquarters, tablet: Journalist, tmp_path: Path):
    """Neither in a row nor in the files; others stay, and an order keeps its amount without whose it was."""
    fill_every_table(hq, tablet)
    with hq.database.read() as reader:
        [profile_id] = set(reader.profile_ids([("loyalty_id", LOYALTY_ID)]).values())
    plan = plan_erasure(hq, EMAIL)
    holding = {"fact", "identifier", "profile", "doc", "sighting", "review", "dead_letter", "salvage", "card", "audit"}
    assert {*holding, "card_page", "hook_delivery", "hook_key"} <= plan["rows"].keys()
    assert plan["rows"]["hook_delivery"] == 3
    assert set(found_in(dump(hq))) == set(WORDS)
    told = erase(hq, LOYALTY_ID, who="hq")
    assert told["files_cleared_at"]
    assert told["rows"].items() >= plan["rows"].items()
    assert found_in(dump(hq)) == []
    assert profile_id not in dump(hq, without=STILL_TOLD)
    assert all(row["source_sha"] == "" for row in rows(hq, "trait_row", profile_id=profile_id))
    if (tmp_path / "central.db").exists():
        assert found_in_files(tmp_path) == []
        keep_backup(hq.settings.database, tmp_path / "later.db")
        assert found_in_files(tmp_path, "*.db*") == []
    assert found_in_files(tmp_path / "keys", "*") == []
    order, *_ = [json.loads(row["body"]) for row in rows(hq, "fact", kind="event") if row["body"] != "{}"]
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


def test_webhooks_that_come_late_say_nothing_of_the_shopper(hq: Headquarters):
    """New ones, the same again, one that was waiting for whose it is, and all of them mapped once more."""
    tell(hq)
    add_hook(hq, "till", "pos-ticket")
    refund = {"type": "return", "ticket": "R9", "of_ticket": "T1", "store": "berlin-1", "at": "2026-11-22T10:09:00"}
    ring_up(hq, ticket(1), ticket(2, loyalty_number=None))
    erase(hq, LOYALTY_ID, who="hq")
    profiles = len(rows(hq, "profile"))
    claim = {"type": "claim", "ticket": "T2", "loyalty_number": LOYALTY_ID}
    ring_up(hq, ticket(1), ticket(7), ticket(8, total="what?"), claim, {**refund, "currency": "EUR", "total": "9.90"})
    add_hook(hq, "till", "pos-ticket", replace=True)
    replay_hook(hq, "till", include_mapped=True)
    assert found_in(dump(hq)) == []
    assert len(rows(hq, "profile")) == profiles
    assert [row["who"] for row in rows(hq, "hook_key") if row["who"]] == []


@pytest.mark.parametrize("kind", ["shoppers", "orders", "consents", "service", "events"])
def test_files_imported_again_say_nothing_of_the_shopper(hq: Headquarters, tmp_path: Path, kind: str):
    """Of each kind that names shoppers: the row is counted as taken, and nothing in it is kept."""
    file = next((Path(__file__).parents[2] / "assets" / "starter").glob(f"{kind}.*"))
    run_import(hq, kind, file)
    with hq.database.read() as reader:
        pairs = sorted(set(reader.every_identifier()))
    for type_, value in pairs:
        with suppress(Refused):  # erased with another of her identifiers
            erase(hq, f"{type_}:{value}", who="hq")
    profiles = len(rows(hq, "profile"))
    run_import(hq, kind, file)
    changed = tmp_path / file.name
    changed.write_text(file.read_text("utf-8").replace("2026-1", "2025-1"), "utf-8")
    run_import(hq, kind, changed)
    assert pairs, "a file of nobody proves nothing"
    assert [value for _, value in pairs if value in dump(hq)] == []
    assert len(rows(hq, "profile")) <= profiles


def test_what_is_replayed_late_says_nothing_of_the_shopper(hq: Headquarters, tablet: Journalist):
    """Parked ops and dead letters from before, and such as came after, of tablets and of channels."""
    fill_every_table(hq, tablet)
    waiting = [row["fact_id"] for row in rows(hq, "fact", verdict="parked")]
    letters = [row["letter_id"] for row in rows(hq, "dead_letter")]
    assert waiting
    assert len(letters) >= 2
    erase(hq, LOYALTY_ID, who="hq")
    tablet.record("from_the_future", {"text": f"blue kayak of {EMAIL}"})
    tablet.note("blue kayak", sha="1" * 64)
    tablet.push()
    take_messages(hq.database, hq.clock, "web-shop", [{"type": "nonsense", "who": EMAIL}])
    named = [*waiting, *letters, *(row["letter_id"] for row in rows(hq, "dead_letter"))]
    replay(hq)
    for one in dict.fromkeys(named):
        with suppress(Refused):
            replay(hq, [one])
    rebuild(hq)
    assert found_in(dump(hq)) == []


def test_a_restored_database_loses_the_shopper_again_on_both(hq: Headquarters, tablet: Journalist):
    """PostgreSQL comes back by its own tools and SQLite by ours: both open through the list. Here her rows come back
    as they were, from a copy of every table, and the erasure is unknown again."""
    fill_every_table(hq, tablet)
    before = table_copies(hq)
    erase(hq, LOYALTY_ID, who="hq")
    put_back(hq, before)
    assert set(found_in(dump(hq))) == set(WORDS)
    assert show_erasures(hq) == []
    begin_new_epoch(hq)
    assert apply_list(hq) == 1
    assert found_in(dump(hq)) == []
    assert [row["outstanding"] for row in show_erasures(hq)] == [1]
    tell(hq, 5)
    assert found_in(dump(hq)) == []


def table_copies(hq: Headquarters) -> dict[str, list[dict[str, Any]]]:
    """All rows by table."""
    with hq.database.read() as reader:
        return {name: list(reader.every_row(name)) for name in schema.metadata.tables}


def put_back(hq: Headquarters, copies: Mapping[str, list[dict[str, Any]]]) -> None:
    """Make every table what it was."""
    with hq.database.write() as tx:
        for name, copied in copies.items():
            tx.drop_rows(name)
            tx.put_rows(name, copied)


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
