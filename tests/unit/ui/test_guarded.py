"""What the floor may do within HQ's guardrails, on the screen: an offer bent, a play changed, a no said in words."""

from __future__ import annotations

import asyncio
import io
from functools import partial

import flet as ft
import pytest
import zxingcpp
from PIL import Image

from associate_app.ui.state import Bend, PlayChange
from shared.errors import Refused
from tests.support.flet_harness import Screen
from tests.support.replica import PIN_HASH, STORE_SCOPE, card_for, page, put
from tests.unit.ui.conftest import Store, played, scan, sign_in

ADA = {"associate_id": "a0002", "name": "Ada Brandt", "role": "manager", "pin_hash": PIN_HASH}
BEND = "Honour an offer beyond its terms"
KNITS = "20 % on knitwear"


@pytest.fixture(autouse=True)
def _manager(store: Store) -> None:
    """Ada manages the store."""
    store.shop.database.apply_page(page(STORE_SCOPE, [put("associate/a0002", ADA, 90)], head=90))


async def open_mara(screen: Screen, who: str = "Jonas Weber") -> None:
    """Sign in and scan Mara's card."""
    await sign_in(screen, who)
    await scan(screen, card_for(), "Mara Lindqvist")
    await screen.see("Plays for now")


def till_of(screen: Screen) -> str:
    """What the till's scanner reads."""
    told = [one for one in screen.walk() if isinstance(one, ft.Image) and "KNITS20" in str(one.semantics_label)]
    assert isinstance(told[0].src, bytes)
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(told[0].src)).convert("L"))
    return str(found.text)


def test_an_offer_that_ended_yesterday_is_given_with_the_managers_pin_and_the_till_has_its_code(store: Store) -> None:
    """A wrong PIN is said in the sheet and records nothing; the code is shown after the commit."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen)
            await screen.press(BEND)
            await screen.see(KNITS)
            assert screen.shows("3 left today")
            await screen.press(KNITS)
            await screen.see("A manager types their PIN here.")
            assert not screen.shows("At most 20 %"), "an extension gives what the offer gives"
            await screen.press("Save and show the till code")
            await screen.see("Choose why this offer is bent.")
            await screen.press("Missed it by a day")
            await screen.write("Manager's PIN", "0000")
            await screen.press("Save and show the till code")
            await screen.see("That PIN is not right.")
            assert "offer_overridden" not in store.kinds()
            await screen.write("Manager's PIN", "2580")
            await screen.press("Save and show the till code")
            await screen.see(f"Saved: {KNITS}")
            told = store.newest()
            assert (told["offer_id"], told["kind"], told["approved_by"]) == ("autumn-knits", "extended", "a0002")
            assert till_of(screen).startswith("FSV1.KNITS20.X.")
            assert not screen.shows("FSV1"), "people read no number of a record"
            await screen.see("2 left today")
            assert not screen.crashes()

    played(play)


def test_a_percentage_beyond_the_limit_is_refused_in_words_and_one_within_is_saved(store: Store) -> None:
    """The sheet says the most; a manager who is signed in is asked for no second PIN."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen, "Ada Brandt")
            await screen.press(BEND)
            await screen.see(KNITS)
            await screen.press(KNITS)
            await screen.see("As it was")
            await screen.press("Goodwill")
            await screen.see("At most 20 %")
            assert not screen.shows("A manager types their PIN here.")
            await screen.press("Size was not here")
            for typed, said in (("ten", "Type a number"), ("25", "At most 20 % are allowed; this is 25 %.")):
                await screen.write("Per cent", typed)
                await screen.press("Save and show the till code")
                await screen.see(said)
            await screen.write("Per cent", "15 %")
            save = screen.button("Save and show the till code")
            await asyncio.gather(screen.event(save, "click"), screen.event(save, "click"))
            await screen.see("KNITS20 · 15 %")
            assert till_of(screen).startswith("FSV1.KNITS20.P15.")
            assert store.newest()["percent"] == 15
            assert store.kinds().count("offer_overridden") == 1, "a double tap gives it once"

    played(play)


async def open_first_verdict(screen: Screen) -> None:
    """Open what was decided of the first play."""
    await screen.press("Every play and why")
    await screen.see("Place 1 on the card: ")
    named = (str(one.label or "") for one in screen.walk() if isinstance(one, ft.Semantics))
    await screen.press(next(told for told in named if "Place 1 on the card" in told))
    await screen.see("Propose to HQ")


def test_a_manager_pauses_writes_own_words_and_proposes_and_it_holds_at_once(store: Store) -> None:
    """The card beside it changes with the commit; each is one record."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen, "Ada Brandt")
            first = store.floor.card(store.floor.read_scan(card_for()).token).plays[0]
            await open_first_verdict(screen)
            await screen.press("Lever up to +10 %")
            await screen.see("lever +10 %")
            await screen.press("Own words")
            await screen.write("What to say first", "It lies on table two.")
            await screen.press("Use these words")
            await screen.see("“It lies on table two.”")
            assert store.newest()["talking_points"]["en"]["opener"] == "It lies on table two."
            await screen.press("Back to HQ's words")
            # The card and what may be changed are read one after the other.
            await screen.until(lambda: not screen.shows("“It lies on table two.”"))
            await screen.until(lambda: not screen.shows("Back to HQ's words"))
            await screen.press("Propose to HQ")
            await screen.write("What should this play be?", "Add the boots.")
            await screen.press("Send to HQ")
            await screen.see("HQ reads it and answers.")
            assert store.newest() == {"play_id": first.play_id, "proposal": {"text": "Add the boots."}}
            await screen.press("Pause in this store")
            await screen.see("Run again in this store")
            card = store.floor.card(store.floor.read_scan(card_for()).token)
            assert first.play_id not in [one.play_id for one in card.plays]
            assert not screen.crashes()

    played(play)


def test_what_is_sent_is_what_stands_in_the_fields_also_when_the_words_changed_meanwhile(store: Store) -> None:
    """A colleague gives the play other words while two forms of it are open: the fields take them, and so does what is
    saved."""
    theirs = "A colleague was quicker."

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen, "Ada Brandt")
            first = store.floor.card(store.floor.read_scan(card_for()).token).plays[0]
            await open_first_verdict(screen)
            for form, button in (("Propose to HQ", "Send to HQ"), ("Own words", "Use these words")):
                await screen.press(form)
                await screen.write("What to say first", "Typed by Ada.")
                said = f"{theirs} {form}"
                store.floor.change_play(first.play_id, PlayChange(opener=said, bullets=("Look.",)), "a0002")
                store.heart.beat()
                await screen.until(partial(stands, screen, said))
                if form == "Propose to HQ":
                    await screen.write("What should this play be?", "Add the boots.")
                await screen.press(button)
                await screen.until(lambda: store.kinds().count("play_changed") % 2 == 0)
                saved = store.newest()
                sent = saved["proposal"]["after"] if form == "Propose to HQ" else saved["talking_points"]["en"]
                assert sent["opener"] == said
            assert not screen.crashes()

    played(play)


def test_words_typed_faster_than_the_form_is_drawn_are_all_kept(store: Store) -> None:
    """Both fields and the button within one blink: none of them undoes what the one before it said."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen, "Ada Brandt")
            await open_first_verdict(screen)
            await screen.press("Own words")
            opener = screen.find(ft.TextField, label="What to say first")
            points = screen.find(ft.TextField, label="Up to three points")
            await asyncio.gather(
                screen.event(opener, "change", "It is on table two.", value="It is on table two."),
                screen.event(points, "change", "Hand it over.", value="Hand it over."),
                screen.event(screen.button("Use these words"), "click"),
            )
            await screen.until(lambda: "play_changed" in store.kinds())
            told = store.newest()["talking_points"]["en"]
            assert (told["opener"], told["bullets"]) == ("It is on table two.", ["Hand it over."])

    played(play)


def stands(screen: Screen, words: str) -> bool:
    """Whether they stand in the field of what to say first."""
    return bool(screen.find(ft.TextField, label="What to say first").value == words)


def test_the_floor_says_no_in_words_whatever_a_screen_asks(store: Store) -> None:
    """Nobody but a manager changes a play; a PIN without its manager counts for nothing."""
    token = store.floor.read_scan(card_for()).token
    play_id = store.floor.card(token).plays[0].play_id
    with pytest.raises(Refused, match="Only a manager"):
        store.floor.change_play(play_id, PlayChange(paused=True), "a0001")
    bend = Bend("autumn-knits", "extended", reason="missed it by a day", pin="2580")
    with pytest.raises(Refused, match="by a manager only"):
        store.floor.bend(token, bend, "a0001")
    assert "2580" not in repr(bend)
    assert store.kinds() == []
