"""A manager's changes on the tablet: in force at once, within the guardrails, and the same as HQ makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from associate_app.services.lookup import look_up
from associate_app.services.play_change import change_play, propose
from associate_app.services.record import Recorder
from shared.errors import Refused
from shared.plays.placeholders import PLACEHOLDERS
from shared.plays.refusal import listed
from tests.support.plays import NOW_AT
from tests.support.replica import STORE_SCOPE, ShopTablet, answer, card_for, page, put

OWN = {"en": {"opener": "The jumper is on table two.", "bullets": ["Show the blue one."]}}


@pytest.fixture
def manager(shop: ShopTablet) -> Recorder:
    """Mira, who manages the store, signed in."""
    mira = {"associate_id": "a0002", "name": "Mira Baumann", "role": "manager"}
    shop.database.apply_page(page(STORE_SCOPE, [put("associate/a0002", mira, 11)], head=11))
    return replace(shop.recorder, associate_id="a0002")


def shown(shop: ShopTablet) -> list[str]:
    """The plays on Mara's card."""
    return [play.play_id for play in look_up(shop.database, shop.book, card_for(), now=shop.clock.now()).plays]


def test_a_pause_takes_the_play_off_the_card_at_once_and_back(shop: ShopTablet, manager: Recorder) -> None:
    """Before HQ heard of it; the pack stays the one HQ knows."""
    first, pack = shown(shop)[0], shop.book.playbook.rule_pack
    change_play(manager, shop.book, first, paused=True)
    assert first not in shown(shop)
    assert shop.book.playbook.rule_pack == pack
    change_play(manager, shop.book, first, paused=False)
    assert shown(shop)[0] == first


def test_words_of_their_own_and_the_lever_are_there_at_once(shop: ShopTablet, manager: Recorder) -> None:
    """An empty change of words brings HQ's back."""
    first = shown(shop)[0]
    change_play(manager, shop.book, first, lever=40, talking_points=OWN)
    play = look_up(shop.database, shop.book, card_for(), now=shop.clock.now()).plays[0]
    assert play.talking_points.opener == "The jumper is on table two."
    assert shop.book.playbook.changes[first].lever == 40
    change_play(manager, shop.book, first, talking_points={})
    play = look_up(shop.database, shop.book, card_for(), now=shop.clock.now()).plays[0]
    assert play.talking_points.opener != "The jumper is on table two."
    assert shop.book.playbook.changes[first].lever == 40


def test_once_hq_has_it_what_hq_says_holds(shop: ShopTablet, manager: Recorder) -> None:
    """Acknowledged and behind: still laid over; shown by the feed: no more, whatever HQ made of it."""
    first = shown(shop)[0]
    change_play(manager, shop.book, first, paused=True)
    shop.database.settle(answer(shop.database, {1: "accepted"}, visible_at=20), at=NOW_AT)
    assert first not in shown(shop)
    document = {"paused": False, "lever": 10, "said_at": {}}
    shop.database.apply_page(page(STORE_SCOPE, [put(f"play_change/{first}", document, 20)], head=20))
    assert first in shown(shop)
    assert shop.book.playbook.changes[first].lever == 10


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"lever": 101}, "goes from -50 to 100. Propose it to HQ"),
        ({"talking_points": {"en": {"opener": "word " * 61}}}, "61 words; at most 60"),
        ({"talking_points": {"en": {"opener": "Show the {itme}."}}}, "Did you mean item"),
        ({"talking_points": {"en": {}}}, "at most three points"),
        ({}, "Nothing was changed"),
    ],
)
def test_beyond_the_guardrails_is_refused_in_words(
    shop: ShopTablet, manager: Recorder, said: dict[str, Any], words: str
) -> None:
    """Nothing is recorded."""
    with pytest.raises(Refused, match=words):
        change_play(manager, shop.book, shown(shop)[0], **said)
    assert shop.database.counts().recorded == 0


@pytest.mark.parametrize(
    ("points", "told"),
    [
        (
            {"opener": "Zeig {itme}."},
            f"Der erste Satz: {{itme}} ist kein Platzhalter. Es gibt: {listed(PLACEHOLDERS)}.",
        ),
        ({"opener": "Zeig {."}, "Der erste Satz: Eine Klammer steht allein; Platzhalter schreibt man {item}."),
        (
            {"opener": "Schau.", "bullets": ["Zu {offer} passt es."]},
            "Punkte: {offer} braucht ein Angebot, und dieses Play hat keins.",
        ),
        (
            {"opener": "Schau.", "bullets": ["a", "b", "c", "d"]},
            "Ein Play hat einen ersten Satz und höchstens drei Punkte, jeder mit 1 bis 2000 Zeichen.",
        ),
    ],
)
def test_words_no_play_can_have_are_refused_in_the_language_of_the_screen(
    shop: ShopTablet, manager: Recorder, points: dict[str, Any], told: str
) -> None:
    """Also where a placeholder is what is wrong with them, and with nothing of how the program names its parts."""
    with pytest.raises(Refused) as refusal:
        change_play(manager, shop.book, shown(shop)[0], talking_points={"de": points}, screen_language="de")
    assert str(refusal.value) == f"{told} Schlag es stattdessen der Zentrale vor."


def test_only_a_manager_changes_or_proposes(shop: ShopTablet, manager: Recorder) -> None:
    """Jonas does not; Mira's proposal goes to HQ and changes nothing here; an unknown play is said."""
    first = shown(shop)[0]
    with pytest.raises(Refused, match="Only a manager"):
        change_play(shop.recorder, shop.book, first, paused=True)
    with pytest.raises(Refused, match="Only a manager"):
        propose(shop.recorder, shop.book, first, "Add the boots.")
    propose(manager, shop.book, first, " Add the  boots. ")
    (entry,) = shop.database.entries()
    assert entry.op.body == {"play_id": first, "proposal": {"text": "Add the boots."}}
    assert shown(shop)[0] == first
    for wrong in ("", "x" * 501):
        with pytest.raises(Refused, match="1 to 500"):
            propose(manager, shop.book, first, wrong)
    with pytest.raises(Refused, match="no play 'nothing'"):
        propose(manager, shop.book, "nothing", "x")
