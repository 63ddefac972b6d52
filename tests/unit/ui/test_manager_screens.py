"""PINs, approvals and tablets: a store manager's other screens, each from Store today."""

from __future__ import annotations

from typing import Any

import pytest

from associate_app.services.lookup import look_up
from associate_app.services.overrides_here import take_back
from associate_app.services.record import Recorder
from associate_app.ui.manager_state import NewPin
from associate_app.ui.state import Bend
from shared.errors import Refused
from tests.support.flet_harness import Screen
from tests.support.plays import NOW_AT
from tests.support.replica import LOYALTY_ID, PIN_HASH, STORE_SCOPE, answer, card_for, page, put
from tests.unit.ui.conftest import Store, played, sign_in

ADA = {"associate_id": "a0002", "name": "Ada Brandt", "role": "manager", "pin_hash": PIN_HASH}
LEA = {"associate_id": "a0003", "name": "Lea Roth", "role": "associate"}
OLGA = {"associate_id": "a0004", "name": "Olga Frey", "role": "manager", "pin_hash": PIN_HASH}
NEW_PIN = "135790"


@pytest.fixture(autouse=True)
def _people(store: Store) -> None:
    """Ada manages the store with Olga; Lea is new."""
    hear(store, 90, {f"associate/{one['associate_id']}": one for one in (ADA, LEA, OLGA)})


def hear(store: Store, s: int, documents: dict[str, dict[str, Any]]) -> None:
    """HQ sends documents."""
    changes = [put(id_, doc, s + place) for place, (id_, doc) in enumerate(documents.items())]
    store.shop.database.apply_page(page(STORE_SCOPE, changes, head=s + len(changes) - 1))


async def go_to(screen: Screen, title: str) -> None:
    """Store, then the screen."""
    await sign_in(screen, "Ada Brandt")
    await screen.press("Store")
    await screen.see("Plays used")
    await screen.press(title)
    await screen.see("Store today")


async def type_pin(screen: Screen, pin: str) -> None:
    """Type a PIN and go on."""
    for count, digit in enumerate(pin, 1):
        await screen.press(digit)
        await screen.see(f"PIN, {count} digit")
    await screen.press("Go on")


def test_a_new_pin_is_typed_twice_by_who_it_is_for_and_holds_at_once(store: Store) -> None:
    """The manager confirms with their own; two that differ are none; the old PIN opens nothing any more."""

    async def play() -> None:
        async with store.open() as screen:
            await go_to(screen, "PINs")
            assert screen.shows("Associate · has no PIN yet")
            assert screen.shows("HQ sets the PIN of another manager.")
            await screen.press("New PIN for Jonas Weber")
            await screen.see("Ada, a new PIN for Jonas")
            await type_pin(screen, "0000")
            await screen.see("That PIN is not right.")
            await type_pin(screen, "2580")
            await screen.see("Jonas, choose a new PIN")
            await type_pin(screen, NEW_PIN)
            await screen.see("Jonas, once more")
            await type_pin(screen, "135791")
            await screen.see("The two were not the same. Choose again.")
            await type_pin(screen, NEW_PIN)
            await screen.see("Jonas, once more")
            await type_pin(screen, NEW_PIN)
            await screen.see("Jonas Weber's new PIN holds here now")
            assert NEW_PIN not in str(screen.client.sent)
            assert screen.crashes() == []

    played(play)
    assert store.kinds() == ["pin_set"]
    assert store.floor.sign_in("a0001", "2580").associate is None
    assert store.floor.sign_in("a0001", NEW_PIN).associate is not None
    assert NEW_PIN not in repr(NewPin("a0001", NEW_PIN, "2580"))


def bend_for_mara(store: Store, who: str = "a0001") -> None:
    """An offer is honoured beyond its terms, with Ada's PIN."""
    token = store.floor.read_scan(card_for()).token
    bend = Bend("autumn-knits", "extended", reason="missed it by a day", manager_id="a0002", pin="2580")
    store.floor.bend(token, bend, who)


def test_an_override_is_listed_with_who_stood_behind_it_and_is_taken_back_on_its_day(store: Store) -> None:
    """Taken back it counts no more, here at once and at HQ with the sync."""
    bend_for_mara(store)
    left = store.floor.bendable("a0001")

    async def play() -> None:
        async with store.open() as screen:
            await go_to(screen, "Approvals")
            await screen.see("Mara Lindqvist · Jonas Weber, with Ada Brandt's PIN · ")
            assert screen.shows(": 1 of 3 today.")
            await screen.press("Take back")
            await screen.see("Taken back. The till's code must not be used any more.")
            await screen.see("Taken back. It counts no more.")
            assert not screen.shows(" of 3 today.")
            assert screen.crashes() == []

    played(play)
    assert store.kinds() == ["offer_overridden", "op_withdrawn"]
    assert store.floor.bendable("a0001") != left


def test_taking_back_has_its_limits(store: Store) -> None:
    """Another associate's is not mine to take back; tomorrow nobody's is; twice is once."""
    bend_for_mara(store)
    shop, op_id = store.shop, store.shop.database.entries(limit=1)[0].op.op_id
    lea = Recorder(shop.database, shop.clock, shop.recorder.make_id, lambda: None, "a0003")
    with pytest.raises(Refused, match="Who gave it takes it back"):
        take_back(lea, shop.book, op_id)
    shop.clock.move(24 * 3600)
    with pytest.raises(Refused, match="on the day it was given"):
        take_back(shop.recorder, shop.book, op_id)
    shop.clock.move(-24 * 3600)
    take_back(shop.recorder, shop.book, op_id)
    with pytest.raises(Refused, match="already"):
        take_back(shop.recorder, shop.book, op_id)
    assert store.kinds() == ["offer_overridden", "op_withdrawn"]


def test_what_hq_could_not_apply_needs_a_look(store: Store) -> None:
    """Amber, first, and said as a sentence."""
    bend_for_mara(store)
    view = look_up(store.shop.database, store.shop.book, LOYALTY_ID, now=store.shop.clock.now())
    assert view.shopper is not None
    store.shop.database.settle(answer(store.shop.database, {1: ("parked", "over_limit")}), at=NOW_AT)

    async def play() -> None:
        async with store.open() as screen:
            await go_to(screen, "Approvals")
            await screen.see("1 thing waits for somebody's word.")
            assert screen.shows("It went beyond what HQ allows for this offer; HQ looks into it.")

    played(play)


def test_tablets_tell_their_age_and_what_needs_a_look(store: Store) -> None:
    """This one live; the others as HQ told, with when that was; a tablet in a drawer is named."""
    rows = [
        {"device_id": "d2", "name": "Window", "last_seen_at": "2026-11-22T02:10:00.000Z", "unsent": 4, "app": "1.0.0"},
        {"device_id": "d3", "name": "Drawer", "last_seen_at": "2026-11-15T02:10:00.000Z", "unsent": 0},
    ]
    figures = {"store": "berlin-1", "as_of": "2026-11-22T02:15:00.000Z", "through_s": 1, "tablets": rows}
    parked = {"device_id": "d2", "name": "Window", "parked": ["a", "b"]}

    async def play() -> None:
        async with store.open() as screen:
            await go_to(screen, "Tablets")
            await screen.see("HQ has not told about the other tablets yet")
            hear(store, 100, {"figures/berlin-1": figures, "device/d2": parked})
            bend_for_mara(store)
            store.heart.beat()
            for said in (
                "The other tablets as HQ knew them at 03:15",
                "1 record to send",
                "4 records to send then",
                "2 records need a look. Open Sync on that tablet.",
                "HQ has not heard of it since Sun 15 Nov. Bring it into the network.",
                "App 1.0.0",
            ):
                await screen.see(said)
            assert screen.crashes() == []

    played(play)


@pytest.mark.parametrize("route", ["/pins", "/approvals", "/tablets"])
def test_only_managers_come_in(store: Store, route: str) -> None:
    """At the address too."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            screen.page.navigate(route)
            await screen.see("Only a store manager comes in here.")
            assert screen.crashes() == []

    played(play)
