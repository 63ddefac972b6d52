"""New PINs at HQ: who gives whom one, the later one holds, and a hash lies nowhere but with its person."""

from __future__ import annotations

import json
from typing import Any

import pytest
from argon2 import PasswordHasher

from shared.pins import MEMORY_KIB, PARALLELISM, PIN_SET, TIME_COST
from shared.wire.canonical import sha_of
from sync_server.services.chain import NewAssociate, add_associates, disable_associate, reset_pin
from sync_server.services.headquarters import Headquarters
from sync_server.services.quarantine import list_quarantine, replay, show_quarantine
from tests.support.world import Journalist, make_journalist, pass_time, verdicts


def hash_of(pin: str) -> str:
    """A hash as tablets make it."""
    return PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM).hash(pin)


HASH, OTHER_HASH = hash_of("135790"), hash_of("1357")


@pytest.fixture
def tablet(hq: Headquarters) -> Journalist:
    """A tablet of berlin-1."""
    return make_journalist(hq)


@pytest.fixture
def people(hq: Headquarters) -> dict[str, str]:
    """Ids by name: Mira and Ada manage berlin-1, Sam works there; Ute manages zurich-1."""
    new = [NewAssociate("berlin-1", name, role="manager") for name in ("Mira", "Ada")]
    new += [NewAssociate("berlin-1", "Sam", pin="2580"), NewAssociate("zurich-1", "Ute", role="manager")]
    return {one["name"]: one["associate_id"] for one in add_associates(hq, new)}


def give(tablet: Journalist, signer: str, whom: str, pin_hash: str = HASH, **more: Any) -> dict[str, Any]:
    """A new PIN recorded by somebody for somebody."""
    body = {"associate_id": whom, "pin_hash": pin_hash, **more}
    return tablet.record(PIN_SET, body, associate_id=signer)


def told_of(hq: Headquarters, associate_id: str) -> dict[str, Any]:
    """What the store's tablets hear of somebody."""
    with hq.database.read() as reader:
        row = reader.doc("store:berlin-1", f"associate/{associate_id}")
    return dict(json.loads(row.body)) if row else {}


def everything_but_people(hq: Headquarters) -> str:
    """All that HQ keeps of ops: ledger, dead letters, audit."""
    with hq.database.read() as reader:
        return str([reader.rows(table) for table in ("fact", "dead_letter", "audit")])


def test_a_manager_gives_a_new_pin_and_its_hash_stays_with_the_person(
    hq: Headquarters, tablet: Journalist, people: dict[str, str]
) -> None:
    """In force by the store's feed; the ledger and the audit log say who, whom and when, and nothing to guess from."""
    op = give(tablet, people["Mira"], people["Sam"])
    assert verdicts(tablet.push()) == ["accepted"]
    assert told_of(hq, people["Sam"])["pin_hash"] == HASH
    with hq.database.read() as reader:
        [fact] = reader.rows("fact", kind=PIN_SET)
        [audit] = reader.rows("audit", did="set the PIN of")
    assert (json.loads(fact["body"]), fact["sha"]) == ({"associate_id": people["Sam"]}, op["sha"])
    assert (audit["who"], audit["about"]) == (people["Mira"], people["Sam"])
    assert HASH[-43:] not in everything_but_people(hq)
    assert verdicts(tablet.push()) == ["duplicate"], "sent again it is the same op"


def test_who_may_not_changes_nothing_and_leaves_no_hash(
    hq: Headquarters, tablet: Journalist, people: dict[str, str]
) -> None:
    """An associate, another store's manager, one for another manager, one for somebody who left: parked with words."""
    disable_associate(hq, give_name(people, hq))
    left = people["Left"]
    pairs = [("Sam", "Sam"), ("Ute", "Sam"), ("Mira", "Ada"), ("Mira", "Ute"), ("Mira", "Left")]
    for signer, whom in pairs:
        give(tablet, people[signer], people[whom])
    give(tablet, people["Mira"], people["Mira"])
    give(tablet, people["Mira"], people["Sam"], HASH.replace("m=19456", "m=9999999"))
    give(tablet, people["Mira"], people["Sam"], "135790")
    assert verdicts(tablet.push()) == ["parked:not_allowed"] * 5 + ["accepted"] + ["parked:bad_body"] * 2
    assert told_of(hq, left)["is_disabled"]
    assert told_of(hq, people["Sam"])["pin_hash"] != HASH
    said = everything_but_people(hq)
    assert HASH[-43:] not in said
    assert "135790" not in said, "not even a PIN that a broken tablet sent as it is"
    assert {one["code"] for one in replay(hq)} == {"bad_body"}, "without its hash it never comes into force"


def give_name(people: dict[str, str], hq: Headquarters) -> str:
    """Somebody who is about to leave."""
    [left] = add_associates(hq, [NewAssociate("berlin-1", "Left", pin="2580")])
    people["Left"] = left["associate_id"]
    return str(left["associate_id"])


def test_of_two_the_later_one_holds_whatever_came_first(
    hq: Headquarters, tablet: Journalist, people: dict[str, str]
) -> None:
    """Given offline before HQ set another, it does not bring the older PIN back; one given after does count."""
    give(tablet, people["Mira"], people["Sam"])
    pass_time(hq, minutes=5)
    reset_pin(hq, people["Sam"], "998877")
    held = told_of(hq, people["Sam"])["pin_hash"]
    assert verdicts(tablet.push()) == ["accepted"]
    assert told_of(hq, people["Sam"])["pin_hash"] == held
    pass_time(hq, minutes=5)
    give(tablet, people["Mira"], people["Sam"], OTHER_HASH)
    tablet.push()
    assert told_of(hq, people["Sam"])["pin_hash"] == OTHER_HASH


def test_what_a_server_of_before_parked_comes_into_force_and_is_cleared(
    hq: Headquarters, tablet: Journalist, people: dict[str, str]
) -> None:
    """It did not know the kind and kept it whole: shown without its hash, and tried again after the update."""
    op = give(tablet, people["Mira"], people["Sam"])
    tablet.push()
    reset_time = {"pin_hash": None, "pin_set_at": None}
    body = json.dumps({"associate_id": people["Sam"], "pin_hash": HASH})
    with hq.database.write() as tx:
        tx.change_rows("associate", reset_time, associate_id=people["Sam"])
        tx.change_rows("fact", {"verdict": "parked", "code": "unknown_kind", "body": body}, fact_id=op["op_id"])
    assert [one["code"] for one in list_quarantine(hq)] == ["unknown_kind"]
    assert "argon2" not in str(show_quarantine(hq, op["op_id"]))
    assert [one["verdict"] for one in replay(hq)] == ["accepted"]
    assert told_of(hq, people["Sam"])["pin_hash"] == HASH
    assert HASH[-43:] not in everything_but_people(hq)


def test_a_rejected_one_is_kept_without_its_hash(hq: Headquarters, tablet: Journalist, people: dict[str, str]) -> None:
    """A dead letter is for people to read."""
    body = {"associate_id": people["Sam"], "pin_hash": HASH}
    tablet.record(PIN_SET, body, associate_id=people["Mira"], sha=sha_of({"other": 1}))
    assert verdicts(tablet.push()) == ["rejected:malformed"]
    assert HASH[-43:] not in everything_but_people(hq)
