"""The journal on a real file: seq, chain, frozen bodies, verdicts, withholding, resending and new installs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from associate_app.adapters.sqlite import TabletFile
from associate_app.ports import DeviceIdentity
from shared.errors import Malformed
from shared.journal import CHAIN_START, chain_over
from shared.wire.canonical import sha_of
from tests.support.plays import NOW_AT
from tests.support.replica import (
    LOYALTY_ID,
    MARA,
    STORE_SCOPE,
    answer,
    connect,
    gone,
    load,
    mara,
    new_note,
    op_ids,
    page,
    put,
    seqs,
    states,
)

INSTALL_2 = "01a20000-0000-7000-8000-000000000002"


@pytest.fixture
def make_id() -> Callable[[], str]:
    """Op ids in rising order."""
    return op_ids()


def record(database: TabletFile, make_id: Callable[[], str], count: int) -> None:
    """Record some notes."""
    database.record([new_note(make_id, f"note {number}") for number in range(count)])


def test_a_recorded_op_has_the_next_seq_the_chain_and_its_canonical_sha(database, make_id):
    """seq 1, 2, 3; chain over op_id and sha; what comes back is what is stored."""
    first = database.record([new_note(make_id)])
    rest = database.record([new_note(make_id, "b"), new_note(make_id, "c")])
    ops = (*first, *rest)
    assert seqs(ops) == [1, 2, 3]
    assert [op.sha for op in ops] == [sha_of(op.body) for op in ops]
    chain = chain_over(CHAIN_START, [(op.op_id, op.sha) for op in ops])
    assert database.head() == (3, chain)
    assert tuple(entry.op for entry in reversed(database.entries())) == ops


def test_a_body_hq_would_never_take_is_refused_before_it_is_saved(database, make_id):
    """A float is a bug of this program: it is loud, and nothing of the batch is saved."""
    bad = new_note(make_id, body={"price": 1.5})
    with pytest.raises(Malformed, match="no floats"):
        database.record([new_note(make_id), bad])
    assert database.head() == (0, CHAIN_START)


def test_an_op_id_recorded_twice_is_refused_whole(database, make_id):
    """The same op_id can never stand under two seqs."""
    op = new_note(make_id)
    database.record([op])
    with pytest.raises(Exception, match="UNIQUE"):
        database.record([new_note(make_id, "new"), op])
    assert database.head()[0] == 1


def test_a_batch_is_contiguous_and_within_its_limits_but_never_empty(database, make_id):
    """Limits on ops and bytes cut the batch; one op always goes."""
    record(database, make_id, 5)
    assert seqs(database.next_batch(after_seq=0, max_ops=3, max_bytes=10**6)) == [1, 2, 3]
    assert seqs(database.next_batch(after_seq=3, max_ops=9, max_bytes=10**6)) == [4, 5]
    assert seqs(database.next_batch(after_seq=0, max_ops=9, max_bytes=1)) == [1]
    two = database.next_batch(after_seq=0, max_ops=9, max_bytes=1024 + 900)
    assert 1 < len(two) < 5
    assert database.next_batch(after_seq=5, max_ops=9, max_bytes=10**6) == ()


def test_each_verdict_moves_its_op_and_the_acknowledged_position(database, make_id):
    """Accepted, duplicate, parked and rejected are all final; recorded is always the sum of the states."""
    record(database, make_id, 5)
    verdicts: dict[int, Any] = {
        1: "accepted",
        2: "duplicate",
        3: ("parked", "unknown_play"),
        4: ("rejected", "wrong_scope"),
    }
    database.settle(answer(database, verdicts), at=NOW_AT)
    assert states(database.entries()) == ["acked", "acked", "parked", "rejected", "pending"]
    assert database.acked() == (4, database.chain_at(4))
    counts = database.counts()
    assert (counts.recorded, counts.pending, counts.acked, counts.parked, counts.rejected) == (5, 1, 2, 1, 1)
    assert counts.oldest_pending_at == NOW_AT
    assert database.entry(database.entries()[2].op.op_id).code == "unknown_play"
    receipt = database.last_receipt()
    assert (receipt.through_seq, receipt.chain) == database.acked()


def test_a_duplicate_of_a_parked_op_stays_parked(database, make_id):
    """`was` says what HQ made of it the first time."""
    record(database, make_id, 1)
    reply = answer(database, {1: "duplicate"})
    parked = reply.model_copy(update={"results": [reply.results[0].model_copy(update={"was": "parked"})]})
    database.settle(parked, at=NOW_AT)
    assert states(database.entries()) == ["parked"]


def test_a_reply_for_another_install_or_with_a_gap_moves_no_position(database, make_id):
    """A late answer for an old install changes nothing; verdicts beyond a gap do not acknowledge what lies between."""
    record(database, make_id, 4)
    stale = answer(database, {1: "accepted"})
    database.settle(answer(database, {3: "accepted", 4: "accepted"}), at=NOW_AT)
    assert database.acked() == (0, CHAIN_START)
    database.restart_install(INSTALL_2, include_acked=False)
    database.settle(stale, at=NOW_AT)
    assert database.acked() == (0, CHAIN_START)
    assert database.counts().pending == 4


def test_a_receipt_with_another_chain_is_not_kept(database, make_id):
    """The last receipt is always one that matches the own chain."""
    record(database, make_id, 1)
    reply = answer(database, {1: "accepted"})
    other = reply.model_copy(update={"receipt": reply.receipt.model_copy(update={"chain": "ff" * 32})})
    database.settle(other, at=NOW_AT)
    assert database.last_receipt() is None


def test_a_withheld_op_goes_as_its_stand_in_and_keeps_its_body(database, make_id):
    """The stand-in has the op's id, sha and size; the body stays for salvage; chains still hold."""
    record(database, make_id, 2)
    database.withhold(1)
    stand_in, normal = database.next_batch(after_seq=0, max_ops=9, max_bytes=10**6)
    entry = database.entry(stand_in.op_id)
    assert (stand_in.kind, stand_in.sha, set(stand_in.body)) == ("withheld", entry.op.sha, {"bytes"})
    assert normal.kind == "note_added"
    assert entry.op.body["text"] == "note 0"
    assert database.counts().withheld == 1
    database.settle(answer(database, {1: ("parked", "withheld"), 2: "accepted"}), at=NOW_AT)
    assert states(database.entries()) == ["withheld", "acked"]


def test_a_server_behind_gets_the_kept_ops_again(database, make_id):
    """resend_from queues what comes after a seq, and says no when some of it was already dropped."""
    record(database, make_id, 4)
    database.settle(answer(database, dict.fromkeys(range(1, 5), "accepted")), at=NOW_AT)
    assert database.resend_from(2)
    assert database.acked()[0] == 2
    assert seqs(database.next_batch(after_seq=2, max_ops=9, max_bytes=10**6)) == [3, 4]
    assert database.counts().pending == 2
    database.settle(answer(database, {3: "duplicate", 4: "duplicate"}), at=NOW_AT)
    assert database.forget_acked("9999-12-31T23:59:59.999Z") == 4
    assert not database.resend_from(2)
    assert not database.resend_from(0)
    assert database.acked()[0] == 4
    assert database.resend_from(4)


def test_forgotten_ops_stay_counted(database, make_id):
    """Dropping acknowledged ops after their retention never makes the tablet have recorded less."""
    record(database, make_id, 3)
    database.settle(answer(database, {1: "accepted", 2: "accepted"}), at=NOW_AT)
    database.forget_acked("9999-12-31T23:59:59.999Z")
    counts = database.counts()
    assert (counts.recorded, counts.acked, counts.pending) == (3, 2, 1)
    assert database.chain_at(2) == database.acked()[1]


def test_a_new_install_renumbers_only_what_hq_has_not_acknowledged(database, make_id):
    """op_id, sha and bytes stay; seq and chain are new; the acknowledged ones stay under the old install."""
    record(database, make_id, 4)
    before = {op.op_id: op for op in database.next_batch(after_seq=0, max_ops=9, max_bytes=10**6)}
    database.settle(answer(database, {1: "accepted", 2: "accepted"}), at=NOW_AT)
    database.restart_install(INSTALL_2, include_acked=False)
    batch = database.next_batch(after_seq=0, max_ops=9, max_bytes=10**6)
    assert database.install_id() == INSTALL_2
    assert seqs(batch) == [1, 2]
    assert [before[op.op_id].seq for op in batch] == [3, 4]
    assert all(before[op.op_id].body == op.body and before[op.op_id].sha == op.sha for op in batch)
    assert database.head() == (2, chain_over(CHAIN_START, [(op.op_id, op.sha) for op in batch]))
    assert database.counts().recorded == 4


def test_a_new_history_at_hq_takes_everything_kept_again(database, make_id):
    """With include_acked all kept ops go again; of earlier installs they can be appended to the current one."""
    record(database, make_id, 3)
    database.settle(answer(database, {1: "accepted", 2: "accepted"}), at=NOW_AT)
    database.restart_install(INSTALL_2, include_acked=False)
    assert database.requeue_earlier_installs() == 2
    batch = database.next_batch(after_seq=0, max_ops=9, max_bytes=10**6)
    assert [op.body["text"] for op in batch] == ["note 2", "note 0", "note 1"]
    assert database.requeue_earlier_installs() == 0
    database.restart_install("01a20000-0000-7000-8000-000000000003", include_acked=True)
    assert seqs(database.next_batch(after_seq=0, max_ops=9, max_bytes=10**6)) == [1, 2, 3]
    assert database.counts().pending == 3


def test_own_ops_stay_unsettled_until_the_replica_has_reached_them(database, make_id):
    """Pending and accepted-but-not-visible ops are laid over the card; from the visible position on they are not."""
    load(database, STORE_SCOPE, {f"profile/{MARA}": mara()}, as_of=10)
    record(database, make_id, 1)
    assert len(database.unsettled(MARA, [])) == 1
    assert len(database.unsettled(None, [("loyalty_id", LOYALTY_ID)])) == 1
    assert database.unsettled("somebody-else", [("loyalty_id", "1")]) == ()
    database.settle(answer(database, {1: "accepted"}, visible_at=12), at=NOW_AT)
    assert len(database.unsettled(MARA, [])) == 1
    database.apply_page(page(STORE_SCOPE, [], head=12))
    assert database.unsettled(MARA, []) == ()


def test_a_correction_comes_with_what_it_corrects(database, make_id):
    """An undo names no shopper; it is found under the shopper of its target, as long as that one is laid over."""
    device = connect(database)
    load(database, STORE_SCOPE, {f"profile/{MARA}": mara()}, as_of=10)
    [note] = database.record([new_note(make_id)])
    undo = new_note(make_id, kind="op_withdrawn", body={"why": "undo"}, amends=note.op_id, profile_id=None)
    database.record([undo])
    assert [op.kind for op in database.unsettled(MARA, [])] == ["note_added", "op_withdrawn"]
    database.settle(answer(database, {1: ("parked", "merge_failed"), 2: "accepted"}, visible_at=12), at=NOW_AT)
    assert [op.kind for op in database.unsettled(MARA, [])] == ["note_added", "op_withdrawn"]
    listed = put(f"device/{device.device_id}", {"name": "Tablet", "parked": [note.op_id]}, 12)
    database.apply_page(page(STORE_SCOPE, [listed], head=12))
    assert [op.kind for op in database.unsettled(MARA, [])] == ["note_added", "op_withdrawn"]


def test_a_rejected_op_is_not_shown_as_if_it_counted(database, make_id):
    """It stands under *Needs a look*, not on the card."""
    record(database, make_id, 1)
    database.settle(answer(database, {1: ("rejected", "wrong_scope")}), at=NOW_AT)
    assert database.unsettled(MARA, []) == ()


def test_a_parked_op_stays_on_the_card_while_hq_lists_it_and_settles_when_it_does_not(database, make_id):
    """The tablet's own device document says which ops HQ holds but could not apply."""
    device: DeviceIdentity = connect(database)
    load(database, STORE_SCOPE, {f"profile/{MARA}": mara()}, as_of=10)
    [note] = database.record([new_note(make_id)])
    database.settle(answer(database, {1: ("parked", "unknown_play")}, visible_at=11), at=NOW_AT)
    device_id = f"device/{device.device_id}"
    database.apply_page(page(STORE_SCOPE, [put(device_id, {"name": "Tablet", "parked": [note.op_id]}, 11)], head=11))
    assert [op.op_id for op in database.unsettled(MARA, [])] == [note.op_id]
    database.apply_page(page(STORE_SCOPE, [put(device_id, {"name": "Tablet", "parked": []}, 12)], head=12))
    assert database.unsettled(MARA, []) == ()
    assert database.counts().acked == 1


def test_an_op_parked_under_another_device_id_stays_parked(database, make_id):
    """After connecting anew this device's own document never listed it, so its silence says nothing."""
    device: DeviceIdentity = connect(database)
    [note] = database.record([new_note(make_id)])
    database.settle(answer(database, {1: ("parked", "unknown_play")}, visible_at=11), at=NOW_AT)
    load(database, STORE_SCOPE, {f"profile/{MARA}": mara()}, as_of=10)
    fresh = put(f"device/{device.device_id}", {"name": "Tablet", "parked": []}, 12)
    database.apply_page(page(STORE_SCOPE, [fresh], head=12))
    entry = database.entry(note.op_id)
    assert entry is not None
    assert (entry.state, entry.code) == ("parked", "unknown_play")


def test_erasure_blanks_acknowledged_bodies_at_once_and_unsent_ones_when_answered(database, make_id):
    """The row keeps op_id, seq and sha, so chains hold; asked for again it goes as `erased`."""
    load(database, STORE_SCOPE, {f"profile/{MARA}": mara()}, as_of=10)
    by_number = {"profile_id": None}
    database.record([new_note(make_id, "acked"), new_note(make_id, "unsent", **by_number)])
    database.settle(answer(database, {1: "accepted"}), at=NOW_AT)
    head = database.head()
    database.apply_page(page(STORE_SCOPE, [gone(f"profile/{MARA}", 11, "erased")], head=11))
    acked, unsent = reversed(database.entries())
    assert (acked.op.body, acked.profile_id) == ({}, None)
    assert unsent.op.body["text"] == "unsent"
    database.settle(answer(database, {2: "accepted"}), at=NOW_AT)
    assert all(entry.op.body == {} for entry in database.entries())
    assert database.head() == head
    assert database.resend_from(0)
    batch = database.next_batch(after_seq=0, max_ops=9, max_bytes=10**6)
    assert [(op.kind, op.body) for op in batch] == [("erased", {}), ("erased", {})]
    assert database.unsettled(MARA, []) == ()


def test_entries_page_backwards_without_gap_or_repeat(database, make_id):
    """Newest first; the last seq of a page leads to the next one."""
    record(database, make_id, 7)
    pages, before = [], None
    while entries := database.entries(limit=3, before_seq=before):
        pages += [entry.op.seq for entry in entries]
        before = entries[-1].op.seq
    assert pages == [7, 6, 5, 4, 3, 2, 1]


def test_an_op_hq_lists_as_erased_is_blanked_and_one_to_be_sent_again_once_it_is_answered(database, make_id):
    """Its own document names them; another device's says nothing. The row keeps its place, its sha and its state."""
    device = connect(database)
    record(database, make_id, 3)
    database.settle(answer(database, {1: "accepted", 2: ("rejected", "wrong_scope"), 3: "accepted"}), at=NOW_AT)
    assert database.resend_from(2)
    listed = {"name": "Tablet", "parked": [], "erased": [entry.op.op_id for entry in database.entries()]}
    database.apply_page(page(STORE_SCOPE, [put("device/another", listed, 1)], head=1))
    assert [entry.op.body == {} for entry in database.entries()] == [False, False, False]
    load(database, STORE_SCOPE, {f"device/{device.device_id}": listed})
    third, second, first = database.entries()
    assert (first.op.body, second.op.body, second.state) == ({}, {}, "rejected")
    assert third.op.body["text"] == "note 2"
    database.settle(answer(database, {3: "duplicate"}), at=NOW_AT)
    assert [entry.op.body for entry in database.entries()] == [{}, {}, {}]
    assert [op.kind for op in database.next_batch(after_seq=0, max_ops=9, max_bytes=9_999)] == ["erased"] * 3
