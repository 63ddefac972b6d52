"""The practice store: whole, alive on any day, known by its cards, and in memory alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from associate_app.adapters.sqlite import TabletFile, open_memory_database
from associate_app.services.card_stock import next_card
from associate_app.services.lookup import look_up
from associate_app.services.practice import (
    PracticePlace,
    fill_practice,
    is_practice_card,
    practice_card,
    stranger_card,
)
from associate_app.services.store_book import StoreBooks
from shared.cards import CardStatus
from tests.support.practice_store import FILE, written
from tests.support.replica import card_for
from tests.support.tablet import TabletClock
from tests.support.world import SeededChance

PIA = "2999999990011"
PLACE = PracticePlace("a0001", "Jonas Weber", "associate", "Europe/Berlin")


def practice_at(now: datetime) -> TabletFile:
    """The practice store of a moment."""
    clock = TabletClock()
    clock.set(now)
    database = open_memory_database(clock=clock, chance=SeededChance(1))
    fill_practice(database, PLACE, now)
    return database


def test_the_file_that_ships_is_the_one_made_of_the_seeds() -> None:
    """`python -m tests.redraw` writes it."""
    assert FILE.read_text("utf-8") == written()


@pytest.mark.parametrize("days", [0, 400, 2000])
def test_the_practice_shoppers_are_alive_on_any_day(days: int) -> None:
    """Years after it was written the first shopper still left her jacket two days ago, and a play says so."""
    now = datetime(2026, 11, 22, 13, 2, tzinfo=UTC) + timedelta(days=days)
    database = practice_at(now)
    book = StoreBooks().read(database)
    view = look_up(database, book, practice_card(PIA), now=now)
    assert view.card.status is CardStatus.VERIFIED
    assert "cart-reminder-near" in {play.play_id for play in view.plays}
    assert next_card(database) is not None
    database.close()


def test_a_practice_card_is_known_by_itself() -> None:
    """In either letter case; a real card is none."""
    assert is_practice_card(practice_card(PIA).lower())
    assert is_practice_card(stranger_card())
    assert not is_practice_card(card_for())
    assert not is_practice_card("2999999990011")


def test_nothing_of_it_is_written_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file beside it, and a second practice store begins empty of the first."""
    monkeypatch.chdir(tmp_path)
    now = datetime(2026, 11, 22, 13, 2, tzinfo=UTC)
    first = practice_at(now)
    first.write_note("x", "y")
    second = practice_at(now)
    assert second.read_note("x") is None
    assert list(tmp_path.iterdir()) == []
    first.close()
    second.close()
