"""Signing in, status in words, the journal as lines, connecting, and taking the journal off a tablet."""

from __future__ import annotations

import json
from typing import Any

import pytest

from associate_app.ports import CLOCK_OFFSET_NOTE, DeviceIdentity
from associate_app.services import record
from associate_app.services.enrol import Invitation, enrol_tablet, read_invitation
from associate_app.services.export import export_journal
from associate_app.services.lookup import look_up
from associate_app.services.outbox import journal_lines, seen_since
from associate_app.services.search import find_shoppers
from associate_app.services.sign_in import associates_here, sign_in
from associate_app.services.status import clock_sentence, read_status
from shared.errors import Problem, Refused, Weather
from shared.salvage_file import SEALED_PREFIX, read_journal, seal_journal, unseal_journal
from shared.scan_code import encode_enrolment
from shared.wire.canonical import sha_of
from shared.wire.messages import EnrollReply
from shared.wire.ops import BODY_OF_KIND
from tests.support.plays import NOW_AT
from tests.support.replica import (
    LOYALTY_ID,
    MARA,
    PIN_HASH,
    STORE_SCOPE,
    STRANGER_ID,
    ShopTablet,
    answer,
    card_for,
    gone,
    page,
    put,
)

# who works here -------------------------------------------------------------------------------------------------------


def tried(shop: ShopTablet, pin: str, associate_id: str = "a0001") -> Any:
    """Type a PIN."""
    return sign_in(shop.database, associate_id, pin, clock=shop.clock, rules=shop.book.rules)


def test_the_right_pin_signs_in_without_a_network(shop):
    """The associate comes back; a wrong PIN says how many tries are left."""
    assert tried(shop, "2580").associate.name == "Jonas Weber"
    wrong = tried(shop, "0000")
    assert (wrong.associate, wrong.wait_s) == (None, 0)
    assert "4 more tries" in wrong.sentence


def test_five_wrong_tries_bring_a_wait_that_grows_and_survives_a_restart(shop):
    """30 s, then twice as long each time; even the right PIN waits; afterwards it clears the count."""
    for _ in range(4):
        assert tried(shop, "0000").wait_s == 0
    assert tried(shop, "0000").wait_s == 30
    assert 0 < tried(shop, "2580").wait_s <= 31
    shop.clock.move(32)
    assert tried(shop, "0000").wait_s == 60
    shop.clock.move(62)
    assert tried(shop, "2580").associate is not None
    assert tried(shop, "0000").wait_s == 0


def test_the_wait_ends_although_the_clock_was_set_back(shop):
    """A wait never outlasts its longest length, whatever the clock did."""
    for _ in range(5):
        tried(shop, "0000")
    shop.clock.move(-86_400)
    assert tried(shop, "2580").associate is not None


def test_who_left_or_has_no_pin_does_not_sign_in(shop):
    """Disabled at HQ, gone from the store, or without a PIN: a sentence that names whom to ask."""
    person = {"associate_id": "a0002", "name": "Eva", "pin_hash": None}
    left = {"associate_id": "a0003", "name": "Ivo", "pin_hash": PIN_HASH, "is_disabled": True}
    changes = [put("associate/a0002", person, 11), put("associate/a0003", left, 12), gone("associate/a0001", 13)]
    changes.append(put("associate/odd", {"name": 7}, 14))
    shop.database.apply_page(page(STORE_SCOPE, changes, head=14))
    assert [one.associate_id for one in associates_here(shop.database)] == ["a0002"]
    assert "no PIN yet" in tried(shop, "1", "a0002").sentence
    for associate_id in ("a0001", "a0003", "nobody"):
        assert "Ask your store manager" in tried(shop, "2580", associate_id).sentence


def test_a_tablet_hq_has_not_seen_for_seven_days_signs_nobody_in(shop):
    """Nobody vouches for the list any more. Who is signed in goes on recording."""
    shop.clock.move(6.9 * 86_400)
    assert tried(shop, "2580").associate is not None
    shop.clock.move(86_400)
    assert "not reached HQ for 7 days" in tried(shop, "2580").sentence
    view = look_up(shop.database, shop.book, LOYALTY_ID, now=shop.clock.now())
    assert record.open_card(shop.recorder, view) is not None


def test_a_pin_hash_that_is_none_never_lets_in(shop):
    """A damaged hash is a wrong PIN, not a crash."""
    odd = {"associate_id": "a0001", "name": "Jonas", "pin_hash": "plain:2580"}
    shop.database.apply_page(page(STORE_SCOPE, [put("associate/a0001", odd, 11)], head=11))
    assert tried(shop, "2580").associate is None


# how it stands --------------------------------------------------------------------------------------------------------


def noted(shop: ShopTablet, *texts: str) -> None:
    """Record notes about Mara."""
    view: Any = look_up(shop.database, shop.book, LOYALTY_ID, now=shop.clock.now())
    for text in texts:
        record.add_note(shop.recorder, view.shopper, text)


def test_status_counts_and_says_it_in_a_sentence(shop):
    """Nothing yet, one, several, all at HQ: numbers add up, words are plain."""
    assert read_status(shop.database).sentence == "Nothing has been recorded here yet."
    noted(shop, "a")
    assert read_status(shop.database).sentence == "1 record is saved here and will go by itself."
    noted(shop, "b", "c")
    assert read_status(shop.database).sentence.startswith("3 records are saved here")
    shop.database.settle(
        answer(shop.database, {1: "accepted", 2: ("rejected", "wrong_scope"), 3: "accepted"}), at=NOW_AT
    )
    status = read_status(shop.database)
    told = status.as_json()
    assert status.sentence == "Everything is at HQ."
    assert (status.is_all_at_hq, status.needs_a_look) == (True, 1)
    assert told["recorded"] == sum(told[state] for state in ("pending", "acked", "parked", "rejected", "withheld")) == 3
    assert told["receipt"]["through_seq"] == 3
    assert told["last_complete_sync_at"] == NOW_AT
    assert told["oldest_pending_at"] is None


@pytest.mark.parametrize(
    ("offset_ms", "words"),
    [
        (None, None),
        (-412, None),
        (300_000, None),
        (301_000, "about 5 minutes behind"),
        (-7_200_000, "about 2 hours ahead of"),
        (365 * 86_400_000, "about 1 year behind"),
        (-800 * 86_400_000, "about 2 years ahead of"),
    ],
)
def test_a_wrong_clock_is_named_with_how_much(shop, offset_ms, words):
    """HQ's clock minus this tablet's: which one is wrong and by how much; agreement is silent."""
    shop.database.write_note(CLOCK_OFFSET_NOTE, None if offset_ms is None else str(offset_ms))
    status = read_status(shop.database)
    assert status.clock_sentence == clock_sentence(offset_ms)
    assert (status.clock_sentence is None) if words is None else f"{words} HQ's" in str(status.clock_sentence)
    assert status.as_json()["clock_offset_ms"] == offset_ms


def test_the_journal_is_told_in_plain_words(shop):
    """What, which, how it stands and, where a person should look, why."""
    noted(shop, "likes wool", "b", "c")
    shop.database.settle(
        answer(shop.database, {1: "accepted", 2: ("parked", "unknown_play"), 3: ("rejected", "malformed")}), at=NOW_AT
    )
    noted(shop, "d")
    newest, rejected, parked, acked = journal_lines(shop.database)
    assert (acked.what, acked.detail, acked.state_words, acked.why) == ("Note", "likes wool", "At HQ", None)
    assert [line.standing for line in (newest, rejected, parked, acked)] == ["here", "look", "look", "at_hq"]
    assert "HQ does not know the play" in str(parked.why)
    assert str(rejected.why).endswith("tell HQ.")
    assert journal_lines(shop.database, before_seq=parked.seq) == (acked,)


def test_every_kind_of_op_has_plain_words(shop):
    """No op is listed as a mere *Record*."""
    from associate_app.services.outbox import _WHAT

    assert set(_WHAT) == set(BODY_OF_KIND)


def test_shoppers_seen_this_shift_are_listed_once_newest_first(shop):
    """From the journal, so that a restart forgets nobody."""
    for text in (LOYALTY_ID, STRANGER_ID, LOYALTY_ID):
        record.open_card(shop.recorder, look_up(shop.database, shop.book, text, now=shop.clock.now()))
        shop.clock.move(3600)
    seen = seen_since(shop.database, NOW_AT)
    assert [profile_id == MARA for profile_id, _ in seen] == [True, False]
    assert seen_since(shop.database, "2027-01-01T00:00:00.000Z") == ()


def test_a_shopper_enrolled_here_is_found_before_hq_knows_them(shop):
    """By name, phone and number; once HQ's document is here there is only one of them."""
    record.enrol_shopper(
        shop.recorder, "2900000000087", [], given_name="Nora", family_name="Vik", phone="0151 777 1234"
    )
    for text in ("nora", "vik", "7771234", "2900000000087"):
        [hit] = find_shoppers(shop.database, text)
        assert (hit.name, hit.loyalty_id) == ("Nora Vik", "2900000000087")
    assert [hit.name for hit in find_shoppers(shop.database, "lindqvist")] == ["Mara Lindqvist"]


def test_a_slip_finds_a_shopper_enrolled_here_behind_those_who_answer_better(shop):
    """Umlauts either way, one letter wrong; somebody of just that name comes first."""
    record.enrol_shopper(shop.recorder, "2900000000087", [], given_name="Jörg", family_name="Lindqvost")
    names = {text: [hit.name for hit in find_shoppers(shop.database, text)] for text in ("joerg", "lindqvist", "vik")}
    assert names == {"joerg": ["Jörg Lindqvost"], "lindqvist": ["Mara Lindqvist", "Jörg Lindqvost"], "vik": []}


# connecting -----------------------------------------------------------------------------------------------------------


def door(told: EnrollReply | Exception) -> Any:
    """An HQ that answers an enrolment as told; nothing else is asked of it."""
    return Door(told)


class Door:
    """An HQ that answers an enrolment as told."""

    def __init__(self, told: EnrollReply | Exception) -> None:
        self.told = told
        self.asked: list = []

    def enroll(self, request):
        self.asked.append(request)
        if isinstance(self.told, Exception):
            raise self.told
        return self.told


GRANTED = EnrollReply(
    device_id="d1", token="t", store="oslo-1", scopes=["all", "store:oslo-1"], receipt_key="AAAA", epoch="e"
)


def test_a_code_makes_this_tablet_a_store_s(database):
    """The identity is saved with address, token and key; the request carries this install."""
    hq = door(GRANTED)
    invitation = read_invitation(" ABC ", "https://hq.test")
    device = enrol_tablet(database, lambda _: hq, invitation, name=" Tablet 3 ", app="1.0.0")
    assert database.device() == device == DeviceIdentity("https://hq.test", "d1", "t", "Tablet 3", "oslo-1", "AAAA")
    assert (hq.asked[0].code, hq.asked[0].install_id) == ("ABC", database.install_id())


def test_the_qr_code_s_text_brings_address_and_certificate_along():
    """A typed address wins over the one in the code; a damaged code says so."""
    text = encode_enrolment("https://hq.test", "ABC", "ab" * 32)
    assert read_invitation(text.lower(), None) == Invitation("https://hq.test", "ABC", "ab" * 32)
    assert read_invitation(text, "https://other.test").url == "https://other.test"
    with pytest.raises(Refused, match="damaged"):
        read_invitation(text[:-3], None)
    with pytest.raises(Refused, match="address"):
        read_invitation("ABC", None)
    with pytest.raises(Refused, match="no code"):
        read_invitation("  ", None)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (Problem("enrolment_refused", "", status=403), "wrong, used up or expired"),
        (Problem("slow_down", "", status=429), "HQ is busy"),
        (Problem("not_found", "", status=404), "is not HQ"),
        (Problem("internal", "", status=500), "not used up"),
        (Weather("refused"), "cannot be reached at https://hq.test"),
    ],
)
def test_an_enrolment_that_fails_says_why_in_one_sentence_and_keeps_nothing(database, told, words):
    """Wrong code, busy, not HQ, no network: a sentence and a next step each."""
    with pytest.raises(Refused, match=words):
        enrol_tablet(database, lambda _: door(told), Invitation("https://hq.test", "ABC"), name="T", app="1")
    assert database.device() is None


def test_a_tablet_needs_a_name(database):
    """Its store tells it from the others by it."""
    with pytest.raises(Refused, match="needs a name"):
        enrol_tablet(database, lambda _: door(GRANTED), Invitation("https://hq.test", "ABC"), name=" ", app="1")


# taking the journal off -----------------------------------------------------------------------------------------------


def test_the_export_holds_every_kept_op_as_it_was_recorded(shop):
    """A header, then each op oldest first with its state; bytes hash to their sha."""
    noted(shop, "a", "b")
    record.open_card(shop.recorder, look_up(shop.database, shop.book, card_for(), now=shop.clock.now()))
    header, *rest = [json.loads(line) for line in export_journal(shop.database)]
    assert (header["format"], header["recorded"], header["store"]) == ("floorside-journal-1", 4, "berlin-1")
    assert [one["op"]["seq"] for one in rest] == [1, 2, 3, 4]
    assert all(sha_of(one["op"]["body"]) == one["op"]["sha"] for one in rest)
    assert rest[-1]["chain"] == shop.database.head()[1]


def test_a_sealed_export_opens_with_its_passphrase_only(shop):
    """Nothing of it can be read without; another passphrase or a cut file is said in words."""
    noted(shop, "secret wool")
    lines = list(export_journal(shop.database))
    sealed = seal_journal(iter(lines), "correct horse", bytes(16))
    assert sealed.startswith(SEALED_PREFIX)
    assert "wool" not in sealed
    assert unseal_journal(sealed, "correct horse") == lines
    assert read_journal(sealed + "\n", "correct horse") == read_journal("\n".join(lines))
    with pytest.raises(Refused, match="Give the passphrase"):
        read_journal(sealed)
    with pytest.raises(Refused, match="not a journal"):
        read_journal(json.dumps({"format": "another"}))
    for text, passphrase in ((sealed, "another one"), (sealed[:-9], "correct horse"), ("FSJ1.", "correct horse")):
        with pytest.raises(Refused, match="cannot be opened"):
            unseal_journal(text, passphrase)
    with pytest.raises(Refused, match="at least 8"):
        seal_journal(iter(lines), "short", bytes(16))
