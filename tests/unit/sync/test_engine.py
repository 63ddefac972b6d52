"""The sync engine's rules, one by one: events in, actions out. No network, no file, no clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from associate_app.sync import steps
from associate_app.sync.engine import PROBLEM_RULES, TRANSITIONS, EngineMisused, advance, draw_transitions, is_older
from associate_app.sync.state import HQ, PUSH
from shared.journal import CHAIN_START
from shared.wire.messages import Check, SnapshotHeader, StockCard
from shared.wire.problems import PROBLEMS
from tests.support.engine import (
    CHAIN,
    DEVICE,
    EPOCH,
    INSTALL,
    PUBLIC,
    SCOPES,
    Rig,
    hello_reply,
    page,
    push_reply,
    receipt,
    replica,
)

BATCH = steps.Batch("batch-1", 1, 8)
OTHER_EPOCH = "0192f0c1-0000-7000-8000-000000000002"


def sleeping(rig: Rig) -> float:
    """The seconds the engine wants to sleep; fails if it wants something else."""
    assert isinstance(rig.action, steps.Sleep), rig.action
    return rig.action.seconds


# a round


def test_a_round_says_hello_pulls_each_scope_and_finishes():
    """Nothing to send: hello, adopt, each scope once, finish, sleep until HQ's poll."""
    rig = Rig()
    assert rig.tell(steps.Woke, "timer") == steps.Look()
    assert rig.tell(steps.Looked, DEVICE) == steps.SayHello()
    assert isinstance(rig.greet(), steps.Adopt)
    assert rig.tell(steps.Adopted) == steps.PullPage("all")
    assert isinstance(rig.tell(steps.Paged, "before", page("all")), steps.ApplyPage)
    assert rig.tell(steps.Applied, page("all"), replica("all")) == steps.PullPage("store:berlin-1")
    assert isinstance(rig.pull_all(), steps.FinishRound)
    rig.tell(steps.Finished)
    assert sleeping(rig) == 47
    assert rig.state.is_complete


def test_a_session_lasts_over_rounds_and_ends_after_a_quarter_of_an_hour():
    """The second round pulls at once; a round after 15 minutes begins with hello."""
    rig = Rig()
    rig.begin_session()
    rig.pull_all()
    rig.tell(steps.Finished)
    rig.sleep_through()
    assert rig.wake() == steps.PullPage("all")
    rig.pull_all()
    rig.tell(steps.Finished)
    rig.now_s += 900
    assert rig.wake() == steps.SayHello()


def test_push_goes_before_pull_and_until_the_outbox_is_empty():
    """With ops waiting the first request after hello is a push, and pulls wait until none is left."""
    rig = Rig(pending=True)
    assert rig.begin_session() == steps.PushOps(8, 524_288, EPOCH)
    assert isinstance(rig.push(BATCH), steps.Settle)
    assert isinstance(rig.tell(steps.Settled, 8), steps.PushOps)
    rig.push(steps.Batch("batch-2", 9, 10))
    rig.pending = False
    assert rig.tell(steps.Settled, 10) == steps.PullPage("all")


def test_an_op_recorded_during_pulls_goes_up_before_the_next_page():
    """Push always before pull, also in the middle of a round."""
    rig = Rig()
    rig.begin_session()
    rig.tell(steps.Paged, "before", page("all", more=True, check=None, next="later"))
    rig.pending = True
    assert isinstance(rig.tell(steps.Applied, page("all", more=True, check=None), replica("all")), steps.PushOps)


def test_an_op_recorded_during_a_long_snapshot_goes_up_between_its_lines():
    """The open snapshot waits for the push and then goes on where it was."""
    rig = Rig()
    rig.begin_session()
    rig.tell(steps.NoCursor)
    rig.open_snapshot("all", count=5000)
    rig.pending = True
    assert isinstance(rig.tell(steps.LinesLoaded, 2000, None), steps.PushOps)
    rig.push(BATCH)
    rig.pending = False
    assert rig.tell(steps.Settled, 8) == steps.LoadLines("all")


def test_a_tablet_that_is_not_connected_asks_nobody():
    """Without enrolment nothing is sent; a ring looks again."""
    rig = Rig(pending=True)
    rig.wake(device_id=None)
    assert sleeping(rig) >= 600
    assert rig.wake("asked") == steps.SayHello()


def test_a_ring_while_a_lane_is_closed_does_not_open_it():
    """A commit during back-off waits for the rest of it; a person who asks does not."""
    rig = Rig()
    rig.wake()
    rig.tell(steps.NoAnswer)
    left_s = sleeping(rig)
    rig.now_s += left_s / 2
    rig.wake("record")
    assert sleeping(rig) == pytest.approx(left_s / 2)
    assert rig.wake("asked") == steps.SayHello()


# hello


def test_hello_hands_everything_on_to_be_adopted():
    """Token, card stock, epoch and offset go into one transaction."""
    rig = Rig()
    rig.wake()
    reply = hello_reply(token="fresh", offset_ms=-412, card_stock=[StockCard(card="FS1.X")])
    assert rig.greet(reply) == steps.Adopt(
        device_id=DEVICE,
        epoch=EPOCH,
        token="fresh",
        offset_ms=-412,
        card_stock=(StockCard(card="FS1.X"),),
        resend_from=None,
        must_requeue=False,
    )


def test_a_scope_hello_no_longer_lists_is_purged_before_anything_is_sent():
    """What may not be held goes first, even before the outbox."""
    rig = Rig(pending=True)
    rig.wake(scopes_held=("all", "store:zurich-1"))
    rig.greet(scopes_held=("all", "store:zurich-1"))
    assert rig.tell(steps.Adopted) == steps.PurgeScope("store:zurich-1")
    assert isinstance(rig.tell(steps.Purged), steps.PushOps)


def test_hq_ahead_of_the_tablet_is_a_lost_answer():
    """HQ holds more than was acknowledged: the ops go again, for only a verdict acknowledges."""
    rig = Rig(pending=True)
    rig.wake()
    own = steps.OwnJournal(INSTALL, head_seq=20, acked_seq=4, chain_there=CHAIN)
    adopt = rig.greet(hello_reply(acked_seq=12, chain=CHAIN), own=own)
    assert isinstance(adopt, steps.Adopt)
    assert adopt.resend_from is None


def test_hq_behind_the_tablet_gets_kept_ops_again():
    """A restored HQ: everything after what it holds is sent again, and ops of earlier installs too."""
    rig = Rig()
    rig.wake()
    own = steps.OwnJournal(INSTALL, head_seq=20, acked_seq=20, chain_there=CHAIN)
    adopt = rig.greet(hello_reply(acked_seq=12, chain=CHAIN, epoch=OTHER_EPOCH), own=own)
    assert isinstance(adopt, steps.Adopt)
    assert (adopt.resend_from, adopt.must_requeue, adopt.epoch) == (12, True, OTHER_EPOCH)


def test_when_ops_hq_lacks_are_no_longer_kept_all_that_is_kept_goes_under_a_new_install():
    """Nothing kept is left out, and no seq is used twice."""
    rig = Rig()
    rig.wake()
    own = steps.OwnJournal(INSTALL, head_seq=20, acked_seq=20, chain_there=None)
    rig.greet(hello_reply(acked_seq=2, chain=CHAIN), own=own)
    assert rig.tell(steps.Adopted, is_resendable=False) == steps.TakeNewInstall(include_acked=True)
    assert rig.tell(steps.Restarted) == steps.SayHello()


@pytest.mark.parametrize(
    ("acked_seq", "chain"), [(20, "d" * 64), (21, CHAIN)], ids=["another chain", "more than was recorded"]
)
def test_another_journal_at_hq_means_a_new_install(acked_seq: int, chain: str):
    """A clone or a restored tablet: unacknowledged ops go on under a new install id."""
    rig = Rig()
    rig.wake()
    own = steps.OwnJournal(INSTALL, head_seq=20, acked_seq=10, chain_there=CHAIN)
    assert rig.greet(hello_reply(acked_seq=acked_seq, chain=chain), own=own) == steps.TakeNewInstall(False)


def test_a_fork_at_an_hq_with_another_history_takes_acknowledged_ops_along():
    """What an older history acknowledged may be missing in the new one."""
    rig = Rig()
    rig.wake()
    own = steps.OwnJournal(INSTALL, head_seq=20, acked_seq=10, chain_there=CHAIN)
    reply = hello_reply(acked_seq=20, chain="d" * 64, epoch=OTHER_EPOCH)
    assert rig.greet(reply, own=own) == steps.TakeNewInstall(include_acked=True)


def test_an_install_that_forks_again_and_again_backs_off():
    """Three new installs in a row are enough for one round."""
    rig = Rig()
    rig.wake()
    for _ in range(3):
        assert rig.tell(steps.ProblemCame, "install_forked", 409) == steps.TakeNewInstall(False)
        rig.tell(steps.Restarted)
        if isinstance(rig.action, steps.Sleep):
            break
    assert sleeping(rig) > 0
    assert rig.state.troubles[HQ].kind == "no_progress"


def test_first_contact_is_no_change_of_history():
    """A tablet that agreed with no epoch yet has nothing to queue again."""
    rig = Rig()
    rig.wake()
    adopt = rig.greet(stored_epoch=None)
    assert isinstance(adopt, steps.Adopt)
    assert not adopt.must_requeue


def test_another_device_on_the_tablet_starts_with_a_clean_state():
    """After connecting anew nothing of the old session or its back-off counts."""
    rig = Rig()
    rig.begin_session()
    rig.pull_all()
    rig.tell(steps.Finished)
    assert rig.wake(device_id="device-2") == steps.SayHello()


# what acknowledges an op


@pytest.mark.parametrize(
    "changed",
    [
        {"batch_id": "another"},
        {"results": [{"seq": seq, "verdict": "accepted"} for seq in range(1, 8)]},
        {"results": [{"seq": seq, "verdict": "accepted"} for seq in (1, 2, 3, 4, 5, 6, 8, 7)]},
        {"receipt": receipt(7)},
        {"receipt": receipt(8, install_id="another")},
    ],
    ids=["another batch", "too few verdicts", "verdicts out of order", "receipt too short", "another install"],
)
def test_a_reply_that_does_not_fit_settles_nothing_and_the_same_ops_go_again(changed: dict):
    """Not final: no verdict is written, and the next push holds exactly as many ops."""
    rig = Rig(pending=True)
    rig.begin_session(limits={"max_ops": 250})
    assert rig.push(BATCH, reply=push_reply(BATCH, **changed)) == steps.PullPage("all")
    assert rig.state.troubles[PUSH].kind == "not_final"
    rig.pull_all()
    rig.sleep_through()
    assert rig.wake() == steps.PushOps(8, 524_288, EPOCH)


def test_a_receipt_with_a_wrong_signature_settles_nothing():
    """A receipt that does not verify under a key HQ lists is an alarm."""
    rig = Rig(pending=True)
    rig.begin_session()
    rig.push(BATCH, receipt_key=b"\x02" * 32)
    assert rig.state.troubles[PUSH].kind == "receipt_unsound"
    assert rig.state.unsettled == BATCH


def test_a_receipt_by_an_unknown_key_waits_for_the_key_to_come_by_the_feed():
    """HQ changed its key: the push lane waits, the pull that brings the key goes on."""
    rig = Rig(pending=True)
    rig.begin_session()
    assert rig.push(BATCH, receipt_key=b"\x02" * 32, is_key_listed=False) == steps.PullPage("all")
    assert rig.state.troubles[PUSH].kind == "receipt_key"
    rig.pull_all()
    rig.sleep_through()
    rig.wake()
    assert isinstance(rig.push(BATCH), steps.Settle)


def test_a_changed_receipt_field_breaks_its_signature():
    """The signature covers what the receipt says."""
    rig = Rig(pending=True)
    rig.begin_session()
    forged = receipt(8) | {"through_seq": 9}
    rig.push(BATCH, reply=push_reply(BATCH, receipt=forged))
    assert rig.state.troubles[PUSH].kind == "receipt_unsound"


@pytest.mark.parametrize("own_chain", ["d" * 64, None], ids=["another chain", "no such op"])
def test_a_sound_receipt_over_another_chain_is_a_fork(own_chain: str | None):
    """HQ signed for a journal that is not this one: a new install id, nothing settled."""
    rig = Rig(pending=True)
    rig.begin_session()
    assert rig.push(BATCH, own_chain=own_chain) == steps.TakeNewInstall(include_acked=False)


@pytest.mark.parametrize("where", ["reply", "receipt"])
def test_a_reply_of_another_epoch_settles_nothing_and_says_hello(where: str):
    """Epoch fencing: a reply of another history acknowledges nothing here."""
    rig = Rig(pending=True)
    rig.begin_session()
    changed = {"epoch": OTHER_EPOCH} if where == "reply" else {"receipt": receipt(8, epoch=OTHER_EPOCH)}
    assert rig.push(BATCH, reply=push_reply(BATCH, **changed)) == steps.SayHello()


def test_a_receipt_may_reach_further_than_the_batch():
    """After a lost answer HQ already holds more: the chain is compared there, only the batch is settled."""
    rig = Rig(pending=True)
    rig.begin_session()
    assert isinstance(rig.push(BATCH, reply=push_reply(BATCH, receipt=receipt(12))), steps.Settle)


def test_a_lost_answer_sends_the_same_ops_although_more_wait_now():
    """Weather on a push: the next one holds exactly the ops that went before."""
    rig = Rig(pending=True)
    rig.begin_session(limits={"max_ops": 250})
    rig.tell(steps.NoAnswer, batch=steps.Batch("batch-1", 1, 3))
    rig.sleep_through()
    assert rig.wake() == steps.PushOps(3, 524_288, EPOCH)


# poison


def test_three_5xx_with_a_working_hello_between_halve_the_batch():
    """Each 5xx is followed by a hello; after the third the batch is half as large."""
    rig = Rig(pending=True, draw=0.0)
    rig.begin_session()
    for _ in range(3):
        assert isinstance(rig.action, steps.PushOps)
        assert rig.action.max_ops == 8
        assert rig.fail_push(BATCH) == steps.SayHello()
        rig.greet()
        rig.tell(steps.Adopted)
        rig.pull_all()
        rig.sleep_through()
        rig.wake()
    assert isinstance(rig.action, steps.PushOps)
    assert rig.action.max_ops == 4


def test_5xx_while_hello_fails_too_accuses_no_batch():
    """An HQ that is down altogether says nothing about a batch."""
    rig = Rig(pending=True, draw=0.0)
    rig.begin_session()
    for _ in range(6):
        assert rig.fail_push(BATCH) == steps.SayHello()
        rig.tell(steps.ProblemCame, "internal", 500)
        rig.sleep_through()
        rig.wake()
        rig.greet()
        rig.tell(steps.Adopted)
        if not isinstance(rig.action, steps.PushOps):
            rig.pull_all()
            rig.sleep_through()
            rig.wake()
    assert isinstance(rig.action, steps.PushOps)
    assert rig.action.max_ops == 8


@pytest.mark.parametrize(("code", "status"), [("too_large", 413), ("malformed_request", 422)])
def test_413_and_422_halve_at_once(code: str, status: int):
    """HQ works and says that these ops together are not for it."""
    rig = Rig(pending=True)
    rig.begin_session()
    rig.fail_push(BATCH, code, status)
    assert isinstance(rig.action, steps.PushOps)
    assert rig.action.max_ops == 4


def test_batches_stay_small_until_the_suspect_range_is_through():
    """Halves that pass do not make the next batch large again while the poison op is still ahead."""
    rig = Rig(pending=True)
    rig.begin_session()
    rig.fail_push(BATCH, "too_large", 413)
    rig.push(steps.Batch("half", 1, 4))
    rig.tell(steps.Settled, 4)
    assert rig.action == steps.PushOps(4, 524_288, EPOCH)
    rig.push(steps.Batch("other half", 5, 8))
    rig.tell(steps.Settled, 8)
    assert rig.action == steps.PushOps(8, 524_288, EPOCH)


def fail_single_op(rig: Rig, times: int, apart_s: float) -> None:
    """A single op draws a 422 so often, so far apart."""
    for _ in range(times):
        assert isinstance(rig.action, steps.PushOps), rig.action
        rig.fail_push(steps.Batch("single", 5, 5), "malformed_request", 422)
        rig.pull_all()
        rig.now_s += apart_s
        rig.wake()
        if isinstance(rig.action, steps.SayHello):
            rig.greet()
            rig.tell(steps.Adopted)


def test_a_single_op_failing_8_times_over_an_hour_is_withheld():
    """Its stand-in goes, its body stays, and the ops behind it go on."""
    rig = Rig(pending=True)
    rig.begin_session()
    fail_single_op(rig, 8, 600)
    assert rig.action == steps.Withhold(5)
    assert rig.tell(steps.Withheld) == steps.PushOps(1, 524_288, EPOCH)


@pytest.mark.parametrize(("times", "apart_s"), [(7, 900), (12, 299)], ids=["too seldom", "too soon"])
def test_an_op_is_not_withheld_before_8_failures_and_an_hour(times: int, apart_s: float):
    """Both must be: a short outage or few failures withhold nothing."""
    rig = Rig(pending=True)
    rig.begin_session()
    fail_single_op(rig, times, apart_s)
    assert isinstance(rig.action, steps.PushOps)


@pytest.mark.parametrize(("code", "status"), [("busy", 503), ("slow_down", 429), ("storage_full", 507)])
def test_a_busy_or_full_hq_accuses_nobody(code: str, status: int):
    """Overload is not poison, however often."""
    rig = Rig(pending=True)
    rig.begin_session()
    for _ in range(5):
        rig.fail_push(BATCH, code, status)
        rig.sleep_through()
        rig.wake()
    assert rig.action == steps.PushOps(8, 524_288, EPOCH)
    assert rig.state.poison is None


def test_while_a_batch_backs_off_pulls_go_on():
    """Poison delays nobody else, not even this tablet's own receiving."""
    rig = Rig(pending=True)
    rig.begin_session()
    rig.fail_push(BATCH)
    rig.greet()
    assert rig.tell(steps.Adopted) == steps.PullPage("all")


# back-off


def test_back_off_is_full_jitter_over_an_exponential_bound():
    """uniform(0, min(300 s, 1 s * 2^n))."""
    rig = Rig(draw=0.999)
    waited = []
    rig.wake()
    for _ in range(12):
        rig.tell(steps.NoAnswer)
        waited.append(sleeping(rig) / 0.999)
        rig.sleep_through()
        rig.wake()
    assert waited == pytest.approx([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])


def test_progress_begins_the_back_off_anew():
    """After a settled batch the next failure waits at most a second."""
    rig = Rig(draw=0.999, pending=True)
    rig.begin_session()
    for _ in range(5):
        rig.tell(steps.NoAnswer, batch=BATCH)
        rig.sleep_through()
        rig.wake()
    rig.push(BATCH)
    rig.tell(steps.Settled, 8)
    rig.tell(steps.NoAnswer)
    assert sleeping(rig) < 1


def test_retry_after_is_honoured_and_jitter_never_shortens_it():
    """HQ's wait is the least; a person who asks does not cut it short either."""
    rig = Rig(draw=0.0)
    rig.wake()
    rig.tell(steps.ProblemCame, "busy", 503, 20)
    assert sleeping(rig) == 20
    rig.now_s += 5
    rig.wake("asked")
    assert sleeping(rig) == 15


def test_a_start_after_a_long_time_without_hq_waits_up_to_half_a_minute():
    """uniform(0, 30 s), so that a chain's tablets do not all come at once in the morning."""
    rig = Rig(draw=0.5)
    rig.wake(idle_s=600.0)
    assert sleeping(rig) == 15


@pytest.mark.parametrize(("idle_s", "ring"), [(599.0, "timer"), (None, "timer"), (86_400.0, "asked")])
def test_other_starts_do_not_wait(idle_s: float | None, ring: steps.Ring):
    """A short pause, a first start, and a person who asks."""
    rig = Rig()
    assert rig.wake(ring, idle_s=idle_s) == steps.SayHello()


@pytest.mark.parametrize(("offline_s", "most_s"), [(100, 1.0), (700, 30.0)])
def test_the_doorbell_cuts_a_back_off_short_but_not_for_all_at_once(offline_s: float, most_s: float):
    """HQ is back: come soon; after ten minutes spread over half a minute. Once for each back-off."""
    rig = Rig(draw=0.9)
    rig.wake()
    rig.tell(steps.NoAnswer)
    for _ in range(9):
        rig.sleep_through()
        rig.wake()
        rig.tell(steps.NoAnswer)
    rig.state = replace(rig.state, offline_since_s=rig.now_s - offline_s)
    rig.wake("doorbell")
    first_s = sleeping(rig)
    assert first_s == pytest.approx(0.9 * most_s)
    rig.draw = 0.01
    rig.wake("doorbell")
    assert sleeping(rig) == pytest.approx(first_s)


def test_more_than_3_requests_at_one_place_without_progress_back_off():
    """Hello that always ends in 409: the fourth waits, and the status shows it."""
    rig = Rig()
    rig.wake()
    for _ in range(3):
        assert rig.action == steps.SayHello()
        rig.tell(steps.ProblemCame, "epoch", 409)
    assert sleeping(rig) > 0
    assert rig.state.troubles[HQ].kind == "no_progress"


def test_a_page_that_leads_nowhere_is_not_asked_for_for_ever():
    """`more` with the same cursor is no progress: the scope backs off."""
    rig = Rig()
    rig.begin_session()
    stuck = page("all", more=True, check=None, next="same")
    assert rig.tell(steps.Paged, "same", stuck) == steps.PullPage("store:berlin-1")
    assert rig.state.troubles["all"].kind == "not_final"


def test_even_pages_that_do_lead_somewhere_do_not_go_on_without_a_rest():
    """A feed that grows as fast as it is read: after a thousand requests the tablet rests for seconds."""
    rig = Rig()
    rig.begin_session()
    asked = 0
    while isinstance(rig.action, steps.PullPage):
        asked += 1
        more = page("all", more=True, check=None, next=f"cursor {asked}")
        rig.tell(steps.Paged, "before", more)
        rig.tell(steps.Applied, more, replica("all"))
    assert asked == 999
    assert 1 <= sleeping(rig) <= 5


# refusals


def test_an_unknown_token_stops_everything_and_deletes_nothing():
    """401: the outbox stays, no wipe, no purge; it is tried again with back-off."""
    rig = Rig(pending=True)
    rig.begin_session()
    rig.fail_push(BATCH, "token_unknown", 401)
    assert sleeping(rig) > 0
    assert rig.state.troubles[HQ].kind == "needs_connect"
    rig.sleep_through()
    assert rig.wake() == steps.SayHello()


def test_a_revoked_tablet_wipes_its_shoppers_once_and_rests():
    """403 device_revoked: shoppers go, the outbox is not touched, at least a minute of rest."""
    rig = Rig(pending=True)
    rig.wake()
    assert rig.tell(steps.ProblemCame, "device_revoked", 403) == steps.WipeSlice()
    rig.tell(steps.Wiped)
    assert sleeping(rig) >= 60
    rig.sleep_through()
    rig.wake()
    rig.tell(steps.ProblemCame, "device_revoked", 403)
    assert sleeping(rig) >= 60


def test_a_revoked_scope_is_purged_and_the_others_go_on():
    """403 scope_revoked: that scope goes, the round continues."""
    rig = Rig()
    rig.begin_session()
    assert rig.tell(steps.ProblemCame, "scope_revoked", 403) == steps.PurgeScope("all")
    assert rig.tell(steps.Purged) == steps.PullPage("store:berlin-1")


def test_an_upgrade_stops_pulling_only():
    """426: no more pulls in this session, pushes go on, and the round does not count as complete."""
    rig = Rig()
    rig.begin_session()
    rig.tell(steps.ProblemCame, "upgrade_required", 426)
    assert sleeping(rig) == 47
    assert not rig.state.is_complete
    rig.pending = True
    assert isinstance(rig.wake("record"), steps.PushOps)


def test_an_app_older_than_min_app_does_not_ask_for_pages():
    """Hello already says that this app is too old."""
    rig = Rig(app_version="1.9.0")
    rig.begin_session(min_app="1.10.0")
    assert sleeping(rig) == 47
    assert rig.state.troubles["upgrade"].kind == "upgrade"


@pytest.mark.parametrize(
    ("version", "least", "older"),
    [("1.9", "1.10", True), ("1.0", "1.0.0", False), ("2", "1.99", False), ("x", "0", False), ("x", "1", True)],
)
def test_versions_are_compared_as_dotted_integers(version: str, least: str, older: bool):
    """1.9 is older than 1.10; trailing noughts mean nothing."""
    assert is_older(version, least) is older


@pytest.mark.parametrize(("code", "status"), [("epoch", 409), ("gap", 409)])
def test_a_409_says_hello_again(code: str, status: int):
    """Epoch and gap are settled by hello."""
    rig = Rig(pending=True)
    rig.begin_session()
    assert rig.fail_push(BATCH, code, status) == steps.SayHello()


def test_a_410_says_hello_and_takes_a_snapshot_from_the_beginning():
    """Resync: hello first, then a snapshot of that scope, without the leftovers of an earlier one."""
    rig = Rig()
    rig.begin_session()
    assert rig.tell(steps.ProblemCame, "resync", 410) == steps.SayHello()
    rig.greet()
    assert rig.tell(steps.Adopted) == steps.OpenSnapshot("all", is_fresh=True)


def test_a_snapshot_that_must_wait_its_turn_delays_only_its_scope():
    """Two snapshots at a time: busy closes that scope's lane and not the outbox."""
    rig = Rig()
    rig.begin_session()
    rig.tell(steps.NoCursor)
    assert rig.tell(steps.ProblemCame, "busy", 503, 30) == steps.PullPage("store:berlin-1")


def test_an_answer_hq_would_not_give_closes_its_lane():
    """An unknown code on a pull: that scope waits, the others go on."""
    rig = Rig()
    rig.begin_session()
    assert rig.tell(steps.ProblemCame, "teapot", 418) == steps.PullPage("store:berlin-1")
    assert rig.state.troubles["all"].kind == "not_hq"


# snapshots and checks


def test_a_scope_without_cursor_takes_a_snapshot_and_then_pulls():
    """First contact: snapshot, swap, pull from its cursor, check."""
    rig = Rig()
    rig.begin_session()
    assert rig.tell(steps.NoCursor) == steps.OpenSnapshot("all", is_fresh=False)
    assert rig.open_snapshot("all") == steps.LoadLines("all")
    assert rig.end_snapshot("all") == steps.PullPage("all")


def test_a_torn_snapshot_goes_on_where_it_stopped():
    """Weather in the middle: after the back-off the same snapshot is asked for, not a fresh one."""
    rig = Rig()
    rig.begin_session()
    rig.tell(steps.NoCursor)
    rig.open_snapshot("all", count=5000)
    rig.tell(steps.LinesLoaded, 2000, None)
    rig.tell(steps.NoAnswer)
    rig.sleep_through()
    assert rig.wake() == steps.OpenSnapshot("all", is_fresh=False)


def test_a_snapshot_with_more_lines_than_its_header_says_is_not_believed():
    """A stream that does not end fills no disk."""
    rig = Rig()
    rig.begin_session()
    rig.tell(steps.NoCursor)
    rig.open_snapshot("all", count=10)
    rig.tell(steps.LinesLoaded, 11, None)
    assert rig.action == steps.PullPage("store:berlin-1")
    assert rig.state.to_snapshot["all"]


def test_a_resumed_snapshot_of_another_position_is_begun_anew():
    """It must keep the first `as_of`; else its parts do not belong together."""
    rig = Rig()
    rig.begin_session()
    rig.tell(steps.NoCursor)
    header = {"epoch": EPOCH, "scope": "all", "as_of": 9, "schema": 1, "count": 1}
    event = steps.SnapshotOpened(rig.moment(), SnapshotHeader.model_validate(header), 5, as_of_held=7)
    rig.state, rig.action = advance(rig.state, event)
    assert rig.action == steps.PullPage("store:berlin-1")
    assert rig.state.to_snapshot["all"]


def test_a_snapshot_of_another_epoch_says_hello():
    """Nothing of another history is loaded."""
    rig = Rig()
    rig.begin_session()
    rig.tell(steps.NoCursor)
    assert rig.open_snapshot("all", epoch=OTHER_EPOCH) == steps.SayHello()


def test_a_failed_check_takes_a_snapshot_at_once_and_a_second_one_waits():
    """One repair path; a copy that a snapshot does not repair must not load HQ again and again."""
    rig = Rig()
    rig.begin_session()
    bad = replica("all", sum="1" * 16)
    rig.tell(steps.Paged, "before", page("all"))
    assert rig.tell(steps.Applied, page("all"), bad) == steps.OpenSnapshot("all", is_fresh=True)
    rig.open_snapshot("all")
    rig.end_snapshot("all")
    rig.tell(steps.Paged, "before", page("all"))
    assert rig.tell(steps.Applied, page("all"), bad) == steps.PullPage("store:berlin-1")
    assert rig.state.closed["all"].until_s >= rig.now_s + 60
    assert rig.state.troubles["all"].kind == "copy_unsound"


@pytest.mark.parametrize("changed", [{"count": 4}, {"sum": "f" * 16}])
def test_count_and_sum_must_both_be_met(changed: dict):
    """Either one unequal is a failed check."""
    rig = Rig()
    rig.begin_session()
    fields = {"at": 7, "count": 3, "sum": "0" * 16} | changed
    last = page("all", check=Check(**fields))
    rig.tell(steps.Paged, "before", last)
    assert isinstance(rig.tell(steps.Applied, last, replica("all")), steps.OpenSnapshot)


def test_a_last_page_without_its_check_is_not_applied():
    """It could not be known whether the copy is whole."""
    rig = Rig()
    rig.begin_session()
    assert rig.tell(steps.Paged, "before", page("all", check=None)) == steps.PullPage("store:berlin-1")


@pytest.mark.parametrize(
    ("scope", "epoch", "then"),
    [("store:x", EPOCH, steps.PullPage("store:berlin-1")), ("all", "x", steps.SayHello())],
)
def test_a_page_of_another_scope_or_epoch_is_not_applied(scope: str, epoch: str, then: steps.Action):
    """A page must be what was asked for."""
    rig = Rig()
    rig.begin_session()
    assert rig.tell(steps.Paged, "before", page(scope, epoch=epoch)) == then


def test_sums_are_recomputed_before_the_check_when_due():
    """Daily and after a crash: what is stored is added up anew, then compared with HQ's."""
    rig = Rig()
    rig.wake(is_recompute_due=True)
    rig.greet()
    assert rig.tell(steps.Adopted) == steps.Recompute("all")
    assert rig.tell(steps.Recomputed) == steps.PullPage("all")
    rig.tell(steps.Paged, "before", page("all"))
    assert rig.tell(steps.Applied, page("all"), replica("all")) == steps.Recompute("store:berlin-1")
    rig.tell(steps.Recomputed)
    assert rig.pull_all() == steps.FinishRound(30, has_recomputed=True)


# what breaks on the tablet


def test_a_full_disk_backs_off_and_ends_the_session():
    """Nothing was half-written; later the round begins with hello."""
    rig = Rig(pending=True)
    rig.begin_session()
    rig.push(BATCH)
    rig.tell(steps.DiskFull)
    assert sleeping(rig) > 0
    assert rig.state.troubles[HQ].kind == "storage_full"
    rig.sleep_through()
    assert rig.wake() == steps.SayHello()


def test_a_bug_while_storing_a_scope_stops_that_scope_only():
    """Pushing and the other scopes go on."""
    rig = Rig()
    rig.begin_session()
    rig.tell(steps.Paged, "before", page("all"))
    assert rig.tell(steps.Broke) == steps.PullPage("store:berlin-1")
    rig.pull_all()
    assert 0 < sleeping(rig) <= 47


def test_a_tablet_too_long_without_hq_wipes_its_shoppers_and_goes_on_trying():
    """A lost tablet keeps no shoppers; the sealed outbox stays and is still offered."""
    rig = Rig(pending=True)
    assert rig.wake(is_wipe_due=True) == steps.WipeSlice()
    assert rig.tell(steps.Wiped) == steps.Look()
    assert rig.tell(steps.Looked, DEVICE) == steps.SayHello()


# the machine as a table


def test_every_problem_the_server_can_answer_a_sync_request_with_has_its_rule():
    """The codes of the problem table, but for those no sync request can draw."""
    elsewhere = {"not_found", "method_not_allowed", "enrolment_refused"}
    assert set(PROBLEMS) - elsewhere == set(PROBLEM_RULES)


def test_an_event_a_phase_cannot_bring_is_a_bug_and_loud():
    """The driver cannot answer a sleep with a page."""
    rig = Rig()
    with pytest.raises(EngineMisused):
        rig.tell(steps.Paged, "before", page("all"))


def test_the_drawn_table_holds_every_row_of_the_machine():
    """What PROTOCOL.md shows is the machine itself."""
    drawn = draw_transitions()
    for phase, event in TRANSITIONS:
        assert any(event.__name__ in line and phase in line.split("|")[1] for line in drawn.splitlines() if "|" in line)
    assert all(f"`{code}`" in drawn for code in PROBLEM_RULES)


def test_zeros_are_the_chain_of_an_empty_journal():
    """First contact: both sides begin at nothing."""
    rig = Rig()
    rig.wake()
    own = steps.OwnJournal(INSTALL, head_seq=0, acked_seq=0, chain_there=CHAIN_START)
    assert isinstance(rig.greet(hello_reply(epoch=EPOCH), own=own, stored_epoch=None), steps.Adopt)


def test_the_rig_s_receipts_verify():
    """The tests' own receipts are sound, so a refusal has the reason the test is about."""
    rig = Rig(pending=True)
    rig.begin_session()
    assert isinstance(rig.push(BATCH, receipt_key=PUBLIC), steps.Settle)
    assert SCOPES == ("all", "store:berlin-1")
