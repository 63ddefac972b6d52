"""The loops around the engine: broken steps, rings, the lease, watchers, the doorbell, one round from the shell."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from associate_app.adapters.sqlite import TabletFile, open_tablet_database
from associate_app.ports import SLICE_WIPED_NOTE, DeviceIdentity, NoTrust, SyncEndpoint
from associate_app.sync.doorbell import Doorbell
from associate_app.sync.driver import SyncDriver
from associate_app.sync.errands import batch_of, wire_op
from associate_app.sync.rounds import run_until_idle
from associate_app.sync.state import Trouble
from associate_app.sync.status import _WORDS, SyncStatus, clock_words, words_of
from associate_app.sync.steps import Ring
from associate_app.sync.worker import DoorbellThread, SyncThread
from shared.errors import Problem, StorageFull, Weather
from shared.wire.messages import WaitReply
from shared.wire.ops import ERASED, WITHHELD, Op
from tests.support.engine import DEVICE, EPOCH, hello_reply
from tests.support.tablet import KEY, TabletClock
from tests.support.world import START, SeededChance

WAIT_S = 10.0


class SilentEndpoint:
    """An HQ of which a test gives only what it needs; anything else gets no answer."""

    def __init__(self, **answers: Callable[..., Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*args: Any, **kwargs: Any) -> Any:
            self.asked.append(name)
            if name not in self.answers:
                raise Weather("nobody there")
            return self.answers[name](*args, **kwargs)

        return ask


@pytest.fixture
def clock() -> TabletClock:
    """The device's clock."""
    return TabletClock()


@pytest.fixture
def database(tmp_path: Path, clock: TabletClock) -> Iterator[TabletFile]:
    """A connected tablet's file."""
    opened = open_tablet_database(tmp_path / "tablet.db", KEY, clock=clock, chance=SeededChance())
    opened.save_device(DeviceIdentity("http://hq.test", DEVICE, "token", "Tablet", "berlin-1", "AAAA"))
    yield opened
    opened.close()


def make_driver(database: Any, clock: TabletClock, endpoint: Any = None, owner: str = "first") -> SyncDriver:
    """A driver over a real file and an HQ that may not be there."""
    asked: SyncEndpoint = endpoint or SilentEndpoint()
    return SyncDriver(database, asked, clock, SeededChance(), app_version="1.0.0", owner=owner)


def run_to_rest(driver: SyncDriver) -> float:
    """Step until it sleeps; returns for how long."""
    for _ in range(100):
        if (delay_s := driver.step()) > 0:
            return delay_s
    raise AssertionError("it never sleeps")


# the driver


def test_a_bug_in_a_step_is_logged_and_the_timer_is_set_again(
    database: TabletFile, clock: TabletClock, caplog: pytest.LogCaptureFixture
):
    """An unexpected exception in a request backs off; the worker lives, and says that something went wrong."""

    def bug(_request: Any) -> Any:
        raise ZeroDivisionError("a bug")

    driver = make_driver(database, clock, SilentEndpoint(hello=bug))
    delay_s = run_to_rest(driver)
    assert 0 < delay_s <= 300
    assert driver.status().trouble == "broken"
    assert "ZeroDivisionError" in caplog.text
    clock.move(delay_s)
    assert driver.step() == 0


def test_even_a_bug_outside_every_rule_does_not_end_the_worker(
    database: TabletFile, clock: TabletClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """A database that fails at the most basic question: a time to come again is returned all the same."""
    driver = make_driver(database, clock)
    broken = True
    head = database.head

    def fail() -> tuple[int, str]:
        if broken:
            raise RuntimeError("no such table")
        return head()

    monkeypatch.setattr(database, "head", fail)
    for _ in range(5):
        delay_s = driver.step()
        assert delay_s > 0
        clock.move(delay_s)
    assert "RuntimeError" in caplog.text
    broken = False
    assert driver.step() == 0


def test_a_sleeping_worker_does_nothing_before_its_time_unless_it_is_rung(database: TabletFile, clock: TabletClock):
    """Called too early it says how long is left; a ring wakes it at once."""
    driver = make_driver(database, clock, SilentEndpoint())
    delay_s = run_to_rest(driver)
    clock.move(delay_s / 2)
    assert driver.step() == pytest.approx(delay_s / 2)
    driver.ring("asked")
    assert driver.step() == 0


def test_a_ring_in_the_middle_of_a_round_is_not_lost(database: TabletFile, clock: TabletClock):
    """Rung while it works: at the end of the round it asks to be called again at once."""
    driver = make_driver(database, clock)
    driver.step()
    driver.ring("doorbell")
    delays_s = [driver.step()]
    while not driver.is_resting:
        delays_s.append(driver.step())
    assert set(delays_s) == {0.0}


def test_a_full_disk_is_said_and_nothing_breaks(
    database: TabletFile, clock: TabletClock, monkeypatch: pytest.MonkeyPatch
):
    """Not even the lease can be written: the status says what to do."""

    def full(*_args: Any) -> bool:
        raise StorageFull("full")

    monkeypatch.setattr(database, "lease", full)
    driver = make_driver(database, clock)
    assert driver.step() > 0
    assert driver.status().trouble == "storage_full"


def test_watchers_hear_of_changes_only_and_cannot_break_the_worker(
    database: TabletFile, clock: TabletClock, caplog: pytest.LogCaptureFixture
):
    """Each gets every new status until it ends its subscription."""
    driver = make_driver(database, clock)
    heard: list[SyncStatus] = []

    def fail(_status: SyncStatus) -> None:
        raise ValueError("a watcher's bug")

    driver.subscribe(fail)
    end = driver.subscribe(heard.append)
    run_to_rest(driver)
    assert heard[-1] == driver.status()
    assert len(heard) == len({str(status) for status in heard})
    assert "a watcher's bug" in caplog.text
    end()
    count = len(heard)
    driver.ring("asked")
    run_to_rest(driver)
    assert len(heard) == count


def test_the_status_says_since_when_hq_is_missed(database: TabletFile, clock: TabletClock):
    """The first failure counts, not the last."""
    driver = make_driver(database, clock)
    delay_s = run_to_rest(driver)
    since_at = driver.status().offline_since_at
    assert since_at == "2026-11-22T10:00:00.000Z"
    clock.move(delay_s)
    run_to_rest(driver)
    assert driver.status().offline_since_at == since_at


def test_a_wrong_clock_is_named_with_both_times(database: TabletFile, clock: TabletClock):
    """A certificate refused for its dates: this tablet's clock says X, HQ's says Y."""

    def refuse(_request: Any) -> Any:
        raise NoTrust("expired", hq_at="2027-11-22T10:00:00.000Z")

    driver = make_driver(database, clock, SilentEndpoint(hello=refuse))
    run_to_rest(driver)
    words = driver.status().words or ""
    assert driver.status().trouble == "certificate"
    assert "22 Nov 2026 10:00" in words
    assert "22 Nov 2027 10:00" in words


def test_a_tablet_two_weeks_without_hq_deletes_its_shoppers_once(database: TabletFile, clock: TabletClock):
    """After 14 days since the last contact; the outbox and the identity stay."""
    database.write_note("last_contact_at", "2026-11-08T09:59:59.000Z")
    driver = make_driver(database, clock)
    run_to_rest(driver)
    wiped_at = database.read_note(SLICE_WIPED_NOTE)
    assert wiped_at is not None
    clock.move(3600)
    run_to_rest(driver)
    assert database.read_note(SLICE_WIPED_NOTE) == wiped_at
    assert database.device() is not None


def test_a_tablet_thirteen_days_without_hq_keeps_them(database: TabletFile, clock: TabletClock):
    """The bound itself."""
    database.write_note("last_contact_at", "2026-11-08T10:00:01.000Z")
    run_to_rest(make_driver(database, clock))
    assert database.read_note(SLICE_WIPED_NOTE) is None


def test_an_orderly_end_gives_the_lease_back_at_once(database: TabletFile, clock: TabletClock):
    """The next worker need not wait; after a crash it waits for the lease to run out."""
    first, second = make_driver(database, clock), make_driver(database, clock, owner="second")
    first.step()
    assert second.step() > 0
    assert second.status().is_elsewhere
    first.close()
    assert second.step() == 0


def test_one_round_from_the_shell_waits_for_another_worker_as_long_as_it_is_told(
    database: TabletFile, clock: TabletClock
):
    """Without patience it says that another one syncs; with it, it takes over when the lease has run out."""
    make_driver(database, clock).step()
    second = make_driver(database, clock, owner="second")
    summary = run_until_idle(second)
    assert not summary.is_complete
    assert "already syncing" in (summary.words or "")
    patient = run_until_idle(second, pause=clock.move, patience_s=30)
    assert patient.status.trouble == "offline"


def test_one_round_on_a_tablet_that_is_not_connected_says_what_to_do(tmp_path: Path, clock: TabletClock):
    """No request goes out."""
    opened = open_tablet_database(tmp_path / "fresh.db", KEY, clock=clock, chance=SeededChance())
    endpoint = SilentEndpoint()
    summary = run_until_idle(make_driver(opened, clock, endpoint))
    assert "enrolment code" in (summary.words or "")
    assert endpoint.asked == []
    opened.close()


# what is sent


def an_op(kind: str, body: dict[str, Any], seq: int = 5) -> Op:
    """An op of the journal."""
    return Op(seq, f"op-{seq}", kind, 1, "store:x", "a1", "2026-11-22T10:00:00.000Z", None, "f" * 64, body)


def test_a_stand_in_carries_only_what_chains_it():
    """Withheld: its size; erased: nothing of the op but id and sha."""
    whole = an_op("note_added", {"text": "x"})
    assert wire_op(whole) == whole.as_wire()
    assert wire_op(an_op(WITHHELD, {"bytes": 12})) == {
        "seq": 5,
        "op_id": "op-5",
        "kind": "withheld",
        "sha": "f" * 64,
        "bytes": 12,
    }
    assert wire_op(an_op(ERASED, {})) == {"seq": 5, "op_id": "op-5", "kind": "erased", "sha": "f" * 64}


def test_the_same_ops_always_go_under_the_same_batch_id():
    """Also after a restart; other ops, another form or another install get another."""
    ops = [an_op("note_added", {"text": "x"}, 5), an_op("note_added", {"text": "y"}, 6)]
    batch = batch_of("install", ops)
    assert batch == batch_of("install", list(ops))
    assert (batch.first_seq, batch.last_seq, batch.count) == (5, 6, 2)
    others = [
        batch_of("another", ops),
        batch_of("install", ops[:1]),
        batch_of("install", [ops[0], replace(ops[1], kind=WITHHELD, body={"bytes": 3})]),
    ]
    assert len({batch.batch_id, *(other.batch_id for other in others)}) == 4


# words


def test_every_trouble_has_plain_words_without_codes():
    """One or two sentences; no status code, no host, no jargon."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    for kind in _WORDS:
        words = words_of(Trouble(kind), now)
        assert words.endswith(".")
        assert not any(word in words.lower() for word in ("http", "401", "403", "epoch", "token", "error", "server"))


@pytest.mark.parametrize(("offset_ms", "is_said"), [(None, False), (299_999, False), (-300_000, True), (10**15, True)])
def test_a_clock_is_worth_a_word_from_five_minutes_on(offset_ms: int | None, is_said: bool):
    """Either way; a mad offset breaks nothing."""
    assert (clock_words(offset_ms, START) is not None) == is_said


# the doorbell


def status(**given: Any) -> SyncStatus:
    """A worker that is up to date."""
    fields: dict[str, Any] = {"epoch": EPOCH, "heads": {"all": 1, "store:x": 5}, "is_online": True}
    return SyncStatus(**(fields | given))


class Bell:
    """A doorbell with a scripted HQ."""

    def __init__(self, told: SyncStatus, *answers: Mapping[str, int] | Exception, epoch: str = EPOCH) -> None:
        self.status = told
        self.rings = 0
        self.waits: list[tuple[dict[str, int], int]] = []
        self.answers = list(answers)
        self.epoch = epoch
        self.bell = Doorbell(SilentEndpoint(wait=self._wait), lambda: self.status, self._ring, SeededChance())

    def _ring(self) -> None:
        self.rings += 1

    def _wait(self, known: Mapping[str, int], seconds: int) -> WaitReply:
        self.waits.append((dict(known), seconds))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return WaitReply(epoch=self.epoch, heads=dict(answer), end=True)


def test_the_doorbell_rings_when_a_head_moved():
    """And not when none did."""
    bell = Bell(status(), {"all": 1, "store:x": 5}, {"all": 1, "store:x": 6})
    assert bell.bell.step() < 1
    assert bell.rings == 0
    bell.bell.step()
    assert bell.rings == 1


def test_the_doorbell_rings_once_for_a_head_the_worker_cannot_fetch_now():
    """What was rung for counts as known: the wait is a wait again."""
    bell = Bell(status(), {"all": 1, "store:x": 6}, {"all": 1, "store:x": 6})
    bell.bell.step()
    bell.bell.step()
    assert bell.rings == 1
    assert bell.waits[1] == ({"all": 1, "store:x": 6}, 25)


def test_the_doorbell_does_not_ring_for_what_the_worker_has_fetched_meanwhile():
    """The tablet's own push moves a head; by the time the answer is here the worker has pulled it."""
    bell = Bell(status(), {"all": 1, "store:x": 6})
    told = iter([status(), status(heads={"all": 1, "store:x": 6})])
    bell.bell = Doorbell(SilentEndpoint(wait=bell._wait), lambda: next(told), bell._ring, SeededChance())
    bell.bell.step()
    assert bell.rings == 0


def test_heads_that_went_back_ring_once_and_not_in_a_loop():
    """A restored HQ that is not healed yet: the wait is a wait again."""
    bell = Bell(status(), *[{"all": 1, "store:x": 3}] * 3)
    for _ in range(3):
        bell.bell.step()
    assert bell.rings == 1
    assert bell.waits[-1][0] == {"all": 1, "store:x": 3}


def test_the_doorbell_rings_for_another_epoch():
    """HQ was restored: the worker says hello."""
    bell = Bell(status(), {"all": 1, "store:x": 5}, epoch="another")
    bell.bell.step()
    assert bell.rings == 1


def test_a_scope_missing_from_the_heads_does_not_ring_for_ever():
    """Only what HQ tells of counts."""
    bell = Bell(status(), {"all": 1}, {"all": 1})
    bell.bell.step()
    bell.bell.step()
    assert bell.rings == 0


@pytest.mark.parametrize(
    "told",
    [
        status(epoch=None),
        status(heads={}),
        status(trouble="needs_connect"),
        status(trouble="revoked"),
        status(trouble="upgrade"),
    ],
)
def test_the_doorbell_is_silent_where_nobody_could_receive(told: SyncStatus):
    """No session, nothing held, or not allowed to."""
    bell = Bell(told)
    assert bell.bell.step() > 1
    assert bell.waits == []


def test_a_lost_doorbell_backs_off_and_comes_back():
    """Weather: at least a second, at most half a minute; the first answer after it rings, without waiting."""
    bell = Bell(status(), *[Weather("x")] * 8, {"all": 1, "store:x": 5})
    for _ in range(8):
        assert 1 <= bell.bell.step() <= 30
    bell.bell.step()
    assert bell.rings == 1
    assert bell.waits[-1][1] == 0


def test_while_the_worker_is_cut_off_the_doorbell_looks_now_and_then():
    """A short question, spread over half a minute: when HQ is back the worker hears of it."""
    bell = Bell(status(offline_since_at="2026-11-22T10:00:00.000Z"), {"all": 1, "store:x": 5})
    assert 5 <= bell.bell.step() <= 30
    assert bell.rings == 1
    assert bell.waits[0][1] == 0


@pytest.mark.parametrize(
    ("problem", "least_s", "rings"),
    [
        (Problem("busy", "", status=503, retry_after_s=40), 40, 0),
        (Problem("token_unknown", "", status=401), 300, 0),
        (Problem("scope_revoked", "", status=403), 300, 1),
        (Problem("internal", "", status=500), 1, 0),
    ],
    ids=lambda value: value.code if isinstance(value, Problem) else str(value),
)
def test_the_doorbell_leaves_refusals_to_the_worker(problem: Problem, least_s: float, rings: int):
    """It waits; a scope that was taken away is the worker's to purge, so that rings."""
    bell = Bell(status(), problem)
    assert bell.bell.step() >= least_s
    assert bell.rings == rings


def test_a_bug_in_the_doorbell_does_not_end_it(caplog: pytest.LogCaptureFixture):
    """Logged, and it comes again."""
    bell = Bell(status(), ValueError("a bug"))
    assert bell.bell.step() > 0
    assert "a bug" in caplog.text


# the threads


class StepCounter:
    """Stands for a driver: counts steps, may break, tells when it was rung."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.stepped = threading.Semaphore(0)
        self.rings: list[Ring] = []
        self.breaks = breaks
        self.is_closed = False

    def step(self) -> float:
        self.stepped.release()
        if self.breaks:
            raise RuntimeError("a bug")
        return 3600.0

    def ring(self, reason: Ring) -> None:
        self.rings.append(reason)

    def status(self) -> SyncStatus:
        return SyncStatus(notice="from the driver")

    def subscribe(self, _watcher: Any) -> Callable[[], None]:
        return lambda: None

    def close(self) -> None:
        self.is_closed = True


def test_the_thread_sleeps_until_it_is_rung_and_closes_what_it_opened():
    """A ring ends the sleep; stopping gives the lease back and closes the connection, on the thread itself."""
    counter, closed_on = StepCounter(), list[str]()

    def open_driver() -> tuple[Any, Callable[[], None]]:
        return counter, lambda: closed_on.append(threading.current_thread().name)

    thread = SyncThread(open_driver, name="the worker")
    thread.ring("asked")
    thread.start()
    assert counter.stepped.acquire(timeout=WAIT_S)
    thread.ring("record")
    assert counter.stepped.acquire(timeout=WAIT_S)
    assert thread.status().notice == "from the driver"
    assert thread.stop()
    assert counter.rings == ["asked", "record"]
    assert counter.is_closed
    assert closed_on == ["the worker"]


def test_after_connecting_again_the_thread_opens_its_driver_anew():
    """Another address of HQ: the old connection is closed, the new driver tries at once."""
    opened: list[StepCounter] = []
    closed: list[StepCounter] = []

    def open_driver() -> tuple[Any, Callable[[], None]]:
        counter = StepCounter()
        opened.append(counter)
        return counter, lambda: closed.append(counter)

    thread = SyncThread(open_driver)
    thread.start()
    while not opened:
        thread.wake()
    assert opened[0].stepped.acquire(timeout=WAIT_S)
    thread.reopen()
    while len(opened) < 2:
        thread.wake()
    assert opened[1].stepped.acquire(timeout=WAIT_S)
    assert thread.stop()
    assert opened[0].is_closed
    assert closed == opened
    assert opened[1].rings == ["asked"]


def test_a_token_for_a_device_this_tablet_no_longer_is_is_not_kept(database: TabletFile, clock: TabletClock):
    """Connected anew while hello was on its way: the new identity stays whole."""

    def connect_meanwhile(_request: Any) -> Any:
        database.save_device(DeviceIdentity("http://hq.test", "device-2", "its token", "Tablet", "berlin-1", "AAAA"))
        return hello_reply(token="for device-1")

    driver = make_driver(database, clock, SilentEndpoint(hello=connect_meanwhile))
    run_to_rest(driver)
    device = database.device()
    assert device is not None
    assert device.token == "its token"


def test_the_thread_outlives_a_driver_that_cannot_be_opened_and_a_step_that_raises(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """The timer re-arms after every exception, loudly."""
    monkeypatch.setattr("associate_app.sync.worker.BROKEN_S", 0.001)
    counter, tries = StepCounter(breaks=True), list[int]()

    def open_driver() -> tuple[Any, Callable[[], None]]:
        tries.append(1)
        if len(tries) < 3:
            raise OSError("locked")
        return counter, lambda: None

    caplog.set_level(logging.ERROR)
    thread = SyncThread(open_driver)
    thread.start()
    for _ in range(3):
        assert counter.stepped.acquire(timeout=WAIT_S)
    assert thread.stop()
    assert len(tries) == 3
    assert "locked" in caplog.text
    assert "a bug" in caplog.text


def test_the_doorbell_s_thread_steps_and_stops():
    """It opens and closes nothing."""
    counter = StepCounter()
    thread = DoorbellThread(counter)
    thread.start()
    assert counter.stepped.acquire(timeout=WAIT_S)
    assert thread.stop()


def test_a_hello_that_never_leads_on_leaves_the_status_truthful(database: TabletFile, clock: TabletClock):
    """Hello works, pages do not: online, with the trouble named, and no complete round."""

    def busy(*_args: Any, **_kwargs: Any) -> Any:
        raise Problem("internal", "", status=500)

    endpoint = SilentEndpoint(hello=lambda _request: hello_reply(), snapshot=busy)
    driver = make_driver(database, clock, endpoint)
    run_to_rest(driver)
    told = driver.status()
    assert (told.is_online, told.is_complete, told.trouble) == (True, False, "hq_error")
    assert told.epoch == EPOCH
