"""What an associate waits for never walks a whole table: each statement takes steps of an index, in any store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from associate_app.services import record
from associate_app.services.follow_ups import follow_ups_open
from associate_app.services.lookup import look_up, look_up_again, look_up_profile
from associate_app.services.outbox import journal_lines, seen_since
from associate_app.services.search import find_shoppers
from tests.support.plays import NOW_AT
from tests.support.replica import LOYALTY_ID, MARA, STORE_SCOPE, ShopTablet, answer, card_for, gone, mara, page, put

LARGE = ("document", "shopper", "known_identifier", "op")


@pytest.fixture
def statements(shop: ShopTablet) -> Iterator[list[str]]:
    """Every statement run from now on, as SQLite saw it."""
    seen: list[str] = []
    raw = shop.database._connection._raw
    raw.set_trace_callback(seen.append)
    yield seen
    raw.set_trace_callback(None)


def walks(shop: ShopTablet, statements: list[str]) -> list[str]:
    """The statements whose plan scans a large table."""
    connection = shop.database._connection
    connection._raw.set_trace_callback(None)
    found = []
    for statement in dict.fromkeys(statements):
        if not statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            continue
        steps = [row[3] for row in connection.rows(f"EXPLAIN QUERY PLAN {statement}")]
        if any(step == f"SCAN {table}" or step.startswith(f"SCAN {table} ") for step in steps for table in LARGE):
            found.append(statement)
    return found


def test_opening_recording_and_searching_walk_no_table(shop, statements):
    """Card, re-read, outcome, undo, search, seen this shift, the journal's page."""
    view = look_up(shop.database, shop.book, card_for(), now=shop.clock.now())
    record.open_card(shop.recorder, view)
    saved = record.record_outcome(shop.recorder, shop.book, view, view.plays[0].play_id, "bought")
    record.amend_outcome(shop.recorder, saved.op_id, reason="in a hurry")
    record.withdraw(shop.recorder, saved.op_id)
    look_up_again(shop.database, shop.book, view, now=shop.clock.now())
    look_up_profile(shop.database, shop.book, MARA, now=shop.clock.now())
    for text in ("lindqvist", "lindqvsit", "mara lindqvsit", "li", "0151 234", LOYALTY_ID[:5], "mara@example.org"):
        find_shoppers(shop.database, text, seen=(MARA,))
    seen_since(shop.database, NOW_AT)
    follow_ups_open(shop.database)
    assert len(statements) > 50
    assert walks(shop, statements) == []
    assert journal_lines(shop.database)


def test_sending_and_receiving_walk_no_table(shop, statements):
    """A batch, its verdicts, a page with a change, a departure and an erasure."""
    record.open_card(shop.recorder, look_up(shop.database, shop.book, LOYALTY_ID, now=shop.clock.now()))
    shop.database.next_batch(after_seq=0, max_ops=250, max_bytes=10**6)
    shop.database.settle(answer(shop.database, {1: "accepted", 2: "accepted"}), at=NOW_AT)
    changes = [put(f"profile/{MARA}", mara(points=1), 11), gone("stock/nothing", 12)]
    changes.append(gone(f"profile/{MARA}", 13, "erased"))
    shop.database.apply_page(page(STORE_SCOPE, changes, head=13))
    assert walks(shop, statements) == []
