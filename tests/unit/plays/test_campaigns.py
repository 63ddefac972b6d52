"""Campaign files: what is wrong is named with its path and how to mend it; orphans are told both ways."""

from __future__ import annotations

from typing import Any

import pytest

from shared.plays.campaigns import Campaign, campaign_problems, campaign_warnings, parse_campaign
from shared.plays.file_schema import campaign_schema
from shared.plays.files import CalendarEntry, document_of, parse_calendar_entry, parse_offer
from shared.plays.playbook import parse_play
from shared.plays.refusal import PlaybookRefused
from tests.support.plays import load_folder, offer, play

CAMPAIGN: dict[str, Any] = {"id": "knits", "title": "Knits", "brief": "Show the wool.", "owner": "E-mail team"}


def campaign(**changes: Any) -> Campaign:
    """A sound campaign, with changes to its file."""
    return parse_campaign({**CAMPAIGN, **changes}, "knits.yaml")


def entry(**changes: Any) -> CalendarEntry:
    """A sound calendar entry, with changes to its file."""
    sound = {"id": "mail", "title": "Mail", "kind": "message", "text": "Sent.", "from_on": "2026-11-22"}
    return parse_calendar_entry({**sound, "until_on": "2026-11-23", **changes}, "mail.yaml")


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"id": "Autumn Knits"}, "id", "small letters, digits and single hyphens"),
        ({"owner": None}, "owner", "this must be text, not nothing"),
        ({"brief": {"de": "Wolle."}}, "brief", "an English text (en) is needed"),
        ({"plays": ["greet"]}, "plays", "Did you mean play_ids?"),
        ({"from_on": "tomorrow"}, "from_on", "'tomorrow' is not a day like 2026-11-22"),
        ({"from_on": "2026-12-02", "until_on": "2026-12-01"}, "until_on", "lies before the first day, 2026-12-02"),
        ({"budget": [{"minor": 12.5, "currency": "EUR"}]}, "budget[0].minor", "12.5 is not a whole number; money"),
        ({"budget": [{"minor": "100", "currency": "EUR"}]}, "budget[0].minor", "must be a whole number, not '100'"),
        ({"budget": [{"minor": -1, "currency": "EUR"}]}, "budget[0].minor", "at least 1"),
        ({"budget": [{"minor": 1, "currency": "EUR"}] * 2}, "budget[1]", "EUR stands here twice; once is enough."),
        ({"play_ids": ["a", "b", "a"]}, "play_ids[2]", "a stands here twice"),
        ({"utm_campaign": [""]}, "utm_campaign[0]", "this must not be empty"),
        ({"offer_ids": "gift"}, "offer_ids", "this must be a list, not 'gift'"),
    ],
)
def test_a_broken_campaign_says_where_and_how_to_mend_it(changes: dict[str, Any], path: str, said: str) -> None:
    """One problem each, at its own path."""
    with pytest.raises(PlaybookRefused, match=r"^knits.yaml was not taken, one thing to mend") as refusal:
        campaign(**changes)
    (problem,) = refusal.value.problems
    assert problem.path == path
    assert said in problem.sentence


def problems(*campaigns: Campaign, **more: Any) -> list[str]:
    """What is wrong between these and one play, one offer and one calendar entry."""
    return [str(one) for one in campaign_problems(campaigns, [play()], [offer()], [entry()], **more)]


def test_what_a_campaign_names_must_exist() -> None:
    """With the nearest name and all there are."""
    assert problems(campaign(play_ids=["greet"], offer_ids=["gift"], calendar_ids=["mail"])) == []
    told = problems(campaign(play_ids=["greet", "gret"], offer_ids=["gitf"], calendar_ids=["x"]))
    assert told == [
        "knits: offer_ids[0]: there is no offer 'gitf'. Did you mean gift? Allowed: gift.",
        "knits: play_ids[1]: there is no play 'gret'. Did you mean greet? Allowed: greet.",
        "knits: calendar_ids[0]: there is no calendar entry 'x'. Allowed: mail.",
    ]
    assert campaign_problems([campaign(play_ids=["a"])], [], [], [])[0].sentence == (
        "there is no play 'a'. There is none yet."
    )


def test_a_play_belongs_to_one_campaign_and_a_tag_too() -> None:
    """Two files that say different things are refused, with where to change it."""
    named = campaign(play_ids=["greet"])
    (told,) = campaign_problems([named], [play(campaign_id="spring")], [], [])
    assert str(told) == (
        "knits: play_ids[0]: the play greet says campaign_id: spring. Change it there, or take it out here."
    )
    both = (campaign(utm_campaign=["wool"]), campaign(id="socks", utm_campaign=["feet", "wool"]))
    assert problems(*both) == [
        "socks: utm_campaign[1]: wool is a tag of the campaign knits already; a message counts for one campaign."
    ]
    assert problems(both[1], others=[both[0]])[0].startswith("socks: utm_campaign[1]: wool is a tag of")
    assert problems(campaign(), campaign())[0] == "knits: id: two files carry this id; every campaign needs its own."


def test_orphans_are_told_both_ways() -> None:
    """A play whose campaign nobody wrote, one that its campaign does not name; none where there are no campaigns."""
    plays = [play(campaign_id="knit"), play(id="other", campaign_id="knits"), play(id="free")]
    entries = [entry(campaign_id="knits")]
    assert campaign_warnings([], plays, [], entries) == []
    mend = "Write campaigns/knit.yaml, or take its campaign_id out."
    assert campaign_warnings([campaign()], plays, [], entries) == [
        f"The play greet is an orphan: there is no campaign knit. Did you mean knits? {mend}",
        "The play other says campaign_id: knits, whose file does not name it; add it to play_ids.",
        "The calendar entry mail says campaign_id: knits, whose file does not name it; add it to calendar_ids.",
    ]


def test_what_is_over_before_its_campaign_is_told() -> None:
    """Plays, offers and calendar entries, each with both dates."""
    named = campaign(
        from_on="2026-11-23",
        until_on="2026-12-24",
        play_ids=["greet"],
        offer_ids=["gift"],
        calendar_ids=["mail"],
    )
    told = campaign_warnings(
        [named], [play(valid_from="2026-12-01")], [offer(valid_until="2026-12-20")], [entry(until_on="2026-11-25")]
    )
    assert told == [
        "The campaign knits begins on 2026-11-23, its play greet only on 2026-12-01.",
        "The campaign knits ends on 2026-12-24, its offer gift already on 2026-12-20.",
        "The calendar entry mail (2026-11-22 to 2026-11-25) lies outside the days of its campaign knits.",
    ]


def test_the_shipped_campaigns_are_sound_and_leave_no_orphan() -> None:
    """Each campaign id of a shipped play or calendar entry has its file, which names it."""
    campaigns = [parse_campaign(mapping, name) for name, mapping in load_folder("campaigns").items()]
    plays = [parse_play(mapping, name) for name, mapping in load_folder("playbook").items()]
    offers = [parse_offer(mapping, name) for name, mapping in load_folder("offers").items()]
    entries = [parse_calendar_entry(mapping, name) for name, mapping in load_folder("calendar").items()]
    named = {one.campaign_id for one in plays} | {one.campaign_id for one in entries}
    assert {one.id for one in campaigns} == named - {None}
    assert campaign_problems(campaigns, plays, offers, entries) == []
    # An offer that ended yesterday, so that the demo has one to honour.
    assert campaign_warnings(campaigns, plays, offers, entries) == [
        "The campaign autumn-knits ends on 2026-11-22, its offer autumn-knits already on 2026-11-21."
    ]
    assert all(one.brief.get("de") and one.title.get("de") for one in campaigns)
    assert [Campaign.model_validate(document_of(one)) for one in campaigns] == campaigns


def test_the_schema_offers_a_campaigns_fields() -> None:
    """An editor marks a field no file may hold."""
    schema = campaign_schema()
    assert schema["additionalProperties"] is False
    assert {"brief", "owner", "utm_campaign", "budget"} <= schema["properties"].keys()
