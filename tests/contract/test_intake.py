"""What a push does, on both databases: verdicts, receipts, once-only effects, profiles and feed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from shared.errors import Problem
from shared.fold import ProfileState
from shared.journal import is_receipt_sound
from shared.wire.canonical import sha_of
from sync_server.services.cards import issue_card
from sync_server.services.feed import read_page, stream_snapshot
from sync_server.services.headquarters import Headquarters
from sync_server.services.merge import refold
from sync_server.services.upkeep import refresh_profiles
from tests.support.world import LOYALTY_ID, Journalist, make_journalist, pass_time, verdicts


def feed_of(hq: Headquarters, scope: str = "store:berlin-1") -> dict[str, dict[str, Any]]:
    """The live documents of a scope by id, as a fresh snapshot gives them."""
    lines = [json.loads(line) for line in stream_snapshot(hq.database, hq.keys, scope)]
    return {line["id"]: line["doc"] for line in lines[1:-1]}


def profiles_in(hq: Headquarters, scope: str = "store:berlin-1") -> list[dict[str, Any]]:
    """The profile documents of a scope."""
    return [doc for document_id, doc in feed_of(hq, scope).items() if document_id.startswith("profile/")]


def test_a_pushed_outcome_is_on_the_profile_once_and_receipted(hq: Headquarters, tablet: Journalist) -> None:
    """Accepted, folded, in the feed; the receipt is signed and its chain is the tablet's own."""
    op = tablet.outcome()
    reply = tablet.push()
    assert verdicts(reply) == ["accepted"]
    [profile] = profiles_in(hq)
    assert [line["op_id"] for line in profile["outcomes"]] == [op["op_id"]]
    kid, _ = hq.keys.receipt_key()
    assert is_receipt_sound(reply["receipt"], hq.keys.public_receipt_keys()[kid])
    assert (reply["receipt"]["through_seq"], reply["receipt"]["chain"]) == (1, tablet.chain())


def test_a_resent_batch_is_answered_as_duplicates_and_moves_no_feed(hq: Headquarters, tablet: Journalist) -> None:
    """The answer was lost: the same ops again change nothing, whatever the clock says now."""
    tablet.outcome()
    tablet.note("prefers wool")
    first = tablet.push()
    pass_time(hq, hours=5)
    again = tablet.push()
    assert verdicts(again) == ["duplicate", "duplicate"]
    assert again["visible_at"] == first["visible_at"]
    assert again["receipt"]["through_seq"] == 2


def test_the_same_op_under_a_new_install_is_a_duplicate(hq: Headquarters, tablet: Journalist) -> None:
    """A wiped tablet renumbers its ops: dedupe is by op_id for ever, never by seq."""
    tablet.outcome()
    tablet.push()
    tablet.install_id = hq.make_id()
    reply = tablet.push()
    assert verdicts(reply) == ["duplicate"]
    [profile] = profiles_in(hq)
    assert len(profile["outcomes"]) == 1


def test_other_bytes_under_a_known_op_id_are_rejected_and_never_overwrite(hq: Headquarters, tablet: Journalist) -> None:
    """Stored bytes are for ever; the conflicting ones are kept as a dead letter."""
    op = tablet.note("first")
    tablet.push()
    other = {**op["body"], "text": "second"}
    conflicting = tablet.record("note_added", other, op_id=op["op_id"])
    assert verdicts(tablet.push([conflicting])) == ["rejected:id_conflict"]
    assert verdicts(tablet.push([conflicting])) == ["rejected:id_conflict"]
    [profile] = profiles_in(hq)
    assert [line["text"] for line in profile["notes"]] == ["first"]
    with hq.database.read() as reader:
        assert len(reader.rows("dead_letter")) == 1


def _broken_ops(tablet: Journalist) -> list[tuple[dict[str, Any], str]]:
    shopper = {"type": "loyalty_id", "value": LOYALTY_ID}
    deep: dict[str, Any] = {"shopper": shopper}
    for _ in range(40):
        deep = {"in": deep}
    note = {"shopper": shopper, "text": "x"}
    return [
        (tablet.record("note_added", note, sha="0" * 64), "rejected:malformed"),
        (tablet.record("note_added", {**note, "points": 1.5}), "rejected:malformed"),
        (tablet.record("note_added", {**note, "n": 2**60}), "rejected:malformed"),
        (tablet.record("note_added", {**note, "text": "a\x00b"}), "rejected:malformed"),
        (tablet.record("note_added", deep), "rejected:malformed"),
        (tablet.record("note_added", {**note, "text": "y" * 40_000}), "rejected:malformed"),
        (tablet.record("note_added", note, occurred_at="yesterday"), "rejected:malformed"),
        (tablet.record("note_added", note, scope="all"), "rejected:wrong_scope"),
        (tablet.record("note_added", note, scope="store:zurich-1"), "rejected:wrong_scope"),
        (tablet.record("horoscope_read", note), "parked:unknown_kind"),
        (tablet.record("note_added", note, schema=9), "parked:unknown_schema"),
        (tablet.record("note_added", {"shopper": shopper}), "parked:bad_body"),
        (tablet.record("trigger_seen", {"shopper": shopper, "play_id": "nobody-knows"}), "parked:unknown_play"),
    ]


def test_every_broken_op_gets_its_own_verdict_and_delays_nobody(hq: Headquarters, tablet: Journalist) -> None:
    """Poison between good ops: each is judged alone, the good ones are applied, acked_seq passes them all."""
    tablet.note("before")
    expected = [verdict for _, verdict in _broken_ops(tablet)]
    tablet.note("after")
    reply = tablet.push()
    assert verdicts(reply) == ["accepted", *expected, "accepted"]
    assert reply["receipt"]["through_seq"] == len(tablet.ops)
    [profile] = profiles_in(hq)
    assert [line["text"] for line in profile["notes"]] == ["before", "after"]
    parked = [op["op_id"] for op, verdict in zip(tablet.ops[1:-1], expected, strict=True) if "parked" in verdict]
    assert feed_of(hq)[f"device/{tablet.device.device_id}"]["parked"] == sorted(parked)
    assert verdicts(tablet.push())[1:-1] == [
        verdict if "rejected" in verdict else verdict.replace("parked", "duplicate") for verdict in expected
    ]


def test_an_unpaired_surrogate_is_rejected_not_a_crash(tablet: Journalist) -> None:
    """JSON can carry what UTF-8 cannot: the op is malformed, the batch goes on."""
    sha = sha_of({})
    tablet.record("note_added", {}, sha=sha)
    tablet.ops[-1]["body"] = json.loads('{"text":"\\ud800"}')
    assert verdicts(tablet.push()) == ["rejected:malformed"]


def test_a_gap_and_a_fork_are_refused_and_nothing_is_kept(hq: Headquarters, tablet: Journalist) -> None:
    """409 gap tells the expected seq; another op at a held seq is a fork; neither stores anything."""
    tablet.note("one")
    second = tablet.note("two")
    with pytest.raises(Problem) as gap:
        tablet.push([second])
    assert (gap.value.code, gap.value.extra) == ("gap", {"expected_seq": 1})
    tablet.push()
    forked = {**tablet.ops[0], "op_id": hq.make_id()}
    with pytest.raises(Problem) as fork:
        tablet.push([forked])
    assert fork.value.code == "install_forked"


def test_another_epoch_is_fenced(tablet: Journalist) -> None:
    """A batch of another history is not taken."""
    tablet.note("one")
    with pytest.raises(Problem) as fenced:
        tablet.push(epoch="0197")
    assert fenced.value.code == "epoch"


@pytest.mark.parametrize("broken", [{"device_id": "0197"}, {"device_now": "now"}])
def test_a_frame_of_another_device_or_without_a_time_is_not_taken(tablet: Journalist, broken: dict[str, Any]) -> None:
    """Whose token it is and whose name it bears must be one, and clocks are compared: 422, and nothing is kept."""
    tablet.note("one")
    with pytest.raises(Problem) as refused:
        tablet.push(**broken)
    assert refused.value.code == "malformed_request"
    assert verdicts(tablet.push()) == ["accepted"]


@pytest.mark.parametrize("broken", [{"seq": "1"}, {"op_id": "1"}, {"sha": "1"}, {"seq": 5}])
def test_what_cannot_be_chained_fails_the_batch(tablet: Journalist, broken: dict[str, Any]) -> None:
    """No sound seq, op_id or sha: 422, and nothing is kept."""
    good = tablet.note("one")
    with pytest.raises(Problem) as refused:
        tablet.push([{**good, **broken}], first_seq=1)
    assert refused.value.code == "malformed_request"
    assert verdicts(tablet.push()) == ["accepted"]


def test_a_correction_and_an_undo_take_effect_whichever_comes_first(hq: Headquarters, tablet: Journalist) -> None:
    """`amends` may reach HQ from another tablet before what it amends; the record ends as if they came in order."""
    other = make_journalist(hq)
    first = tablet.outcome("bought")
    undone = tablet.outcome("not_today")
    other.outcome("interested", amends=first["op_id"])
    other.record("op_withdrawn", {"why": "undo"}, amends=undone["op_id"])
    assert verdicts(other.push()) == ["accepted", "accepted"]
    assert verdicts(tablet.push()) == ["accepted", "accepted"]
    [profile] = profiles_in(hq)
    assert [(line["op_id"], line["outcome"]) for line in profile["outcomes"]] == [(first["op_id"], "interested")]


def test_a_wrong_device_clock_changes_neither_order_nor_acceptance(hq: Headquarters, tablet: Journalist) -> None:
    """A clock a year ahead: effective times are corrected by the push's offset and flagged, never refused."""
    pass_time(hq, days=365)
    tablet.note("from a clock a year ahead")
    message = tablet.message()
    pass_time(hq, days=-365)
    from sync_server.services.intake import take_push

    reply = take_push(hq.database, hq.keys, hq.clock, hq.chance, tablet.device, message)
    assert verdicts(reply) == ["accepted"]
    [profile] = profiles_in(hq)
    assert profile["notes"][0]["at"] <= hq.now_at()
    with hq.database.read() as reader:
        [row] = [row for row in reader.rows("fact") if row["kind"] == "note_added"]
    assert row["is_clock_suspect"]
    assert row["offset_ms"] == -365 * 86_400_000


def test_rebuilding_a_profile_from_the_ledger_changes_no_document(hq: Headquarters, tablet: Journalist) -> None:
    """rebuild == incremental: state and documents are byte for byte what incremental folding stored."""
    other = make_journalist(hq, "zurich-1")
    for number in range(6):
        tablet.outcome("bought" if number % 2 else "not_today")
        other.note(f"note {number}")
        pass_time(hq, minutes=7)
        tablet.push()
        other.push()
    with hq.database.read() as reader:
        before = {row["profile_id"]: json.loads(row["state"]) for row in reader.rows("profile")}
        heads = reader.heads(["store:berlin-1", "store:zurich-1"])
    with hq.database.write() as tx:
        states, writes = refold(tx, list(before), hq.now_at())
        after = tx.publish(writes, hq.now_at())
    assert states == {profile_id: ProfileState.from_json(state) for profile_id, state in before.items()}
    assert after == heads


def test_a_shopper_enrolled_offline_is_found_by_every_identifier_and_never_merged_with_another_card(
    hq: Headquarters, tablet: Journalist
) -> None:
    """Loyalty number, e-mail and phone lead to one profile; the same e-mail on another card joins nobody."""
    enrolled = {"loyalty_id": "2900000000100", "given_name": "Mara", "email": "Mara@Example.org ", "consents": []}
    tablet.record("shopper_enrolled", {**enrolled, "phone": "0151 23456789"})
    tablet.record("shopper_enrolled", {**enrolled, "loyalty_id": "2900000000117"})
    tablet.record("note_added", {"shopper": {"type": "email", "value": "mara@example.org"}, "text": "by e-mail"})
    assert set(verdicts(tablet.push())) == {"accepted"}
    by_card = {
        next(one["value"] for one in profile["identifiers"] if one["type"] == "loyalty_id"): profile
        for profile in profiles_in(hq)
    }
    assert set(by_card) == {"2900000000100", "2900000000117"}
    assert [line["text"] for line in by_card["2900000000100"]["notes"]] == ["by e-mail"]
    assert {"type": "phone", "value": "+4915123456789"} in by_card["2900000000100"]["identifiers"]


def test_withheld_and_erased_stand_ins_keep_their_place_in_the_chain(hq: Headquarters, tablet: Journalist) -> None:
    """A poison op goes without its body and is parked; a blanked one is accepted; the chain covers both."""
    poison, blanked = tablet.note("poison"), tablet.note("blanked")
    stand_ins = [
        {"seq": 1, "op_id": poison["op_id"], "kind": "withheld", "sha": poison["sha"], "bytes": 99},
        {"seq": 2, "op_id": blanked["op_id"], "kind": "erased", "sha": blanked["sha"]},
    ]
    reply = tablet.push(stand_ins)
    assert verdicts(reply) == ["parked:withheld", "accepted"]
    assert reply["receipt"]["chain"] == tablet.chain()
    assert profiles_in(hq) == []


def test_feedback_reaches_the_stores_feed_with_its_deadline(hq: Headquarters, tablet: Journalist) -> None:
    """What the floor tells HQ is a document of the store, answered within three days by default."""
    op = tablet.record("feedback_given", {"about": "out_of_stock", "text": "Aran M is gone"})
    tablet.push()
    document = feed_of(hq)[f"feedback/{op['op_id']}"]
    assert document["text"] == "Aran M is gone"
    assert document["due_at"] == "2026-11-25T10:00:00.000Z"


def test_a_page_carries_each_document_once_in_rising_order_and_its_check_is_the_replicas(
    hq: Headquarters, tablet: Journalist
) -> None:
    """From a snapshot's cursor, pages of two bring everything newer; the last one's check counts all live documents."""
    tablet.note("zero", loyalty_id="2900000000001")
    tablet.push()
    end = [json.loads(line) for line in stream_snapshot(hq.database, hq.keys, tablet.scope)][-1]
    for number in range(5):
        tablet.note("x", loyalty_id=f"290000000020{number}")
        tablet.push()
    seen: list[int] = []
    cursor, page = end["next"], dict[str, Any](more=True)
    while page["more"]:
        page = read_page(hq.database, hq.keys, tablet.scope, cursor, limit=2)
        assert ("check" in page) is not page["more"]
        seen += [change["s"] for change in page["changes"]]
        cursor = page["next"]
    assert seen == sorted(set(seen))
    assert len(seen) == 5
    assert page["check"]["count"] == len(feed_of(hq))


def test_a_cursor_with_any_character_changed_is_unreadable(hq: Headquarters, tablet: Journalist) -> None:
    """Opaque and sealed: 410 resync, never a wrong position."""
    cursor = [json.loads(line) for line in stream_snapshot(hq.database, hq.keys, tablet.scope)][-1]["next"]
    assert base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert len(cursor) <= 64
    changed = [(place, other) for place in range(len(cursor)) for other in "AB+/=-_ " if other != cursor[place]]
    for place, other in changed:
        with pytest.raises(Problem) as refused:
            read_page(hq.database, hq.keys, tablet.scope, cursor[:place] + other + cursor[place + 1 :])
        assert refused.value.extra == {"reason": "unreadable"}


def test_a_resumed_snapshot_brings_exactly_the_rest(hq: Headquarters, tablet: Journalist) -> None:
    """`after` goes on behind an id with the first `as_of`; both parts together are the whole scope."""
    for number in range(6):
        tablet.note("x", loyalty_id=f"290000000030{number}")
    tablet.push()
    whole = [json.loads(line) for line in stream_snapshot(hq.database, hq.keys, tablet.scope)]
    header, lines, end = whole[0], whole[1:-1], whole[-1]
    middle = lines[2]["id"]
    resumed = [
        json.loads(line)
        for line in stream_snapshot(
            hq.database, hq.keys, tablet.scope, after=middle, as_of=header["as_of"], epoch=header["epoch"]
        )
    ]
    assert resumed[1:-1] == lines[3:]
    assert resumed[-1]["next"] == end["next"]
    assert resumed[-1]["count"] == len(lines) - 3


def _holds(hq: Headquarters, scope: str) -> bool:
    return any({"type": "loyalty_id", "value": LOYALTY_ID} in doc["identifiers"] for doc in profiles_in(hq, scope))


def test_a_shopper_of_another_store_comes_with_a_card_hq_signed_and_not_with_a_forged_one(
    hq: Headquarters, tablet: Journalist
) -> None:
    """`shopper_opened` moves the slice when the signature verifies; a forged card is stored and moves nothing."""
    shopper = {"type": "loyalty_id", "value": LOYALTY_ID}
    for _ in range(2):
        tablet.record("shopper_opened", {"shopper": shopper, "how": "typed"})
    tablet.push()
    zurich = make_journalist(hq, "zurich-1")
    card = issue_card(hq, LOYALTY_ID)
    forged = card[:-8] + ("A" if card[-8] != "A" else "B") + card[-7:]
    zurich.record("shopper_opened", {"shopper": shopper, "how": "card", "card": forged})
    assert verdicts(zurich.push()) == ["accepted"]
    assert not _holds(hq, zurich.scope)
    opened = zurich.record("shopper_opened", {"shopper": shopper, "how": "card", "card": card})
    assert verdicts(zurich.push([opened])) == ["accepted"]
    assert _holds(hq, zurich.scope)
    pass_time(hq, days=31)
    refresh_profiles(hq.database, hq.clock)
    assert not _holds(hq, zurich.scope)
    assert _holds(hq, tablet.scope)


def test_an_associate_may_type_twenty_full_numbers_an_hour(hq: Headquarters, tablet: Journalist) -> None:
    """The twenty-first of an hour moves nothing and is answered alike; an hour later typing works again."""
    numbers = [f"29000000004{number:02d}" for number in range(22)]
    for number in numbers:
        tablet.note("known in Berlin", loyalty_id=number)
    tablet.push()
    zurich = make_journalist(hq, "zurich-1")
    for number in numbers[:21]:
        zurich.record("shopper_opened", {"shopper": {"type": "loyalty_id", "value": number}, "how": "typed"})
    assert set(verdicts(zurich.push())) == {"accepted"}
    assert len(profiles_in(hq, zurich.scope)) == 20
    pass_time(hq, minutes=61)
    late = zurich.record("shopper_opened", {"shopper": {"type": "loyalty_id", "value": numbers[21]}, "how": "typed"})
    zurich.push([late])
    assert len(profiles_in(hq, zurich.scope)) == 21
    with hq.database.read() as reader:
        told = [row["did"] for row in reader.rows("audit") if row["did"].startswith("typed")]
    assert told.count("typed more identifiers than the hour allows") == 1
