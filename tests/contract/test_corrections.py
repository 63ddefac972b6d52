"""Corrected data on both databases, with real tablets: HQ's rule answers, joins nobody, and the answer returns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from associate_app.services import record
from associate_app.services.lookup import look_up
from associate_app.services.store_book import StoreBooks
from shared.errors import Refused
from shared.profile import CorrectionLine, Profile
from sync_server.services.corrections import answer_correction, list_corrections
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.privacy import erase
from sync_server.services.quarantine import replay
from sync_server.services.shoppers import show_profile
from sync_server.services.who_is_who import link, rebuild
from tests.support.tablet import Tablet, connect, make_tablet
from tests.support.world import LOYALTY_ID, Journalist, pass_time, verdicts

OTHER = "2900000000025"
MARA, TOM, FRESH = "mara@example.com", "tom@example.com", "mara.l@example.com"
PHONE = "+4915123456789"


def shown(tablet: Tablet, loyalty_id: str = LOYALTY_ID) -> Profile:
    """A shopper as a tablet shows them."""
    book = StoreBooks().read(tablet.database)
    profile = look_up(tablet.database, book, loyalty_id, now=tablet.clock.now()).profile
    assert profile is not None
    return profile


def stands(tablet: Tablet) -> list[tuple[str, str, str | None]]:
    """How corrections stand on a tablet: field, state, why."""
    return [(one.field, one.state, one.why) for one in shown(tablet).corrections]


def correct(tablet: Tablet, field: str, value: str) -> str:
    """Mara says what is right."""
    return record.correct_profile(recorder_of(tablet), key_of(tablet), field, value).op_id


def recorder_of(tablet: Tablet) -> record.Recorder:
    """Records on a tablet, as its services do."""
    return record.Recorder(tablet.database, tablet.clock, tablet.make_id, lambda: None, "a0001")


def key_of(tablet: Tablet) -> Any:
    """Mara, as her card names her."""
    shopper = look_up(tablet.database, StoreBooks().read(tablet.database), LOYALTY_ID, now=tablet.clock.now()).shopper
    assert shopper is not None
    return shopper


def sync(*tablets: Tablet) -> None:
    """A round each, twice: the first hears what the last has sent."""
    for tablet in (*tablets, *tablets):
        assert tablet.sync().is_complete


def shop_says(hq: Headquarters, number: int, user: str, **traits: Any) -> None:
    """An identify call of the web shop."""
    message = {"type": "identify", "messageId": f"m-{number}", "userId": user, "traits": traits}
    message |= {"timestamp": "2026-11-01T10:00:00.000Z"}
    assert take_messages(hq.database, hq.clock, "shop", [message]).accepted == 1


def claim(tablet: Journalist, field: str, value: str, loyalty_id: str = LOYALTY_ID) -> dict[str, Any]:
    """A correction as any app may send it."""
    shopper = {"type": "loyalty_id", "value": loyalty_id}
    return tablet.record("profile_corrected", {"shopper": shopper, "field": field, "value": value})


def answers(hq: Headquarters, loyalty_id: str = LOYALTY_ID) -> list[tuple[str, str | None]]:
    """(state, why) of a shopper's corrections at HQ."""
    lines = [CorrectionLine.model_validate(one) for one in show_profile(hq, loyalty_id).get("corrections", [])]
    return [(one.state, one.why) for one in lines]


def test_what_the_shopper_corrects_waits_is_taken_over_and_is_so_on_both_tablets(
    hq: Headquarters, shop_tablet: Tablet, tmp_path: Path
) -> None:
    """Waiting at once and without a network; a free e-mail becomes hers by HQ's rule, and a rebuild says the same."""
    one, other = shop_tablet, make_tablet(tmp_path, shop_tablet.transport, seed=2)
    connect(other, hq)
    shop_says(hq, 1, "c1", loyalty_id=LOYALTY_ID, email=MARA, family_name="Lindkvist", last_name="Lindkvist")
    one.note("likes wool")
    sync(one, other)
    correct(one, "family_name", "Lindqvist")
    correct(one, "email", FRESH)
    record.flag_wrong(recorder_of(one), key_of(one), "postcode", "moved")
    assert stands(one) == [("family_name", "waiting", None), ("email", "waiting", None), ("postcode", "waiting", None)]
    assert shown(one).family_name != "Lindqvist"
    assert stands(other) == []
    sync(one, other)
    taken = [("family_name", "taken", None), ("email", "taken", None), ("postcode", "open", None)]
    assert stands(one) == stands(other) == taken
    assert shown(other).family_name == "Lindqvist"
    assert FRESH in {known.value for known in shown(other).identifiers}
    assert all(line.answered_at for line in shown(one).corrections[:2])
    shop_says(hq, 2, "c1", email=FRESH)
    assert show_profile(hq, FRESH)["id"] == show_profile(hq, LOYALTY_ID)["id"]
    before = show_profile(hq, LOYALTY_ID)
    assert rebuild(hq)["identifiers_changed"] == 0
    assert show_profile(hq, LOYALTY_ID) == before
    other.database.close()


def test_an_address_of_somebody_else_is_kept_apart_until_a_person_says_who_is_who(
    hq: Headquarters, shop_tablet: Tablet
) -> None:
    """Neither profile shows the other's life; a person's words come back to the card; a link settles it."""
    shop_says(hq, 1, "c2", email=TOM)
    shop_tablet.note("likes wool")
    sync(shop_tablet)
    op_id = correct(shop_tablet, "email", TOM)
    sync(shop_tablet)
    assert stands(shop_tablet) == [("email", "kept", "somebody_else")]
    assert show_profile(hq, TOM)["id"] != show_profile(hq, LOYALTY_ID)["id"]
    assert TOM not in {known.value for known in shown(shop_tablet).identifiers}
    [waiting] = list_corrections(hq)
    assert (waiting["id"], waiting["why"], waiting["value"]) == (op_id, "somebody_else", TOM)
    answer_correction(hq, op_id, "It is Tom's, we asked him.", who="tester")
    assert list_corrections(hq) == []
    sync(shop_tablet)
    [line] = shown(shop_tablet).corrections
    assert (line.state, line.answer) == ("kept", "It is Tom's, we asked him.")
    link(hq, LOYALTY_ID, TOM, who="tester")
    sync(shop_tablet)
    assert stands(shop_tablet) == [("email", "taken", None)]


def test_claims_that_meet_in_one_push_and_a_family_s_phone_join_nobody(hq: Headquarters, tablet: Journalist) -> None:
    """Of two who claim one address the first has it; a phone of someone with the same surname stays theirs."""
    shop_says(hq, 1, "c2", loyalty_id=OTHER, phone=PHONE, last_name="Lindqvist")
    tablet.note("hello")
    claim(tablet, "family_name", "Lindqvist")
    claim(tablet, "phone", "0151 23456789")
    claim(tablet, "email", FRESH)
    claim(tablet, "email", FRESH.upper(), OTHER)
    claim(tablet, "email", FRESH)
    claim(tablet, "email", "nobody")
    claim(tablet, "email", "test@example.com")
    claim(tablet, "tier", "Gold")
    assert set(verdicts(tablet.push())) == {"accepted"}
    kept = [("kept", "unreadable"), ("kept", "unreadable"), ("kept", "not_here")]
    mine = [("taken", None), ("kept", "somebody_else"), ("taken", None), ("taken", None), *kept]
    assert answers(hq) == mine
    assert answers(hq, OTHER) == [("kept", "somebody_else")]
    assert show_profile(hq, OTHER)["id"] != show_profile(hq, LOYALTY_ID)["id"]
    assert rebuild(hq)["identifiers_changed"] == 0
    assert answers(hq) == mine


def test_what_a_person_finds_right_goes_before_and_something_newer_goes_before_that(
    hq: Headquarters, tablet: Journalist
) -> None:
    """A flag is answered with the right value; a later source overtakes a correction, and the line says so."""
    shopper = {"type": "loyalty_id", "value": LOYALTY_ID}
    flagged = tablet.record("data_flagged", {"shopper": shopper, "field": "postcode", "text": "moved"})
    claim(tablet, "given_name", "Mara")
    tablet.push()
    assert [one["id"] for one in list_corrections(hq)] == [flagged["op_id"]]
    answer_correction(hq, flagged["op_id"], "Found it on the order.", value="10117", who="tester")
    assert show_profile(hq, LOYALTY_ID)["postcode"] == "10117"
    line = show_profile(hq, LOYALTY_ID)["corrections"][0]
    assert (line["right"], line["answer"]) == ("10117", "Found it on the order.")
    for value, said in (("!", "x"), ("10115", " ")):
        with pytest.raises(Refused):
            answer_correction(hq, flagged["op_id"], said, value=value, who="tester")
    claimed = claim(tablet, "email", FRESH)
    tablet.push()
    with pytest.raises(Refused, match="identity link"):
        answer_correction(hq, claimed["op_id"], "hers", value=FRESH, who="tester")
    pass_time(hq, days=1)
    traits = {"loyalty_id": LOYALTY_ID, "first_name": "Maria"}
    message: dict[str, Any] = {"type": "identify", "messageId": "m-9", "userId": "c1", "traits": traits}
    message["timestamp"] = "2026-11-23T10:00:00.000Z"
    take_messages(hq.database, hq.clock, "shop", [message])
    assert show_profile(hq, LOYALTY_ID)["given_name"] == "Maria"
    assert answers(hq)[1] == ("kept", "later")


def test_a_correction_that_waited_in_quarantine_is_answered_like_a_new_one(
    hq: Headquarters, tablet: Journalist
) -> None:
    """Parked for its schema, replayed by a server that reads it."""
    shopper = {"type": "loyalty_id", "value": LOYALTY_ID}
    parked = tablet.record("profile_corrected", {"shopper": shopper, "field": "email", "value": FRESH}, schema=2)
    assert verdicts(tablet.push()) == ["parked:unknown_schema"]
    with hq.database.write() as tx:
        tx.change_rows("fact", {"schema": 1}, fact_id=parked["op_id"])
    replay(hq, [parked["op_id"]])
    assert answers(hq) == [("taken", None)]
    assert show_profile(hq, FRESH)["id"] == show_profile(hq, LOYALTY_ID)["id"]


def test_an_erased_shopper_s_address_is_gone_from_others_corrections_too(hq: Headquarters, tablet: Journalist) -> None:
    """What was claimed of them is blanked, and claimed again it is taken without its words."""
    shop_says(hq, 1, "c2", email=TOM)
    tablet.note("hello")
    claim(tablet, "email", TOM)
    tablet.push()
    erase(hq, TOM, who="tester")
    assert answers(hq) == []
    late = claim(tablet, "email", TOM)
    assert verdicts(tablet.push([late])) == ["accepted"]
    with hq.database.read() as reader:
        bodies = [row["body"] for row in reader.rows("fact")] + [row["state"] for row in reader.rows("profile")]
    assert not any("tom@" in body for body in bodies)
