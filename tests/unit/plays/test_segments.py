"""Segments: written out where a rule names them; unknown names, circles and depth are refused at the naming place."""

from __future__ import annotations

from typing import Any

import pytest

from shared.plays.condition import Condition, condition_document, read_condition
from shared.plays.evaluate import evaluate
from shared.plays.file_schema import condition_schema, play_schema, segment_schema
from shared.plays.playbook import audience_of, parse_play, play_document
from shared.plays.refusal import PlaybookRefused
from shared.plays.segments import parse_segments
from tests.support.plays import PLAY, condition, days_ago, event, granted, group, load_folder, play, seen

LOYAL: dict[str, Any] = {"kind": "Profile", "field": "orders", "op": "gte", "value": 3}
BROWSED: dict[str, Any] = {"kind": "EventCount", "events": ["Product Viewed"], "cmp": ">=", "n": 1}


def segments(**conditions: dict[str, Any]) -> dict[str, Condition]:
    """Segments by id, as their files would give them."""
    rows = [{"id": name, "title": name, "condition": one} for name, one in conditions.items()]
    return parse_segments((f"{row['id']}.yaml", row) for row in rows)


def named(*names: str) -> dict[str, Any]:
    """A leaf that names segments."""
    return {"kind": "Segment", "in": list(names)}


def refused(known: dict[str, Condition], **changes: Any) -> list[str]:
    """The problems of a play's file."""
    with pytest.raises(PlaybookRefused) as refusal:
        parse_play({**PLAY, **changes}, "test.yaml", known)
    return [str(problem) for problem in refusal.value.problems]


def test_a_document_holds_what_the_segment_says():
    """One name becomes its condition, several become any of theirs, also through another segment and in a hold."""
    known = segments(loyal=LOYAL, new={"kind": "Stage", "in": ["new"]}, either=named("loyal", "new"))
    made = parse_play({**PLAY, "condition": named("either"), "suppress": [named("loyal")]}, "test.yaml", known)
    assert condition_document(made.condition) == condition_document(condition(**group("any", LOYAL, STAGE_NEW)))
    assert made.suppress == (condition(**LOYAL),)
    assert "Segment" not in str(play_document(made))
    assert evaluate(made.condition, seen(facts={"orders": 3})).is_met


STAGE_NEW: dict[str, Any] = {"kind": "Stage", "in": ["new"]}


def test_an_unknown_segment_is_named_with_the_nearest():
    """The path is that of the name."""
    told = refused(segments(loyal=LOYAL), condition=group("all", LOYAL, named("loyal", "loyl")))
    assert told == ["condition.items[1].in[1]: there is no segment 'loyl'. Did you mean loyal? Allowed: loyal."]
    assert "There is none yet" in refused({}, condition=named("loyal"))[0]


def test_a_circle_is_told_as_one():
    """Also of a segment that names itself."""
    with pytest.raises(
        PlaybookRefused, match=r"condition.in\[0\]: the segments b -> a -> b name each other in a circle"
    ):
        segments(a=named("b"), b=named("a"))
    with pytest.raises(PlaybookRefused, match="a -> a name each other"):
        segments(a=named("a"))


def test_two_files_of_one_id_are_refused():
    """Else the later one would win in silence."""
    rows = [("one.yaml", {"id": "x", "title": "X", "condition": LOYAL})] * 2
    with pytest.raises(PlaybookRefused, match="two files carry this id"):
        parse_segments(rows)


def test_what_a_segment_reads_needs_the_plays_consent():
    """Shown where the file names it; a consent that the segment itself insists on is enough."""
    known = segments(
        browsers=BROWSED, agreed=group("all", {"kind": "Consent", "purpose": "personalise_in_store"}, BROWSED)
    )
    told = refused(known, condition=group("all", named("browsers")))
    assert len(told) == 1
    assert told[0].startswith("condition.items[0]: in the segment browsers: this reads what needs the consent")
    assert parse_play({**PLAY, "condition": named("agreed")}, "test.yaml", known) is not None


def test_written_out_it_may_be_deeper_but_not_without_end():
    """Three deep in each file, eight when all is written out."""
    deep = group("all", group("all", group("all", LOYAL)))
    known = segments(
        one=deep, two=group("all", group("all", named("one"))), three=group("all", group("all", named("two")))
    )
    assert parse_play({**PLAY, "condition": group("all", named("three"))}, "test.yaml", known) is not None
    told = refused(known, condition=group("all", group("all", named("three"))))
    assert told[0].startswith("condition.items[0].items[0]: in the segment three: groups may be nested 8 deep")
    assert "nested 3 deep" in refused(known, condition=group("all", deep))[0]


def test_a_segment_that_was_not_written_out_is_nobodys():
    """A document that names one is refused, and the evaluator says no."""
    leaf = read_condition(named("loyal"))
    assert not evaluate(leaf, seen(facts={"orders": 9})).is_met


def test_too_many_tests_are_refused_as_a_whole():
    """No tablet would answer them in its milliseconds."""
    wide = group("all", *[group("any", *[LOYAL] * 20)] * 11)
    assert refused({}, condition=wide) == ["condition: 220 tests are too many; at most 200 are allowed in one."]


def test_the_audience_of_a_play_asks_its_consents_and_stages_too():
    """What the engine asks before the condition; rests and caps are not of it."""
    audience = audience_of(play(consents=["email"], stages=["new"], condition=LOYAL))
    kinds = [part.kind for part in audience.parts]
    assert kinds == ["Consent", "Stage", "Profile"]


def test_the_schemas_offer_the_catalogues_names():
    """An editor completes events and fields, and marks a field no file may hold."""
    for schema in (condition_schema(), play_schema(), segment_schema()):
        defs = schema["$defs"]
        assert "Product Viewed" in defs["EventCount"]["properties"]["events"]["items"]["enum"]
        assert "value_band" in defs["ProfileField"]["properties"]["field"]["enum"]
        assert defs["Near"]["additionalProperties"] is False
        assert "Segment" in defs
    assert play_schema()["required"][:2] == ["id", "title"]


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"id": "Loyal Ones"}, "id", "small letters, digits and single hyphens"),
        ({"title": {"de": "Treu"}}, "title", "an English text (en) is needed"),
        ({"conditon": LOYAL}, "conditon", "Did you mean condition?"),
        ({"condition": {"kind": "Profil", "field": "orders"}}, "condition", "Did you mean Profile?"),
        ({"condition": {**LOYAL, "value": "three"}}, "condition.value", "needs a whole number"),
        ({"condition": {**LOYAL, "field": "value_bnd"}}, "condition.field", "Did you mean value_band?"),
        ({"condition": {**BROWSED, "window": {"from_h": 2161}}}, "condition.window", "more than 90 days"),
        ({"condition": {"kind": "Near", "max_m": "3 km"}}, "condition.max_m", "must be a whole number, not '3 km'"),
        ({"condition": group("all", named("nobody"))}, "condition.items[0].in[0]", "there is no segment 'nobody'"),
        ({"condition": {"kind": "Near", "max_m": 3000.5}}, "condition.max_m", "3000.5 is not a whole number"),
    ],
)
def test_a_broken_segment_says_where_and_how_to_mend_it(changes: dict[str, Any], path: str, said: str):
    """The same validator as a play's, at the paths of the segment's own file."""
    with pytest.raises(PlaybookRefused, match=r"^loyal.yaml was not taken, one thing to mend") as refusal:
        parse_segments([("loyal.yaml", {"id": "loyal", "title": "Loyal", "condition": LOYAL, **changes})])
    (problem,) = refusal.value.problems
    assert problem.path == path
    assert said in problem.sentence


WELL_KNOWN: dict[str, Any] = {
    "value_band": "top_5",
    "consent": granted("personalise_in_store"),
    "recent": [event("Order Completed", 48, order_id="1", channel="pos")],
    "facts": {"orders": 4, "last_order_at": days_ago(2), "last_seen": {"web": days_ago(1)}},
}


@pytest.mark.parametrize(
    ("name", "someone", "nobody"),
    [
        ("top-value", {"value_band": "top_5"}, {"value_band": "top_20"}),
        (
            "urban-near-store",
            {"facts": {"distance": {"this_store_m": 3000}}},
            {"facts": {"distance": {"this_store_m": 3100}}},
        ),
        ("far", {"facts": {"distance": {"home_store_m": 15_100}}}, {"facts": {"distance": {"home_store_m": 15_000}}}),
        ("far", {"facts": {"distance": {"home_store_m": 90_000}}}, {}),
        (
            "frequent-returners",
            {"recent": [event("Order Refunded", 24, order_id="1"), event("Order Refunded", 48, order_id="2")]},
            {"recent": [event("Order Refunded", 24, order_id="1"), event("Order Refunded", 48, order_id="1")]},
        ),
        ("ideal-shopper", WELL_KNOWN, {**WELL_KNOWN, "value_band": "rest"}),
        ("ideal-shopper", WELL_KNOWN, {**WELL_KNOWN, "consent": {}}),
    ],
)
def test_the_shipped_segments_hold_whom_they_say(name: str, someone: dict[str, Any], nobody: dict[str, Any]):
    """Somebody who is in each, and somebody who just is not; an unknown distance is not far."""
    asked = parse_segments(load_folder("segments").items())[name]
    assert evaluate(asked, seen(**someone)).is_met
    assert not evaluate(asked, seen(**nobody)).is_met
