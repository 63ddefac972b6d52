"""A phone that both sides verified makes one shopper of them, whatever they are called; else it may be anybody's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.segment_parts import truth_of
from sync_server.services.headquarters import Headquarters
from sync_server.services.hooks.mapping import Value
from sync_server.services.hooks.paths import Scope
from sync_server.services.hooks.values import Habits, value_of
from sync_server.services.imports.run import run_import
from sync_server.services.ingest import take_messages
from sync_server.services.shoppers import show_profile
from sync_server.services.who_is_who import rebuild

PHONE = "+4915112345678"
TOM = "tom@example.com"


def identify(hq: Headquarters, number: int, user: str | None = None, **traits: Any) -> None:
    """An identify call of the web shop."""
    message = {"type": "identify", "messageId": f"m-{number}", "userId": user, "traits": traits}
    message["timestamp"] = f"2026-11-01T10:00:{number:02}.000Z"
    assert take_messages(hq.database, hq.clock, "shop", [message]).accepted == 1


def is_one(hq: Headquarters, a: str = "customer_id:c-1", b: str = f"email:{TOM}") -> bool:
    """Whether two identifiers lead to one profile."""
    return bool(show_profile(hq, a)["id"] == show_profile(hq, b)["id"])


@pytest.mark.parametrize("said", ["phone_verified", "phoneVerified", "phone_number_verified", "verified_phone"])
def test_two_who_verified_one_phone_are_one_shopper(hq: Headquarters, said: str) -> None:
    """One word for it is not enough, nor is the phone without it; a rebuild from the ledger says the same."""
    told: dict[str, Any] = {"phone": PHONE, said: True}
    identify(hq, 1, "c-1", phone=PHONE, last_name="Voss")
    identify(hq, 2, email=TOM, last_name="Kern", **told)
    assert not is_one(hq)
    identify(hq, 3, "c-1", last_name="Voss", **{**told, said: "true"})
    assert is_one(hq)
    rebuild(hq)
    assert is_one(hq)


@pytest.mark.parametrize("traits", [{"phone_verified": False}, {"phone_verified": "perhaps"}, {}])
def test_what_is_no_yes_verifies_nothing(hq: Headquarters, traits: dict[str, Any]) -> None:
    """Denied, unreadable, absent."""
    identify(hq, 1, "c-1", phone=PHONE, **traits)
    identify(hq, 2, email=TOM, phone=PHONE, **traits)
    assert not is_one(hq)


def test_a_word_about_a_phone_that_is_not_there_or_of_two_counts_for_none(hq: Headquarters) -> None:
    """Such combinations are the same with and without it, and so are their ids."""
    with hq.database.read() as reader:
        before = sum(1 for _ in reader.every_sighting())
    identify(hq, 1, "c-1", email="mara@example.com")
    identify(hq, 2, "c-1", email="mara@example.com", phone_verified=True)
    two: dict[str, Any] = {
        "context": {"externalIds": [{"id": "+41445550000", "type": "phone"}]},
        "traits": {"phone": PHONE},
    }
    for number, traits in enumerate(({}, {"phone_verified": True})):
        told = {**two, "traits": {**two["traits"], **traits}, "type": "identify", "messageId": f"n-{number}"}
        assert take_messages(hq.database, hq.clock, "shop", [{**told, "userId": "c-2"}]).accepted == 1
    with hq.database.read() as reader:
        rows = list(reader.every_sighting())
    assert len(rows) - before == 2
    assert not any(row.is_verified for row in rows)


def test_a_verified_sighting_is_another_and_the_plain_one_keeps_its_id(hq: Headquarters) -> None:
    """The id of what was seen before any source could say so is not made anew."""
    identify(hq, 1, "c-1", phone=PHONE, last_name="Voss")
    identify(hq, 2, "c-1", phone=PHONE, last_name="Voss", phone_verified=True)
    with hq.database.read() as reader:
        ids = {row.is_verified: row.sighting_id for row in reader.sightings_of([("phone", PHONE)])}
    assert ids[False] == "c276b590-d80e-5075-8b4c-a9845da0bb18"
    assert ids.keys() == {False, True}


def test_a_phone_seen_alone_moves_whoever_agrees_with_it(hq: Headquarters) -> None:
    """It belongs to one of two customers by its surname, and by a later word of the other's to both: part and whole
    are the same answer."""
    phone = f"phone:{PHONE}"
    identify(hq, 1, phone=PHONE, last_name="Voss")
    identify(hq, 2, "c-1", phone=PHONE, last_name="Voss")
    identify(hq, 3, email=TOM, phone=PHONE, phone_verified=True)
    assert (is_one(hq, b=phone), is_one(hq)) == (True, False)
    identify(hq, 4, phone=PHONE, phone_verified=True)
    now = is_one(hq)
    rebuild(hq)
    assert is_one(hq) == now


@pytest.mark.parametrize("trait", [{"last_name": "Voss"}, {"postcode": "10119"}])
def test_a_name_or_a_postcode_that_comes_later_agrees_too(hq: Headquarters, trait: dict[str, str]) -> None:
    """Said of the address alone, without the phone: at once, and not only by the next rebuild."""
    identify(hq, 1, "c-1", phone=PHONE, **trait)
    identify(hq, 2, email=TOM, phone=PHONE)
    assert not is_one(hq)
    identify(hq, 3, email=TOM, **trait)
    assert is_one(hq)


def test_the_loyalty_base_says_so_in_a_column(hq: Headquarters, tmp_path: Path) -> None:
    """Yes or no in the usual words; what is neither is a bad row, with its reason."""
    path = tmp_path / "members.csv"
    rows = ("2900000000018,,Voss,yes", f",{TOM},Kern,TRUE", ",una@example.com,Roth,no", "29,,Bad,soon")
    lines = ["loyalty_id,email,surname,phone verified,phone", *(f"{row},{PHONE}" for row in rows)]
    path.write_text("\n".join(lines), "utf-8")
    report = run_import(hq, "shoppers", path)
    assert (report.taken, sum(report.left_out.values())) == (3, 1)
    assert is_one(hq, "2900000000018")
    assert not is_one(hq, "2900000000018", "email:una@example.com")


def test_a_webhook_s_mapping_says_so_with_a_trait() -> None:
    """`traits: {phone_verified: {from: ..., as: bool}}` gives what ingest reads."""
    value = Value.model_validate({"from": "customer.phone_ok", "as": "bool"})
    for said, meant in (("Yes", True), (0, False), (True, True)):
        scope = Scope({"customer": {"phone_ok": said}}, {"customer": {"phone_ok": said}}, {})
        assert value_of(value, scope, Habits(), "traits.phone_verified") is truth_of(said) is meant


def test_the_phone_stays_what_it_was_where_it_identifies_nobody(hq: Headquarters) -> None:
    """A blocked phone is no evidence, verified or not."""
    identify(hq, 1, "c-1", phone="+491111111111", phone_verified=True)
    identify(hq, 2, email=TOM, phone="+491111111111", phone_verified=True)
    assert not is_one(hq)
    with hq.database.read() as reader:
        assert not any(row.is_verified for row in reader.every_sighting())
