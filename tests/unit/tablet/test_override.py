"""Bending an offer on a tablet: offline, within the limits, with a manager's PIN where one is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from associate_app.services.lookup import CardView, ShopperKey, look_up
from associate_app.services.override import Approval, Wish, honour_offer, used_today
from associate_app.services.record import withdraw
from shared.errors import Refused
from tests.support.plays import NOW_AT
from tests.support.replica import (
    MARA,
    PIN_HASH,
    STORE_SCOPE,
    ShopTablet,
    answer,
    card_for,
    load,
    mara,
    store_documents,
)

KNITS = Wish("autumn-knits", "extended", "size was not here")
WEEKEND = Wish("member-weekend", "adjusted", "till was down", percent=20)
MIRA = {"associate_id": "a0002", "name": "Mira Baumann", "role": "manager", "pin_hash": PIN_HASH}


def hear(shop: ShopTablet, **told: dict[str, Any]) -> None:
    """What the store's feed tells, beside Jonas and Mira, who manages the store."""
    documents = {**store_documents(), f"profile/{MARA}": mara(), "associate/a0002": MIRA, **told}
    load(shop.database, STORE_SCOPE, documents)


@pytest.fixture
def shopper(shop: ShopTablet) -> ShopperKey:
    """Mara, at the counter of a store with a manager."""
    hear(shop)
    view: CardView = look_up(shop.database, shop.book, card_for(), now=shop.clock.now())
    assert view.shopper is not None
    return view.shopper


def test_an_offer_that_ended_yesterday_is_honoured_offline_with_the_managers_pin(
    shop: ShopTablet, shopper: ShopperKey
) -> None:
    """On the journal when it returns; the till reads which record stands behind it."""
    given = honour_offer(shop.recorder, shop.book, shopper, KNITS, Approval("a0002", "2580"))
    entry = shop.database.entry(given.saved.op_id)
    assert entry is not None
    assert (entry.state, entry.op.associate_id, entry.profile_id) == ("pending", "a0001", MARA)
    assert entry.op.body == {
        "shopper": {"type": "loyalty_id", "value": shopper.value},
        "offer_id": "autumn-knits",
        "kind": "extended",
        "reason": "size was not here",
        "approved_by": "a0002",
    }
    assert given.till == f"FSV1.KNITS20.X.{given.saved.op_id.upper()}"
    assert shop.rings == ["ring"]


@pytest.mark.parametrize(
    ("wish", "approval", "words"),
    [
        (KNITS, None, "by a manager only"),
        (KNITS, Approval("a0002", "0000"), "That PIN is not right. 4 more tries"),
        (KNITS, Approval("a0001", "2580"), "Only a manager's PIN"),
        (replace(KNITS, reason="nice"), Approval("a0002", "2580"), "one of HQ's"),
        (replace(WEEKEND, percent=25), None, "At most 20 %"),
        (replace(WEEKEND, kind="extended", percent=None), None, "still runs"),
        (replace(WEEKEND, offer_id="member-weekends"), None, "Did you mean member-weekend"),
        (replace(WEEKEND, kind="gift"), None, "cannot be saved as it is"),
    ],
)
def test_beyond_the_limits_nothing_is_recorded_and_it_is_said_why(
    shop: ShopTablet, shopper: ShopperKey, wish: Wish, approval: Approval | None, words: str
) -> None:
    """One sentence; a PIN is only tried for what may be given at all."""
    with pytest.raises(Refused, match=words):
        honour_offer(shop.recorder, shop.book, shopper, wish, approval)
    assert shop.database.counts().recorded == 0


def test_a_manager_who_is_signed_in_needs_no_second_pin(shop: ShopTablet, shopper: ShopperKey) -> None:
    """They typed it when they signed in here."""
    given = honour_offer(replace(shop.recorder, associate_id="a0002"), shop.book, shopper, KNITS)
    entry = shop.database.entry(given.saved.op_id)
    assert entry is not None
    assert "approved_by" not in entry.op.body


def test_a_days_number_is_counted_from_the_journal_and_from_what_the_others_did(
    shop: ShopTablet, shopper: ShopperKey
) -> None:
    """An own record HQ tells back counts once, an undone one not at all, yesterday's not today."""
    first = honour_offer(shop.recorder, shop.book, shopper, WEEKEND)
    honour_offer(shop.recorder, shop.book, shopper, WEEKEND)
    withdraw(shop.recorder, honour_offer(shop.recorder, shop.book, shopper, WEEKEND).saved.op_id)
    others = [f"01a20000-0000-7000-8000-00000000000{number}" for number in range(3)]
    told = {"id": "member-weekend", "on": NOW_AT[:10], "op_ids": [first.saved.op_id, *others[:2]]}
    hear(shop, **{"override/member-weekend": told})
    assert used_today(shop.database, shop.book, "member-weekend", shop.clock.now()) == 4
    honour_offer(shop.recorder, shop.book, shopper, WEEKEND)
    with pytest.raises(Refused, match="5 times here today; at most 5 a day"):
        honour_offer(shop.recorder, shop.book, shopper, WEEKEND)
    shop.clock.move(86_400)
    assert used_today(shop.database, shop.book, "member-weekend", shop.clock.now()) == 0


def test_what_hq_parked_still_counts_here(shop: ShopTablet, shopper: ShopperKey) -> None:
    """The shopper was given it."""
    honour_offer(shop.recorder, shop.book, shopper, WEEKEND)
    shop.database.settle(answer(shop.database, {1: ("parked", "over_limit")}), at=NOW_AT)
    assert used_today(shop.database, shop.book, "member-weekend", shop.clock.now()) == 1
