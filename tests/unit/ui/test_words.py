"""The words: every sentence a screen asks for exists in every language, and none lies about unused."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from associate_app.ui import words as words_module
from associate_app.ui.words import CATALOGUES, Speaker, zone_named
from shared.cards import CardStatus
from shared.profile import Money
from shared.wire.ops import BODY_OF_KIND, OUTCOMES

UI = Path(words_module.__file__).parent
PLURALS = re.compile(r"\.(zero|one|two|few|many|other)\Z")
BERLIN = Speaker(zone=zone_named("Europe/Berlin"))
NOW = datetime(2026, 11, 22, 13, 2, tzinfo=UTC)


def texts_of_the_screens() -> tuple[set[str], set[str]]:
    """(whole strings, beginnings of f-strings) in the screens' sources."""
    whole, begun = set(), set()
    for path in (*UI.rglob("*.py"), UI.parent / "hub.py"):
        if path.name == "words.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
                begun.add(str(node.values[0].value))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
    return whole, begun


WHOLE, BEGUN = texts_of_the_screens()
OWN = set(re.findall(r'self(?:\.count)?\("([a-z_.]+)"', (UI / "words.py").read_text("utf-8")))


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_every_sentence_of_the_catalogue_is_used(language: str) -> None:
    """A sentence nobody says is a sentence nobody checks."""
    bases = {PLURALS.sub("", key) for key in CATALOGUES[language]}
    begun = {text for text in BEGUN if "." in text}
    unused = {
        key for key in bases if key not in WHOLE | OWN and not any(key.startswith(text) for text in begun if text)
    }
    assert unused == set()


def test_every_language_says_the_same_sentences() -> None:
    """Complete, with the same names to fill in."""
    english = {PLURALS.sub("", key) for key in CATALOGUES["en"]}
    for language, catalogue in CATALOGUES.items():
        assert {PLURALS.sub("", key) for key in catalogue} == english, language
        for key, sentence in catalogue.items():
            named = set(re.findall(r"\{(\w+)\}", sentence))
            other = CATALOGUES["en"].get(key) or CATALOGUES["en"][f"{PLURALS.sub('', key)}.other"]
            assert named == set(re.findall(r"\{(\w+)\}", other)), (language, key)


def test_every_kind_that_is_named_by_its_data_has_its_sentence() -> None:
    """Outcomes, and the refusals of a card."""
    for outcome in OUTCOMES:
        assert BERLIN.has(f"outcome.{outcome}")
    for status in (CardStatus.FORGED, CardStatus.CANCELLED, CardStatus.FOREIGN, CardStatus.UNREADABLE):
        assert BERLIN.has(f"result.{status.value}.title")
    assert BODY_OF_KIND


def test_the_names_journeys_and_screen_readers_rely_on_are_spelled_exactly() -> None:
    """They are promised; changing one breaks people's habits."""
    for key, said in {
        "today.scan": "Scan loyalty QR",
        "scan.number": "Enter number instead",
        "today.search": "Search",
        "today.new": "New shopper",
        "card.again": "Scan another",
        "saved.undo": "Undo",
        "sync.send": "Send now",
        "scan.field": "Loyalty number",
        "outcome.not_mentioned": "Didn't mention it",
    }.items():
        assert CATALOGUES["en"][key] == said


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-22T13:01:40.000Z", "just now"),
        ("2026-11-22T13:01:00.000Z", "1 minute ago"),
        ("2026-11-22T12:42:00.000Z", "20 minutes ago"),
        ("2026-11-22T10:00:00.000Z", "3 hours ago"),
        ("2026-11-21T22:30:00.000Z", "yesterday"),
        ("2026-11-22T09:00:00.000Z", "4 hours ago"),
        ("2026-11-21T10:00:00.000Z", "yesterday"),
        ("2026-11-20T10:00:00.000Z", "2 days ago"),
        ("2026-11-01T10:00:00.000Z", "1 Nov"),
    ],
)
def test_how_long_ago_is_said_as_one_would_say_it(at: str, said: str) -> None:
    """In the store's own days: half past eleven last night is yesterday."""
    assert BERLIN.ago(at, NOW) == said


def test_times_are_told_in_the_store_s_zone() -> None:
    """14:02 in Berlin is 13:02 UTC."""
    assert BERLIN.time("2026-11-22T13:02:00.000Z") == "14:02"
    assert BERLIN.stamp("2026-11-21T13:02:00.000Z", NOW) == "21 Nov 14:02"
    assert BERLIN.when("2026-11-23T09:00:00.000Z", NOW) == "tomorrow 10:00"
    assert BERLIN.when("2026-11-24T09:00:00.000Z", NOW) == "Tue 24 Nov 10:00"
    assert zone_named("Middle/Earth") is UTC


@pytest.mark.parametrize(
    ("money", "said"),
    [
        (Money(minor=14900, currency="EUR"), "€149"),
        (Money(minor=14950, currency="EUR"), "€149.50"),
        (Money(minor=5, currency="EUR"), "€0.05"),
        (Money(minor=-2000, currency="EUR"), "-€20"),
    ],
)
def test_money_is_told_without_empty_decimals(money: Money, said: str) -> None:
    """Whole amounts without `.00`."""
    assert BERLIN.money(money) == said


def test_one_is_not_many() -> None:
    """Plural forms are the language's own."""
    assert BERLIN.count("sync.waiting", 1) == "1 record is saved here and will go by itself."
    assert BERLIN.count("sync.waiting", 1200) == "1,200 records are saved here and will go by themselves."
