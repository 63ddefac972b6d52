"""Holds on a tablet: what is kept, what is left of the stock, and when it is gone, with a real database."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from associate_app.services import record
from associate_app.services.holds import HoldWish, first_day, free_of, hold, holds_open, kept_of, release, sell
from associate_app.services.lookup import CardView, look_up
from shared.clock import parse_at
from shared.errors import Refused
from shared.promises import Change, Promise
from tests.support.replica import LOYALTY_ID, MARA, SKU, STORE_SCOPE, ShopTablet, card_for, page, put

TODAY = date(2026, 11, 22)
THEIRS = "01a20000-0000-7000-8000-00000000e001"


@pytest.fixture
def view(shop: ShopTablet) -> CardView:
    """Mara's card."""
    return look_up(shop.database, shop.book, card_for(), now=shop.clock.now())


def keep(shop: ShopTablet, view: CardView, product: str = SKU, until: date = TODAY, quantity: int = 1) -> str:
    """Put it on hold; the op id."""
    assert view.shopper is not None
    return hold(shop.recorder, shop.book, view.shopper, HoldWish(product, until, quantity)).op_id


def kept_here(shop: ShopTablet) -> list[str]:
    """What is on hold now."""
    return [one.op_id for one in holds_open(shop.database, shop.book, shop.clock.now())]


def free(shop: ShopTablet) -> int | None:
    """How many jackets are nobody's."""
    return free_of(shop.book, kept_of(holds_open(shop.database, shop.book, shop.clock.now())), SKU)


def heard(shop: ShopTablet, s: int, *changes: Change, until: str = "2026-11-25", quantity: int = 3) -> None:
    """Jackets another tablet put on hold; the feed brought it."""
    body = {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, "sku": SKU, "quantity": quantity, "until_on": until}
    made = Promise("hold", THEIRS, "2026-11-20T10:00:00.000Z", "berlin-1", "a0002", body, changes, MARA)
    shop.database.apply_page(page(STORE_SCOPE, [put(f"hold/{THEIRS}", made.as_document(), s)], head=s))


def test_what_is_on_hold_on_any_tablet_is_not_free(shop, view):
    """Four here: three kept by a colleague's tablet, one by this one, before any sync; then none may be promised."""
    assert free(shop) == 4
    heard(shop, 11)
    assert free(shop) == 1
    with pytest.raises(Refused, match="Only 1 free"):
        keep(shop, view, quantity=2)
    op_id = keep(shop, view)
    assert free(shop) == 0
    assert shop.rings == ["ring"]
    with pytest.raises(Refused, match="None is free"):
        keep(shop, view)
    record.withdraw(shop.recorder, op_id)
    assert free(shop) == 1


def test_sold_and_released_end_it_for_everybody_once(shop, view):
    """Also one of another tablet; a second deed is refused in words and written nowhere."""
    heard(shop, 11)
    op_id = keep(shop, view)
    sell(shop.recorder, op_id)
    sold = release(shop.recorder, THEIRS)
    assert (kept_here(shop), free(shop)) == ([], 4)
    before = len(shop.database.entries())
    with pytest.raises(Refused, match="this hold is released already"):
        sell(shop.recorder, THEIRS)
    assert len(shop.database.entries()) == before
    record.withdraw(shop.recorder, sold.op_id)
    assert kept_here(shop) == [THEIRS]


@pytest.mark.parametrize(
    ("at", "is_there"),
    [("2026-11-22T18:59:59.000Z", True), ("2026-11-22T19:00:00.000Z", False), ("2026-11-23T08:00:00.000Z", False)],
)
def test_it_is_gone_at_the_closing_of_its_last_day_by_the_store_s_clock(shop, view, at, is_there):
    """20:00 in Berlin is 19:00 UTC in November."""
    op_id = keep(shop, view)
    shop.clock.set(parse_at(at))
    assert (op_id in kept_here(shop)) is is_there
    assert free(shop) == (3 if is_there else 4)


def test_the_chain_sets_the_hour_and_after_it_things_are_kept_until_tomorrow(shop, view):
    """Closing at 18:00: at 17:59 until today, at 18:00 from tomorrow on."""
    shop.database.apply_page(page("all", [put("setting/tablet", {"holds_end_h": 18}, 11)], head=11))
    shop.clock.set(datetime.fromisoformat("2026-11-22T17:59:00+01:00"))
    assert first_day(shop.book, shop.clock.now()) == TODAY
    shop.clock.move(60)
    assert first_day(shop.book, shop.clock.now()) == TODAY + timedelta(days=1)
    with pytest.raises(Refused, match="Choose another day"):
        keep(shop, view)
    assert keep(shop, view, until=TODAY + timedelta(days=1)) in kept_here(shop)


def test_a_product_is_named_by_its_number_or_the_code_on_its_label(shop, view):
    """A sku, a GTIN; anything else is no product."""
    gtin = shop.book.catalogue[SKU].gtin
    keep(shop, view, product=gtin)
    assert shop.database.entries(limit=1)[0].op.body["sku"] == SKU
    with pytest.raises(Refused, match="no product of the catalogue"):
        keep(shop, view, product=LOYALTY_ID)
    for quantity in (0, 21):
        with pytest.raises(Refused, match="at once"):
            keep(shop, view, quantity=quantity)


def test_a_day_nobody_can_read_stays_until_somebody_releases_it(shop):
    """Better listed than forgotten."""
    heard(shop, 11, until="soon")
    assert kept_here(shop) == [THEIRS]
