"""Tell HQ and Feedback: two taps from a play, a tap that can be taken back, HQ's answer marked until it was read."""

from __future__ import annotations

from typing import Any

import flet as ft
import pytest

from associate_app.services import feedback
from shared.wire.messages import store_scope
from tests.support.flet_harness import Screen
from tests.support.plays import NOW_AT
from tests.support.replica import LOYALTY_ID, PIN_HASH, page, put
from tests.unit.ui.conftest import Store, played, scan, sign_in

ADA = {"associate_id": "a0002", "name": "Ada Brandt", "role": "manager", "pin_hash": PIN_HASH}
TOLD = {"about": "friction", "text": "The door sticks", "at": "2026-11-20T10:00:00.000Z", "associate_id": "a0001"}
DUE = {"due_at": "2026-11-23T10:00:00.000Z"}
SAID = {"state": "answered", "answer": "A carpenter comes.", "said_at": "2026-11-21T09:00:00.000Z"}
ANSWERED = {**TOLD, **DUE, **SAID, "answered_at": "2026-11-21T09:00:00.000Z"}


def hear(store: Store, s: int, **documents: dict[str, Any]) -> None:
    """HQ sends messages with what it said to them."""
    told = {f"feedback/{name}": document for name, document in documents.items()}
    told |= {"associate/a0002": ADA}
    changes = [put(id_, document, s + place) for place, (id_, document) in enumerate(told.items())]
    store.shop.database.apply_page(page(store_scope("berlin-1"), changes, head=s + len(changes) - 1))
    store.heart.beat()


async def told_of(screen: Screen, *sentences: str) -> None:
    """All of these are on the screen."""
    for sentence in sentences:
        await screen.see(sentence)


def test_a_play_on_a_card_is_two_taps_from_hq_and_one_from_the_card(store: Store) -> None:
    """Tell HQ, then what it is about: saved without a line, taken back by a tap, and the way back is there."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, LOYALTY_ID, "Plays for now")
            await screen.press("Tell HQ about it")
            await screen.see("About the play")
            await screen.press("Worked well")
            await screen.see("Worked well · for HQ")
            body = store.newest()
            assert (body["about"], body["text"]) == ("worked", "")
            assert body["play_id"]
            await screen.see("Saved here; it goes to HQ with the next sync.")
            await screen.press("Undo")
            await screen.see("Nothing yet. HQ’s answers stand here")
            assert store.kinds()[-2:] == ["feedback_given", "op_withdrawn"]
            await screen.press("Back to the card")
            await screen.see("Plays for now")

    played(play)


def test_an_answer_is_new_until_it_was_read_and_a_later_word_is_new_again(store: Store) -> None:
    """Today says so; Tell HQ marks it while it is open; afterwards it is read, for this associate alone."""
    hear(store, 60, f1=ANSWERED, f2={**TOLD, **DUE, "text": "Too few tags"})

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.press("HQ has answered: 1 new answer")
            await told_of(screen, "New answer", "HQ: A carpenter comes. (answered Sat 21 Nov, in time)")
            await screen.see("HQ answers by Mon 23 Nov.")
            await screen.until(lambda: store.floor.news("a0001") == 0)
            assert screen.shows("New answer")
            await screen.press("Today")
            await screen.see("Scan loyalty QR")
            assert not screen.shows("HQ has answered: 1 new answer")
            assert store.floor.news("a0002") == 1
            later = {**ANSWERED, "answer": "He came.", "said_at": NOW_AT}
            hear(store, 70, f1=later)
            await screen.see("HQ has answered: 1 new answer")

    played(play)


def test_a_manager_sees_everything_by_how_it_stands_and_an_associate_is_told_who_does(store: Store) -> None:
    """Open, late and answered with their counts; how the agreement is kept; declined and taken up in HQ's words."""
    late = {
        **TOLD,
        "due_at": "2026-11-21T10:00:00.000Z",
        "text": "No mirror",
        "state": "taken_up",
        "answer": "Ordered.",
    }
    no = {
        **ANSWERED,
        "state": "declined",
        "answer": "Not this year.",
        "answered_at": NOW_AT,
        "due_at": NOW_AT[:10] + "T00:00:00.000Z",
    }
    hear(store, 60, f1=ANSWERED, f2=late, f3=no, f4={**TOLD, **DUE, "text": "Too few tags"})

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen, "Ada Brandt")
            await screen.press("Tell HQ")
            await screen.press("All feedback of the store")
            await told_of(screen, "All (4)", "Open (1)", "Late (1)", "Answered (2)")
            await screen.see("As agreed, HQ answered 1 of 2 in time.")
            await screen.press("Late (1)")
            await screen.until(lambda: not screen.shows("Too few tags"))
            owed = screen.find(ft.Text, "HQ is on it: Ordered. HQ owes an answer since Sat 21 Nov.")
            assert owed.color == ft.Colors.TERTIARY
            await screen.press("Answered (2)")
            await screen.see("HQ says no: Not this year. (answered Sun 22 Nov, later than agreed)")
            assert screen.crashes() == []
        async with store.open("/feedback") as screen:
            await screen.press("Jonas Weber")
            for digit in "2580":
                await screen.press(digit)
            await screen.press("Sign in")
            await screen.see("Only a store manager sees everything the store told HQ.")

    played(play)


def test_what_waits_here_is_listed_once_and_what_nobody_can_read_is_left_out(store: Store) -> None:
    """A document of a newer HQ without a time, and a note of what was read that was spoilt, break nothing."""
    hear(store, 60, f1=ANSWERED, f9={"about": "worked", "text": "?", "at": 7})
    store.shop.database.write_note("answers_read/a0001", "no json")
    told = feedback.told_to_hq(store.shop.database, store.shop.clock.now(), "a0001")
    assert [(one.message.id, one.is_new) for one in told] == [("f1", True)]
    feedback.mark_read(store.shop.database, "a0001", ["f1", "gone"])
    assert feedback.count_news(store.shop.database, store.shop.clock.now(), "a0001") == 0


@pytest.mark.parametrize(("width", "height"), [(390, 844), (800, 1280)])
def test_it_is_drawn_in_every_frame(store: Store, width: int, height: int) -> None:
    """Stacked where there is no room beside each other; on a phone the plays lead there."""
    hear(store, 60, f1=ANSWERED)

    async def play() -> None:
        async with store.open(width=width, height=height) as screen:
            await sign_in(screen)
            await screen.press("HQ has answered: 1 new answer")
            await screen.see("New answer")
            assert screen.crashes() == []

    played(play)


@pytest.mark.parametrize("width", [390, 1180])
def test_feedback_lies_behind_the_store(store: Store, width: int) -> None:
    """As every screen of managers alone: at the foot of a phone and in the rail."""
    hear(store, 60, one=ANSWERED)

    async def play() -> None:
        async with store.open(width=width, height=820) as screen:
            await sign_in(screen, "Ada Brandt")
            screen.page.navigate("/feedback")
            await screen.see("A carpenter comes.")
            if width < 700:
                bar = screen.find(ft.NavigationBar)
                assert bar.destinations[bar.selected_index].label == "Store"
            else:
                selected = [one.label for one in screen.walk() if isinstance(one, ft.Semantics) and one.selected]
                assert "Store" in selected
                assert "Tell HQ" not in selected

    played(play)
