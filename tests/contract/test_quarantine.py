"""What HQ kept apart, on both databases: parked ops after a fix, dead letters, and salvage a person approves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.errors import Refused
from shared.wire import ops as wire_ops
from shared.wire.canonical import sha_of
from shared.wire.ops import read_body
from sync_server.services import quarantine
from sync_server.services.enrolment import move_device, revoke_device
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.merge import refold
from sync_server.services.quarantine import list_quarantine, replay, show_quarantine
from sync_server.services.salvage import approve, list_salvage, show_salvage, take_salvage, turn_down
from tests.support.tablet import Tablet
from tests.support.world import LOYALTY_ID, Journalist, pass_time, verdicts

STORE = "store:berlin-1"


def publish_play(hq: Headquarters, play_id: str) -> None:
    """The fix for `unknown_play`."""
    with hq.database.write() as tx:
        row = {"play_id": play_id, "version": 1, "body": "{}", "published_at": hq.now_at()}
        tx.put_row("play_version", row)


def profile_of(hq: Headquarters, loyalty_id: str = LOYALTY_ID) -> dict[str, Any]:
    """The shopper as the store's feed has them."""
    with hq.database.read() as reader:
        [profile_id] = reader.profile_ids([("loyalty_id", loyalty_id)]).values()
        row = reader.doc(STORE, f"profile/{profile_id}")
        assert row is not None
        return dict(json.loads(row.body))


def parked_in_feed(hq: Headquarters, device_id: str) -> list[str]:
    """What the device's document lists."""
    with hq.database.read() as reader:
        row = reader.doc(STORE, f"device/{device_id}")
    assert row is not None
    return list(json.loads(row.body)["parked"])


def head(hq: Headquarters) -> int:
    """Where the store's feed stands."""
    with hq.database.read() as reader:
        return reader.head(STORE).n


def outcome_of(play_id: str) -> dict[str, Any]:
    """The body of an outcome."""
    shopper = {"type": "loyalty_id", "value": LOYALTY_ID}
    said = {"play_version": 1, "outcome": "bought", "arm": "shown", "rule_pack": "0" * 64}
    return {"shopper": shopper, "play_id": play_id, **said}


# parked ---------------------------------------------------------------------------------------------------------------


def test_an_op_parked_for_an_unknown_play_takes_effect_in_its_place_once_the_play_is_published(
    hq: Headquarters, tablet: Journalist
) -> None:
    """At its own time, once; the device's document lists it no more; a resend is a duplicate that was accepted."""
    parked = tablet.record("outcome_recorded", outcome_of("new-play"))
    pass_time(hq, minutes=5)
    tablet.outcome("interested")
    assert verdicts(tablet.push()) == ["parked:unknown_play", "accepted"]
    assert parked_in_feed(hq, tablet.device.device_id) == [parked["op_id"]]
    assert [(row["id"], row["code"]) for row in list_quarantine(hq)] == [(parked["op_id"], "unknown_play")]
    before = head(hq)
    assert [result["verdict"] for result in replay(hq)] == ["parked"]
    assert head(hq) == before, "nothing changed, so the feed stands still"
    publish_play(hq, "new-play")
    assert [(result["id"], result["verdict"]) for result in replay(hq)] == [(parked["op_id"], "accepted")]
    assert list_quarantine(hq) == []
    assert parked_in_feed(hq, tablet.device.device_id) == []
    outcomes = profile_of(hq)["outcomes"]
    assert [line["play_id"] for line in outcomes] == ["new-play", "show-the-cart"]
    assert outcomes[0]["at"] < outcomes[1]["at"]
    with hq.database.read() as reader:
        assert len({row["subject"] for row in reader.rows("fact", kind="outcome_recorded")}) == 1
    [again, _] = tablet.push()["results"]
    assert again == {"seq": 1, "verdict": "duplicate", "was": "accepted"}
    assert replay(hq) == []
    with hq.database.write() as tx:
        [profile_id] = tx.profile_ids([("loyalty_id", LOYALTY_ID)]).values()
        _, writes = refold(tx, [profile_id], hq.now_at())
        position = tx.heads([STORE])[STORE]
        assert tx.publish(writes, hq.now_at())[STORE] == position, "rebuilt is what the replay made"


def test_ops_of_a_newer_app_are_parked_and_take_effect_after_the_update(
    hq: Headquarters, tablet: Journalist, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schema 2 and a kind not known yet; an undo of the one that waited takes effect with it."""
    body = {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, "text": "in a newer form"}
    newer = tablet.record("note_added", body, schema=2)
    undone = tablet.record("note_added", {**body, "text": "taken back"}, schema=2)
    tablet.record("op_withdrawn", {"why": "a slip"}, amends=undone["op_id"])
    assert verdicts(tablet.push()) == ["parked:unknown_schema", "parked:unknown_schema", "accepted"]
    assert [result["code"] for result in replay(hq)] == ["unknown_schema", "unknown_schema"]

    def read_both(kind: str, _schema: int, told: Any) -> Any:
        return read_body(kind, 1, told)

    monkeypatch.setattr(quarantine, "read_body", read_both)
    assert wire_ops.SCHEMA == 1
    assert [result["id"] for result in replay(hq, [newer["op_id"]])] == [newer["op_id"]]
    assert [(result["id"], result["verdict"]) for result in replay(hq)] == [(undone["op_id"], "accepted")]
    assert [line["op_id"] for line in profile_of(hq)["notes"]] == [newer["op_id"]]


def test_the_tablets_overlay_of_a_parked_op_ends_when_it_was_replayed(hq: Headquarters, shop_tablet: Tablet) -> None:
    """Shown from the tablet's own journal while HQ cannot apply it, from HQ's document afterwards: once, always."""
    op = shop_tablet.record("outcome_recorded", outcome_of("new-play"))
    shop_tablet.note("to have a document of the shopper here")
    assert shop_tablet.sync().is_complete
    assert shop_tablet.database.counts().parked == 1
    shopper = [("loyalty_id", LOYALTY_ID)]
    assert [one.op_id for one in shop_tablet.database.unsettled(None, shopper)] == [op.op_id]
    publish_play(hq, "new-play")
    replay(hq)
    assert shop_tablet.sync().is_complete
    assert shop_tablet.database.unsettled(None, shopper) == ()


def test_feedback_and_openings_that_waited_are_treated_like_new_ones(hq: Headquarters, tablet: Journalist) -> None:
    """A forged card still moves no slice, however late it is judged."""
    opened = {"shopper": {"type": "loyalty_id", "value": "2900000000100"}, "how": "card", "card": "FS1.AAAA"}
    tablet.record("shopper_opened", opened, schema=2)
    told = tablet.record("feedback_given", {"about": "worked", "text": "Good"}, schema=2)
    tablet.push()
    with hq.database.write() as tx:
        tx.change_rows("fact", {"schema": 1}, verdict="parked")
    assert [result["verdict"] for result in replay(hq)] == ["accepted", "accepted"]
    with hq.database.read() as reader:
        assert reader.doc(STORE, f"feedback/{told['op_id']}") is not None
        assert reader.profile_ids([("loyalty_id", "2900000000100")]) == {}


# dead letters ---------------------------------------------------------------------------------------------------------


def test_a_dead_letter_goes_again_only_by_its_id_and_once(hq: Headquarters, tablet: Journalist) -> None:
    """An op for a store the device came to hold later; replayed without its cause mended it stays one letter."""
    tablet.note("for zurich", scope="store:zurich-1")
    assert verdicts(tablet.push()) == ["rejected:wrong_scope"]
    [letter] = list_quarantine(hq)
    assert (letter["what"], letter["code"]) == ("dead letter", "wrong_scope")
    assert "for zurich" in show_quarantine(hq, letter["id"])["raw"]
    assert replay(hq) == []
    assert replay(hq, [letter["id"]])[0]["code"] == "wrong_scope"
    assert list_quarantine(hq) == [letter]
    move_device(hq, tablet.device.device_id, "zurich-1")
    assert [result["verdict"] for result in replay(hq, [letter["id"]])] == ["accepted"]
    assert list_quarantine(hq) == []
    with pytest.raises(Refused, match="Nothing in quarantine"):
        replay(hq, [letter["id"]])


def test_a_faulty_message_can_be_tried_again(hq: Headquarters) -> None:
    """Still faulty it stays where it was, as one letter."""
    take_messages(hq.database, hq.clock, "web", [{"type": "track"}])
    [letter] = list_quarantine(hq)
    assert replay(hq, [letter["id"]])[0]["verdict"] == "rejected"
    assert list_quarantine(hq) == [letter]


# salvage --------------------------------------------------------------------------------------------------------------


def hand_in(
    hq: Headquarters, tablet: Journalist, ops: list[dict[str, Any]], why: str = "revoked", **changed: Any
) -> None:
    """What a tablet sends by the salvage route."""
    told = take_salvage(hq, tablet.device, {**tablet.message(ops, **changed), "why": why})
    assert {result["verdict"] for result in told["results"]} == {"quarantined"}


def test_approved_salvage_merges_once_with_the_times_of_the_device(hq: Headquarters, tablet: Journalist) -> None:
    """Nothing before; then as if it had been pushed, by the device's clock corrected; the audit says so."""
    tablet.outcome()
    first, second = tablet.note("first"), tablet.note("second")
    third = tablet.record("outcome_recorded", outcome_of("new-play"))
    tablet.push(tablet.ops[:1])
    revoke_device(hq, tablet.device.device_id)
    hand_in(hq, tablet, [first, second, third], device_now="2026-11-22T09:00:00.000Z")
    assert [row["state"] for row in list_salvage(hq)] == ["waiting"] * 3
    assert show_salvage(hq, first["op_id"])["op"]["body"]["text"] == "first"
    assert profile_of(hq)["notes"] == []
    pass_time(hq, hours=3)
    results = approve(hq, device_id=tablet.device.device_id)
    assert [result["verdict"] for result in results] == ["accepted", "accepted", "parked"]
    assert [line["text"] for line in profile_of(hq)["notes"]] == ["first", "second"]
    with hq.database.read() as reader:
        assert [row["offset_ms"] for row in reader.rows("fact", kind="note_added")] == [3_600_000] * 2
        did = [row["did"] for row in reader.rows("audit")]
        device_doc = reader.doc(STORE, f"device/{tablet.device.device_id}")
    assert did.count("approved the salvaged op") == 3
    assert device_doc is not None
    assert device_doc.deleted, "a revoked device comes back into no feed"
    assert [row["state"] for row in list_salvage(hq, include_decided=True)] == ["approved"] * 3
    with pytest.raises(Refused, match="waits for a decision"):
        approve(hq, [first["op_id"]])


def test_an_op_pushed_meanwhile_is_not_doubled_by_its_approval(hq: Headquarters, tablet: Journalist) -> None:
    """A tablet that was only thought lost pushed it as well; and an approval broken off is run again."""
    op = tablet.note("came twice")
    hand_in(hq, tablet, [op], why="forked")
    tablet.push()
    before = head(hq)
    assert [result["verdict"] for result in approve(hq, [op["op_id"]])] == ["duplicate"]
    with hq.database.write() as tx:
        tx.change_rows("salvage", {"approved_at": None}, op_id=op["op_id"])
    assert [result["verdict"] for result in approve(hq, [op["op_id"]])] == ["duplicate"]
    assert (head(hq), len(profile_of(hq)["notes"])) == (before, 1)


def test_a_withheld_op_gets_its_body_by_salvage_and_ends_its_stand_in(hq: Headquarters, tablet: Journalist) -> None:
    """The stand-in keeps seq and chain; the approved body must be the one whose sha stands there."""
    op = tablet.note("poison then, sound now")
    stand_in = {"seq": op["seq"], "op_id": op["op_id"], "kind": "withheld", "sha": op["sha"], "bytes": 60}
    assert verdicts(tablet.push([stand_in])) == ["parked:withheld"]
    assert replay(hq)[0]["code"] == "withheld"
    other = {**op, "body": {**op["body"], "text": "another"}, "sha": sha_of({**op["body"], "text": "another"})}
    hand_in(hq, tablet, [other], why="withheld")
    assert approve(hq, [op["op_id"]])[0]["code"] == "id_conflict"
    with hq.database.write() as tx:
        tx.change_rows("salvage", {"approved_at": None, "raw": json.dumps(op)}, op_id=op["op_id"])
    assert approve(hq, [op["op_id"]])[0]["verdict"] == "accepted"
    assert [line["text"] for line in profile_of(hq)["notes"]] == ["poison then, sound now"]
    assert parked_in_feed(hq, tablet.device.device_id) == []


def test_refused_salvage_stays_kept_and_merges_nowhere(hq: Headquarters, tablet: Journalist) -> None:
    """Also when the tablet hands it in again; a rejected one is a dead letter after its approval."""
    op, foreign = tablet.note("no"), tablet.note("of a store it never held", scope="store:zurich-1")
    hand_in(hq, tablet, [op, foreign])
    assert turn_down(hq, [op["op_id"]]) == [op["op_id"]]
    told = take_salvage(hq, tablet.device, {**tablet.message([op]), "why": "revoked"})
    assert told["results"][0]["verdict"] == "duplicate"
    assert [row["op_id"] for row in list_salvage(hq)] == [foreign["op_id"]]
    assert approve(hq, [foreign["op_id"]])[0]["code"] == "wrong_scope"
    assert [row["code"] for row in list_quarantine(hq)] == ["wrong_scope"]
    with hq.database.read() as reader:
        assert reader.rows("fact") == []
    for wrong in (lambda: approve(hq, ["x"]), lambda: approve(hq), lambda: show_salvage(hq, "x")):
        with pytest.raises(Refused):
            wrong()
