"""The erasure list as a file, what is left of words, and the commands' refusals."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from shared.errors import Damaged, Refused
from sync_server.adapters.erasure_list import LIST_FILE, FileErasureList, NoErasures
from sync_server.services.headquarters import Headquarters
from sync_server.services.privacy import apply_list, check_list, erase, show_erasures
from sync_server.services.suppression import left_of, pairs_in, stand_in

AT = "2026-11-22T10:00:00.000Z"
MARA = ("email", "mara@example.com")


def open_list(folder: Path, key: bytes = b"k" * 32) -> FileErasureList:
    """A list in a folder."""
    return FileErasureList(folder, lambda: key)


def test_a_list_keeps_hashes_for_this_account_alone(tmp_path: Path):
    """No value stands in the file, and another list over it knows the same."""
    assert open_list(tmp_path).is_empty()
    open_list(tmp_path).add("e1", AT, {MARA})
    path = tmp_path / LIST_FILE
    assert b"mara" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = open_list(tmp_path)
    assert again.holds({MARA, ("email", "other@example.com")}) == {MARA}
    assert again.known() == {"e1": AT}
    assert open_list(tmp_path, b"x" * 32).holds({MARA}) == set()


def test_a_running_server_sees_what_a_command_added(tmp_path: Path):
    """Two processes share the file; what one adds the other finds at its next look."""
    running, command = open_list(tmp_path), open_list(tmp_path)
    assert running.holds({MARA}) == set()
    command.add("e1", AT, {MARA})
    assert running.holds({MARA}) == {MARA}
    command.add("e2", AT, {("phone", "+4915123456789")})
    assert running.known().keys() == {"e1", "e2"}


def test_a_line_that_was_broken_off_counts_for_nothing(tmp_path: Path):
    """It was of an erasure that had not begun; the next one takes its place. A damaged line is refused."""
    open_list(tmp_path).add("e1", AT, {MARA})
    path = tmp_path / LIST_FILE
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"id": "e2", "at"')
    torn = open_list(tmp_path)
    assert torn.known().keys() == {"e1"}
    torn.add("e3", AT, {("email", "other@example.com")})
    assert open_list(tmp_path).known().keys() == {"e1", "e3"}
    path.write_bytes(whole[:-5] + b"\n")
    with pytest.raises(Damaged, match="erasure list"):
        open_list(tmp_path).is_empty()


def test_nothing_is_erased_where_nothing_remembers_it():
    """A database opened without a list can erase nobody."""
    with pytest.raises(Damaged, match="no erasure list"):
        NoErasures().add("e1", AT, {MARA})


@pytest.mark.parametrize(
    "spelt",
    ["mara@example.com", " MARA@Example.com ", "ask <Mara@example.com>.", {"deep": [{"er": "mara@example.com"}]}],
)
def test_a_value_is_known_wherever_it_stands(spelt: object):
    """Raw words are read as any identifier they could be."""
    assert MARA in pairs_in(spelt, {"DE"})


def test_a_phone_without_its_country_code_is_known():
    """The stores' countries are tried."""
    assert ("phone", "+4915123456789") in pairs_in(["0151 23456789"], {"CH", "DE"})


def test_an_order_keeps_amounts_and_products_only():
    """Currency, amounts, store and products stay; whose it was, and its number, do not."""
    order = {
        "order_id": "o1",
        "currency": "EUR",
        "total_minor": 4990,
        "lines": [{"sku": "s", "title": "T", "x": "Mara"}],
    }
    body = {"kind": "track", "name": "Order Completed", "traits": {"email": "m"}, "extra": {"a": 1}, "order": order}
    kept = json.loads(left_of("event", body))
    assert kept["order"] == {"currency": "EUR", "total_minor": 4990, "lines": [{"sku": "s", "title": "T"}]}
    assert kept.keys() == {"kind", "name", "order"}
    assert left_of("note_added", body) == "{}"
    assert left_of("event", {"traits": {}}) == "{}"


def test_a_stand_in_keeps_place_and_hash():
    """What stands for an op says nothing of whom it was about or who recorded it."""
    op = {"seq": 4, "op_id": "o", "sha": "s", "kind": "note_added", "associate_id": "a0001", "body": {"text": "t"}}
    assert stand_in(op) == {"seq": 4, "op_id": "o", "sha": "s", "kind": "erased"}


def test_an_unknown_shopper_is_refused_and_nothing_is_remembered(hq: Headquarters):
    """A typing error erases nobody and leaves no line."""
    for text in ("nobody@example.com", "019ab000-0000-7000-8000-000000000000", "loyalty_id:1"):
        with pytest.raises(Refused):
            erase(hq, text, who="hq")
    assert hq.database.erasures.is_empty()
    assert show_erasures(hq) == []
    with pytest.raises(Refused, match="no erasure"):
        show_erasures(hq, "x")


def test_a_list_that_lacks_a_known_erasure_stops_the_start(hq: Headquarters):
    """The database counts erasures; a list from elsewhere is found out. One it does not know yet is applied."""
    hq.database.erasures.add("e1", AT, {MARA})
    assert apply_list(hq) == 1
    assert apply_list(hq) == 0
    with hq.database.read() as reader, pytest.raises(Damaged, match="lacks 1 of 1"):
        check_list(reader, NoErasures())
