"""The engine: its steps in order, what rests and until when, holdouts, ranking, and a verdict for every play."""

from __future__ import annotations

from typing import Any

import pytest

from shared.plays.holdout import is_held_out, play_seed
from shared.plays.inputs import StockLevel, StoreFacts
from shared.plays.playbook import Playbook, StoreChange
from shared.plays.rank import Recommendations, recommend
from shared.plays.settings import CapSettings, HoldoutSettings, PlaySettings
from tests.support.plays import NOW_AT, ago, days_ago, event, granted, offer, outcome, play, seen

DISCOUNT = {"id": "ten", "kind": "percent", "percent": 10}


def ranked(
    *plays: Any, offers: Any = (), anchor: str = "L1", book: dict[str, Any] | None = None, **document: Any
) -> Recommendations:
    """Recommend from these plays."""
    settings = document.pop("settings", PlaySettings())
    playbook = Playbook.of(plays, offers, settings, **(book or {}))
    return recommend(seen(settings=settings, **document), playbook, loyalty_anchor=anchor)


def verdict(*plays: Any, **more: Any) -> tuple[str, str | None]:
    """Reason of the first play in order of id, and until when it rests."""
    answer = ranked(*plays, **more)
    until = answer.held_back[0].until if answer.held_back else None
    return answer.verdicts[0].reason, until


def hold_reason(*plays: Any, **more: Any) -> str | None:
    """Why the first play in order of id is held back, if it is."""
    hold = ranked(*plays, **more).verdicts[0].hold
    return hold.reason if hold is not None else None


@pytest.mark.parametrize(
    ("changes", "document", "reason"),
    [
        ({}, {}, "shown"),
        ({"consents": ["email"]}, {}, "no_consent"),
        ({"where": "outreach"}, {}, "other_place"),
        ({"where": ["card", "outreach"]}, {}, "shown"),
        ({"valid_from": "2026-11-23"}, {}, "not_yet_valid"),
        ({"valid_from": "2026-11-22", "valid_until": "2026-11-22"}, {}, "shown"),
        ({"valid_until": "2026-11-21"}, {}, "expired"),
        ({"stores": ["zurich-1"]}, {}, "other_store"),
        ({"stores": ["berlin-1"]}, {}, "shown"),
        ({"regions": ["germany"]}, {}, "shown"),
        ({"stages": ["active"]}, {}, "other_stage"),
        ({"stages": ["prospect"]}, {}, "shown"),
        ({"offer_id": "nowhere"}, {}, "offer_unknown"),
        ({"condition": {"kind": "Stage", "in": ["new"]}}, {}, "condition_not_met"),
    ],
)
def test_every_play_gets_the_reason_of_the_first_step_that_bars_it(changes, document, reason):
    """Consent, eligibility, condition: one code each."""
    assert verdict(play(**changes), **document)[0] == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "shown"),
        ({"valid_until": "2026-11-21"}, "offer_not_live"),
        ({"stores": ["zurich-1"]}, "offer_not_live"),
        ({"channels": ["web"]}, "offer_not_live"),
        ({"kind": "amount", "amounts": [{"minor": 500, "currency": "CHF"}]}, "offer_not_live"),
        ({"skus": ["A", "B"]}, "shown"),
        ({"skus": ["B"]}, "offer_not_in_stock"),
    ],
)
def test_an_offer_must_be_live_here_and_in_stock(changes, reason):
    """Dates, store, channel, currency and stock of the offer decide with the play's own."""
    stock = {"A": StockLevel(1), "B": StockLevel(0)}
    assert verdict(play(offer_id="gift"), offers=[offer(**changes)], stock=stock)[0] == reason


def test_the_day_of_a_play_is_the_stores():
    """At 23:30 UTC on its last day a play has ended in Berlin and still runs in Lisbon."""
    late = play(valid_until="2026-11-22")
    now_s = seen().now_s + int(10.5 * 3600)
    assert verdict(late, now_s=now_s)[0] == "expired"
    assert verdict(late, now_s=now_s, store=StoreFacts("lisbon-1", "Europe/Lisbon", "EUR"))[0] == "shown"


@pytest.mark.parametrize(
    ("result", "hours", "until"),
    [
        ("bought", 31, "2026-12-21T06:02:00.000Z"),
        ("not_today", 10, "2026-11-25T03:02:00.000Z"),
        ("not_interested", 24, "2026-12-21T13:02:00.000Z"),
        ("already_has_it", 24, "2027-02-19T13:02:00.000Z"),
        ("out_of_stock", 1, "2026-11-24T12:02:00.000Z"),
        ("not_today", 72 - 1 / 3600, "2026-11-22T13:02:01.000Z"),
    ],
)
def test_a_play_rests_after_what_was_said_of_it(result, hours, until):
    """The default cooldowns, each with its end."""
    assert verdict(play(), outcomes=[outcome("greet", result, hours)]) == ("held_back", until)


@pytest.mark.parametrize(("result", "hours"), [("interested", 1), ("not_mentioned", 1), ("not_today", 72)])
def test_a_play_does_not_rest_after_interest_or_silence_or_when_its_time_is_over(result, hours):
    """Nothing was refused, or the rest ends at this very second."""
    assert verdict(play(), outcomes=[outcome("greet", result, hours)])[0] == "shown"


def test_a_play_of_its_own_cooldown_rests_that_long():
    """after_outcome in the file overrides the default, down to none."""
    assert verdict(play(after_outcome={"not_today": 0}), outcomes=[outcome("greet", "not_today", 1)])[0] == "shown"
    held = verdict(play(after_outcome={"interested": "2 d"}), outcomes=[outcome("greet", "interested", 1)])
    assert held == ("held_back", "2026-11-24T12:02:00.000Z")


@pytest.mark.parametrize(
    "document",
    [
        {"recent": [event("Order Completed", 71, channel="pos")]},
        {"facts": {"orders": 1, "last_order_at": ago(71)}},
        {"outcomes": [outcome("another", "bought", 71)]},
    ],
)
def test_bought_holds_the_campaigns_plays_for_72_hours(document):
    """A POS order, an order known only by its date, and an associate's claim: each holds, until the same hour."""
    selling, plain = play(campaign_id="autumn"), play(id="plain", tags=["plain"])
    answer = ranked(selling, plain, **document)
    assert [one.play_id for one in answer.plays] == ["plain"]
    (held,) = answer.held_back
    assert (held.reason, held.until, held.sentence) == (
        "purchase",
        "2026-11-22T14:02:00.000Z",
        "Bought on Thursday; back today 15:02",
    )
    later: dict[str, Any] = {
        "recent": [event("Order Completed", 72)],
    }
    assert ranked(selling, **later).held_back == ()


def test_a_thank_you_of_the_campaign_is_not_held():
    """What does not sell goes on."""
    assert verdict(play(campaign_id="autumn", selling=False), recent=[event("Order Completed", 1)])[0] == "shown"


@pytest.mark.parametrize("name", ["Support Case Opened", "Live Chat Conversation Started"])
def test_support_holds_selling_for_48_hours(name):
    """From the talk on, until two days later."""
    assert verdict(play(), recent=[event(name, 40)]) == ("held_back", "2026-11-22T21:02:00.000Z")
    assert verdict(play(), recent=[event(name, 48)])[0] == "shown"
    assert verdict(play(selling=False), recent=[event(name, 40)])[0] == "shown"


def test_an_open_service_issue_holds_selling_without_an_end():
    """Selling waits for the case, however long it takes."""
    answer = ranked(play(), open_issue={"title": "Zip", "opened_at": days_ago(20)})
    assert (answer.held_back[0].reason, answer.held_back[0].until) == ("open_issue", None)
    assert answer.held_back[0].sentence == "An open service issue comes first"


def test_who_clicked_one_offer_is_not_pushed_another_for_three_days():
    """Clicked X: Y waits until three days later, X does not; a click of four days ago holds nothing."""
    about_x, about_y = play(offer_id="ten"), play(id="other", offer_id="gift")
    click = event("Promotion Clicked", 30, offer_id="ten")
    agreed = granted("personalise_in_store", "profiling")
    answer = ranked(about_x, about_y, offers=[offer(), offer(**DISCOUNT)], recent=[click], consent=agreed)
    assert [one.play_id for one in answer.plays] == ["greet"]
    assert (answer.held_back[0].play_id, answer.held_back[0].reason) == ("other", "other_offer")
    both = [click, event("Promotion Clicked", 20, offer_id="gift")]
    assert ranked(about_x, about_y, offers=[offer(), offer(**DISCOUNT)], recent=both, consent=agreed).held_back == ()
    old = event("Promotion Clicked", 73, offer_id="ten")
    assert ranked(about_y, offers=[offer()], recent=[old], consent=agreed).held_back == ()


def test_browsing_holds_nothing_back_without_profiling():
    """No hold is built of what someone did online unless they agreed to profiling; purchases still hold."""
    click, order = event("Promotion Clicked", 30, offer_id="ten"), event("Order Completed", 5)
    suppress = [{"kind": "Recency", "events": ["Product Viewed"], "cmp": "newer_than", "hours": 48}]
    plays = play(id="other", offer_id="gift"), play(id="ruled", tags=["b"], suppress=suppress)
    lines = [click, event("Product Viewed", 3)]
    for purposes, held in ((("profiling",), {"other", "ruled"}), ((), set())):
        agreed = granted("personalise_in_store", *purposes)
        answer = ranked(*plays, offers=[offer(), offer(**DISCOUNT)], recent=lines, consent=agreed)
        assert {one.play_id for one in answer.held_back} == held
    campaign = play(campaign_id="autumn", offer_id="ten")
    assert ranked(campaign, offers=[offer(**DISCOUNT)], recent=[order]).held_back[0].reason == "purchase"


def test_the_best_shoppers_are_held_from_discounts_only():
    """Top 5 %: a discount rests, a gift does not."""
    discount, gift = play(offer_id="ten"), play(id="giving", tags=["b"], offer_id="gift")
    answer = ranked(discount, gift, offers=[offer(), offer(**DISCOUNT)], value_band="top_5")
    assert [one.play_id for one in answer.plays] == ["giving"]
    assert answer.held_back[0].reason == "high_value"


def test_an_own_rule_holds_until_the_event_leaves_its_window():
    """The play's own suppress rule; a claim counts in it at once, and its end is told."""
    rule = {"kind": "EventCount", "events": ["Order Completed"], "window": {"from_h": 24}, "cmp": ">=", "n": 1}
    assert verdict(play(suppress=[rule]), outcomes=[outcome("x", "bought", 20)]) == (
        "held_back",
        "2026-11-22T17:02:00.000Z",
    )
    assert verdict(play(suppress=[rule]), outcomes=[outcome("x", "bought", 24)])[0] == "shown"


def test_the_hold_that_ends_last_is_the_one_told():
    """Bought yesterday and not interested: the longer rest is shown."""
    answer = ranked(
        play(campaign_id="autumn"),
        recent=[event("Order Completed", 24)],
        outcomes=[outcome("greet", "not_interested", 30)],
    )
    assert answer.held_back[0].reason == "outcome_not_interested"
    issue = {"title": "Zip", "opened_at": days_ago(2)}
    endless = ranked(play(), open_issue=issue, outcomes=[outcome("greet", "not_interested", 30)])
    assert endless.held_back[0].until is None


CAP = {"shown": 2, "hours": 100}


@pytest.mark.parametrize(
    ("shown", "reason"),
    [([90, 50], "held_back"), ([101, 50], "shown"), ([50, 0.4], "shown"), ([50, 0.6], "held_back"), ([], "shown")],
)
def test_a_cap_counts_showings_before_this_visit(shown, reason):
    """Two in 100 hours; one of the last 30 minutes is the card on the counter and counts for nothing."""
    state: dict[str, Any] = {"plays_state": {"greet": {"shown_at": [ago(hours) for hours in shown]}}}
    assert verdict(play(caps=[CAP]), **state)[0] == reason


def test_caps_per_tag_and_over_all_count_other_plays_too():
    """Settings may cap a tag, or all plays together."""
    state: dict[str, Any] = {"plays_state": {"other": {"shown_at": [ago(10), ago(20)]}}}
    other = play(id="other", tags=["second", "hello"])
    tagged = PlaySettings(caps=CapSettings.model_validate({"per_tag": {"hello": CAP}}))
    assert hold_reason(play(), other, settings=tagged, **state) == "cap_tag"
    over_all = PlaySettings(caps=CapSettings.model_validate({"over_all": CAP}))
    assert hold_reason(play(), settings=over_all, **state) == "cap_all"


def test_a_rescan_after_the_impression_gives_the_same_card():
    """The impression of this visit does not push a play over its cap."""
    capped = play(caps=[{"shown": 1, "hours": 100}])
    first = ranked(capped)
    again = ranked(capped, plays_state={"greet": {"shown_at": [NOW_AT], "arm": "shown"}})
    assert first.plays == again.plays


def test_plays_are_sorted_by_class_score_and_id_and_cut_at_three():
    """Mandatory before recommended before informational; equal scores by id; a fourth is ranked_lower."""
    plays = [
        play(id="d", tags=["d"], value_minor=1000),
        play(id="c", tags=["c"], value_minor=1000),
        play(id="b", tags=["b"], value_minor=1),
        play(id="a", tags=["a"], **{"class": "informational", "value_minor": 99_999}),
        play(id="z", tags=["z"], **{"class": "mandatory", "value_minor": 0}),
    ]
    answer = ranked(*plays)
    assert [one.play_id for one in answer.plays] == ["z", "c", "d"]
    assert [one.rank for one in answer.plays] == [1, 2, 3]
    assert {one.play_id: one.reason for one in answer.verdicts if one.reason != "shown"} == {
        "a": "ranked_lower",
        "b": "ranked_lower",
    }


def test_one_play_of_a_first_tag_is_enough():
    """The better of two of a kind; the other says so."""
    answer = ranked(play(id="low", value_minor=1), play(id="high"))
    assert [one.play_id for one in answer.plays] == ["high"]
    assert answer.verdicts[1].reason == "same_tag_ranked_higher"


def test_score_is_p_times_value_times_lever_with_the_estimate_of_the_stage():
    """An estimate overrides the prior for its stage only; the manager's lever is cut to the guardrails."""
    book = {
        "estimates": {("greet", "prospect"): 300_000, ("greet", "new"): 1},
        "changes": {"greet": StoreChange(lever=80)},
    }
    answer = ranked(play(guardrails={"lever_max": 50}), book=book)
    assert answer.plays[0].score == 300_000 * 1000 * 150
    assert answer.plays[0].factors.lever == 50


def test_a_manager_may_pause_and_reword_within_the_guardrails():
    """Paused here; where HQ does not allow it, nothing changes."""
    words: dict[str, Any] = {"en": {"opener": "Moin."}}
    paused: dict[str, Any] = {
        "changes": {"greet": StoreChange.model_validate({"paused": True, "talking_points": words})}
    }
    assert ranked(play(), book=paused).verdicts[0].reason == "paused_here"
    fixed = play(guardrails={"may_pause": False, "may_edit_talking_points": False})
    assert ranked(fixed, book=paused).plays[0].talking_points.opener == "Hello."
    reworded: dict[str, Any] = {"changes": {"greet": StoreChange.model_validate({"talking_points": words})}}
    assert ranked(play(), book=reworded).plays[0].talking_points.opener == "Moin."


HELD = next(card for card in (f"L{n}" for n in range(1000)) if is_held_out(play_seed("greet", 1), card, 10))
CART = {"kind": "NotFollowed", "first": "Product Added", "then": ["Order Completed"], "same": "sku"}
TRIGGERED = {"condition": CART, "consents": ["personalise_in_store"], "holdout": {"percent": 10}}


def test_a_held_out_shopper_is_not_shown_the_play_and_its_trigger_is_named():
    """would_show carries rank and trigger; the next play takes the place on the card."""
    lines = [event("Product Added", 30, sku="A", title="Aran jumper")]
    answer = ranked(play(**TRIGGERED), play(id="next", value_minor=1), anchor=HELD, recent=lines)
    assert [one.play_id for one in answer.plays] == ["next"]
    (would,) = answer.would_show
    assert (would.play_id, would.rank, would.reason) == ("greet", 1, "holdout_play")
    assert (would.trigger_skus, would.trigger_events) == (("A",), ("Product Added",))
    assert answer.verdicts[0].reason == "holdout_play"


def test_only_what_would_have_been_on_the_card_counts_as_held_out():
    """Behind three better plays the held-out one is not logged: in the other arm nobody would have seen it."""
    better = [play(id=name, tags=[name], value_minor=9000) for name in ("a", "b", "c")]
    answer = ranked(play(holdout={"percent": 10}), *better, anchor=HELD)
    assert answer.would_show == ()
    assert answer.verdicts[-1].reason == "holdout_play"


def test_a_shopper_held_back_or_unmet_is_in_no_arm():
    """Suppression and condition come before the holdout."""
    answer = ranked(play(holdout={"percent": 90}), anchor=HELD, outcomes=[outcome("greet", "not_today", 1)])
    assert (answer.would_show, answer.verdicts[0].reason) == ((), "held_back")


def test_the_service_part_of_a_card_is_never_held_out():
    """The chain's holdout takes selling plays only."""
    settings = PlaySettings(holdout=HoldoutSettings(percent=90))
    plays = [play(id=f"s{n}", tags=[f"s{n}"]) for n in range(3)]
    held = next(card for card in (f"L{n}" for n in range(100)) if is_held_out("chain:1", card, 90))
    answer = ranked(*plays, play(selling=False), settings=settings, anchor=held)
    assert [one.play_id for one in answer.plays] == ["greet"]
    assert {one.reason for one in answer.would_show} == {"holdout_chain"}


def test_held_back_tells_only_what_matters_to_this_shopper():
    """A resting play whose condition is not met is no news; one that rests for what was said here always is."""
    unmet: dict[str, Any] = {"condition": {"kind": "Stage", "in": ["win_back"]}, "campaign_id": "autumn"}
    lines = [event("Order Completed", 1)]
    assert ranked(play(**unmet), recent=lines).held_back == ()
    said = ranked(play(**unmet), recent=lines, outcomes=[outcome("greet", "bought", 1)])
    assert [one.reason for one in said.held_back] == ["outcome_bought"]


def test_every_play_has_a_verdict_with_its_trace():
    """Also a barred one, so that explain can show what its condition says."""
    answer = ranked(play(valid_until="2026-01-01"), play(id="b", where="outreach"), play(id="c", consents=["sms"]))
    assert [one.play_id for one in answer.verdicts] == ["b", "c", "greet"]
    assert all(one.trace is not None for one in answer.verdicts)


def test_words_are_filled_and_a_bullet_without_its_fact_is_left_out():
    """{aisle} is not known: its bullet goes; the opener says the thing."""
    stocked: dict[str, Any] = {
        "condition": {"kind": "Stock", "source": ["wishlist"]},
        "consents": ["personalise_in_store"],
        "talking_points": {
            "en": {
                "opener": "The {item} is here, {given_name}.",
                "bullets": ["{stock} here.", "Aisle {aisle}."],
                "objection": "Only {stock}?",
            },
            "de": {"opener": "{item} ist da."},
        },
    }
    document: dict[str, Any] = {
        "wishlist": [{"sku": "W", "at": ago(4), "title": "Merino beanie, moss"}],
        "stock": {"W": StockLevel(2)},
    }
    points = ranked(play(**stocked), **document).plays[0].talking_points
    assert points.opener == "The Merino beanie is here, Mara."
    assert points.bullets == ("2 here.",)
    assert points.objection == "Only 2?"
    playbook = Playbook.of([play(**stocked)])
    german = recommend(seen(**document), playbook, loyalty_anchor="L1", language="de-CH").plays[0]
    assert german.talking_points.opener == "Merino beanie ist da."
    assert german.sku == "W"


def test_an_opener_without_its_fact_still_reads_well():
    """Fallback words, and no blank before the comma where the name is missing."""
    words: dict[str, Any] = {"en": {"opener": "Hello {given_name}, good to see you."}}
    opener = ranked(play(talking_points=words), given_name=None).plays[0].talking_points.opener
    assert opener == "Hello, good to see you."


def test_outreach_is_ranked_on_request():
    """Worth a word today: the same engine over the plays of outreach."""
    playbook = Playbook.of([play(), play(id="call", where="outreach", consents=["phone"])])
    inputs = seen(consent=granted("phone"))
    assert [one.play_id for one in recommend(inputs, playbook, loyalty_anchor="L1", where="outreach").plays] == ["call"]
