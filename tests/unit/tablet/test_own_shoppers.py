"""Today's lists of shoppers, with a real database: found in pieces, and never against what somebody agreed to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from associate_app.ports import LAST_CONTACT_NOTE
from associate_app.services import record
from associate_app.services.follow_ups import follow_ups_open
from associate_app.services.lookup import ShopperKey
from associate_app.services.own_shoppers import here_now, my_shoppers, take_up, worth_a_word
from associate_app.services.slice_walk import PAUSE_S, PIECE_S, REST_S, Gleaned, SliceWalk
from shared.clock import format_at, parse_at
from shared.errors import Refused
from shared.plays.playbook import play_document
from tests.support.plays import ago, days_ago, event, granted, play
from tests.support.replica import LOYALTY_ID, MARA, SKU, STORE_SCOPE, ShopTablet, gone, mara, page, put

MARA_KEY = ShopperKey("loyalty_id", LOYALTY_ID, MARA)
WISH = {"sku": SKU, "at": ago(80), "category": "jackets"}


def hear(shop: ShopTablet, s: int, **changes: Any) -> None:
    """The feed brings Mara as she is now."""
    change = put(f"profile/{MARA}", mara(**changes), s)
    shop.database.apply_page(page(STORE_SCOPE, [change], head=s))


def walked(shop: ShopTablet) -> Gleaned:
    """What a whole walk finds."""
    found: list[Gleaned] = []
    walk = SliceWalk(shop.database, shop.books, shop.clock, found.append)
    while walk.step() != PAUSE_S:
        pass
    return found[-1]


def names_worth(shop: ShopTablet) -> list[tuple[str, str]]:
    """(shopper, play) of those worth a word."""
    told = worth_a_word(shop.database, shop.book, walked(shop), shop.clock.now())
    return [(one.held.profile.name, one.word.play.play_id) for one in told]


def own(shop: ShopTablet, associate_id: str = "a0001") -> list[tuple[bool, str | None]]:
    """(pinned, served) of an associate's own shoppers."""
    told = my_shoppers(shop.database, shop.book, walked(shop), associate_id, shop.clock.now())
    return [(one.is_pinned, one.served_at) for one in told]


def test_the_slice_is_gone_through_in_pieces_and_only_what_changed_is_looked_at_again(shop, monkeypatch):
    """A piece ends when its time is up; a second round over the same documents opens none of them."""
    for n in range(6):
        document = mara(id=f"0{n}", identifiers=[], wishlist=[WISH])
        shop.database.apply_page(page(STORE_SCOPE, [put(f"profile/0{n}", document, 11 + n)], head=11 + n))
    found: list[Gleaned] = []
    walk = SliceWalk(shop.database, shop.books, shop.clock, found.append)
    opened: list[str] = []
    real = shop.database.document

    def slow(document_id: str) -> Any:
        if document_id.startswith("profile/"):
            opened.append(document_id)
            shop.clock._monotonic_s += PIECE_S / 2
        return real(document_id)

    monkeypatch.setattr(shop.database, "document", slow)
    delays: list[float] = []
    while not delays or delays[-1] != PAUSE_S:
        delays.append(walk.step())
        assert len(opened) <= 2 * len(delays)
    assert delays.count(REST_S) >= 3
    assert found[0].is_whole
    assert len(found[0].worth) == 6
    assert walk.step() == PAUSE_S
    assert len(opened) == 7
    shop.database.apply_page(page(STORE_SCOPE, [gone("profile/00", 20), put("profile/01", mara(id="01"), 21)], head=21))
    opened.clear()
    while walk.step() != PAUSE_S:
        pass
    assert opened == ["profile/01"]
    assert set(found[-1].worth) == {"02", "03", "04", "05"}


def test_a_pin_is_the_associates_own_at_once_and_the_last_word_counts(shop):
    """Before any sync; a colleague has it not; taken off again, she is still there where she was served."""
    assert own(shop) == []
    record.pin_shopper(shop.recorder, MARA_KEY, is_pinned=True)
    assert own(shop) == [(True, None)]
    assert own(shop, "a0002") == []
    record.add_note(shop.recorder, MARA_KEY, "likes wool")
    record.pin_shopper(shop.recorder, MARA_KEY, is_pinned=False)
    assert own(shop) == [(False, format_at(shop.clock.now()))]


@pytest.mark.parametrize(("days", "is_there"), [(360, True), (366, False)])
def test_who_was_served_within_a_year_is_ones_own(shop, days, is_there):
    """By the outcome that the document tells; an outcome that says nothing was said is no service."""
    line = {"op_id": "o", "play_id": "p", "outcome": "bought", "at": days_ago(days), "associate_id": "a0001"}
    unsaid = {**line, "op_id": "n", "outcome": "not_mentioned", "at": days_ago(1)}
    hear(shop, 11, outcomes=[line, unsaid])
    assert own(shop) == ([(False, days_ago(days))] if is_there else [])


@pytest.mark.parametrize(
    ("lines", "is_here"),
    [
        ([event("Store Entered", 1.4, store="berlin-1")], True),
        ([event("Store Entered", 1.6, store="berlin-1")], False),
        ([event("Store Entered", 0.5, store="zurich-1")], False),
        ([event("Store Exited", 0.2, store="berlin-1"), event("Store Entered", 0.5, store="berlin-1")], False),
    ],
)
def test_who_came_in_within_ninety_minutes_is_here(shop, lines, is_here):
    """Into this store, and not out again."""
    hear(shop, 11, recent=lines)
    assert len(here_now(shop.database, shop.book, walked(shop), shop.clock.now())) == is_here


def test_a_consent_withdrawn_here_counts_at_once(shop):
    """The walk had found her; neither her visit nor a word is shown any more."""
    hear(shop, 11, recent=[event("Store Entered", 0.5, store="berlin-1")], wishlist=[WISH])
    gleaned = walked(shop)
    no = record.ConsentAnswer("personalise_in_store", is_granted=False, method="spoken")
    record.change_consent(shop.recorder, MARA_KEY, no)
    assert here_now(shop.database, shop.book, gleaned, shop.clock.now()) == ()
    assert worth_a_word(shop.database, shop.book, gleaned, shop.clock.now()) == ()


def test_a_tablet_too_long_without_hq_uses_nothing_digital(shop):
    """Consent may have been withdrawn meanwhile."""
    hear(shop, 11, recent=[event("Store Entered", 0.5, store="berlin-1")], wishlist=[WISH])
    shop.database.write_note(LAST_CONTACT_NOTE, days_ago(9))
    assert walked(shop).entered == ()
    assert names_worth(shop) == []


@pytest.mark.parametrize(
    ("changes", "is_worth"),
    [
        ({}, True),
        ({"consent": granted("personalise_in_store")}, False),
        ({"consent": granted("email")}, False),
        ({"follow_ups": [{"op_id": "f", "what": "call", "state": "open"}]}, False),
        ({"recent": [event("Order Completed", 30, order_id="o", sku=SKU)]}, False),
        ({"wishlist": []}, False),
    ],
)
def test_a_word_needs_a_play_that_fits_and_everything_agreed(shop, changes, is_worth):
    """Her wish is in stock: by e-mail, unless she did not agree, bought, or something is promised already."""
    hear(shop, 11, **{"wishlist": [WISH], **changes})
    expected = [("Mara Lindqvist", "outreach-wish-arrived")] if is_worth else []
    assert names_worth(shop) == expected


def test_nobody_writes_to_somebody_who_is_here(shop):
    """She is greeted instead."""
    hear(shop, 11, wishlist=[WISH])
    assert worth_a_word(shop.database, shop.book, walked(shop), shop.clock.now(), here={MARA}) == ()


def test_a_word_is_taken_up_by_one_record_and_the_showing_with_it(shop):
    """A message for today by the channel she agreed to; then she is off the list, and a second tap is refused."""
    hear(shop, 11, wishlist=[WISH])
    one, saved = take_up(shop.recorder, shop.book, MARA)
    assert [entry.op.kind for entry in shop.database.entries(limit=2)] == ["follow_up_requested", "impression_recorded"]
    body = shop.database.entries(limit=1)[0].op.body
    assert (body["what"], body["channel"], body["text"]) == ("message", "email", one.word.play.title)
    assert parse_at(body["due_at"]) - shop.clock.now() < timedelta(days=1)
    shown = shop.database.entry(saved.op_ids[0])
    assert shown.op.body["shown"][0]["play_id"] == "outreach-wish-arrived"
    assert names_worth(shop) == []
    with pytest.raises(Refused):
        take_up(shop.recorder, shop.book, MARA)
    assert len(follow_ups_open(shop.database)) == 1
    record.withdraw(shop.recorder, saved.op_id)
    assert names_worth(shop) == [("Mara Lindqvist", "outreach-wish-arrived")]


@pytest.mark.parametrize(
    ("purpose", "way"), [("profiling", None), ("sms", ("message", "sms")), ("phone", ("call", "phone"))]
)
def test_a_play_that_asks_for_no_channel_still_needs_one(shop, purpose, way):
    """The file forgot it: without a channel that she agreed to nobody reaches out."""
    file = play_document(play(where="outreach"))
    shop.database.apply_page(page("all", [put("play/greet", file, 11)], head=11))
    hear(shop, 11, consent=granted(purpose))
    told = worth_a_word(shop.database, shop.book, walked(shop), shop.clock.now())
    assert [one.word.way for one in told] == ([way] if way else [])
