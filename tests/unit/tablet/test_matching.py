"""Whom plays would meet: the count is what cards would show, in pieces, and consent is asked as on the card."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from associate_app.services.lookup import look_up_profile
from associate_app.services.matching import Matches, Matching
from associate_app.services.play_change import change_play
from associate_app.services.record import Recorder
from tests.support.plays import granted
from tests.support.replica import MARA, PIN_HASH, STORE_SCOPE, ShopTablet, gone, mara, page, put

PEOPLE = 14
CART = "cart-reminder-near"
BOSS = {"associate_id": "a0002", "name": "Mira", "role": "manager", "pin_hash": PIN_HASH}


@pytest.fixture
def busy(shop: ShopTablet) -> ShopTablet:
    """A slice with Mara, fourteen like her, and one like her who has not agreed to the use of her online activity."""
    changes = [put(f"profile/{key}", one, 50 + place) for place, (key, one) in enumerate(people().items())]
    changes.append(put("associate/a0002", BOSS, 99))
    shop.database.apply_page(page(STORE_SCOPE, changes, head=99))
    return shop


def people() -> dict[str, dict[str, Any]]:
    """Shoppers by profile id."""
    numbered = [(f"{n:08d}-0000-5000-8000-000000000000", n) for n in range(PEOPLE + 1)]
    return {key: like_mara(key, n, has_agreed=n < PEOPLE) for key, n in numbered}


def like_mara(key: str, n: int, *, has_agreed: bool) -> dict[str, Any]:
    """Another shopper in Mara's situation."""
    known = [{"type": "loyalty_id", "value": f"29000000{n:05d}"}]
    consent = granted("personalise_in_store", "email") if has_agreed else granted("email")
    hidden = {} if has_agreed else {"cart": [], "recent": [], "redacted": ["behaviour"]}
    return mara(id=key, identifiers=known, given_name=f"Nr {n}", consent=consent, **hidden)


def look(shop: ShopTablet, matching: Matching | None = None) -> Matches:
    """A whole look."""
    return (matching or Matching(shop.clock)).look_on(shop.database, shop.book)


def shown_on_cards(shop: ShopTablet, now: datetime) -> dict[str, int]:
    """How many cards show each play: every card opened one by one."""
    shown: dict[str, int] = {}
    for key in (MARA, *people()):
        for play in look_up_profile(shop.database, shop.book, key, now=now).plays:
            shown[play.play_id] = shown.get(play.play_id, 0) + 1
    return shown


def test_a_count_is_what_the_cards_would_show(busy: ShopTablet) -> None:
    """For every play of the card, and with the names of the first; who has not agreed is on no digital play."""
    told = look(busy)
    met = {id_: one.counts["met"] for id_, one in told.by_play.items() if one.counts["met"]}
    assert met == shown_on_cards(busy, busy.clock.now())
    assert (told.is_done, told.looked_at, told.total) == (True, PEOPLE + 2, PEOPLE + 2)
    cart = told.by_play[CART]
    assert PEOPLE - 5 < cart.counts["met"] + cart.counts["apart"] <= PEOPLE + 1
    assert cart.counts["met"] >= len(cart.names) > 5
    names = [name for _, name in cart.names]
    assert f"Nr {PEOPLE} Lindqvist" not in names


def test_a_paused_play_is_told_as_if_it_ran(busy: ShopTablet) -> None:
    """A pause takes it off the cards; whom it would meet if it ran stays to be seen, and others move up."""
    before, matching = look(busy), Matching(busy.clock)
    boss = Recorder(busy.database, busy.clock, busy.recorder.make_id, lambda: None, "a0002")
    change_play(boss, busy.book, CART, paused=True)
    after = look(busy, matching)
    assert CART not in shown_on_cards(busy, busy.clock.now())
    assert after.by_play[CART].counts["met"] == before.by_play[CART].counts["met"] > 0
    change_play(boss, busy.book, CART, paused=False)
    assert look(busy, matching).by_play == before.by_play, "a changed playbook begins the look anew"


def test_a_look_goes_on_in_pieces_and_forgets_nobody(busy: ShopTablet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece takes its time and no more; together they are the whole, also when shoppers leave meanwhile."""
    whole, matching, pieces = look(busy), Matching(busy.clock), 0
    ticks = iter(range(1_000_000))
    monkeypatch.setattr(busy.clock, "monotonic_s", lambda: next(ticks) * 0.02)
    while not (told := look(busy, matching)).is_done:
        pieces += 1
        assert told.looked_at <= 3 * pieces
    assert pieces > PEOPLE / 3
    assert told.by_play == whole.by_play
    busy.database.apply_page(page(STORE_SCOPE, [gone(f"profile/{MARA}", 120)], head=120))
    assert look(busy, matching).total == PEOPLE + 2, "as of when it was looked at"
    busy.clock.move(601)
    fresh = look(busy, matching)
    while not fresh.is_done:
        fresh = look(busy, matching)
    assert fresh.looked_at == PEOPLE + 1


def test_shoppers_of_a_wiped_tablet_are_nobody(busy: ShopTablet) -> None:
    """Too long without HQ: the look says so by its numbers."""
    busy.database.wipe_shoppers()
    told = look(busy)
    assert (told.is_done, told.total, told.by_play) == (True, 0, {})
