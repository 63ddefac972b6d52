"""Correcting data on the card: old and new, waiting at once, and HQ's answer in a sentence when it comes."""

from __future__ import annotations

import copy
from typing import Any

import flet as ft
import pytest

from associate_app.ui.correcting import correctable, tell_corrections
from associate_app.ui.words import Speaker
from shared.clock import parse_at
from shared.profile import Profile
from tests.support.plays import NOW_AT
from tests.support.replica import LOYALTY_ID, MARA, mara, page, put
from tests.unit.ui.conftest import Store, played, scan, sign_in

ANSWERED_AT = "2026-11-22T12:00:00.000Z"


def said(op_id: str, field: str, value: str | None = None, **told: Any) -> dict[str, Any]:
    """A line of a profile."""
    line = {"op_id": op_id, "at": "2026-11-22T11:00:00.000Z", "associate_id": "a0001", "field": field, "value": value}
    return {name: part for name, part in {**line, "answered_at": ANSWERED_AT, **told}.items() if part is not None}


def hear(store: Store, s: int, **told: Any) -> None:
    """HQ sends Mara as she stands now."""
    document = {**copy.deepcopy(mara()), **told}
    store.shop.database.apply_page(page("store:berlin-1", [put(f"profile/{MARA}", document, s)], head=s))
    store.heart.beat()


def test_three_taps_correct_a_name_and_hq_s_answer_takes_the_place_of_waiting(store: Store) -> None:
    """Correct, the field, Save; a no is said in the sheet; the answer stands on the open card."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, LOYALTY_ID, "Plays for now")
            await screen.press("Correct")
            await screen.see("What is wrong?")
            await screen.press("E-mail")
            await screen.write("What is right", "mara@")
            await screen.press("Save")
            await screen.see("This e-mail is not complete.")
            await screen.press("Family name")
            await screen.see("Now: Lindqvist")
            await screen.write("What is right", " Lindquist ")
            await screen.press("Save")
            await screen.see("Family name: Lindquist · HQ decides")
            assert store.newest()["value"] == "Lindquist"
            await screen.see("Family name: Lindqvist → Lindquist")
            await screen.see("waiting for HQ · Jonas · just now")
            op_id = store.shop.database.entries(limit=1)[0].op.op_id
            line = said(op_id, "family_name", "Lindquist", state="taken")
            hear(store, 80, family_name="Lindquist", corrections=[line])
            await screen.see("HQ took it over on Sun 22 Nov")
            assert not screen.shows("waiting for HQ")
            assert screen.crashes() == []

    played(play)


def test_wrong_data_is_flagged_and_a_size_is_noted_at_once(store: Store) -> None:
    """Without knowing what is right; a language is chosen, not typed; a preference needs no word of HQ."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, LOYALTY_ID, "Plays for now")
            await screen.press("Correct")
            await screen.see("What is wrong?")
            await screen.press("Family name")
            await screen.press("Wrong, but we don’t know what is right")
            await screen.see("Family name is wrong · HQ looks into it")
            assert store.newest()["field"] == "family_name"
            await screen.press("Correct")
            await screen.see("What is wrong?")
            await screen.press("Shoe size")
            await screen.write("What is right", "EU 39")
            await screen.press("Save")
            await screen.see("Shoe size: EU 39")
            await screen.press("Correct")
            await screen.see("What is wrong?")
            await screen.press("Phone")
            await screen.write("What is right", "0151 999 888 77")
            await screen.press("Save")
            await screen.see("Saved: Phone: +4915199988877 · HQ decides")
            with pytest.raises(LookupError):
                screen.button("Undo")
            await screen.press("Correct")
            await screen.see("What is wrong?")
            await screen.press("Language")
            await screen.press("Polish")
            await screen.press("Save")
            await screen.see("Language: Polish · HQ decides")
            assert store.newest()["value"] == "pl"
            assert store.kinds()[-3:] == ["preference_set", "profile_corrected", "profile_corrected"]
            assert screen.find(ft.TextButton, "Undo") is not None

    played(play)


def test_every_answer_has_its_sentence_and_old_ones_leave_the_card() -> None:
    """Taken, kept for each reason, settled, set right by a person, from a newer HQ; after two weeks none."""
    emails = [{"type": "email", "value": value} for value in ("a@x.de", "b@x.de")]
    lines = [
        said("1", "email", "b@x.de", state="taken"),
        said("2", "email", "c@x.de", state="kept", why="somebody_else"),
        said("3", "postcode", "1", state="kept", why="from_a_newer_hq"),
        said("4", "postcode", state="settled", text="moved", answer="Nothing found."),
        said("5", "postcode", state="taken", text="moved", right="10117", answer="On the order."),
        said("6", "phone", "+4915123456789", state="open", answered_at=None),
        said("7", "phone", "+4915123456789", state="taken", answered_at="2026-11-01T12:00:00.000Z"),
    ]
    profile = Profile.from_document({"id": "p", "identifiers": emails, "postcode": "10117", "corrections": lines})
    words = Speaker("en", Speaker().zone)
    told = [(one.text, one.source.split(" · ")[0]) for one in tell_corrections(profile, words, {}, parse_at(NOW_AT))]
    assert told == [
        ("Phone: +4915123456789", "HQ looks into it"),
        ("Postcode is wrong: moved", "HQ corrected it to 10117 on Sun 22 Nov"),
        ("Postcode is wrong: moved", "HQ: Nothing found."),
        ("Postcode: 10117 → 1", "HQ kept what it had: ask HQ"),
        ("E-mail: b@x.de → c@x.de", "HQ kept what it had: it belongs to somebody else already. HQ looks into it"),
        ("E-mail: b@x.de", "HQ took it over on Sun 22 Nov"),
    ]
    assert {one.key: one.now for one in correctable(profile, words)}["email"] == "b@x.de"
