"""What the card tells: which sign comes first, which lines, and what a held-out shopper must not see in front."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from associate_app.services.lookup import CardView, look_up
from associate_app.ui.faces import CardFace
from associate_app.ui.telling import Known, picture_url, tell_card
from associate_app.ui.words import Speaker, zone_named
from shared.clock import parse_at
from shared.promises import Promise
from tests.support.plays import NOW_AT, ago
from tests.support.replica import LOYALTY_ID, MARA, SKU, STORE_SCOPE, mara, page, put
from tests.unit.ui.conftest import Store

WORDS = Speaker(zone=zone_named("Europe/Berlin"))
OTHER = "BNE-MERINO-RUST"


def event(name: str, hours: float, **more: Any) -> dict[str, Any]:
    """An online event so many hours ago."""
    return {"at": ago(hours), "channel": "web", "event": name, **more}


def tell(store: Store, **changes: Any) -> CardFace:
    """The card of Mara with other facts."""
    return tell_view(store, look(store, **changes))


def look(store: Store, **changes: Any) -> CardView:
    """Mara's view with other facts."""
    held = store.shop.database.state(STORE_SCOPE)
    assert held is not None
    at = held.at + 1
    store.shop.database.apply_page(page(STORE_SCOPE, [put(f"profile/{MARA}", mara(**changes), at)], head=at))
    return look_up(store.shop.database, store.shop.book, LOYALTY_ID, now=now())


def tell_view(store: Store, view: CardView) -> CardFace:
    """The face of a view."""
    face = tell_card(Known("token", view, store.shop.book, {"a0001": "Jonas Weber"}), WORDS, now())
    assert face is not None
    return face


def now() -> datetime:
    """Sunday, 14:02 in Berlin."""
    return parse_at(NOW_AT)


def test_the_strongest_sign_is_the_reason_they_may_be_here(store: Store) -> None:
    """An open cart before a wish that is in the store, before looking again and again, before a search."""
    wish = {"sku": OTHER, "at": ago(30)}
    looks = [event("Product Viewed", 5, sku=SKU), event("Product Viewed", 6, sku=SKU)]
    search = event("Products Searched", 1, query="wool socks")
    assert "left in the cart 2 days ago" in tell(store, wishlist=[wish], recent=[*looks, search]).reason
    assert tell(store, cart=[], wishlist=[wish], recent=looks).reason == (
        "Merino beanie, rust, on the wishlist and in this store"
    )
    assert tell(store, cart=[], recent=[search, *looks]).reason == "Hekla down jacket, ochre, viewed 2 times"
    assert tell(store, cart=[], recent=[search]).reason == "“wool socks”, searched 1 hour ago"
    assert not tell(store, cart=[], recent=[]).has_reason


def booked(starts: str, topic: str = "fitting: boots", profile_id: str = MARA) -> Promise:
    """An appointment in this store."""
    body = {"shopper": {"type": "profile_id", "value": profile_id}, "starts_at": starts, "minutes": 30, "topic": topic}
    return Promise("appointment", f"e-{starts}", ago(48), "berlin-1", "a0001", body, (), profile_id)


def test_an_appointment_of_today_comes_before_every_sign(store: Store) -> None:
    """Whatever they agreed to; by the store's day; not tomorrow's, and nobody else's."""

    def reason(*appointments: Promise, language: str = "en", **changes: Any) -> str:
        known = Known("token", look(store, **changes), store.shop.book, {}, appointments=appointments)
        face = tell_card(known, Speaker(language, WORDS.zone), now())
        assert face is not None
        return face.reason

    at_half_past_three = booked("2026-11-22T14:30:00.000Z")
    assert reason(at_half_past_three) == "an appointment at 15:30: Fitting · boots"
    assert reason(at_half_past_three, language="de") == "Termin um 15:30: Anprobe · boots"
    assert reason(at_half_past_three, redacted=["behaviour"]) == "an appointment at 15:30: Fitting · boots"
    assert reason(booked("2026-11-21T23:30:00.000Z", "")) == "an appointment at 00:30"
    for another in (booked("2026-11-22T23:30:00.000Z"), booked("2026-11-22T14:30:00.000Z", profile_id="somebody")):
        assert "left in the cart" in reason(another)


def test_a_thing_seen_often_is_one_line_and_a_clicked_mail_is_one_line(store: Store) -> None:
    """Each thing once, with how often; opened and clicked is said together."""
    recent = [
        *[event("Product Viewed", hours, sku=OTHER) for hours in (2, 3, 4)],
        event("Email Link Clicked", 20, title="Autumn knits"),
        event("Email Opened", 21, title="Autumn knits"),
    ]
    lines = tell(store, cart=[], recent=recent).recent
    assert [(line.title, line.what) for line in lines] == [
        ("Merino beanie, rust", "viewed 3×"),
        ("Opened “Autumn knits”", "clicked"),
    ]
    assert lines[0].stock == "4 here, aisle B3"


def test_events_nobody_needs_at_the_counter_are_left_out(store: Store) -> None:
    """Deliveries, bounces and pages are no lines."""
    recent = [event("Email Delivered", 1, title="x"), event("Page Viewed", 2), event("Products Searched", 3)]
    assert tell(store, cart=[], recent=recent).recent == ()


def test_what_would_trigger_a_held_out_play_stands_behind_more(store: Store) -> None:
    """Not in the headline, not among the visible lines."""
    view = look(store, recent=[event("Products Searched", 1, query="wool socks")])
    face = tell_view(store, replace(view, quiet_skus=frozenset({SKU})))
    assert face.reason == "“wool socks”, searched 1 hour ago"
    assert [line.is_behind for line in face.recent] == [False, True]
    quiet = tell_view(store, replace(view, quiet_skus=frozenset({SKU}), quiet_events=frozenset({"Products Searched"})))
    assert not quiet.has_reason


def test_without_consent_nothing_online_is_told(store: Store) -> None:
    """Also not as a reason."""
    face = tell(store, recent=[], redacted=["behaviour"])
    assert face.behaviour_hidden == "Mara has not agreed to use online activity here."
    assert not face.has_reason
    assert face.recent == ()


def test_two_answers_that_met_ask_for_a_third(store: Store) -> None:
    """Two entries were joined, one with a yes and one with a no: not the shopper's fault, and to be asked again."""
    consent = {"personalise_in_store": {"decision": "denied", "at": ago(1), "is_conflict": True}}
    face = tell(store, recent=[], redacted=["behaviour"], consent=consent)
    assert "once said yes and once no" in str(face.behaviour_hidden)
    assert face.behaviour_hint is not None


def test_a_copy_that_is_too_old_says_so_instead_of_blaming_consent(store: Store) -> None:
    """After the setting's hours without HQ."""
    view = replace(look(store), is_behaviour_hidden=True)
    assert "hidden until this tablet has been in touch with HQ" in str(tell_view(store, view).behaviour_hidden)


def test_purchases_say_where_and_how_much(store: Store) -> None:
    """Here, online, elsewhere; without empty decimals."""
    price = {"minor": 14900, "currency": "EUR"}
    bought = [
        {"at": ago(24), "channel": "pos", "event": "Order Completed", "store": "berlin-1", "sku": SKU, "price": price},
        {"at": ago(48), "channel": "web", "event": "Order Completed", "sku": SKU, "price": price},
        {"at": ago(72), "channel": "pos", "event": "Order Completed", "store": "hamburg-1", "sku": SKU},
    ]
    told = [line.what for line in tell(store, purchases=bought).purchases]
    assert told == ["€149 · here", "€149 · online", "in another store"]


def test_an_open_case_is_a_banner_with_its_day(store: Store) -> None:
    """What it is about and until when."""
    issue = {"title": "Zip repair", "opened_at": ago(50), "due_on": "2026-11-24"}
    assert tell(store, open_issue=issue).issue == "Open service issue: Zip repair, due Tue"


def test_what_was_done_is_told_with_who_and_when(store: Store) -> None:
    """Outcomes and notes name the colleague."""
    outcome = {"op_id": "o", "play_id": "cart-reminder-near", "outcome": "interested", "at": ago(1)}
    note = {"op_id": "n", "text": "Prefers wool", "at": ago(26), "associate_id": "a0001"}
    face = tell(store, outcomes=[outcome], notes=[note], preferences={"size": "M", "shoe": "EU 39"})
    assert face.done.lines[0].text.startswith("Interested · ")
    assert [(line.text, line.source) for line in face.notes.lines] == [
        ("EU 39, M", "Sizes and preferences"),
        ("Prefers wool", "Jonas · 21 Nov 12:02"),
    ]


@pytest.mark.parametrize(
    ("image", "address"),
    [("knitwear-sand.webp", "products/knitwear-sand.webp"), ("ab" * 32, f"media/{'ab' * 32}"), (None, None)],
)
def test_pictures_come_from_this_app_s_own_origin(image: str | None, address: str | None) -> None:
    """A file of the demo, a fetched picture by its hash, or a drawing."""
    assert picture_url(image) == address
