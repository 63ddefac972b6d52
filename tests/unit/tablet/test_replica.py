"""The replica on a real file: pages, snapshots, sums, derived indexes, and that nothing forbidden is left behind."""

from __future__ import annotations

import pytest

from associate_app.adapters import sqlite_connection
from shared.errors import Weather
from shared.wire.canonical import canonical, document_hash
from tests.support.replica import (
    LOYALTY_ID,
    MARA,
    STORE_SCOPE,
    end_of,
    gone,
    header,
    line,
    load,
    mara,
    open_file,
    page,
    put,
)

DOC = f"profile/{MARA}"


def expected_sum(documents: dict) -> str:
    """The sum over documents as protocol.md defines it."""
    return f"{sum(int(document_hash(id_, canonical(doc)), 16) for id_, doc in documents.items()) % 2**64:016x}"


def test_a_snapshot_becomes_live_whole_with_its_cursor(database):
    """Nothing of it is seen before the swap; afterwards count, sum and cursor are those of what is stored."""
    documents = {DOC: mara(), "stock/A": {"sku": "A", "quantity": 1}}
    lines = [line(id_, documents[id_]) for id_ in sorted(documents)]
    database.load_snapshot(header(STORE_SCOPE), lines)
    assert database.document(DOC) is None
    assert database.find_profile("loyalty_id", LOYALTY_ID) is None
    assert database.search("Mara") == ()
    state = database.swap_snapshot(STORE_SCOPE, end_of(lines, "c9"))
    assert (state.cursor, state.at, state.count, state.sum) == ("c9", 10, 2, expected_sum(documents))
    assert database.document(DOC).body == mara()
    assert database.shadow_progress(STORE_SCOPE) is None


def test_a_broken_snapshot_resumes_where_it_stopped_and_keeps_the_old_copy_meanwhile(database):
    """Lines that came whole stay; the resumed reply's count and sum are of its own lines only."""
    load(database, STORE_SCOPE, {"stock/OLD": {"sku": "OLD", "quantity": 1}})
    documents = {f"stock/{number:03d}": {"sku": f"{number:03d}", "quantity": number} for number in range(9)}
    lines = [line(id_, documents[id_]) for id_ in sorted(documents)]
    database.load_snapshot(header(STORE_SCOPE, 20), lines[:4])
    progress = database.shadow_progress(STORE_SCOPE)
    assert (progress[0].as_of, progress[1], progress[2]) == (20, "stock/003", 4)
    assert database.document("stock/OLD") is not None
    database.load_snapshot(header(STORE_SCOPE, 20), lines[4:])
    state = database.swap_snapshot(STORE_SCOPE, end_of(lines[4:]))
    assert (state.count, state.sum) == (9, expected_sum(documents))
    assert database.document("stock/OLD") is None


def test_a_snapshot_of_another_moment_starts_afresh(database):
    """Half a snapshot as of 10 is never mixed with one as of 20."""
    database.load_snapshot(header(STORE_SCOPE, 10), [line("stock/A", {"sku": "A"})])
    lines = [line("stock/B", {"sku": "B"})]
    database.load_snapshot(header(STORE_SCOPE, 20), lines)
    database.swap_snapshot(STORE_SCOPE, end_of(lines))
    assert [stored.id for stored in database.documents("stock")] == ["stock/B"]


@pytest.mark.parametrize("change", [{"count": 1}, {"count": 3}, {"sum": "0" * 16}])
def test_a_snapshot_that_is_not_whole_is_never_swapped_in(database, change):
    """A wrong count or sum raises Weather; the old copy stays."""
    load(database, STORE_SCOPE, {"stock/OLD": {"sku": "OLD"}})
    lines = [line("stock/A", {"sku": "A"}), line("stock/B", {"sku": "B"})]
    database.load_snapshot(header(STORE_SCOPE, 20), lines)
    with pytest.raises(Weather):
        database.swap_snapshot(STORE_SCOPE, end_of(lines).model_copy(update=change))
    assert [stored.id for stored in database.documents("stock")] == ["stock/OLD"]


def test_a_page_upserts_what_is_newer_and_keeps_count_and_sum(database):
    """An older version never overwrites a newer one; the sum always equals one taken from what is stored."""
    load(database, STORE_SCOPE, {DOC: mara(), "stock/A": {"sku": "A", "quantity": 1}})
    newer = mara(tier="Platinum")
    state = database.apply_page(page(STORE_SCOPE, [put(DOC, newer, 11), gone("stock/A", 12)], head=12))
    assert (state.at, state.cursor, state.count) == (12, "c2", 1)
    assert state.sum == expected_sum({DOC: newer})
    again = database.apply_page(page(STORE_SCOPE, [put(DOC, mara(tier="Old"), 5), gone(DOC, 4)], head=12))
    assert database.document(DOC).body["tier"] == "Platinum"
    assert again.sum == state.sum == database.recompute(STORE_SCOPE).sum


def test_a_page_with_more_to_come_stands_at_its_last_change(database):
    """`at` never runs ahead of what was applied."""
    load(database, STORE_SCOPE, {DOC: mara()})
    state = database.apply_page(page(STORE_SCOPE, [put("stock/A", {"sku": "A"}, 11)], head=99, more=True))
    assert state.at == 11
    assert database.apply_page(page(STORE_SCOPE, [], head=99, more=True)).at == 11
    assert database.apply_page(page(STORE_SCOPE, [], head=99)).at == 99


def test_the_sum_is_taken_from_what_is_stored_never_from_the_wire(database):
    """A document whose hash on the wire is wrong makes the sums differ, which is how HQ's check finds it."""
    change = put("stock/A", {"sku": "A"}, 1).model_copy(update={"h": "0" * 16})
    state = database.apply_page(page(STORE_SCOPE, [change], head=1))
    assert state.sum == expected_sum({"stock/A": {"sku": "A"}})


def test_the_sum_of_a_snapshot_too_is_taken_from_what_is_stored(database):
    """A changed document is not swapped in, whatever hash its line names: the end's sum is of the true one."""
    sound = line("stock/A", {"sku": "A"})
    database.load_snapshot(header(STORE_SCOPE), [sound._replace(body=b'{"sku":"B"}')])
    with pytest.raises(Weather):
        database.swap_snapshot(STORE_SCOPE, end_of([sound]))


def test_a_line_that_holds_no_document_is_weather(database):
    """Nothing that is no JSON object is ever stored."""
    with pytest.raises(Weather):
        database.load_snapshot(header(STORE_SCOPE), [line("stock/A", {"sku": "A"})._replace(body=b"{torn")])


def test_a_profile_is_found_by_each_identifier_and_by_older_ids(database):
    """Loyalty number, e-mail, phone, and the ids of profiles that were merged into it."""
    load(database, STORE_SCOPE, {DOC: mara(redirects=["old-id"])})
    pairs = [("loyalty_id", LOYALTY_ID), ("email", "mara@example.org"), ("phone", "+4915123456789")]
    for pair in [*pairs, ("profile_id", MARA), ("profile_id", "old-id")]:
        assert database.find_profile(*pair).id == DOC
    moved = mara(identifiers=[{"type": "loyalty_id", "value": "9"}])
    database.apply_page(page(STORE_SCOPE, [put(DOC, moved, 11)], head=11))
    assert database.find_profile("loyalty_id", LOYALTY_ID) is None
    assert database.find_profile("loyalty_id", "9").id == DOC


def test_a_phone_of_two_people_leads_to_neither(database):
    """A family's phone must not open the wrong card: search shows both."""
    other = mara(id="p2", identifiers=[{"type": "phone", "value": "+4915123456789"}])
    load(database, STORE_SCOPE, {DOC: mara(), "profile/p2": other})
    assert database.find_profile("phone", "+4915123456789") is None
    assert len(database.search("015123456789")) == 2


def test_a_revision_changes_exactly_with_its_kinds(database):
    """Derived tables are kept until a document of their kinds changed: by page, snapshot, purge or wipe."""
    load(database, STORE_SCOPE, {DOC: mara(), "stock/A": {"sku": "A"}})
    plays, stock = database.revision(["play"]), database.revision(["stock"])
    database.apply_page(page(STORE_SCOPE, [put(DOC, mara(tier="x"), 11)], head=11))
    assert (database.revision(["play"]), database.revision(["stock"])) == (plays, stock)
    database.apply_page(page(STORE_SCOPE, [gone("stock/A", 12)], head=12))
    assert database.revision(["stock"]) != stock
    load(database, "all", {"play/a": {"id": "a"}})
    assert database.revision(["play"]) != plays
    before = database.revision(["play"])
    database.purge_scope("all")
    assert database.revision(["play"]) != before


def test_a_purged_scope_leaves_nothing(database):
    """Documents, cursor, shadow, identifiers and search rows of that scope go; other scopes stay."""
    load(database, "all", {"play/a": {"id": "a"}})
    load(database, STORE_SCOPE, {DOC: mara()})
    database.load_snapshot(header(STORE_SCOPE, 30), [line("stock/A", {"sku": "A"})])
    database.purge_scope(STORE_SCOPE)
    assert [state.scope for state in database.states()] == ["all"]
    assert database.shadow_progress(STORE_SCOPE) is None
    assert database.document(DOC) is None
    assert database.search("Mara") == ()
    assert database.find_profile("loyalty_id", LOYALTY_ID) is None
    assert rows_about_mara(database) == 0


def test_a_wipe_takes_every_shopper_and_asks_for_a_snapshot(database):
    """Playbook and journal stay; the store's scope has no cursor any more and its sum is of what is left."""
    load(database, "all", {"play/a": {"id": "a"}})
    load(database, STORE_SCOPE, {DOC: mara(), "follow_up/1": {"shopper": "x"}, "stock/A": {"sku": "A"}})
    database.wipe_shoppers()
    state = database.state(STORE_SCOPE)
    assert (state.cursor, state.count, state.sum) == (None, 1, expected_sum({"stock/A": {"sku": "A"}}))
    assert database.document("play/a") is not None
    assert rows_about_mara(database) == 0


def test_wiped_shoppers_are_not_in_the_file_s_bytes(tmp_path, monkeypatch):
    """Without encryption too nothing of them is left to be read: deleted pages are overwritten, the log is emptied."""
    monkeypatch.setattr(sqlite_connection, "_sqlcipher", lambda: None)
    plain = open_file(tmp_path)
    assert not plain.is_encrypted
    load(plain, STORE_SCOPE, {DOC: mara()})
    assert b"Lindqvist" in held_bytes(tmp_path)
    plain.wipe_shoppers()
    held = held_bytes(tmp_path)
    plain.close()
    assert b"Lindqvist" not in held
    assert b"lindqvist" not in held
    assert LOYALTY_ID.encode() not in held


def held_bytes(folder) -> bytes:
    """Everything the database's files hold."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("tablet.db*")))


def rows_about_mara(database) -> int:
    """Rows of the indexes, live or not."""
    queries = ("SELECT count(*) FROM shopper", "SELECT count(*) FROM known_identifier")
    return sum(database._connection.row(query)[0] for query in queries)
