"""The playbook that ships: its words in both languages, its files, and whole cards. When each play fires stands in
`test_default_playbook.py`."""

from __future__ import annotations

from typing import Any

import pytest

from shared.plays.catalogue import PURPOSES
from shared.plays.evaluate import evaluate
from shared.plays.files import parse_calendar_entry, parse_library_text, parse_offer, parse_template, parse_wording
from shared.plays.playbook import Playbook, play_document, problems_across
from shared.plays.rank import recommend
from tests.support.default_plays import FIRES, PLAYS, bought, cart
from tests.support.plays import load_folder, seed_playbook, seed_settings, seen


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
    for name, mapping in load_folder("library").items():
        text = parse_library_text(mapping, name)
        assert (text.id, {"en", "de"}) == (name.removesuffix(".yaml"), {*text.title} & {*text.text})
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
