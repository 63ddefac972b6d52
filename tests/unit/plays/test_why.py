"""The sentences on a card: why a play is shown, made from the trace alone, in English and German."""

from __future__ import annotations

from string import Formatter
from typing import Any

import pytest

from shared.plays.evaluate import evaluate
from shared.plays.explain import explain, subject_of, trace_document
from shared.plays.held_back import held_back_sentence
from shared.plays.inputs import ProductFacts, StockLevel
from shared.plays.phrases import HELD, OUTCOME_WORDS, PHRASES, STAGE_TEXTS
from shared.plays.speech import ago as spoken_ago
from shared.plays.speech import category_word, distance, on_day, span
from shared.plays.suppression import Hold
from tests.support.plays import NOW_S, ago, condition, days_ago, event, group, outcome, seen

IN_CART = {
    "kind": "NotFollowed",
    "first": "Product Added",
    "then": ["Order Completed"],
    "same": "sku",
    "idle_h": 24,
}
STOCK = {"kind": "Stock", "source": ["cart"]}
ARAN = event("Product Added", 48, sku="A", title="Aran jumper, sand", category="knitwear")


def why(leaf: dict[str, Any], language: str = "en", **document: Any) -> str:
    """The sentence for a condition that is met."""
    inputs = seen(**document)
    trace = evaluate(condition(**leaf), inputs).trace
    assert trace.is_met
    return explain(trace, inputs, language).sentence


CASES: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    (
        group("all", IN_CART, STOCK, {"kind": "Near", "max_m": 3000}),
        {
            "recent": [ARAN],
            "cart": [{"sku": "A", "at": ago(48), "title": "Aran jumper, sand"}],
            "stock": {"A": StockLevel(4, "B3")},
            "facts": {"distance": {"this_store_m": 1200}},
        },
        "Left the Aran jumper in the cart 2 days ago; your store has 4",
        "Hat „Aran jumper“ vor 2 Tagen in den Warenkorb gelegt; hier 4 vorrätig",
    ),
    (
        {"kind": "Profile", "field": "open_issue_on", "op": "exists"},
        {"open_issue": {"title": "Zip repair", "opened_at": ago(72)}},
        "Waits for us: Zip repair, opened 3 days ago",
        "Wartet auf uns: Zip repair, eröffnet vor 3 Tagen",
    ),
    (
        {"kind": "Profile", "field": "identifier_types", "op": "has_any", "value": ["loyalty_id"]},
        {"identifiers": [{"type": "loyalty_id", "value": "2900000000018"}]},
        "Is a member",
        "Ist Mitglied",
    ),
    (
        {"kind": "Stock", "source": ["wishlist"]},
        {"wishlist": [{"sku": "W", "at": ago(5), "title": "Merino beanie"}], "stock": {"W": StockLevel(1)}},
        "Has the Merino beanie on the wishlist; your store has 1",
        "Hat „Merino beanie“ auf der Wunschliste; hier 1 vorrätig",
    ),
    (
        {"kind": "EventCount", "events": ["Product Viewed"], "window": {"from_h": 168}, "cmp": ">=", "n": 2},
        {
            "recent": [
                event("Product Viewed", 3, category="trail-shoes"),
                event("Product Viewed", 4, category="trail-shoes"),
            ]
        },
        "Viewed trail shoes 2 times in 7 days",
        "Hat sich trail shoes in 7 Tagen 2-mal angesehen",
    ),
    (
        {"kind": "EventCount", "events": ["Order Completed"], "window": {"from_h": 720}, "cmp": ">=", "n": 1},
        {"recent": [event("Order Completed", 240, sku="B")], "products": {"B": ProductFacts("Hiking boots, moss")}},
        "Bought the Hiking boots 10 days ago",
        "Hat vor 10 Tagen „Hiking boots“ gekauft",
    ),
    (
        {"kind": "EventCount", "events": ["Products Searched"], "cmp": ">=", "n": 1},
        {"recent": [event("Products Searched", 5, query="gaiters")]},
        "Searched for “gaiters” 5 hours ago",
        "Hat vor 5 Stunden nach „gaiters“ gesucht",
    ),
    (
        {"kind": "Recency", "events": ["Order Completed"], "cmp": "older_than", "hours": 2160},
        {"facts": {"orders": 4, "first_order_at": days_ago(500), "last_order_at": days_ago(100)}},
        "Last bought 3 months ago",
        "Letzter Kauf vor 3 Monaten",
    ),
    (
        {"kind": "Recency", "events": ["any online event"], "cmp": "older_than", "hours": 168},
        {"recent": [event("Product Viewed", 240)]},
        "Nothing online for 10 days",
        "Seit 10 Tagen nichts online",
    ),
    (
        {"kind": "Recency", "events": ["App Installed"], "cmp": "never"},
        {},
        "Does not have the app yet",
        "Hat die App noch nicht",
    ),
    (
        {"kind": "Profile", "field": "birth_on", "op": "within_next_days", "value": 14},
        {"birth_on": "1990-11-24"},
        "Birthday on 24 Nov",
        "Geburtstag am 24. Nov.",
    ),
    (
        {"kind": "Profile", "field": "orders", "op": "gte", "value": 3},
        {"facts": {"orders": 7}},
        "7 orders so far",
        "7 Bestellungen bisher",
    ),
    (
        {"kind": "Near", "max_m": 20_000},
        {"facts": {"distance": {"this_store_m": 12_300}}},
        "Lives 12 km away",
        "Wohnt 12 km entfernt",
    ),
    ({"kind": "Stage", "in": ["prospect"]}, {}, "Has not bought here yet", "Hat hier noch nicht gekauft"),
    (
        {"kind": "PlayHistory", "any": True, "result": "interested", "cmp": ">=", "n": 1},
        {"outcomes": [outcome("x", "interested", 72)]},
        "Said “interested” 3 days ago",
        "Sagte vor 3 Tagen „interessiert“",
    ),
    (
        {"kind": "NotFollowed", "first": "Email Opened", "then": ["Email Link Clicked"]},
        {"recent": [event("Email Opened", 4)]},
        "Opened an e-mail 4 hours ago without clicking",
        "Hat vor 4 Stunden eine E-Mail geöffnet, ohne zu klicken",
    ),
    ({"kind": "Group", "op": "all", "items": []}, {}, "Good for everyone to know", "Gut zu wissen für alle"),
]


@pytest.mark.parametrize(("leaf", "document", "english", "german"), CASES, ids=[case[2] for case in CASES])
def test_every_leaf_tells_its_reason_in_both_languages(leaf, document, english, german):
    """One plain sentence, from what was found."""
    assert why(leaf, **document) == english
    assert why(leaf, "de", **document) == german


def test_two_reasons_are_said_and_all_are_kept_as_facts():
    """Four met leaves: two phrases on the card, a fact each behind it, with times."""
    leaf, document, *_ = CASES[0]
    inputs = seen(**document)
    told = explain(evaluate(condition(**leaf), inputs).trace, inputs)
    assert [fact.kind for fact in told.facts] == ["NotFollowed", "Stock", "Near"]
    assert told.facts[0].at == ago(48)
    assert told.facts[2].text == "Lives 1.2 km away"


def test_the_sentence_is_about_one_thing():
    """Two things in the cart, one of them here: the one that is here is named."""
    other = event("Product Added", 30, sku="B", title="Lamp")
    leaf, document, english, _ = CASES[0]
    document = {**document, "recent": [other, ARAN], "cart": [{"sku": "B", "at": ago(30)}, *document["cart"]]}
    assert why(leaf, **document) == english
    found = subject_of(evaluate(condition(**leaf), seen(**document)).trace)
    assert found is not None
    assert found.sku == "A"


def test_what_a_none_group_excludes_is_no_reason():
    """Its leaves are unmet, so nothing is said of them."""
    leaf = group("all", {"kind": "Stage", "in": ["prospect"]}, group("none", {"kind": "Near", "max_m": 10}))
    assert why(leaf) == "Has not bought here yet"


@pytest.mark.parametrize("table", [PHRASES, HELD, OUTCOME_WORDS, STAGE_TEXTS])
def test_both_languages_say_the_same_with_the_same_values(table):
    """Every English text has a German one that needs no value the English one does not have."""
    assert table["en"].keys() == table["de"].keys()
    for key, english in table["en"].items():
        assert _names(table["de"][key]) <= _names(english) | {"n", "span"}


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize(
    ("hold", "english", "german"),
    [
        (
            Hold("purchase", "", NOW_S - 172_800, NOW_S + 64_680),
            "Bought on Friday; back on Monday 08:00",
            "Am Freitag gekauft; wieder ab Montag 08:00",
        ),
        (
            Hold("outcome", "not_today", NOW_S - 60, NOW_S + 3600),
            "Said “not today” today; back today 15:02",
            "Heute „heute nicht“ gesagt; wieder ab heute 15:02",
        ),
        (
            Hold("high_value"),
            "One of our best shoppers: no discount needed",
            "Gehört zu unseren Besten: kein Rabatt nötig",
        ),
        (
            Hold("cap_play", "4", NOW_S, NOW_S + 40 * 86_400),
            "Shown 4 times already; back on 1 Jan 2027 14:02",
            "Schon 4-mal gezeigt; wieder ab 1. Jan. 2027 14:02",
        ),
        (
            Hold("rule", "Cart Shared", NOW_S - 86_400, NOW_S + 86_400),
            "Shared the cart on Saturday; back on Monday 14:02",
            "Am Samstag: hat den Warenkorb geteilt; wieder ab Montag 14:02",
        ),
        (Hold("rule"), "Rests for now", "Ruht vorerst"),
    ],
)
def test_held_back_says_since_when_why_and_until_when(hold, english, german):
    """In the store's time zone; without an end only the reason."""
    assert held_back_sentence(hold, seen()) == english
    assert held_back_sentence(hold, seen(), "de") == german


@pytest.mark.parametrize(
    ("seconds", "english", "german"),
    [
        (59, "a moment ago", "gerade eben"),
        (600, "10 minutes ago", "vor 10 Minuten"),
        (3600, "1 hour ago", "vor 1 Stunde"),
        (47 * 3600, "47 hours ago", "vor 47 Stunden"),
        (48 * 3600, "2 days ago", "vor 2 Tagen"),
        (20 * 86_400, "20 days ago", "vor 20 Tagen"),
        (21 * 86_400, "3 weeks ago", "vor 3 Wochen"),
        (89 * 86_400, "12 weeks ago", "vor 12 Wochen"),
        (400 * 86_400, "13 months ago", "vor 13 Monaten"),
        (730 * 86_400, "2 years ago", "vor 2 Jahren"),
    ],
)
def test_a_past_time_is_told_in_the_unit_one_would_use(seconds, english, german):
    """The largest unit that says enough."""
    assert spoken_ago(NOW_S - seconds, NOW_S, "en") == english
    assert spoken_ago(NOW_S - seconds, NOW_S, "de-AT") == german


def test_distances_and_days_are_told_without_floats():
    """Metres below a kilometre, tenths below ten, the language's own mark."""
    assert [distance(metres, "en") for metres in (100, 1000, 1200, 12_300)] == ["100 m", "1 km", "1.2 km", "12 km"]
    assert distance(1200, "de") == "1,2 km"
    assert span(90, "en") == "1 minute"
    assert on_day(NOW_S - 7 * 86_400, NOW_S, seen().view.zone, "en") == "15 Nov"
    assert category_word("rain-shells", "de", {"de": {"rain-shells": "Regenjacken"}}) == "Regenjacken"


def test_a_trace_can_be_written_down_whole():
    """The what-if shows each part with its path, its rule in words, and what was found."""
    leaf, document, *_ = CASES[0]
    written = trace_document(evaluate(condition(**leaf), seen(**document)).trace)
    assert written["is_met"] is True
    assert [part["path"] for part in written["items"]] == [f"condition.items[{index}]" for index in range(3)]
    assert written["items"][0]["at"] == ago(48)
    assert "put something in the cart" in written["items"][0]["rule"].lower()
