"""The literal rules that lie over the shipped plays: bought, support, an open issue, another offer, high value, stages.

Each is asked of every shipped play it may touch, on both sides of its number.
"""

from __future__ import annotations

from typing import Any

import pytest

from shared.lifecycle import DAY_S, STAGES
from shared.plays.evaluate import evaluate
from shared.plays.rank import PlayVerdict, recommend
from tests.support.default_plays import FIRES, PLAYS, SECOND, bought, plus, verdict_on
from tests.support.plays import NOW_S, ago, condition, days_ago, event, granted, outcome, seed_playbook, seed_settings
from tests.support.plays import seen as inputs_of

OFFERS = seed_playbook().offers
SELLING = sorted(play_id for play_id, play in PLAYS.items() if play.is_selling)
SERVICE = sorted(set(PLAYS) - set(SELLING))
CAMPAIGNS = sorted(play_id for play_id, play in PLAYS.items() if play.campaign_id is not None)
DISCOUNTS = sorted(id_ for id_, play in PLAYS.items() if play.offer_id and OFFERS[play.offer_id].is_discount)
OFFERING = sorted(id_ for id_, play in PLAYS.items() if play.offer_id and play.is_selling)
ISSUE = {"open_issue": {"title": "Zip repair", "opened_at": ago(5)}}
ALL_AGREED = granted("personalise_in_store", "profiling", "email", "phone")


def held_by(verdict: PlayVerdict) -> tuple[str, int | None] | None:
    """Reason and end of a hold; None for a play that is not held back."""
    return (verdict.hold.reason, verdict.hold.until_s) if verdict.hold is not None else None


def agreed(play_id: str) -> dict[str, Any]:
    """The shopper a play is for, who has also agreed to everything but what would take the play off the card."""
    return (
        FIRES[play_id]
        if play_id in {"ask-consent", "first-conversation"}
        else {**FIRES[play_id], "consent": ALL_AGREED}
    )


# bought ---------------------------------------------------------------------------------------------------------------


def sale(hours: float, channel: str) -> dict[str, Any]:
    """An order of something else, so many hours ago."""
    return event("Order Completed", hours, sku="Z", category="elsewhere", order_id="new") | {"channel": channel}


@pytest.mark.parametrize("channel", ["pos", "web"])
@pytest.mark.parametrize("play_id", CAMPAIGNS)
def test_after_a_purchase_the_plays_of_campaigns_stop_for_72_hours(play_id, channel):
    """Orders of a till count as those of the web; on the second, 72 hours later, the play is free."""
    held = verdict_on(play_id, plus(agreed(play_id), sale(72 - SECOND, channel)))
    assert held_by(held) == ("purchase", NOW_S + 1)
    free = verdict_on(play_id, plus(agreed(play_id), sale(72, channel)))
    assert held_by(free) is None


@pytest.mark.parametrize("play_id", CAMPAIGNS)
def test_what_was_sold_here_offline_counts_at_once(play_id):
    """The associate's own *bought* holds the campaign's plays before any order is known, for the same 72 hours."""
    for hours, hold in ((0, "purchase"), (72 - SECOND, "purchase"), (72, None)):
        said = {**agreed(play_id), "outcomes": [outcome("another-play", "bought", hours)]}
        assert (held_by(verdict_on(play_id, said)) or (None,))[0] == hold


def test_the_thank_you_follows_while_the_campaigns_rest():
    """Two days after a purchase the card thanks, and no campaign's play is on it."""
    answer = recommend(
        inputs_of(settings=seed_settings(), **bought(2)), seed_playbook(), loyalty_anchor="L1", language="en"
    )
    shown = {one.play_id for one in answer.plays}
    assert "thank-you" in shown
    assert not shown & set(CAMPAIGNS)


# service --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Live Chat Conversation Started", "Support Case Opened"])
@pytest.mark.parametrize("play_id", SELLING)
def test_after_a_talk_with_support_selling_is_held_for_48_hours(play_id, name):
    """Chat or case; on the second, 48 hours later, the play is free."""
    talk = {"channel": "service"}
    held = verdict_on(play_id, plus(agreed(play_id), event(name, 48 - SECOND) | talk))
    assert held_by(held) == ("support", NOW_S + 1)
    assert held_by(verdict_on(play_id, plus(agreed(play_id), event(name, 48) | talk))) is None


@pytest.mark.parametrize("play_id", SERVICE)
def test_service_is_never_held_for_a_talk_an_issue_or_a_sale(play_id):
    """Plays that sell nothing go on; only the invitation to the evening is of a campaign and rests after a sale."""
    talk = event("Live Chat Conversation Started", 1, channel="service")
    recent = plus(agreed(play_id), talk, *([] if play_id in CAMPAIGNS else [sale(1, "pos")]))
    assert held_by(verdict_on(play_id, {**recent, **ISSUE})) is None


@pytest.mark.parametrize("play_id", SELLING)
def test_an_open_issue_holds_selling_until_it_is_closed(play_id):
    """No end by time alone."""
    assert held_by(verdict_on(play_id, {**agreed(play_id), **ISSUE})) == ("open_issue", None)


@pytest.mark.parametrize("play_id", sorted(set(PLAYS) - {"outreach-wish-arrived", "outreach-best-lapsing"}))
def test_with_an_open_issue_the_card_begins_with_service_and_sells_nothing(play_id):
    """Whomever the card is for."""
    document = {**FIRES[play_id], **ISSUE}
    answer = recommend(inputs_of(settings=seed_settings(), **document), seed_playbook(), loyalty_anchor="L1")
    assert answer.plays[0].play_id == "service-first"
    assert not any(PLAYS[one.play_id].is_selling for one in answer.plays)


# offers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("play_id", OFFERING)
def test_who_clicked_one_offer_is_told_of_no_other_for_3_days(play_id):
    """X is told on; every Y is held for 72 hours, and free on the second after."""
    document = agreed(play_id)
    document = {**document, "recent": [line for line in document.get("recent", []) if "offer_id" not in line]}
    for clicked in sorted(OFFERS):
        click = event("Promotion Clicked", 72 - SECOND, offer_id=clicked)
        held = held_by(verdict_on(play_id, plus(document, click)))
        assert held == (None if clicked == PLAYS[play_id].offer_id else ("other_offer", NOW_S + 1))
        assert held_by(verdict_on(play_id, plus(document, {**click, "at": ago(72)}))) is None


@pytest.mark.parametrize("play_id", OFFERING)
def test_a_click_holds_nothing_of_whom_may_not_be_profiled(play_id):
    """Without that consent what they did online decides nothing."""
    click = event("Promotion Clicked", 1, offer_id="some-other")
    assert held_by(verdict_on(play_id, plus(FIRES[play_id], click))) is None


@pytest.mark.parametrize("play_id", sorted(PLAYS))
def test_the_top_5_percent_get_no_discount_plays_and_all_others(play_id):
    """A percentage or an amount off is held for as long as they are of that band; the next band is not touched."""
    held = held_by(verdict_on(play_id, {**FIRES[play_id], "value_band": "top_5"}))
    assert held == (("high_value", None) if play_id in DISCOUNTS else None)
    assert held_by(verdict_on(play_id, {**FIRES[play_id], "value_band": "top_20"})) is None


def test_the_rules_above_have_plays_to_be_asked_of():
    """No rule is proven on an empty list."""
    assert {"member-weekend", "promotion-clicked", "new-member-welcome", "win-back"} == set(DISCOUNTS)
    assert len(CAMPAIGNS) >= 10
    assert {"event-invitation"} == set(CAMPAIGNS) - set(SELLING)
    assert len(SELLING) > 20
    assert len(OFFERING) >= 7


# stages ---------------------------------------------------------------------------------------------------------------


def stages_met(**facts: Any) -> list[str]:
    """Which of the five conditions `Stage in [...]` are met."""
    inputs = inputs_of(settings=seed_settings(), facts=facts)
    return [name for name in STAGES if evaluate(condition(kind="Stage", **{"in": [name]}), inputs).is_met]


@pytest.mark.parametrize(
    ("last_s", "first_s", "stage"),
    [
        (None, None, "prospect"),
        (0, 0, "new"),
        (60 * DAY_S, 60 * DAY_S, "new"),
        (60 * DAY_S, 60 * DAY_S + 1, "active"),
        (0, 3650 * DAY_S, "active"),
        (90 * DAY_S, 400 * DAY_S, "active"),
        (90 * DAY_S + 1, 400 * DAY_S, "lapsing"),
        (365 * DAY_S, 400 * DAY_S, "lapsing"),
        (365 * DAY_S + 1, 400 * DAY_S, "win_back"),
    ],
)
def test_a_stage_begins_on_the_second(last_s, first_s, stage):
    """60, 90 and 365 days, as conditions see them."""
    times = {"last_order_at": last_s, "first_order_at": first_s}
    known = {name: ago(since_s / 3600) for name, since_s in times.items() if since_s is not None}
    assert stages_met(orders=2 if known else 0, **known) == [stage]


def test_the_five_stages_share_every_shopper_out_among_them():
    """One and only one is met, over last and first orders of ten years, and without any."""
    edges = sorted({day + step for day in (0, 60, 90, 365, 3650) for step in (-1, 0, 1)} | {30, 200, 700})
    for orders in (0, 1, 7):
        for last, first in ((a, b) for a in edges for b in edges):
            told = stages_met(orders=orders, last_order_at=days_ago(last), first_order_at=days_ago(first))
            assert len(told) == 1
