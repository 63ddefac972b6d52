"""The Sync screen tells the truth: each trouble in its own words, amber only where a person should look."""

from __future__ import annotations

import re

import pytest

from associate_app.ports import CLOCK_OFFSET_NOTE, SLICE_WIPED_NOTE
from associate_app.services.record import enrol_shopper
from associate_app.sync.state import Trouble
from associate_app.sync.status import _WORDS, SyncStatus, words_of
from associate_app.ui.faces import PillTone, SyncFace
from associate_app.ui.overview import SERIOUS, Overview
from associate_app.ui.words import Speaker
from tests.support.replica import STORE_SCOPE, ShopTablet, answer, load, mara, new_note, op_ids, store_documents
from tests.unit.tablet.conftest import shop  # noqa: F401 - the same connected tablet
from tests.unit.ui.conftest import Store, played, sign_in

NO_CODES = re.compile(r"\b\d{3}\b|[a-z]+_[a-z]+|https?:|\b[0-9a-f]{8}-")


def face_of(tablet: ShopTablet, status: SyncStatus | None = None) -> SyncFace:
    """The Sync screen as it stands."""
    overview = Overview(tablet.database, lambda: status or SyncStatus())
    return overview.sync(tablet.book, Speaker(), tablet.clock.now(), 50, is_cut=None)


@pytest.mark.parametrize("kind", list(_WORDS))
def test_every_trouble_is_told_in_its_own_words_and_weather_is_not_amber(shop, kind):  # noqa: F811
    """One notice; amber exactly where a person should look; no code, host or id."""
    told = words_of(Trouble(kind), shop.clock.now())
    face = face_of(shop, SyncStatus(trouble=kind, words=told))
    assert face.notices == ((told, kind in SERIOUS),)
    assert not NO_CODES.search(told)
    assert (face.tone is PillTone.LOOK) == (kind in SERIOUS)


def test_a_wrong_clock_is_said_once_with_how_much(shop):  # noqa: F811
    """Beside a certificate that failed because of it, it is not said twice."""
    shop.database.write_note(CLOCK_OFFSET_NOTE, str(-2 * 86_400_000))
    assert face_of(shop).notices[0][1] is True
    assert "about 2 days ahead of HQ's" in face_of(shop).notices[0][0]
    told = "This tablet's clock says one thing, HQ's another."
    assert face_of(shop, SyncStatus(trouble="certificate", words=told)).notices == ((told, True),)


def test_a_tablet_that_deleted_its_shoppers_says_why_and_that_they_come_back(shop):  # noqa: F811
    """Quietly: nothing recorded is lost."""
    shop.database.write_note(SLICE_WIPED_NOTE, "2026-11-22T13:00:00.000Z")
    ((told, is_amber),) = face_of(shop).notices
    assert "deleted its shoppers" in told
    assert "is kept" in told
    assert not is_amber


def test_a_tablet_that_hq_disconnected_is_not_told_to_have_been_away(shop):  # noqa: F811
    """Its shoppers are gone for another reason, and that one is said."""
    shop.database.write_note(SLICE_WIPED_NOTE, "2026-11-22T13:00:00.000Z")
    told = words_of(Trouble("revoked"), shop.clock.now())
    assert face_of(shop, SyncStatus(trouble="revoked", words=told)).notices == ((told, True),)
    assert "shoppers were deleted" in str(told)


def test_what_is_on_its_way_is_sending_and_the_rest_says_where_it_is(shop):  # noqa: F811
    """Saved here, sending, at HQ with its time, and each reason to look in plain words."""
    make_id = op_ids()
    for text in ("a", "b", "c", "d"):
        shop.database.record([new_note(make_id, text)])
    assert {row.state for row in face_of(shop).records} == {"saved here"}
    assert {row.state for row in face_of(shop, SyncStatus(phase="push")).records} == {"sending"}
    reply = answer(shop.database, {1: "accepted", 2: "parked:unknown_play", 3: "rejected:malformed"})
    shop.database.settle(reply, at="2026-11-22T13:05:00.000Z")
    face = face_of(shop)
    rows = {row.what.split(" · ")[1]: row for row in face.records}
    assert rows["a"].state == "at HQ 13:05"
    assert rows["a"].detail is None
    assert rows["b"].detail == "HQ does not know the play; it applies the record when it does."
    assert rows["c"].detail == "It is damaged; tell HQ."
    assert rows["d"].state == "saved here"
    assert [rows[name].tone for name in "abcd"] == [
        PillTone.SAVED,
        PillTone.LOOK,
        PillTone.LOOK,
        PillTone.WAITING,
    ]
    assert face.sentence == "2 records need a look."
    assert face.receipt.startswith("HQ confirmed record 3 at ")
    assert face.lines[0].startswith("The oldest was saved")


def test_a_new_shopper_is_named_once(shop):  # noqa: F811
    """As the record has the name while HQ is still to send them, and as this tablet holds it from then on."""
    enrol_shopper(shop.recorder, "2900000000087", [], given_name="Nora")
    assert face_of(shop).records[0].what == "New shopper · Nora"
    profile_id = shop.database.entries()[0].profile_id
    for held in ("Nora", "Norah"):
        nora = {**mara(), "profile_id": profile_id, "given_name": held, "family_name": None}
        load(shop.database, STORE_SCOPE, {**store_documents(), f"profile/{profile_id}": nora})
        assert face_of(shop).records[0].what == f"New shopper · {held}"


def test_the_screen_shows_its_notices(store: Store) -> None:
    """Under the sentence, above the records."""

    async def play() -> None:
        store.status = SyncStatus(trouble="revoked", words=_WORDS["revoked"])
        async with store.open() as screen:
            await sign_in(screen)
            await screen.press("Sync")
            await screen.see("HQ has disconnected this tablet.")

    played(play)
