"""Plays review: what a play says and when it fires, whom it would meet as cards would show, results, proposals."""

from __future__ import annotations

from typing import Any

import pytest

from associate_app.ui.manager_faces import MatchesFace, ReviewFace
from associate_app.ui.state import PlayChange
from shared.errors import Refused
from tests.support.flet_harness import Screen
from tests.support.replica import PIN_HASH, STORE_SCOPE, card_for, page, put
from tests.unit.ui.conftest import Store, played, sign_in

ADA = {"associate_id": "a0002", "name": "Ada Brandt", "role": "manager", "pin_hash": PIN_HASH}


@pytest.fixture(autouse=True)
def _manager(store: Store) -> None:
    """Ada manages the store."""
    hear(store, 90, {"associate/a0002": ADA})


def hear(store: Store, s: int, documents: dict[str, dict[str, Any]]) -> None:
    """HQ sends documents."""
    changes = [put(id_, doc, s + place) for place, (id_, doc) in enumerate(documents.items())]
    store.shop.database.apply_page(page(STORE_SCOPE, changes, head=s + len(changes) - 1))


def first_play(store: Store) -> tuple[str, str]:
    """(id, title) of the play ranked first for Mara."""
    play = store.floor.card(store.floor.read_scan(card_for()).token).plays[0]
    return play.play_id, play.title


def review(store: Store, play_id: str) -> ReviewFace:
    """One play as its manager sees it."""
    return next(one for one in store.floor.office.reviews("a0002").plays if one.play.play_id == play_id)


def matches(store: Store) -> MatchesFace:
    """The whole look."""
    while not (told := store.floor.office.matches("a0002")).is_done:
        pass
    return told


async def go_to(screen: Screen, title: str) -> None:
    """Three taps from the rail: Store, Plays review, the play."""
    await sign_in(screen, "Ada Brandt")
    await screen.press("Store")
    await screen.see("Plays used")
    await screen.press("Plays review")
    await screen.see("Would meet 1 shopper now")
    row = next(told for told in screen.texts() if told.startswith(f"{title}. "))
    await screen.press(row)
    await screen.see("Whom it would meet now")


def test_a_manager_reviews_and_pauses_a_play_without_any_shopper(store: Store) -> None:
    """Words, situation, whom it meets by name; a pause is one tap more, and the card beside it changes at once."""
    play_id, title = first_play(store)

    async def play() -> None:
        async with store.open() as screen:
            await go_to(screen, title)
            one = review(store, play_id)
            await screen.see("On the card of 1 shopper now.")
            assert screen.shows("Mara Lindqvist")
            for told in (f"“{one.play.opener}”", *(rule for _, rule in one.fires), "Not enough yet"):
                assert screen.shows(told), told
            await screen.press("Pause in this store")
            await screen.see("Paused in this store. It is on no card until you let it run again.")
            await screen.see("If it ran, it would be on the card of 1 shopper now.")
            card = store.floor.card(store.floor.read_scan(card_for()).token)
            assert play_id not in [one.play_id for one in card.plays]
            await screen.press("Mara Lindqvist")
            await screen.see("Plays for now")
            assert screen.crashes() == []

    played(play)


def test_a_proposal_shows_what_it_changes_and_hq_s_answer_comes_back(store: Store) -> None:
    """Old and new words line by line while it is written and afterwards; waiting, taken, declined with HQ's reason."""
    play_id, title = first_play(store)
    old = review(store, play_id).change

    async def play() -> None:
        async with store.open() as screen:
            await go_to(screen, title)
            assert screen.shows("Nothing was proposed about this play.")
            await screen.press("Propose to HQ")
            await screen.see("Change HQ's words above, or say below what you mean.")
            await screen.write("What to say first", "It lies on table two.")
            await screen.see("Would be new: It lies on table two.")
            assert screen.shows(f"Would go: {old.hq_opener}")
            assert screen.shows(f"Stays: {old.hq_bullets[0]}")
            await screen.write("What should this play be?", "Shorter.")
            await screen.press("Send to HQ")
            await screen.see("Saved here")
            [one] = review(store, play_id).proposals
            assert ("Shorter.", one.is_open) == (one.text, True)
            op_id = store.shop.database.entries(limit=1)[0].op.op_id
            told = {
                "id": op_id,
                "play_id": play_id,
                "asked": store.newest()["proposal"],
                "at": "2026-11-22T13:02:00.000Z",
            }
            for state, answer, said in (("open", None, "Waits for HQ"), ("rejected", "Too short.", "HQ: Too short.")):
                decided = {"answer": answer, "decided_at": "2026-11-22T13:02:00.000Z"} if answer else {}
                hear(store, 100 + len(state), {f"play_proposal/{op_id}": {**told, "state": state, **decided}})
                store.heart.beat()
                await screen.see(said)
            assert screen.shows("Declined Sun 22 Nov")
            assert screen.shows(f"Would go: {old.hq_opener}"), "also when the play's words are others by then"
            assert screen.crashes() == []

    played(play)
    assert store.newest()["proposal"]["after"] == {"opener": "It lies on table two.", "bullets": list(old.hq_bullets)}


def test_only_managers_come_in(store: Store) -> None:
    """At the address too; the floor itself says no."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            screen.page.navigate("/reviews")
            await screen.see("Only a store manager comes in here.")
            assert screen.crashes() == []

    played(play)
    for ask in (store.floor.office.reviews, store.floor.office.matches):
        with pytest.raises(Refused, match="Only a store manager"):
            ask("a0001")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (800, 1280)])
def test_it_is_drawn_in_every_frame_and_in_german(store: Store, width: int, height: int) -> None:
    """The list and a play of it."""
    play_id, _ = first_play(store)
    store.floor.change_play(play_id, PlayChange(lever=20), "a0002")
    store.floor.speak("de")

    async def play() -> None:
        async with store.open(width=width, height=height) as screen:
            await screen.see("Ada Brandt")
            await screen.press("Ada Brandt")
            for digit in "2580":
                await screen.press(digit)
            await screen.press("Anmelden")
            await screen.see("Scannen")
            screen.page.navigate("/reviews")
            await screen.see("Träfe jetzt 1 Person")
            assert screen.shows("Hebel +20 %")
            screen.page.navigate(f"/review/{play_id}")
            await screen.see("Wen es jetzt träfe")
            assert screen.crashes() == []

    played(play)
