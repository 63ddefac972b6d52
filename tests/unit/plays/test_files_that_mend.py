"""A marketer copies a play file and breaks it: every error names the place in the file and says what is allowed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from shared.offers import offer_for_code
from shared.plays.condition import KINDS, condition_document, read_condition
from shared.plays.file_schema import condition_schema
from shared.plays.files import (
    codes_of,
    parse_calendar_entry,
    parse_offer,
    parse_template,
    parse_wording,
    with_dates,
)
from shared.plays.playbook import (
    Play,
    Playbook,
    parse_play,
    play_document,
    play_sha,
    problems_across,
    rule_pack_hash,
)
from shared.plays.refusal import PlaybookRefused
from shared.plays.sentences import EXAMPLES, describe
from shared.plays.settings import PlaySettings
from tests.support.plays import OFFER, PLAY, TODAY_ON, group, offer, play

VIEWED = {"kind": "EventCount", "events": ["Product Viewed"], "cmp": ">=", "n": 2}


def refusal_of(mapping: dict[Any, Any]) -> list[tuple[str, str]]:
    """Path and sentence of every problem of a file."""
    with pytest.raises(PlaybookRefused) as caught:
        parse_play(mapping, "mine.yaml")
    assert str(caught.value).startswith("mine.yaml was not taken")
    return [(problem.path, problem.sentence) for problem in caught.value.problems]


def refusal(**changes: Any) -> list[tuple[str, str]]:
    """What is said about the sound play with these changes."""
    return refusal_of({**PLAY, **changes})


def deep(levels: int) -> dict[str, Any]:
    """Groups in groups."""
    return group("all", deep(levels - 1)) if levels > 1 else group("all")


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"id": "My Play"}, "id", "small letters, digits and single hyphens"),
        ({"clas": "recommended"}, "clas", "Did you mean class?"),
        ({"class": "urgent"}, "class", "Allowed: informational, mandatory, recommended."),
        ({"tags": []}, "tags", "at least 1 entry"),
        ({"condition": {"kind": "EventCout"}}, "condition", "Did you mean EventCount?"),
        ({"condition": {"events": ["Product Viewed"]}}, "condition", "this needs a kind"),
        (
            {"condition": group("all", {**VIEWED, "events": ["Product Veiwed"]}), "consents": ["personalise_in_store"]},
            "condition.items[0].events[0]",
            "Did you mean Product Viewed?",
        ),
        (
            {"condition": {**VIEWED, "window": {"from_h": 2200}}, "consents": ["personalise_in_store"]},
            "condition.window",
            "more than 90 days",
        ),
        (
            {"condition": {**VIEWED, "window": {"from_h": 10, "to_h": 10}}, "consents": ["personalise_in_store"]},
            "condition.window",
            "must be more hours ago",
        ),
        (
            {"condition": group("all", VIEWED)},
            "condition.items[0]",
            "add `personalise_in_store` to the play's consents",
        ),
        (
            {"condition": {"kind": "Profile", "field": "ordrs", "op": "eq", "value": 1}},
            "condition.field",
            "Did you mean orders?",
        ),
        (
            {"condition": {"kind": "Profile", "field": "orders", "op": "starts_with", "value": "1"}},
            "condition.op",
            "Allowed: eq, ne, in",
        ),
        (
            {"condition": {"kind": "Profile", "field": "orders", "op": "gte", "value": "three"}},
            "condition.value",
            "needs a whole number",
        ),
        (
            {"condition": {"kind": "Profile", "field": "orders", "op": "between", "value": [5, 2]}},
            "condition.value",
            "the smaller first",
        ),
        (
            {"condition": {"kind": "Profile", "field": "value_band", "op": "in", "value": ["top_1"]}},
            "condition.value",
            "Allowed: top_5, top_20, rest, none.",
        ),
        (
            {"condition": {"kind": "Profile", "field": "tier", "op": "exists", "value": 1}},
            "condition.value",
            "no value",
        ),
        ({"condition": deep(4)}, "condition.items[0].items[0].items[0]", "nested 3 deep"),
        ({"condition": group("all", *[group("all")] * 21)}, "condition.items", "at most 20 entries"),
        (
            {"condition": {**VIEWED, "n": "2"}, "consents": ["personalise_in_store"]},
            "condition.n",
            "whole number, not '2'",
        ),
        ({"condition": {**VIEWED, "n": 1.5}}, "condition.n", "1.5 is not a whole number"),
        (
            {"condition": {**VIEWED, "same": "sku", "cmp": "=="}, "consents": ["personalise_in_store"]},
            "condition.cmp",
            "only >=",
        ),
        (
            {"condition": {**VIEWED, "unless": ["Order Completed"]}, "consents": ["personalise_in_store"]},
            "condition.unless",
            "unless needs same: sku or category",
        ),
        (
            {
                "condition": {**VIEWED, "same": "category", "unless": ["Order Complete"]},
                "consents": ["personalise_in_store"],
            },
            "condition.unless[0]",
            "Did you mean Order Completed?",
        ),
        (
            {"condition": {"kind": "Recency", "events": ["Order Completed"], "cmp": "never", "hours": 3}},
            "condition.hours",
            "no hours",
        ),
        (
            {"condition": {"kind": "Recency", "events": ["Order Completed"], "cmp": "older_than"}},
            "condition.hours",
            "needs hours",
        ),
        ({"condition": {"kind": "Consent", "purpose": "e-mail"}}, "condition.purpose", "Did you mean email?"),
        (
            {"condition": {"kind": "PlayHistory", "cmp": ">=", "n": 1}},
            "condition",
            "exactly one of play: ID, tag: NAME or any",
        ),
        ({"talking_points": {"de": {"opener": "Hallo."}}}, "talking_points", "English (en) is needed"),
        ({"talking_points": {"en": {"opener": "word " * 61}}}, "talking_points.en", "61 words; at most 60"),
        ({"talking_points": {"en": {"opener": "Hi {itm}"}}}, "talking_points.en.opener", "Did you mean item?"),
        (
            {"talking_points": {"en": {"opener": "Hi {item}"}}},
            "talking_points.en.opener",
            "the condition names no product",
        ),
        ({"talking_points": {"en": {"opener": "Hi {"}}}, "talking_points.en.opener", "a brace stands alone"),
        (
            {"talking_points": {"en": {"opener": "x", "bullets": ["a", "b", "c", "d"]}}},
            "talking_points.en.bullets",
            "at most 3",
        ),
        ({"after_outcome": {"not_today": "72 hrs"}}, "after_outcome.not_today", "write 72 h or 30 d"),
        ({"after_outcome": {"maybe": "72 h"}}, "after_outcome.maybe", "Allowed: already_has_it, bought"),
        ({"valid_from": "22.11.2026"}, "valid_from", "not a day like 2026-11-22"),
        ({"valid_from": "2026-12-01", "valid_until": "2026-11-01"}, "valid_until", "lies before valid_from"),
        ({"holdout": {"percent": 95}}, "holdout.percent", "at most 90"),
        ({"guardrails": {"lever_min": 10, "lever_max": 0}}, "guardrails.lever_min", "above lever_max"),
        ({True: "yes"}, "", 'write "on" in quotes'),
        ({"title": "half \ud83c"}, "title", "a character that is none"),
        ({"value_minor": 2**60}, "value_minor", "too large"),
    ],
)
def test_every_error_names_the_place_and_what_is_allowed(changes, path, said):
    """One broken field gives one problem, at its path, with the way to mend it."""
    problems = refusal_of({**PLAY, **changes})
    assert len(problems) == 1
    assert problems[0][0] == path
    assert said in problems[0][1]


def test_all_problems_are_listed_at_once():
    """Three broken fields give three problems in one refusal."""
    paths = [path for path, _ in refusal(id="X Y", tags=[], holdout={"percent": "ten"})]
    assert paths == ["id", "tags", "holdout.percent"]


def test_a_missing_field_is_named():
    """Each required field is reported when it is left out."""
    missing = {path for path, _ in refusal_of({"id": "a"})}
    assert missing == {"title", "tags", "class", "condition", "talking_points"}


@pytest.mark.parametrize("junk", [None, [], "text", 3, {}])
def test_a_file_that_is_no_mapping_is_refused_in_words(junk):
    """Whatever YAML makes of a file, the answer is a refusal."""
    with pytest.raises(PlaybookRefused):
        parse_play(junk, "junk.yaml")


def test_a_bottomless_file_is_refused_and_never_exhausts_the_stack():
    """A thousand nested groups are one problem."""
    tree: dict[str, Any] = {"kind": "Group", "op": "all", "items": []}
    for _ in range(1000):
        tree = group("all", tree)
    ((_, sentence),) = refusal(condition=tree)
    assert "nested deeper than" in sentence


def test_a_consent_leaf_in_all_is_consent_enough():
    """The play need not repeat in `consents` what its condition insists on; inside `any` it does not count."""
    asked = {"kind": "Consent", "purpose": "personalise_in_store"}
    assert play(condition=group("all", asked, VIEWED)).consents == ()
    assert refusal(condition=group("any", asked, VIEWED))[0][0] == "condition.items[1]"


def test_a_hold_may_look_at_what_the_play_may_not_read():
    """A suppress rule only ever shows less, so it needs no consent."""
    rule = {**VIEWED, "events": ["Promotion Clicked"]}
    assert len(play(suppress=[rule]).suppress) == 1


def test_dates_of_yaml_and_relative_dates_become_days():
    """`2026-11-22` is read as a date by YAML; `today+7` is fixed at publishing."""
    assert play(valid_from=dt.date(2026, 11, 22)).valid_from == "2026-11-22"
    fixed = with_dates({"valid_from": "today - 3", "valid_until": "today", "tags": ["today+8"]}, TODAY_ON)
    assert fixed == {"valid_from": "2026-11-19", "valid_until": "2026-11-22", "tags": ["2026-11-30"]}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_an_example_and_a_sentence_in_both_languages(kind):
    """The example is read, comes back as it was written, and is told in English and German."""
    made = read_condition(EXAMPLES[kind])
    assert read_condition(condition_document(made)) == made
    assert describe(made) != describe(made, "de")
    assert all(len(describe(made, language)) > 10 for language in ("en", "de"))


def test_the_schema_knows_every_kind():
    """The JSON Schema an editor reads names all kinds."""
    text = str(condition_schema())
    assert all(f"'{kind}'" in text for kind in KINDS)


def test_a_document_is_read_back_as_the_same_play():
    """Play -> document -> play changes nothing, and fields of a newer server are ignored."""
    made = play(condition=group("all", VIEWED), consents=["personalise_in_store"], after_outcome={"not_today": "3 d"})
    document = play_document(made)
    assert Play.from_document({**document, "of_tomorrow": 1}) == made
    assert document["after_outcome"]["not_today"] == 72
    assert document["after_outcome"]["bought"] == 720


def test_equal_content_has_an_equal_sha_whatever_its_version():
    """An edit is told from a republication."""
    assert play_sha(play()) == play_sha(play().with_version(7))
    assert play_sha(play()) != play_sha(play(title="Greet"))
    assert play().with_new_holdout().holdout.period == 2


def test_the_rule_pack_hash_depends_on_content_and_not_on_order():
    """Plays, offers and settings each change it; their order does not."""
    plays, offers = [play(), play(id="b")], [offer(), offer(id="z")]
    base = rule_pack_hash(plays, offers, PlaySettings())
    assert rule_pack_hash(plays[::-1], offers[::-1], PlaySettings()) == base
    assert rule_pack_hash(plays[:1], offers, PlaySettings()) != base
    assert rule_pack_hash(plays, offers[:1], PlaySettings()) != base
    assert rule_pack_hash(plays, offers, PlaySettings(plays_max=2)) != base


def test_a_play_of_a_newer_server_is_set_apart_and_costs_no_other():
    """A leaf kind this version does not know, and an event it does not know, make one play unread each."""
    documents = {
        "play/greet": play_document(play()),
        "play/new": {**play_document(play(id="new")), "condition": {"kind": "Weather", "is": "rain"}},
        "play/newer": {**play_document(play(id="newer")), "condition": {**VIEWED, "events": ["Product Dreamt Of"]}},
        "product/x": {"sku": "x"},
    }
    playbook = Playbook.from_documents(documents)
    assert [one.id for one in playbook.plays] == ["greet"]
    assert [one.play_id for one in playbook.unread] == ["new", "newer"]


def test_what_is_wrong_between_files_is_told():
    """An unknown offer, an unknown play in PlayHistory, and one id twice."""
    history = {"kind": "PlayHistory", "play": "gret", "cmp": ">=", "n": 1}
    tagged = {"kind": "PlayHistory", "tag": "helo", "cmp": ">=", "n": 1}
    plays = [
        play(),
        play(),
        play(id="b", offer_id="gfit"),
        play(id="c", condition=history),
        play(id="d", condition=tagged),
    ]
    said = [str(problem) for problem in problems_across(plays, [offer()])]
    assert len(said) == 4
    assert "Did you mean gift?" in said[1]
    assert "Did you mean greet?" in said[2]
    assert "Did you mean hello?" in said[3]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"kind": "percent"}, "percent"),
        ({"kind": "gift", "percent": 10}, "percent"),
        ({"kind": "amount"}, "amounts"),
        ({"valid_from": "2026-12-01", "valid_until": "2026-11-01"}, "valid_until"),
        ({"code_patterns": [{"prefix": "LONG", "length": 3}]}, "code_patterns[0]"),
        ({"terms": {"de": "Nur Deutsch"}}, "terms"),
    ],
)
def test_an_offers_file_is_checked_the_same_way(changes, path):
    """Worth, dates, code shapes and languages."""
    with pytest.raises(PlaybookRefused) as caught:
        parse_offer({**OFFER, **changes}, "offer.yaml")
    assert [problem.path for problem in caught.value.problems] == [path]


def test_the_offer_behind_a_code_is_found():
    """Exact codes, prefixes and one-time shapes of all offers make one registry."""
    codes = codes_of(
        [
            offer(id="a", codes=["MEMBER15"]),
            offer(id="b", code_prefixes=["KNIT-"]),
            offer(id="c", code_patterns=[{"prefix": "MW", "length": 8}]),
        ]
    )
    assert [offer_for_code(code, codes) for code in ("member15", "KNIT-77", "MWAB12CD", "OTHER")] == [
        "a",
        "b",
        "c",
        None,
    ]


def test_calendar_templates_and_wordings_are_checked_too():
    """A span the wrong way round, an undeclared field, an unknown purpose."""
    entry = {"id": "e", "title": "E", "kind": "event", "from_on": "2026-11-02", "until_on": "2026-11-01", "text": "T"}
    with pytest.raises(PlaybookRefused, match="lies before"):
        parse_calendar_entry(entry, "e.yaml")
    with pytest.raises(PlaybookRefused, match="add name to fields"):
        parse_template({"id": "t", "title": "T", "channel": "sms", "body": "Hi {name}"}, "t.yaml")
    with pytest.raises(PlaybookRefused, match="purpose"):
        parse_wording({"purpose": "spying", "version": "1", "title": "T", "text": "T"}, "w.yaml")
