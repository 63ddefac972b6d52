"""The chain, its stores and its people: made once, checked in words, and in every feed that needs them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from argon2 import PasswordHasher

from shared.errors import Refused
from sync_server.ports import Store
from sync_server.services.chain import (
    Chain,
    NewAssociate,
    add_associates,
    add_stores,
    disable_associate,
    list_associates,
    list_stores,
    make_chain,
    read_chain,
    reset_pin,
    set_hours,
)
from sync_server.services.headquarters import Headquarters


def document(hq: Headquarters, scope: str, document_id: str) -> dict[str, Any]:
    """A document as a tablet would get it."""
    with hq.database.read() as reader:
        row = reader.doc(scope, document_id)
    assert row is not None
    return dict(json.loads(row.body))


def test_a_chain_is_made_once(hq: Headquarters) -> None:
    """A second one is refused and changes nothing."""
    with pytest.raises(Refused, match="already a chain here, 'Nordhang'"):
        make_chain(hq, Chain("Other", "CHF", "Europe/Zurich"))
    with hq.database.read() as reader:
        assert read_chain(reader).name == "Nordhang"


@pytest.mark.parametrize(
    "chain",
    [
        Chain("", "EUR", "Europe/Berlin"),
        Chain("x" * 81, "EUR", "Europe/Berlin"),
        Chain("N", "eur", "Europe/Berlin"),
        Chain("N", "EUR", "Mars/Olympus"),
        Chain("N", "EUR", "../etc/passwd"),
        Chain("N", "EUR", "Europe/Berlin", region="Germany"),
    ],
)
def test_a_chain_that_cannot_be_is_refused_before_anything_is_made(hq: Headquarters, chain: Chain) -> None:
    """The sentence names what is wrong."""
    with pytest.raises(Refused, match=r"name|currency|time zone|region"):
        make_chain(hq, chain)


def test_a_store_and_its_document_come_together(hq: Headquarters) -> None:
    """Every tablet of the chain knows every store."""
    add_stores(hq, [Store("lisbon-1", "Lisboa", "EUR", "Europe/Lisbon", "PT", hours='{"mon":["10:00","21:00"]}')])
    assert [store.code for store in list_stores(hq)] == ["berlin-1", "lisbon-1", "zurich-1"]
    assert document(hq, "all", "store/lisbon-1")["hours"] == {"mon": ["10:00", "21:00"]}


def test_opening_hours_reach_the_document_once_and_a_store_that_there_is_not_changes_none(hq: Headquarters) -> None:
    """The same hours again are no news; a wrong code in a batch leaves the other store as it was."""
    hours = {"mon": ["10:00", "21:00"]}
    assert set_hours(hq, {"berlin-1": hours, "zurich-1": {}}) == 1
    assert set_hours(hq, {"berlin-1": hours}) == 0
    assert document(hq, "all", "store/berlin-1")["hours"] == hours
    with pytest.raises(Refused, match="no store with the code"):
        set_hours(hq, {"berlin-1": {}, "paris-1": hours})
    assert document(hq, "all", "store/berlin-1")["hours"] == hours


@pytest.mark.parametrize(
    "store",
    [
        Store("berlin-1", "Again", "EUR", "Europe/Berlin"),
        Store("Berlin 2", "B", "EUR", "Europe/Berlin"),
        Store("b:2", "B", "EUR", "Europe/Berlin"),
        Store("b-2", "", "EUR", "Europe/Berlin"),
        Store("b-2", "B", "EUR", "Europe/Berlin", hours='{"mon":["21:00","10:00"]}'),
        Store("b-2", "B", "EUR", "Europe/Berlin", lat_e6=5),
        Store("b-2", "B", "EUR", "Europe/Berlin", lat_e6=91_000_000, lon_e6=0),
    ],
)
def test_a_store_that_cannot_be_is_refused_and_none_of_its_batch_is_added(hq: Headquarters, store: Store) -> None:
    """All or nothing."""
    with pytest.raises(Refused):
        add_stores(hq, [Store("good-1", "Good", "EUR", "Europe/Berlin"), store])
    assert [known.code for known in list_stores(hq)] == ["berlin-1", "zurich-1"]


def test_an_associate_reaches_only_their_store_with_an_argon2_hash(hq: Headquarters) -> None:
    """The hash is never listed at HQ; the store's tablets verify the PIN with it."""
    [mia] = add_associates(hq, [NewAssociate("berlin-1", "Mia", "manager", "1234")])
    told = document(hq, "store:berlin-1", f"associate/{mia['associate_id']}")
    assert (told["name"], told["role"], told["is_disabled"]) == ("Mia", "manager", False)
    assert PasswordHasher().verify(told["pin_hash"], "1234")
    assert "pin_hash" not in str(list_associates(hq))
    with hq.database.read() as reader:
        assert reader.doc("store:zurich-1", f"associate/{mia['associate_id']}") is None


def test_ids_of_people_are_never_given_twice(hq: Headquarters) -> None:
    """An id is on ops for ever."""
    made = add_associates(hq, [NewAssociate("berlin-1", name, pin="1234") for name in ("Mia", "Jonas")])
    disable_associate(hq, made[0]["associate_id"])
    [third] = add_associates(hq, [NewAssociate("zurich-1", "Reto", pin="4321")])
    assert [one["associate_id"] for one in made] + [third["associate_id"]] == ["a0001", "a0002", "a0003"]
    with pytest.raises(Refused, match="already an associate"):
        add_associates(hq, [NewAssociate("berlin-1", "X", pin="1234", associate_id="a0001")])


@pytest.mark.parametrize("pin", ["123", "1234567", "12a4", "", "１２３４"])
def test_a_pin_has_four_to_six_digits(hq: Headquarters, pin: str) -> None:
    """Plain digits, as the tablet's pad has them."""
    with pytest.raises(Refused, match="4 to 6 digits"):
        add_associates(hq, [NewAssociate("berlin-1", "Mia", pin=pin)])


def test_a_reset_pin_replaces_the_old_one_and_lets_in_again(hq: Headquarters) -> None:
    """The tablets get a new hash by the feed."""
    [mia] = add_associates(hq, [NewAssociate("berlin-1", "Mia", pin="1234")])
    disable_associate(hq, mia["associate_id"])
    assert document(hq, "store:berlin-1", "associate/a0001")["is_disabled"]
    reset_pin(hq, mia["associate_id"], "998877")
    told = document(hq, "store:berlin-1", "associate/a0001")
    assert not told["is_disabled"]
    assert PasswordHasher().verify(told["pin_hash"], "998877")
