"""The tablet's sync worker against the real server over its ASGI app: real files on both sides, virtual time."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from associate_app.adapters.sqlite import open_tablet_database
from associate_app.ports import CARD_STOCK_NOTE
from shared.documents import ReceiptKeyDocument
from sync_server.adapters.database import SqlDatabase
from sync_server.api.app import make_app
from sync_server.services.chain import set_term
from sync_server.services.enrolment import revoke_device
from sync_server.services.headquarters import Headquarters
from sync_server.services.operations import begin_new_epoch
from tests.support.asgi_endpoint import Answer, Serve
from tests.support.backups import bring_back, keep_backup
from tests.support.tablet import KEY, Tablet, connect, make_tablet
from tests.support.world import LOYALTY_ID, START, pass_time

PUSH = "/v1/sync/push"


def facts_at_hq(hq: Headquarters, kind: str = "note_added") -> list[str]:
    """The op ids of a kind HQ's ledger holds."""
    with hq.database.read() as reader:
        return sorted(row["fact_id"] for row in reader.rows("fact", kind=kind))


def test_a_first_round_sends_receives_and_checks(hq: Headquarters, shop_tablet: Tablet):
    """Ops recorded before the first contact reach HQ once, the scopes arrive whole, and the receipt is kept."""
    ops = [shop_tablet.note(f"note {number}") for number in range(3)]
    summary = shop_tablet.sync()
    assert summary.is_complete, summary.words
    assert summary.answered == {"accepted": 3}
    assert facts_at_hq(hq) == sorted(op.op_id for op in ops)
    receipt = shop_tablet.database.last_receipt()
    assert receipt is not None
    assert (receipt.through_seq, receipt.chain) == shop_tablet.database.head()
    assert {state.scope for state in shop_tablet.database.states()} == {"all", "store:berlin-1"}
    assert shop_tablet.database.find_profile("loyalty_id", LOYALTY_ID) is not None
    assert shop_tablet.database.read_note(CARD_STOCK_NOTE) is not None


def ops_of(request: httpx.Request) -> list[dict[str, Any]]:
    """The ops of a push as they went out."""
    raw = request.content
    told = json.loads(gzip.decompress(raw) if request.headers.get("content-encoding") == "gzip" else raw)
    return list(told.get("ops", []))


def problem(code: str, status: int, **members: Any) -> Answer:
    """A problem document."""
    body = json.dumps({"code": code, "detail": "", "status": status, **members}).encode()
    return Answer(status, ((b"content-type", b"application/problem+json"),), body)


def replica_of(tablet: Tablet) -> dict[str, Any]:
    """Every document the tablet holds, by id."""
    kinds = ("profile", "device", "setting", "store", "card_key", "receipt_key", "associate", "play")
    return {found.id: (found.s, found.body) for kind in kinds for found in tablet.database.documents(kind)}


def scope_at_hq(hq: Headquarters, scope: str) -> dict[str, int]:
    """Document id -> position of a scope's live documents."""
    with hq.database.read() as reader:
        return {row.id: row.s for row in reader.live_docs(scope, "")}


def assert_at_rest(hq: Headquarters, tablet: Tablet) -> None:
    """The tablet is equal to its scopes, and everything it recorded is answered."""
    for scope in ("all", "store:berlin-1"):
        held = tablet.database.state(scope)
        assert held is not None
        with hq.database.read() as reader:
            head = reader.head(scope)
        assert (held.at, held.count, held.sum) == (head.n, head.count, head.sum)
        assert tablet.database.recompute(scope) == held
    counts = tablet.database.counts()
    assert counts.pending == 0
    assert counts.recorded == counts.acked + counts.parked + counts.rejected + counts.withheld


# the round


def test_a_round_with_nothing_new_asks_only_for_its_pages(hq: Headquarters, shop_tablet: Tablet):
    """Within a session: one small request for each scope, and no growth at HQ."""
    shop_tablet.sync()
    heads = {scope: scope_at_hq(hq, scope) for scope in ("all", "store:berlin-1")}
    shop_tablet.transport.asked.clear()
    shop_tablet.run(70)
    assert shop_tablet.transport.asked[:2] == ["/v1/sync/pull", "/v1/sync/pull"]
    assert heads == {scope: scope_at_hq(hq, scope) for scope in ("all", "store:berlin-1")}
    assert_at_rest(hq, shop_tablet)


def test_what_one_tablet_records_another_of_the_store_shows(hq: Headquarters, shop_tablet: Tablet, tmp_path: Path):
    """Push of one, pull of the other."""
    other = make_tablet(tmp_path, shop_tablet.transport, seed=2)
    connect(other, hq)
    other.sync()
    op = shop_tablet.note("likes blue")
    shop_tablet.sync()
    other.sync()
    found = other.database.find_profile("loyalty_id", LOYALTY_ID)
    assert found is not None
    assert [note["op_id"] for note in found.body["notes"]] == [op.op_id]
    assert_at_rest(hq, other)
    other.database.close()


def test_an_outbox_of_weeks_drains_in_batches(hq: Headquarters, shop_tablet: Tablet):
    """More ops than a batch holds: all answered, in order, with one receipt at the end."""
    ops = [shop_tablet.note(f"note {number}") for number in range(620)]
    summary = shop_tablet.sync()
    assert summary.is_complete, summary.words
    assert shop_tablet.transport.asked.count(PUSH) == 3
    assert facts_at_hq(hq) == sorted(op.op_id for op in ops)
    assert_at_rest(hq, shop_tablet)


def test_hello_brings_the_card_stock_of_this_install(hq: Headquarters, shop_tablet: Tablet):
    """Thirty pre-signed cards, noted with the install they belong to."""
    shop_tablet.sync()
    noted = json.loads(shop_tablet.database.read_note(CARD_STOCK_NOTE) or "{}")
    assert noted["install_id"] == shop_tablet.database.install_id()
    assert len({card["card"] for card in noted["cards"]}) == 30


# weather


def test_a_lost_answer_sends_the_same_batch_again_and_doubles_nothing(hq: Headquarters, shop_tablet: Tablet):
    """The answer is lost after HQ stored everything: the same batch id and ops, answered as duplicates."""
    sent: list[list[str]] = []

    def lose_first(request: httpx.Request, serve: Serve) -> Answer:
        answer = serve(request)
        if request.url.path == PUSH:
            sent.append([op["op_id"] for op in ops_of(request)])
            if len(sent) == 1:
                raise httpx.ReadTimeout("lost", request=request)
        return answer

    shop_tablet.sync()
    shop_tablet.transport.spoil = lose_first
    first = [shop_tablet.note(f"note {number}") for number in range(3)]
    assert not shop_tablet.sync().is_complete
    more = shop_tablet.note("recorded meanwhile")
    summary = shop_tablet.sync()
    assert summary.is_complete
    assert sent == [[op.op_id for op in first], [op.op_id for op in first], [more.op_id]]
    assert summary.answered == {"duplicate": 3, "accepted": 1}
    assert len(facts_at_hq(hq)) == 4
    assert_at_rest(hq, shop_tablet)


@pytest.mark.parametrize("kept", [0, 1, 40, 300])
def test_a_torn_answer_settles_nothing(hq: Headquarters, shop_tablet: Tablet, kept: int):
    """Cut off anywhere: the ops stay pending until a whole answer comes."""

    def tear(request: httpx.Request, serve: Serve) -> Answer:
        answer = serve(request)
        return replace(answer, body=answer.body[:kept]) if request.url.path == PUSH else answer

    shop_tablet.note("torn")
    shop_tablet.transport.spoil = tear
    assert not shop_tablet.sync().is_complete
    assert shop_tablet.database.counts().pending == 1
    shop_tablet.transport.spoil = None
    assert shop_tablet.sync().answered == {"duplicate": 1}
    assert_at_rest(hq, shop_tablet)


def test_without_hq_a_round_says_so_and_loses_nothing(shop_tablet: Tablet):
    """No exception, a plain sentence, the outbox as it was."""

    def refuse(request: httpx.Request, _: Serve) -> Answer:
        raise httpx.ConnectError("refused", request=request)

    shop_tablet.transport.spoil = refuse
    shop_tablet.note("kept")
    summary = shop_tablet.sync()
    assert not summary.is_complete
    assert summary.status.trouble == "offline"
    assert summary.words is not None
    assert "saved on this tablet" in summary.words
    assert shop_tablet.database.counts().pending == 1


def test_a_snapshot_torn_in_the_middle_goes_on_behind_what_came(hq: Headquarters, shop_tablet: Tablet):
    """What came whole is kept; the second request asks for the rest only, and the copy is right."""
    asked: list[httpx.QueryParams] = []

    def tear_first(request: httpx.Request, serve: Serve) -> Answer:
        answer = serve(request)
        if not request.url.path.endswith("snapshot"):
            return answer
        asked.append(request.url.params)
        if len(asked) > 1:
            return answer
        plain = gzip.decompress(answer.body)
        headers = tuple(pair for pair in answer.headers if pair[0].lower() != b"content-encoding")
        return Answer(200, headers, plain[: int(len(plain) * 0.6)])

    shop_tablet.transport.spoil = tear_first
    assert not shop_tablet.sync().is_complete
    assert shop_tablet.database.state("all") is None
    summary = shop_tablet.sync()
    assert summary.is_complete, summary.words
    assert "after" not in asked[0]
    assert asked[1]["after"]
    assert asked[1]["as_of"]
    assert_at_rest(hq, shop_tablet)


def test_a_snapshot_changed_on_the_way_is_thrown_away_whole(hq: Headquarters, shop_tablet: Tablet):
    """Its sum does not fit: nothing of it goes live, and the next one begins at the beginning."""
    asked: list[httpx.QueryParams] = []

    def change_first(request: httpx.Request, serve: Serve) -> Answer:
        answer = serve(request)
        if not request.url.path.endswith("snapshot") or request.url.params["scope"] != "all":
            return answer
        asked.append(request.url.params)
        if len(asked) > 1:
            return answer
        headers = tuple(pair for pair in answer.headers if pair[0].lower() != b"content-encoding")
        return Answer(200, headers, gzip.decompress(answer.body).replace(b"Europe/Berlin", b"Europe/Zurich", 1))

    shop_tablet.transport.spoil = change_first
    assert not shop_tablet.sync().is_complete
    assert shop_tablet.database.state("all") is None
    shop_tablet.run(120)
    assert ["after" in parameters for parameters in asked] == [False, False]
    assert_at_rest(hq, shop_tablet)


# damage on the tablet


def test_a_copy_that_differs_is_repaired_by_a_snapshot(hq: Headquarters, shop_tablet: Tablet):
    """A document lost on the tablet: the recomputed sum fails HQ's check, and a snapshot puts it right."""
    shop_tablet.note("note")
    shop_tablet.sync()
    shop_tablet.database._connection.write("DELETE FROM document WHERE id LIKE 'profile/%'")
    shop_tablet.clock.move(86_400)
    shop_tablet.sync()
    assert shop_tablet.driver.status().tally.snapshots == 3
    assert_at_rest(hq, shop_tablet)


def test_a_crash_after_every_single_step_loses_and_doubles_nothing(hq: Headquarters, shop_tablet: Tablet):
    """The program dies after n steps, for every n, and starts again: each op is at HQ once, the copy is right."""
    recorded: list[str] = []
    for steps in range(1, 26):
        recorded += [shop_tablet.note(f"note {steps}").op_id, shop_tablet.note(f"more {steps}").op_id]
        shop_tablet.driver.ring("asked")
        for _ in range(steps):
            shop_tablet.driver.step()
        shop_tablet.restart(is_crash=True)
        shop_tablet.clock.move(20)
        counts = shop_tablet.database.counts()
        assert counts.recorded == len(recorded)
        assert counts.pending + counts.acked == len(recorded)
    shop_tablet.sync()
    assert facts_at_hq(hq) == sorted(recorded)
    assert_at_rest(hq, shop_tablet)


@pytest.mark.parametrize("is_crash", [True, False])
def test_after_a_crash_the_copy_is_added_up_anew_at_once(hq: Headquarters, shop_tablet: Tablet, is_crash: bool):
    """Not only once a day: what a crash may have damaged is found in the first round after it."""
    shop_tablet.note("note")
    shop_tablet.sync()
    shop_tablet.sync()
    shop_tablet.driver.ring("asked")
    for _ in range(4):
        shop_tablet.driver.step()
    shop_tablet.database._connection.write("DELETE FROM document WHERE id LIKE 'profile/%'")
    shop_tablet.restart(is_crash=is_crash)
    shop_tablet.clock.move(20)
    shop_tablet.sync()
    assert shop_tablet.driver.status().tally.snapshots == int(is_crash)


def test_two_workers_of_one_tablet_do_not_sync_at_the_same_time(shop_tablet: Tablet):
    """The lease: the second one says so, and takes over when the first is gone for a while."""
    shop_tablet.driver.ring("asked")
    for _ in range(3):
        shop_tablet.driver.step()
    second = shop_tablet._make_driver()
    assert second.step() > 0
    assert second.status().is_elsewhere
    shop_tablet.clock.move(20)
    assert second.step() == 0
    assert not second.status().is_elsewhere


def test_a_clock_years_off_stops_nothing(hq: Headquarters, shop_tablet: Tablet):
    """Forward and back again: every op reaches HQ, and the status says which clock is wrong."""
    for days in (0, 800, -700):
        shop_tablet.clock.set(START + timedelta(days=days))
        shop_tablet.note(f"{days} days off")
        summary = shop_tablet.sync()
        assert summary.is_complete, summary.words
        assert (summary.status.clock_words is None) == (days == 0)
    assert len(facts_at_hq(hq)) == 3
    assert_at_rest(hq, shop_tablet)


# poison


def test_a_poison_op_is_found_withheld_and_delays_nobody_else(hq: Headquarters, shop_tablet: Tablet):
    """HQ fails on one op of twenty: the nineteen others get there, it stays here, and HQ knows of it."""
    ops = [shop_tablet.note(f"note {number}") for number in range(20)]
    poison = ops[13].op_id

    def fail_on_it(request: httpx.Request, serve: Serve) -> Answer:
        if request.url.path == PUSH and any(op["op_id"] == poison and "body" in op for op in ops_of(request)):
            return problem("internal", 500)
        return serve(request)

    shop_tablet.transport.spoil = fail_on_it
    shop_tablet.run(120)
    assert len(facts_at_hq(hq)) == 13
    pulls = shop_tablet.transport.asked.count("/v1/sync/pull")
    shop_tablet.run(7200)
    assert shop_tablet.transport.asked.count("/v1/sync/pull") > pulls
    counts = shop_tablet.database.counts()
    assert (counts.acked, counts.withheld, counts.pending) == (19, 1, 0)
    assert len(shop_tablet.transport.asked) < 600
    with hq.database.read() as reader:
        [row] = [row for row in reader.rows("fact") if row["fact_id"] == poison]
    assert (row["verdict"], row["code"]) == ("parked", "withheld")


def test_a_limit_smaller_than_the_batch_is_found_by_halving(hq: Headquarters, shop_tablet: Tablet):
    """A proxy that takes four ops at a time: 413 halves until it fits, and everything drains."""

    def at_most_four(request: httpx.Request, serve: Serve) -> Answer:
        if request.url.path == PUSH and len(ops_of(request)) > 4:
            return Answer(413, ((b"content-type", b"text/html"),), b"<h1>Too large</h1>")
        return serve(request)

    for number in range(30):
        shop_tablet.note(f"note {number}")
    shop_tablet.transport.spoil = at_most_four
    shop_tablet.run(300)
    assert len(facts_at_hq(hq)) == 30
    assert_at_rest(hq, shop_tablet)


def test_an_op_hq_parks_is_answered_for_good_and_shown_with_its_reason(shop_tablet: Tablet):
    """An unknown play parks its op: final for the outbox, listed in the journal with its reason."""
    op = shop_tablet.record("trigger_seen", {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, "play_id": "gone"})
    assert shop_tablet.sync().answered == {"parked": 1}
    entry = shop_tablet.database.entry(op.op_id)
    assert entry is not None
    assert (entry.state, entry.code) == ("parked", "unknown_play")


# refusals


def test_a_revoked_tablet_loses_its_shoppers_and_keeps_its_outbox(hq: Headquarters, shop_tablet: Tablet):
    """At the next contact profiles, index and cursor go; what was recorded waits, and connecting again sends it."""
    shop_tablet.note("before")
    shop_tablet.sync()
    device = shop_tablet.database.device()
    assert device is not None
    revoke_device(hq, device.device_id)
    shop_tablet.note("after")
    summary = shop_tablet.sync()
    assert summary.status.is_revoked
    assert shop_tablet.database.documents("profile") == ()
    assert shop_tablet.database.find_profile("loyalty_id", LOYALTY_ID) is None
    assert shop_tablet.database.counts().pending == 1
    connect(shop_tablet, hq)
    summary = shop_tablet.sync()
    assert summary.is_complete, summary.words
    assert len(facts_at_hq(hq)) == 2
    assert_at_rest(hq, shop_tablet)


def test_an_unknown_token_keeps_everything(hq: Headquarters, shop_tablet: Tablet):
    """401: nothing is deleted; the tablet asks to be connected again, and goes on by itself if HQ knows it again."""
    shop_tablet.note("before")
    shop_tablet.sync()
    held = replica_of(shop_tablet)
    shop_tablet.note("after")
    shop_tablet.transport.spoil = lambda _request, _serve: problem("token_unknown", 401)
    summary = shop_tablet.sync()
    assert summary.status.needs_connect
    assert shop_tablet.database.counts().pending == 1
    assert replica_of(shop_tablet) == held
    shop_tablet.transport.spoil = None
    shop_tablet.run(400)
    assert not shop_tablet.driver.status().needs_connect
    assert_at_rest(hq, shop_tablet)


def test_a_sign_in_page_of_the_network_wipes_nothing(shop_tablet: Tablet):
    """A captive portal answers 403 in HTML: that is weather, not HQ's word."""
    shop_tablet.note("before")
    shop_tablet.sync()
    held = replica_of(shop_tablet)
    page = Answer(403, ((b"content-type", b"text/html"),), b"<html>Please sign in</html>")
    shop_tablet.transport.spoil = lambda _request, _serve: page
    assert shop_tablet.sync().status.trouble == "offline"
    assert replica_of(shop_tablet) == held


def test_an_app_too_old_to_receive_still_sends(hq: Headquarters, shop_tablet: Tablet):
    """426 stops pulling only; what was received stays, what is recorded gets there."""
    shop_tablet.sync()
    set_term(hq, "min_app", "9.0.0")
    shop_tablet.note("from an old app")
    summary = shop_tablet.sync()
    assert summary.answered == {"accepted": 1}
    assert not summary.is_complete
    assert summary.status.needs_upgrade
    set_term(hq, "min_app", "1.0.0")
    assert shop_tablet.sync().is_complete
    assert_at_rest(hq, shop_tablet)


def test_an_app_that_learns_of_its_age_by_426_stops_asking(hq: Headquarters, shop_tablet: Tablet):
    """HQ's rule changed within the session: one 426, then no more pages until a new hello."""
    shop_tablet.sync()
    set_term(hq, "min_app", "9.0.0")
    shop_tablet.transport.asked.clear()
    shop_tablet.run(200)
    assert shop_tablet.transport.asked == ["/v1/sync/pull"]


def edit_hello(change: Callable[[dict[str, Any]], None]) -> Callable[[httpx.Request, Serve], Answer]:
    """Let everything through, but change what hello says."""

    def spoil(request: httpx.Request, serve: Serve) -> Answer:
        answer = serve(request)
        if not request.url.path.endswith("hello") or answer.status != 200:
            return answer
        is_packed = any(name.lower() == b"content-encoding" for name, _ in answer.headers)
        told = json.loads(gzip.decompress(answer.body) if is_packed else answer.body)
        change(told)
        return Answer(200, ((b"content-type", b"application/json"),), json.dumps(told).encode())

    return spoil


def test_a_scope_taken_away_is_deleted_and_one_given_again_is_received_whole(hq: Headquarters, shop_tablet: Tablet):
    """Hello's list decides; nothing of a lost scope remains, not even in the search."""
    shop_tablet.note("note")
    shop_tablet.sync()
    shop_tablet.transport.spoil = edit_hello(lambda told: told.update(scopes=["all"]))
    shop_tablet.sync()
    assert [state.scope for state in shop_tablet.database.states()] == ["all"]
    assert shop_tablet.database.documents("profile") == ()
    shop_tablet.transport.spoil = None
    shop_tablet.sync()
    assert_at_rest(hq, shop_tablet)


def test_a_rotated_token_is_kept_and_used_from_then_on(shop_tablet: Tablet):
    """The next request after hello carries the new token."""
    tokens: list[str] = []

    def spoil(request: httpx.Request, serve: Serve) -> Answer:
        tokens.append(request.headers["authorization"])
        return edit_hello(lambda told: told.update(token="fresh-token"))(request, serve)

    shop_tablet.transport.spoil = spoil
    shop_tablet.sync()
    device = shop_tablet.database.device()
    assert device is not None
    assert device.token == "fresh-token"
    assert tokens[1] == "Bearer fresh-token"


def test_a_new_receipt_key_is_learned_by_the_feed_before_anything_counts_as_sent(hq: Headquarters, shop_tablet: Tablet):
    """The tablet knows only a key HQ no longer signs with: it receives the new one first, then settles."""
    device = shop_tablet.database.device()
    assert device is not None
    shop_tablet.database.save_device(replace(device, receipt_key="AAAA" * 10 + "AAA="))
    kid, _ = hq.keys.receipt_key()
    listed = f"receipt_key/{kid}" in scope_at_hq(hq, "all")
    assert listed, "HQ publishes its receipt keys"
    shop_tablet.note("signed by a key not known yet")
    shop_tablet.run(120)
    assert shop_tablet.database.counts().acked == 1
    held = shop_tablet.database.document(f"receipt_key/{kid}")
    assert held is not None
    assert ReceiptKeyDocument.model_validate(held.body).kid == kid


# other histories


def test_an_hq_restored_from_a_backup_gets_again_what_it_lost(
    hq: Headquarters, shop_tablet: Tablet, tmp_path: Path, database_url: str
):
    """Ops acknowledged after the backup come again from what the tablet keeps; nothing is doubled."""
    before = [shop_tablet.note(f"before {number}") for number in range(3)]
    shop_tablet.sync()
    keep_backup(database_url, tmp_path / "backup.db")
    after = [shop_tablet.note(f"after {number}") for number in range(4)]
    shop_tablet.sync()
    restored = restore(hq, tmp_path / "backup.db", database_url)
    shop_tablet.transport.app = make_app(restored)
    late = shop_tablet.note("recorded since")
    shop_tablet.run(120)
    assert facts_at_hq(restored) == sorted(op.op_id for op in [*before, *after, late])
    assert_at_rest(restored, shop_tablet)
    restored.database.close()


def restore(hq: Headquarters, backup: Path, database_url: str) -> Headquarters:
    """HQ as `sync-server restore` leaves it."""
    hq.database.close()
    bring_back(backup, database_url)
    restored = replace(hq, database=SqlDatabase(database_url))
    begin_new_epoch(restored)
    return restored


def test_a_restored_hq_also_gets_what_an_earlier_install_had_sent(
    hq: Headquarters, shop_tablet: Tablet, tmp_path: Path, database_url: str
):
    """The tablet had taken a new install id since: ops acknowledged under the old one are queued again too."""
    shop_tablet.sync()
    keep_backup(database_url, tmp_path / "backup.db")
    ops = [shop_tablet.note("under the first install")]
    shop_tablet.sync()
    shop_tablet.database.restart_install(shop_tablet.make_id(), include_acked=False)
    ops.append(shop_tablet.note("under the second"))
    shop_tablet.sync()
    restored = restore(hq, tmp_path / "backup.db", database_url)
    shop_tablet.transport.app = make_app(restored)
    shop_tablet.run(120)
    assert facts_at_hq(restored) == sorted(op.op_id for op in ops)
    assert_at_rest(restored, shop_tablet)
    restored.database.close()


def test_a_tablet_clock_years_ahead_drops_nothing_a_restored_hq_needs(
    hq: Headquarters, shop_tablet: Tablet, tmp_path: Path, database_url: str
):
    """What was sent is kept for thirty days of HQ's time, whatever this tablet's clock says in between."""
    shop_tablet.sync()
    keep_backup(database_url, tmp_path / "backup.db")
    op = shop_tablet.note("sent before the clock went wrong")
    shop_tablet.sync()
    shop_tablet.clock.set(START + timedelta(days=1200))
    assert shop_tablet.sync().is_complete
    restored = restore(hq, tmp_path / "backup.db", database_url)
    shop_tablet.transport.app = make_app(restored)
    shop_tablet.run(120)
    assert facts_at_hq(restored) == [op.op_id]
    restored.database.close()


def test_ops_no_longer_all_kept_go_under_a_new_install_id(
    hq: Headquarters, shop_tablet: Tablet, tmp_path: Path, database_url: str
):
    """HQ is so far behind that the tablet has dropped some of what it lacks: the rest still gets there."""
    shop_tablet.sync()
    keep_backup(database_url, tmp_path / "backup.db")
    shop_tablet.note("dropped after its retention")
    shop_tablet.sync()
    shop_tablet.clock.move(40 * 86_400)
    pass_time(hq, days=40)
    kept = shop_tablet.note("kept")
    shop_tablet.sync()
    install_id = shop_tablet.database.install_id()
    restored = restore(hq, tmp_path / "backup.db", database_url)
    shop_tablet.transport.app = make_app(restored)
    shop_tablet.run(120)
    assert facts_at_hq(restored) == [kept.op_id]
    assert shop_tablet.database.install_id() != install_id
    assert_at_rest(restored, shop_tablet)
    restored.database.close()


def test_a_cloned_tablet_takes_a_new_install_and_both_lose_nothing(
    hq: Headquarters, shop_tablet: Tablet, tmp_path: Path
):
    """The file is copied with its companion to a second device: both record on, and HQ has everything once."""
    ops = [shop_tablet.note("before the copy")]
    shop_tablet.sync()
    shop_tablet.driver.close()
    ops.append(shop_tablet.note("on the first"))
    twin = copy_tablet(shop_tablet, tmp_path / "twin")
    ops += [shop_tablet.note("first goes on"), twin.note("second goes on"), twin.note("and on")]
    assert shop_tablet.sync().is_complete
    assert twin.sync().is_complete
    ops += [shop_tablet.note("later"), twin.note("later still")]
    assert shop_tablet.sync().is_complete
    assert twin.sync().is_complete
    assert shop_tablet.sync().is_complete
    assert facts_at_hq(hq) == sorted({op.op_id for op in ops})
    assert shop_tablet.database.install_id() != twin.database.install_id()
    assert_at_rest(hq, shop_tablet)
    assert_at_rest(hq, twin)
    twin.database.close()


def copy_tablet(tablet: Tablet, folder: Path) -> Tablet:
    """A device with a copy of a tablet's whole folder."""
    folder.mkdir()
    tablet.database._connection.tidy()
    for suffix in ("", ".install"):
        shutil.copy(str(tablet.path) + suffix, folder / (tablet.path.name + suffix))
    twin = make_tablet(folder, tablet.transport, seed=99)
    twin.database.close()
    twin.path = folder / tablet.path.name
    twin.database = open_tablet_database(twin.path, KEY, clock=twin.clock, chance=twin.chance)
    twin.driver = twin._make_driver()
    twin.clock.move(30)
    return twin
