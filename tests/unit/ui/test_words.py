"""The words: every sentence a screen asks for exists in every language, and none lies about unused."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from associate_app.services import enrol, outbox, play_change, sign_in
from associate_app.services.status import clock_sentence
from associate_app.sync import status
from associate_app.sync.status import clock_words
from associate_app.ui import words as words_module
from associate_app.ui.words import CATALOGUES, Speaker, zone_named
from shared.cards import CardStatus
from shared.plays import guardrails, overrides
from shared.profile import Money
from shared.wire.ops import BODY_OF_KIND, OUTCOMES

UI = Path(words_module.__file__).parent
PLURALS = re.compile(r"\.(zero|one|two|few|many|other)\Z")
BERLIN = Speaker(zone=zone_named("Europe/Berlin"))
GERMAN = Speaker("de", zone_named("Europe/Berlin"))
SAME_IN_BOTH = {
    *("app.name", "nav.plays", "book.title", "connect.name_default", "language.en", "language.de", "saved.what"),
    *(
        "event.bought_online",
        "offer.history",
        "offer.channel.app",
        "offer.channel.sms",
        "follow_ups.made",
        "holds.told",
        "store.tablets",
        "correct.new",
        "correct.old_new",
        "pins.title",
        "tablets.title",
        "about.tablet",
        "about.version",
    ),
}
ENGLISH_WORDS = re.compile(
    r"\b(?:the|and|is|are|of|this|that|your|you|with|for|from|not|it|has|have|what|when|who|store|shopper|card|sync|hq"
    r"|offer|saved?|sign|today|email|number|note|held|back|price|here|no|yes|to|by|at)\b",
    re.IGNORECASE,
)
BUTTONS = (
    *(
        "back",
        "close",
        "retry",
        "broken.home",
        "connect.scan",
        "connect.go",
        "connect.start",
        "pin.enter",
        "card.again",
    ),
    *("pin.someone_else", "scan.number", "scan.camera", "scan.picture", "scan.flip", "scan.open", "scan.again"),
    *("scan.wake", "result.by_name", "list.more", "list.fewer", "card.add_note", "card.note_save", "plays.why"),
    *("verdicts.open", "change.pause", "change.resume", "change.lower", "change.higher", "change.write"),
    *("change.unwrite", "change.keep", "change.propose", "change.send", "bend.open", "bend.save", "saved.undo"),
    *(
        "reason.skip",
        "sync.send",
        "tell.back",
        "feedback.all",
        "new.open_known",
        "new.anyway",
        "new.hand_over",
        "new.done_button",
    ),
    *("new.open", "today.scan", "today.search", "today.new"),
    *(f"nav.{room}" for room in ("scan", "find", "today", "plays", "tell", "sync")),
    *(f"outcome.{outcome}" for outcome in OUTCOMES),
    *(key for key in CATALOGUES["en"] if re.match(r"reason\.\w+\.\d", key)),
)
NOW = datetime(2026, 11, 22, 13, 2, tzinfo=UTC)


def texts_of_the_screens() -> tuple[set[str], set[str]]:
    """(whole strings, beginnings of f-strings) in the screens' sources."""
    whole, begun = set(), set()
    for path in (*UI.rglob("*.py"), UI.parent / "hub.py"):
        if path.stem.startswith("words"):
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


@pytest.mark.parametrize(
    ("english", "german"),
    [
        *(tuple(told.values()) for told in (sign_in._WORDS, enrol._WORDS, play_change._WORDS)),
        *(tuple(told.values()) for told in (guardrails._WORDS, overrides._WORDS)),
        (outbox._WHAT, outbox._WHAT_GERMAN),
        (outbox._CODE_WORDS, outbox._CODE_WORDS_GERMAN),
        (status._WORDS, status._GERMAN_WORDS),
    ],
)
def test_what_rules_say_to_an_associate_exists_in_german(english: dict[str, str], german: dict[str, str]) -> None:
    """Outside the catalogues too: the same sentences with the same names to fill in."""
    assert list(english) == list(german)
    for key, sentence in english.items():
        assert set(re.findall(r"\{(\w+)", sentence)) == set(re.findall(r"\{(\w+)", german[key])), key
        assert german[key] != sentence, key
        assert not re.search(r"\bHQ\b", german[key]), key


def test_a_wrong_clock_is_told_in_german() -> None:
    """By how much, on which side."""
    assert "um etwa 2 Tage vor." in str(clock_sentence(-2 * 86_400_000, "de"))
    assert "um etwa 1 Stunde nach." in str(clock_sentence(3_600_000, "de"))
    assert "sagt 22.11.2026 13:02, die der Zentrale 22.11.2026 14:02" in str(clock_words(3_600_000, NOW, "de"))


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_a_counted_sentence_has_every_form_its_language_has_and_no_other(language: str) -> None:
    """Babel knows the forms."""
    forms = {*Speaker(language).locale.plural_form.tags, "other"}
    counted = {PLURALS.sub("", key) for key in CATALOGUES[language] if PLURALS.search(key)} - {"tell", "find"}
    for key in counted:
        held = {one.removeprefix(f"{key}.") for one in CATALOGUES[language] if PLURALS.sub("", one) == key}
        assert held == forms, key


def test_no_english_is_left_in_the_german_catalogue() -> None:
    """What is the same in both stands in a short list; elsewhere no English word, no English mark, no *Sie*."""
    same = {key for key, said in CATALOGUES["de"].items() if said == CATALOGUES["en"][key]}
    assert same <= SAME_IN_BOTH, same - SAME_IN_BOTH
    for key, said in CATALOGUES["de"].items():
        if key not in SAME_IN_BOTH:
            assert not ENGLISH_WORDS.findall(re.sub(r"\{\w+\}|https://\S+", "", said)), key
        assert not re.search(r"[“\"]\w|'|\bSie\b(?! kommen)|\bIhr(e|en|em|er)?\b(?! Siegel)", said), key


def test_the_german_buttons_find_room_where_the_english_ones_do() -> None:
    """A quarter longer at most, and a few letters more for the shortest."""
    for key in BUTTONS:
        english, german = CATALOGUES["en"][key], CATALOGUES["de"][key]
        assert len(german) <= max(len(english) * 1.25, len(english) + 6), (key, german)


def test_every_kind_that_is_named_by_its_data_has_its_sentence() -> None:
    """Outcomes, and the refusals of a card."""
    for outcome in OUTCOMES:
        assert BERLIN.has(f"outcome.{outcome}")
    for refused in (CardStatus.FORGED, CardStatus.CANCELLED, CardStatus.FOREIGN, CardStatus.UNREADABLE):
        assert BERLIN.has(f"result.{refused.value}.title")
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


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-22T13:01:00.000Z", "vor 1 Minute"),
        ("2026-11-22T10:00:00.000Z", "vor 3 Stunden"),
        ("2026-11-20T10:00:00.000Z", "vor 2 Tagen"),
        ("2026-11-01T10:00:00.000Z", "am 1. Nov."),
    ],
)
def test_german_times_are_written_as_one_writes_them(at: str, said: str) -> None:
    """Full stops after the day, the weekday without one."""
    assert GERMAN.ago(at, NOW) == said
    assert GERMAN.stamp("2026-11-21T13:02:00.000Z", NOW) == "21. Nov. 14:02"
    assert GERMAN.when("2026-11-24T09:00:00.000Z", NOW) == "Di, 24. Nov. 10:00"
    assert GERMAN.weekday_of("2026-11-24") == "Di"
    assert GERMAN.date("2026-05-03") == "3. Mai 2026"


@pytest.mark.parametrize(
    ("minor", "said"), [(14900, "149\xa0€"), (14950, "149,50\xa0€"), (-2000, "-20\xa0€"), (123400, "1.234\xa0€")]
)
def test_german_money_stands_before_its_sign(minor: int, said: str) -> None:
    """And has a comma."""
    assert GERMAN.money(Money(minor=minor, currency="EUR")) == said


def test_a_share_has_the_language_s_decimal_mark() -> None:
    """One decimal."""
    assert (BERLIN.percent(123_000), GERMAN.percent(123_000)) == ("12.3 %", "12,3 %")


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
    assert GERMAN.count("sync.waiting", 1) == "1 Eintrag ist hier gespeichert und geht von selbst."
    assert GERMAN.count("sync.waiting", 1200) == "1.200 Einträge sind hier gespeichert und gehen von selbst."
    assert BERLIN.count("sync.waiting", 1200) == "1,200 records are saved here and will go by themselves."
