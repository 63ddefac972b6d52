"""Products and offers on a tablet: what is free here, who else has it, what holds for whom, with a real database."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from associate_app.services import record
from associate_app.services.holds import HoldWish, hold
from associate_app.services.lookup import CardView, look_up
from associate_app.services.offers import look_up_offer, offers_had
from associate_app.services.products import find_products, look_up_product
from shared.plays.rank import WouldShow
from shared.profile import Profile
from tests.support.plays import days_ago, granted
from tests.support.replica import MARA, SKU, STORE_SCOPE, ShopTablet, card_for, mara, page, put

BERLIN = {"code": "berlin-1", "name": "Berlin Mitte", "currency": "EUR", "timezone": "Europe/Berlin"}
PLACES = {
    "berlin-2": ("Berlin Steglitz", 52_457_300, 13_322_400),
    "hamburg-1": ("Hamburg Ottensen", 53_552_600, 9_928_500),
    "nowhere-1": ("A store without a place", None, None),
}
OFFER: dict[str, Any] = {
    "id": "two-days",
    "title": "A gift",
    "kind": "gift",
    "terms": "One each.",
    "codes": ["Two-Days"],
}

POSITIONS = count(30)


def heard(shop: ShopTablet, scope: str, s: int, **documents: dict[str, Any]) -> None:
    """The feed brings documents, by id."""
    changes = [put(document_id, body, s + n) for n, (document_id, body) in enumerate(documents.items())]
    shop.database.apply_page(page(scope, changes, head=s + len(changes)))


def stores_know(shop: ShopTablet, *codes: str) -> None:
    """HQ says where the places are, and which stores have jackets."""
    stores = {"store/berlin-1": {**BERLIN, "lat_e6": 52_525_600, "lon_e6": 13_401_700}}
    for code, (name, lat, lon) in PLACES.items():
        place = {"lat_e6": lat, "lon_e6": lon} if lat is not None else {}
        stores[f"store/{code}"] = {**BERLIN, "code": code, "name": name, **place}
    heard(shop, "all", 11, **stores, **{f"available/{SKU}": {"sku": SKU, "stores": list(codes)}})


def look(shop: ShopTablet, **changes: Any) -> CardView:
    """Mara's card, after the feed brought her anew."""
    if changes:
        heard(shop, STORE_SCOPE, 11, **{f"profile/{MARA}": mara(**changes)})
    return look_up(shop.database, shop.book, card_for(), now=shop.clock.now())


def profile(shop: ShopTablet) -> Profile:
    """Mara as her card shows her."""
    found = look(shop).profile
    assert found is not None
    return found


def product(shop: ShopTablet) -> Any:
    """The jacket at this moment."""
    return look_up_product(shop.database, shop.book, SKU, shop.clock.now())


def offer(shop: ShopTablet, name: str = "two-days", **changes: Any) -> Any:
    """An offer as it stands, after HQ published it so."""
    if changes:
        heard(shop, "all", next(POSITIONS), **{"offer/two-days": {**OFFER, **changes}})
    return look_up_offer(shop.book, name, shop.clock.now(), {})


def test_a_product_is_told_less_what_is_on_hold_with_the_nearest_store_first(shop):
    """Four counted, one kept; Steglitz before Hamburg, one without a place last, this store never."""
    stores_know(shop, "berlin-1", "nowhere-1", "hamburg-1", "berlin-2")
    view = look(shop)
    assert view.shopper is not None
    hold(shop.recorder, shop.book, view.shopper, HoldWish(SKU, shop.book.today(shop.clock.now())))
    told = product(shop)
    assert (told.level.quantity, told.kept[SKU], told.level.aisle) == (4, 1, "B3")
    assert [(one.name, one.distance_m) for one in told.elsewhere] == [
        ("Berlin Steglitz", 9400),
        ("Hamburg Ottensen", 258_800),
        ("A store without a place", None),
    ]


def test_not_told_is_not_nowhere(shop):
    """Before HQ has counted elsewhere nothing is known; then no other store has any."""
    assert product(shop).elsewhere is None
    stores_know(shop, "berlin-1")
    assert product(shop).elsewhere == ()
    assert look_up_product(shop.database, shop.book, "NO-SUCH", shop.clock.now()) is None


def test_products_are_found_by_words_in_any_order_and_by_their_number(shop):
    """Umlauts and case do not matter."""
    known = shop.book.catalogue[SKU]
    assert SKU in find_products(shop.book, known.title.split()[1].upper())
    assert find_products(shop.book, known.gtin or "") == (SKU,)
    assert find_products(shop.book, " ") == ()
    assert find_products(shop.book, "no such thing") == ()


def test_an_offer_says_why_nobody_can_use_it_here(shop):
    """Its dates, its stores, its channels, its money and its goods; all that stand in the way, the day first."""
    later, over = "2026-11-23", "2026-11-21"
    assert offer(shop, valid_from=later).bars == ("not_yet",)
    assert offer(shop, valid_until=over).bars == ("ended",)
    assert offer(shop, valid_until="2026-11-22").bars == ()
    assert offer(shop, valid_until=over, stores=["hamburg-1"]).bars == ("ended", "other_store")
    assert offer(shop, channels=["web", "email"]).bars == ("not_in_store",)
    assert offer(shop, kind="amount", amounts=[{"minor": 500, "currency": "CHF"}]).bars == ("other_money",)
    assert offer(shop, skus=["NO-SUCH"]).bars == ("none_here",)
    assert offer(shop, skus=["NO-SUCH", SKU]).bars == ()


def test_an_offer_that_ended_may_be_honoured_to_its_last_day(shop):
    """Only where HQ set limits with some a day."""
    limits = {"extend_days": 1, "per_day": 2}
    assert offer(shop, valid_until="2026-11-21", override=limits).bent_until == "2026-11-22"
    assert offer(shop, valid_until="2026-11-20", override=limits).bent_until is None
    assert offer(shop, valid_until="2026-11-21", override={"extend_days": 1}).bent_until is None
    assert offer(shop, override=limits).bent_until is None


@pytest.mark.parametrize(
    ("scanned", "code", "is_own"),
    [("two-days", "Two-Days", False), (" TWO-DAYS ", "Two-Days", False), ("g-77x", "G-77X", True)],
)
def test_the_till_reads_the_offers_spelling_or_the_shoppers_own_code(shop, scanned, code, is_own):
    """A hand scanner may drop the case."""
    offer(shop, code_prefixes=["G-"])
    told = offer(shop, scanned)
    assert (told.offer.id, told.code, told.is_own_code) == ("two-days", code, is_own)


def test_the_offers_somebody_has_are_those_they_can_still_use(shop):
    """Newest first; what they used up, what ended for good and what is for elsewhere are none of them."""
    states = [
        ("member-weekend", "sent", 3),
        ("free-repair", "clicked", 2),
        ("welcome-10", "used", 1),
        ("gone", "sent", 1),
    ]
    listed = [{"offer_id": name, "state": state, "at": days_ago(n)} for name, state, n in states]
    view = look(shop, offers=listed)
    assert [state.offer_id for state, _ in offers_had(shop.book, view, shop.clock.now())] == [
        "free-repair",
        "member-weekend",
    ]


def test_without_consent_nothing_is_told_of_offers_sent_online(shop):
    """The tablet hides by itself what had come before the consent was taken back; goodwill was given on the floor."""
    listed = [
        {"offer_id": "member-weekend", "state": "sent", "at": days_ago(2)},
        {"offer_id": "free-repair", "state": "goodwill", "at": days_ago(1)},
    ]
    view = look(shop, offers=listed)
    assert view.shopper is not None
    record.change_consent(shop.recorder, view.shopper, record.ConsentAnswer("personalise_in_store", False, "spoken"))
    after = look(shop)
    assert [state.offer_id for state, _ in offers_had(shop.book, after, shop.clock.now())] == ["free-repair"]


def test_an_offer_of_a_held_out_play_is_not_on_the_card(shop):
    """Seeing it here would undo the holdout; its code can still be scanned."""
    listed = [{"offer_id": "free-repair", "state": "sent", "at": days_ago(1)}]
    view = look(shop, offers=listed)
    play = next(play for play in shop.book.playbook.plays if play.offer_id == "free-repair")
    held = replace(view, would_show=(WouldShow(play.id, 1, 1, "holdout_play", (), ()),))
    assert offers_had(shop.book, view, shop.clock.now())
    assert offers_had(shop.book, held, shop.clock.now()) == ()


def test_what_was_bought_or_wished_is_on_the_card_at_once_and_taken_back_with_undo(shop):
    """Before any sync; a wish joins the wishlist only as long as online activity may be told."""
    view = look(shop, cart=[], wishlist=[], recent=[])
    assert view.shopper is not None
    saved = record.record_product(shop.recorder, view.shopper, SKU, "wished")
    assert [line.sku for line in profile(shop).wishlist] == [SKU]
    record.withdraw(shop.recorder, saved.op_id)
    after = profile(shop)
    assert (after.wishlist, after.products) == ([], [])
    record.record_product(shop.recorder, view.shopper, SKU, "bought")
    record.record_product(shop.recorder, view.shopper, SKU, "wished")
    record.change_consent(shop.recorder, view.shopper, record.ConsentAnswer("personalise_in_store", False, "spoken"))
    hidden = profile(shop)
    assert [(line.sku, line.what) for line in hidden.products] == [(SKU, "bought"), (SKU, "wished")]
    assert hidden.wishlist == []


def test_a_product_bought_counts_as_bought_for_what_holds_plays_back(shop):
    """As an outcome does: selling plays rest after it."""
    view = look(shop, consent=granted("personalise_in_store", "email"))
    before = {play.play_id for play in view.plays}
    assert view.shopper is not None
    record.record_product(shop.recorder, view.shopper, SKU, "bought")
    after = look(shop)
    assert after.looked is not None
    assert after.looked.inputs.view.claims
    assert {play.play_id for play in after.plays} != before
