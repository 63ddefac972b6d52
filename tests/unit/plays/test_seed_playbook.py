"""The playbook that ships: every play with a shopper for whom it fires and one for whom it does not."""

from __future__ import annotations

from typing import Any

import pytest

from shared.plays.catalogue import PURPOSES
from shared.plays.evaluate import evaluate
from shared.plays.files import parse_calendar_entry, parse_offer, parse_template, parse_wording
from shared.plays.inputs import StockLevel
from shared.plays.playbook import Playbook, play_document, problems_across
from shared.plays.rank import PlayVerdict, recommend
from tests.support.plays import (
    ago,
    days_ago,
    event,
    granted,
    load_folder,
    outcome,
    seed_playbook,
    seed_settings,
    seen,
)

PLAYS = {play.id: play for play in seed_playbook().plays}
STOCK = {"A": StockLevel(4, "B3")}


def cart(metres: int | None, hours: float = 48) -> dict[str, Any]:
    """A jumper left in the cart by someone who lives so far away."""
    return {
        "recent": [event("Product Added", hours, sku="A", title="Aran jumper", category="knitwear")],
        "cart": [{"sku": "A", "at": ago(hours), "title": "Aran jumper"}],
        "facts": {"distance": {"this_store_m": metres}},
        "stock": STOCK,
    }


def bought(days: float, orders: int = 1, first: float | None = None, **more: Any) -> dict[str, Any]:
    """So many orders, the last one so many days ago."""
    facts = {"orders": orders, "first_order_at": days_ago(first or days), "last_order_at": days_ago(days)}
    return {"facts": facts, "recent": [event("Order Completed", days * 24, channel="pos", order_id="o", **more)]}


def views(*categories: str, hours: float = 3) -> dict[str, Any]:
    """Product views of these categories, each of another sku, all in stock."""
    lines = [
        event("Product Viewed", hours + n, sku=f"V{n}", category=name, title=name) for n, name in enumerate(categories)
    ]
    return {"recent": lines, "stock": {f"V{n}": StockLevel(3, "C1") for n in range(len(categories))}}


def plus(document: dict[str, Any], *lines: dict[str, Any]) -> dict[str, Any]:
    """A document with further recent lines."""
    return {**document, "recent": [*document.get("recent", []), *lines]}


WISH = {"wishlist": [{"sku": "A", "at": ago(100), "title": "Merino beanie"}], "stock": STOCK}
EMAIL_TOO = {"consent": granted("personalise_in_store", "email")}
PHONE_TOO = {"consent": granted("personalise_in_store", "phone")}
HIKER = {**views("tents"), "facts": {"distance": {"this_store_m": 9000}}}
CLICKED = event("Promotion Clicked", 5, offer_id="member-weekend")
SEARCHED = [event("Products Searched", hours, query="gaiters") for hours in (5, 6)]

FIRES: dict[str, dict[str, Any]] = {
    "cart-reminder-near": cart(1200),
    "cart-within-reach": cart(9000),
    "cart-delivery-far": cart(60_000),
    "browsed-category": views("tents", "tents"),
    "viewed-not-added": views("tents"),
    "checkout-left-open": {"recent": [event("Checkout Started", 10)]},
    "wishlist-in-stock": WISH,
    "loyal-retention": bought(120, orders=3, first=400),
    "lapsing-check-in": bought(120, orders=2, first=400),
    "silent-nudge": {"recent": [event("Product Viewed", 200, sku="A", title="Tent")]},
    "win-back": bought(400),
    "thank-you": bought(2),
    "service-first": {"open_issue": {"title": "Zip repair", "opened_at": days_ago(3)}},
    "case-closed-check": {"recent": [event("Support Case Closed", 60, channel="service")]},
    "frequent-returner-help": {"recent": [event("Order Refunded", hours, order_id=str(hours)) for hours in (50, 900)]},
    "email-opened": {"recent": [event("Email Opened", 20, channel="email")]},
    "birthday": {"birth_on": "1988-12-01"},
    "new-member-welcome": {"recent": [event("Loyalty Enrolled", 100)]},
    "second-purchase": bought(20, sku="S", title="Trail shoes"),
    "app-not-installed": bought(20, orders=2),
    "enrol-in-loyalty": {"identifiers": [{"type": "email", "value": "mara@example.org"}]},
    "event-invitation": HIKER,
    "member-weekend": {},
    "promotion-clicked": {"recent": [CLICKED]},
    "high-value-personal": {"value_band": "top_5"},
    "free-repair": bought(80),
    "boot-care": bought(40, category="hiking-boots"),
    "searched-help": {"recent": SEARCHED},
    "interested-before": {"outcomes": [outcome("browsed-category", "interested", 100)]},
    "ask-consent": {"consent": {}},
    "first-conversation": {"consent": {}, "identifiers": []},
    "outreach-wish-arrived": {**WISH, **EMAIL_TOO, "facts": {"distance": {"this_store_m": 5000}}},
    "outreach-best-lapsing": {**bought(120, orders=5, first=500), **PHONE_TOO, "value_band": "top_20"},
}

DOES_NOT: dict[str, list[dict[str, Any]]] = {
    "cart-reminder-near": [
        cart(3100),
        cart(1200, hours=20),
        cart(None),
        {**cart(1200), "stock": {}},
        plus(cart(1200), event("Order Completed", 2, sku="A")),
        {**cart(1200), "consent": {}},
    ],
    "cart-within-reach": [cart(2900), cart(15_100)],
    "cart-delivery-far": [cart(14_000), cart(60_000, hours=5)],
    "browsed-category": [
        views("tents", "mugs"),
        plus(views("tents", "tents"), event("Order Completed", 1, category="tents")),
    ],
    "viewed-not-added": [views("tents", hours=1), plus(views("tents"), event("Product Added", 1, sku="V0"))],
    "checkout-left-open": [{"recent": [event("Checkout Started", 10), event("Order Completed", 9)]}],
    "wishlist-in-stock": [{**WISH, "stock": {"A": StockLevel(0)}}, {**WISH, "consent": {}}],
    "loyal-retention": [bought(120, orders=2, first=400), bought(80, orders=5, first=400), bought(500, orders=5)],
    "lapsing-check-in": [bought(120, orders=3, first=400)],
    "silent-nudge": [
        {"recent": [event("Product Viewed", 200), event("Cart Viewed", 20)]},
        {"recent": [event("Product Viewed", 800)]},
    ],
    "win-back": [bought(364), {}],
    "thank-you": [bought(15), bought(0.1)],
    "service-first": [{}],
    "case-closed-check": [
        {"recent": [event("Support Case Closed", 600)]},
        {"recent": [event("Support Case Closed", 60)], "open_issue": {"title": "Zip", "opened_at": ago(5)}},
    ],
    "frequent-returner-help": [
        {"recent": [event("Order Refunded", 50, order_id="1")]},
        {
            "recent": [
                event("Order Refunded", 50, order_id="1", sku="X"),
                event("Order Refunded", 50, order_id="1", sku="Y"),
            ]
        },
    ],
    "email-opened": [{"recent": [event("Email Opened", 20), event("Email Link Clicked", 19)]}],
    "birthday": [{"birth_on": "1988-12-07"}, {"birth_on": "1988-11-21"}, {}],
    "new-member-welcome": [
        {"recent": [event("Loyalty Enrolled", 800)]},
        {**bought(5, orders=2), "recent": [event("Loyalty Enrolled", 100)]},
    ],
    "second-purchase": [bought(10), bought(20, orders=2), bought(70)],
    "app-not-installed": [plus(bought(20, orders=2), event("App Opened", 100)), bought(20)],
    "enrol-in-loyalty": [{}],
    "event-invitation": [
        plus(HIKER, event("Store Event Registered", 50)),
        {**HIKER, "facts": {"distance": {"this_store_m": 40_000}}},
        {**views("mugs"), "facts": {"distance": {"this_store_m": 900}}},
    ],
    "member-weekend": [{"identifiers": [{"type": "email", "value": "a@example.org"}]}],
    "promotion-clicked": [{"recent": [event("Promotion Clicked", 5, offer_id="welcome-10")]}],
    "high-value-personal": [{"value_band": "top_20"}],
    "free-repair": [bought(50), {}],
    "boot-care": [bought(10, category="hiking-boots"), bought(40, category="mugs")],
    "searched-help": [{"recent": SEARCHED[:1]}, {"recent": [*SEARCHED, event("Product Added", 1, sku="A")]}],
    "interested-before": [
        {"outcomes": [outcome("a", "interested", 100), outcome("b", "bought", 50)]},
        {"outcomes": [outcome("a", "interested", 600)]},
    ],
    "ask-consent": [{}, {"consent": {"personalise_in_store": {"decision": "denied", "at": ago(50)}}}],
    "first-conversation": [],
    "outreach-wish-arrived": [
        {**WISH, "facts": {"distance": {"this_store_m": 5000}}},
        {**WISH, **EMAIL_TOO, "stock": {"A": StockLevel(1)}, "facts": {"distance": {"this_store_m": 5000}}},
    ],
    "outreach-best-lapsing": [
        {**bought(120, orders=5, first=500), "value_band": "top_20"},
        {**bought(120, orders=5, first=500), **PHONE_TOO, "value_band": "rest"},
    ],
}

MISSES = [(play_id, number) for play_id in sorted(DOES_NOT) for number in range(len(DOES_NOT[play_id]))]


def verdict_on(play_id: str, document: dict[str, Any]) -> PlayVerdict:
    """The engine's verdict on one play alone, without its holdout."""
    play = PLAYS[play_id].model_copy(update={"holdout": PLAYS[play_id].holdout.model_copy(update={"percent": 0})})
    playbook = Playbook.of([play], seed_playbook().offers.values(), seed_settings())
    inputs = seen(settings=seed_settings(), **document)
    return recommend(inputs, playbook, loyalty_anchor="L1", where=PLAYS[play_id].where[0]).verdicts[0]


def test_every_play_has_a_case_on_both_sides():
    """No play ships untested."""
    assert set(FIRES) == set(DOES_NOT) == set(PLAYS)
    assert len(PLAYS) >= 18


@pytest.mark.parametrize("play_id", sorted(FIRES))
def test_a_shipped_play_fires_for_the_shopper_it_is_for(play_id):
    """Alone in the playbook, it is on the card."""
    assert verdict_on(play_id, FIRES[play_id]).reason == "shown"


@pytest.mark.parametrize(("play_id", "number"), MISSES)
def test_a_shipped_play_leaves_others_alone(play_id, number):
    """A neighbouring situation does not fire it."""
    verdict = verdict_on(play_id, DOES_NOT[play_id][number])
    assert verdict.reason != "shown"
    assert verdict.reason in {"no_consent", "other_stage"} or (verdict.trace is not None and not verdict.trace.is_met)


@pytest.mark.parametrize("play_id", sorted(FIRES))
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_shipped_play_speaks_both_languages_with_every_placeholder_filled(play_id, language):
    """Title, why, opener and bullets hold no brace, and German is not English."""
    playbook = Playbook.of([PLAYS[play_id]], seed_playbook().offers.values(), seed_settings())
    inputs = seen(settings=seed_settings(), plays_state={play_id: {"arm": "shown"}}, **FIRES[play_id])
    (shown,) = recommend(inputs, playbook, loyalty_anchor="L1", language=language, where=PLAYS[play_id].where[0]).plays
    points = shown.talking_points
    texts = [
        shown.title,
        shown.why,
        points.opener,
        *points.bullets,
        points.objection or "",
        points.do_not_mention or "",
    ]
    assert all("{" not in text for text in texts)
    assert len(points.bullets) >= 2 or play_id == "case-closed-check"
    assert shown.title == PLAYS[play_id].title[language]


def test_the_files_of_the_seed_agree_with_each_other():
    """No play names an offer, play or tag that does not exist; titles and words exist in German too."""
    playbook = seed_playbook()
    assert problems_across(playbook.plays, playbook.offers.values()) == []
    assert all({"en", "de"} <= set(play.title) & set(play.talking_points) for play in playbook.plays)


def test_the_playbook_travels_as_documents():
    """Documents of all plays and offers give back the same playbook with the same hash, and no play is unread."""
    playbook = seed_playbook()
    documents: dict[str, Any] = {f"play/{play.id}": play_document(play) for play in playbook.plays}
    documents |= {f"offer/{offer.id}": offer.model_dump(mode="json") for offer in playbook.offers.values()}
    read = Playbook.from_documents(documents, seed_settings())
    assert (read.rule_pack, read.unread) == (playbook.rule_pack, ())
    assert read.plays == playbook.plays


def test_offers_calendar_wordings_and_templates_are_sound():
    """Every file beside the plays is read; entries name plays and offers that exist; every purpose has words."""
    for name, mapping in load_folder("offers").items():
        assert parse_offer(mapping, name).id == name.removesuffix(".yaml")
    for name, mapping in load_folder("calendar").items():
        entry = parse_calendar_entry(mapping, name)
        assert set(entry.play_ids) <= set(PLAYS)
        assert entry.offer_id is None or entry.offer_id in seed_playbook().offers
    for name, mapping in load_folder("templates").items():
        assert parse_template(mapping, name).id == name.removesuffix(".yaml")
    wordings = [parse_wording(mapping, name) for name, mapping in load_folder("wordings").items()]
    assert {wording.purpose for wording in wordings} == set(PURPOSES)
    assert all(wording.sha_in("en") != wording.sha_in("de") for wording in wordings)


def test_reading_a_cart_reminder_as_screens_draw_it():
    """The whole card for the jumper in the cart: why, words, stock and aisle, no discount."""
    shown = recommend(seen(settings=seed_settings(), **cart(1200)), seed_playbook(), loyalty_anchor="L1").plays[0]
    assert shown.why == "Left the Aran jumper in the cart 2 days ago; your store has 4"
    assert "Aisle B3; walk there with them." in shown.talking_points.bullets
    assert (shown.offer_id, shown.sku) == (None, "A")


def test_bought_leads_to_thanks_and_the_campaigns_plays_rest():
    """The literal rule: bought -> the campaign's plays stop for 72 hours and a thank-you follows."""
    document = {**cart(1200), **bought(2)}
    document["recent"] = [*cart(1200)["recent"], *bought(2)["recent"]]
    document["facts"] = {**bought(2)["facts"], "distance": {"this_store_m": 1200}}
    answer = recommend(seen(settings=seed_settings(), **document), seed_playbook(), loyalty_anchor="L1")
    assert "thank-you" in [one.play_id for one in answer.plays]
    held = {one.play_id: one.sentence for one in answer.held_back}
    assert held["cart-reminder-near"] == "Bought on Friday; back on Monday 14:02"
    assert held["member-weekend"] == "Bought on Friday; back on Monday 14:02"


def test_an_open_issue_puts_service_first_and_holds_selling():
    """The mandatory service play leads; nothing that sells is on the card."""
    document = {**cart(1200), **FIRES["service-first"]}
    answer = recommend(seen(settings=seed_settings(), **document), seed_playbook(), loyalty_anchor="L1")
    assert answer.plays[0].play_id == "service-first"
    assert not any(PLAYS[one.play_id].is_selling for one in answer.plays)
    assert {"cart-reminder-near", "member-weekend"} <= {one.play_id for one in answer.held_back}


def test_a_stranger_gets_a_usable_card():
    """A shopper this tablet knows nothing of still has plays, one of them a good first question."""
    answer = recommend(
        seen(settings=seed_settings(), consent={}, given_name=None), seed_playbook(), loyalty_anchor="L7"
    )
    assert "first-conversation" in [one.play_id for one in answer.plays]
    assert len(answer.plays) >= 2


def test_the_conditions_of_the_seed_never_raise_on_an_empty_profile():
    """Missing everything, each condition answers."""
    empty = seen(consent={}, identifiers=[])
    assert all(isinstance(evaluate(play.condition, empty).is_met, bool) for play in PLAYS.values())
