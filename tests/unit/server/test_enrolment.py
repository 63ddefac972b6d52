"""Enrolment codes, tokens, revocation: once, in time, and no hint to whoever guesses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.errors import Problem, Refused
from sync_server.services.chain import disable_associate
from sync_server.services.enrolment import (
    authenticate,
    enroll,
    list_devices,
    make_code,
    move_device,
    revoke_device,
    rotate_token,
    token_to_offer,
)
from sync_server.services.headquarters import Headquarters
from sync_server.services.sources import create_key, source_of_key
from tests.support.world import SetClock, pass_time


def request(hq: Headquarters, code: str, **changed: Any) -> dict[str, Any]:
    """An enrolment request."""
    return {"code": code, "name": "Tablet 3", "install_id": hq.make_id(), "app": "1.0.0", **changed}


def refusal_of(hq: Headquarters, code: str) -> tuple[str, str]:
    """Code and detail of the problem an enrolment raises."""
    with pytest.raises(Problem) as problem:
        enroll(hq, request(hq, code))
    return problem.value.code, problem.value.detail


def test_a_code_works_once_and_brings_a_working_token(hq: Headquarters) -> None:
    """The reply holds what a device needs for ever; only hashes are kept."""
    code = make_code(hq, "berlin-1").code
    reply = enroll(hq, request(hq, code))
    assert reply["scopes"] == ["all", "store:berlin-1"]
    assert authenticate(hq, reply["token"]).device_id == reply["device_id"]
    with hq.database.read() as reader:
        kept = str(reader.rows("device")) + str(reader.rows("enrolment_code"))
    assert reply["token"] not in kept
    assert code not in kept
    assert code.replace("-", "") not in kept


def test_wrong_used_and_expired_codes_are_refused_alike(hq: Headquarters) -> None:
    """Whoever guesses learns nothing: one code, one detail."""
    used = make_code(hq, "berlin-1").code
    enroll(hq, request(hq, used))
    expired = make_code(hq, "berlin-1", hours=1).code
    assert isinstance(hq.clock, SetClock)
    hq.clock.move(hours=1)
    assert {refusal_of(hq, code) for code in (used, expired, "AAAA-BBBB-CCCC", "", "x" * 200)} == {
        ("enrolment_refused", "This enrolment code cannot be used.")
    }


def test_a_code_may_be_typed_as_people_type(hq: Headquarters) -> None:
    """Small letters, no groups, O for 0, I or L for 1."""
    code = make_code(hq, "berlin-1").code
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert enroll(hq, request(hq, typed))["store"] == "berlin-1"


@pytest.mark.parametrize(
    "changed",
    [{"name": ""}, {"name": "a\x00b"}, {"name": "x" * 81}, {"install_id": "1"}, {"code": 5}, {"code": "x" * 201}],
)
def test_a_malformed_request_never_uses_the_code_up(hq: Headquarters, changed: dict[str, Any]) -> None:
    """422, and the right request still works afterwards."""
    code = make_code(hq, "berlin-1").code
    with pytest.raises(Problem) as problem:
        enroll(hq, {**request(hq, code), **changed})
    assert problem.value.code == "malformed_request"
    assert enroll(hq, request(hq, code))["store"] == "berlin-1"


def test_an_install_belongs_to_the_device_that_last_enrolled_with_it(hq: Headquarters) -> None:
    """A tablet enrolled again keeps its journal."""
    install_id = hq.make_id()
    for _ in range(2):
        reply = enroll(hq, request(hq, make_code(hq, "berlin-1").code, install_id=install_id))
    with hq.database.read() as reader:
        install = reader.install(install_id)
    assert install is not None
    assert install.device_id == reply["device_id"]


def test_the_token_a_tablet_had_keeps_the_stores_it_recorded_for(hq: Headquarters) -> None:
    """Under an install HQ never heard of, and with the device revoked: its records are taken all the same."""
    earlier = enroll(hq, request(hq, make_code(hq, "zurich-1").code))
    revoke_device(hq, earlier["device_id"])
    for token, stores in (
        (earlier["token"], {"berlin-1", "zurich-1"}),
        ("strange", {"berlin-1"}),
        (None, {"berlin-1"}),
    ):
        reply = enroll(hq, request(hq, make_code(hq, "berlin-1").code), token)
        assert reply["scopes"] == ["all", "store:berlin-1"]
        assert set(authenticate(hq, reply["token"]).stores_held) == stores


def test_a_revoked_device_is_told_so_and_its_document_goes(hq: Headquarters) -> None:
    """403 and not 401: the tablet must know that it has to wipe. Revoking twice keeps the first time."""
    reply = enroll(hq, request(hq, make_code(hq, "berlin-1").code))
    first = revoke_device(hq, reply["device_id"])
    assert revoke_device(hq, reply["device_id"]) == first
    with pytest.raises(Problem) as problem:
        authenticate(hq, reply["token"])
    assert problem.value.code == "device_revoked"
    assert authenticate(hq, reply["token"], may_be_revoked=True).revoked_at == first["revoked_at"]
    with hq.database.read() as reader:
        document = reader.doc("store:berlin-1", f"device/{reply['device_id']}")
    assert document is not None
    assert document.deleted
    assert [row["revoked_at"] for row in list_devices(hq, "berlin-1")] == [first["revoked_at"]]
    assert list_devices(hq, "zurich-1") == []


def test_a_rotated_token_replaces_the_old_one_when_first_used(hq: Headquarters) -> None:
    """Until then both work, so a lost answer locks nobody out."""
    reply = enroll(hq, request(hq, make_code(hq, "berlin-1").code))
    assert token_to_offer(hq, reply["device_id"]) is None
    rotate_token(hq, reply["device_id"])
    fresh = token_to_offer(hq, reply["device_id"])
    assert token_to_offer(hq, reply["device_id"]) == fresh, "a hello that came twice must not end what the first gave"
    assert authenticate(hq, reply["token"]).device_id == reply["device_id"]
    assert authenticate(hq, fresh).device_id == reply["device_id"]
    with pytest.raises(Problem) as problem:
        authenticate(hq, reply["token"])
    assert problem.value.code == "token_unknown"
    assert authenticate(hq, fresh).device_id == reply["device_id"]
    assert token_to_offer(hq, reply["device_id"]) is None
    with hq.database.read() as reader:
        assert str(fresh) not in str(reader.rows("device"))


def test_a_token_is_changed_when_it_is_old(hq: Headquarters) -> None:
    """180 days by default; the count begins again with the new one."""
    reply = enroll(hq, request(hq, make_code(hq, "berlin-1").code))
    pass_time(hq, days=179)
    assert token_to_offer(hq, reply["device_id"]) is None
    pass_time(hq, days=1)
    fresh = token_to_offer(hq, reply["device_id"])
    assert authenticate(hq, fresh).device_id == reply["device_id"]
    assert token_to_offer(hq, reply["device_id"]) is None
    never = replace(hq, settings=replace(hq.settings, token_days=0))
    pass_time(hq, days=4000)
    assert token_to_offer(never, reply["device_id"]) is None


def test_a_device_moves_to_another_store_and_keeps_its_token(hq: Headquarters) -> None:
    """Its document leaves the one feed and enters the other; it has held both stores."""
    reply = enroll(hq, request(hq, make_code(hq, "berlin-1").code))
    assert move_device(hq, reply["device_id"], "zurich-1")["store_before"] == "berlin-1"
    device = authenticate(hq, reply["token"])
    assert (device.store, device.stores_held) == ("zurich-1", ("berlin-1", "zurich-1"))
    with hq.database.read() as reader:
        old = reader.doc("store:berlin-1", f"device/{reply['device_id']}")
        new = reader.doc("store:zurich-1", f"device/{reply['device_id']}")
    assert old is not None
    assert new is not None
    assert (old.deleted, old.why, new.deleted) == (True, "moved", False)
    for store, sentence in (("zurich-1", "already"), ("paris-1", "no store")):
        with pytest.raises(Refused, match=sentence):
            move_device(hq, reply["device_id"], store)
    revoke_device(hq, reply["device_id"])
    for refused in (
        lambda: move_device(hq, reply["device_id"], "berlin-1"),
        lambda: rotate_token(hq, reply["device_id"]),
    ):
        with pytest.raises(Refused, match="is revoked"):
            refused()


@pytest.mark.parametrize("token", [None, "", "wrong", "\x00", "é" * 400])
def test_no_token_or_a_wrong_one_is_unknown(hq: Headquarters, token: str | None) -> None:
    """401, whatever it is."""
    with pytest.raises(Problem) as problem:
        authenticate(hq, token)
    assert problem.value.code == "token_unknown"


def test_a_write_key_belongs_to_one_source_until_it_is_replaced(hq: Headquarters) -> None:
    """Shown once, kept as a hash; a second key only when asked for."""
    key = create_key(hq, "web-shop")
    assert source_of_key(hq, key) == "web-shop"
    with pytest.raises(Refused, match="already has a write key"):
        create_key(hq, "web-shop")
    fresh = create_key(hq, "web-shop", replace=True)
    assert (source_of_key(hq, key), source_of_key(hq, fresh)) == (None, "web-shop")
    with pytest.raises(Refused, match="source's name"):
        create_key(hq, "web shop")


def test_what_is_not_there_is_refused_in_words(hq: Headquarters) -> None:
    """A store, a device, an associate nobody knows."""
    with pytest.raises(Refused, match=r"no store with the code 'paris-1'\. Known: berlin-1, zurich-1"):
        make_code(hq, "paris-1")
    with pytest.raises(Refused, match="no device"):
        revoke_device(hq, "x")
    with pytest.raises(Refused, match="no device"):
        rotate_token(hq, "x")
    with pytest.raises(Refused, match="no associate"):
        disable_associate(hq, "x")
