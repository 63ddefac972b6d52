"""A play comes and goes on its days while the network is down: by the tablet's own clock, in the store's time zone.

Nothing here has a connection: the replica is what it was at the last contact, and only time passes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from associate_app.services.lookup import CardView, look_up, look_up_again
from associate_app.services.store_book import StoreBooks
from shared.clock import parse_at
from shared.plays.files import document_of
from shared.plays.playbook import play_document
from tests.support.plays import offer, play, seed_playbook
from tests.support.replica import LOYALTY_ID, STRANGER_ID, ShopTablet, gone, open_file, page, put

SUNDAY_EVENING = "2026-11-22T22:59:59.000Z"
"""The last second of Sunday in Berlin."""
MONDAY = "2026-11-22T23:00:00.000Z"
TUESDAY = "2026-11-23T23:00:00.000Z"
DAYS: dict[str, dict[str, Any]] = {
    "through-sunday": {"valid_until": "2026-11-22"},
    "from-monday": {"valid_from": "2026-11-23"},
    "monday-only": {"valid_from": "2026-11-23", "valid_until": "2026-11-23"},
    "offer-through-sunday": {"offer_id": "sunday"},
}
SHOWN = [
    (SUNDAY_EVENING, {"through-sunday", "offer-through-sunday"}),
    (MONDAY, {"from-monday", "monday-only"}),
    (TUESDAY, {"from-monday"}),
]


@pytest.fixture
def offline(shop: ShopTablet) -> ShopTablet:
    """The tablet with these plays, for everybody, in place of the shipped ones; the line is down from now on."""
    plays = [play(id=name, tags=[name], **days) for name, days in DAYS.items()]
    changes = [gone(f"play/{one.id}", 11 + n) for n, one in enumerate(seed_playbook().plays)]
    changes += [put(f"play/{one.id}", play_document(one), 100 + n) for n, one in enumerate(plays)]
    changes.append(put("offer/sunday", document_of(offer(id="sunday", valid_until="2026-11-22")), 200))
    shop.database.apply_page(page("all", changes, head=200))
    return shop


def shown(view: CardView) -> set[str]:
    """The plays on a card."""
    return {one.play_id for one in view.plays}


@pytest.mark.parametrize("loyalty_id", [LOYALTY_ID, STRANGER_ID])
def test_plays_come_and_go_at_the_store_s_midnight_without_a_network(offline: ShopTablet, loyalty_id: str):
    """On the second; for a shopper of this store and for one this tablet knows nothing of but the card."""
    for at, plays in SHOWN:
        offline.clock.set(parse_at(at))
        assert shown(look_up(offline.database, offline.book, loyalty_id, now=offline.clock.now())) == plays


def test_a_card_that_lies_open_over_midnight_follows(offline: ShopTablet):
    """Drawn again, it is the new day's; why a play is gone is said."""
    offline.clock.set(parse_at(SUNDAY_EVENING))
    view = look_up(offline.database, offline.book, LOYALTY_ID, now=offline.clock.now())
    assert shown(view) == SHOWN[0][1]
    offline.clock.move(1)
    view = look_up_again(offline.database, offline.book, view, now=offline.clock.now())
    assert shown(view) == SHOWN[1][1]
    assert view.looked is not None
    reasons = {one.play_id: one.reason for one in view.looked.ranked.verdicts}
    assert reasons["through-sunday"] == "expired"
    assert reasons["offer-through-sunday"] == "offer_not_live"


def test_the_days_are_kept_over_a_restart(offline: ShopTablet, tmp_path: Path):
    """Read anew from the file, with nobody asked: the same days."""
    offline.clock.set(parse_at(MONDAY))
    offline.database.close()
    offline.database, offline.books = open_file(tmp_path, clock=offline.clock), StoreBooks()
    assert shown(look_up(offline.database, offline.book, LOYALTY_ID, now=offline.clock.now())) == SHOWN[1][1]


def test_the_shipped_weekend_ends_on_every_tablet_that_is_offline(shop: ShopTablet):
    """Eleven days away: the promotion's verdict is *expired*, by the very rule pack of the last contact."""
    first = look_up(shop.database, shop.book, LOYALTY_ID, now=shop.clock.now())
    for at, is_over in (("2026-12-03T22:59:59.000Z", False), ("2026-12-03T23:00:00.000Z", True)):
        shop.clock.set(parse_at(at))
        view = look_up(shop.database, shop.book, LOYALTY_ID, now=shop.clock.now())
        assert view.rule_pack == first.rule_pack
        assert view.looked is not None
        (verdict,) = (one for one in view.looked.ranked.verdicts if one.play_id == "member-weekend")
        assert (verdict.reason == "expired") is is_over
