"""The doorbell: wakes at a commit here, finds those of other processes by itself, and never waits for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sync_server.adapters.database import SqlDatabase
from sync_server.ports import DocWrite
from sync_server.services.doorbell import LOOK_S, Doorbell, wait_for_change
from sync_server.services.headquarters import Headquarters
from tests.support.world import PatientClock, SetClock


def heads_of(hq: Headquarters, *scopes: str) -> dict[str, int]:
    """Where scopes stand."""
    with hq.database.read() as reader:
        return reader.heads(scopes)


def change(database: SqlDatabase, scope: str = "all") -> None:
    """Commit a document."""
    with database.write() as tx:
        n = tx.head(scope).n
        tx.publish([DocWrite(scope, "setting/x", b'{"n":%d}' % n)], "2026-11-22T10:00:00.000Z")


def test_it_answers_at_once_when_a_head_already_differs(hq: Headquarters) -> None:
    """Also where the tablet's is ahead: a restored server."""
    known = {"all": heads_of(hq, "all")["all"] + 7}
    _, heads = asyncio.run(wait_for_change(hq.doorbell, hq.database, hq.clock, known, 25))
    assert heads == heads_of(hq, "all")


def test_it_answers_at_the_end_of_the_time_with_nothing_new(hq: Headquarters) -> None:
    """At most 30 seconds by the server's clock, whatever was asked."""
    before = hq.clock.now()
    known = heads_of(hq, "all", "store:berlin-1")
    _, heads = asyncio.run(wait_for_change(hq.doorbell, hq.database, hq.clock, known, 3600))
    assert heads == known
    assert 29 <= (hq.clock.now() - before).total_seconds() <= 31


def test_a_ring_wakes_every_waiter_with_one_look_at_the_database(hq: Headquarters) -> None:
    """No clock has to move for it, and one of another scope waits on."""
    clock = PatientClock()
    known = heads_of(hq, "all", "store:berlin-1")

    async def ring_later() -> list[dict[str, int]]:
        waiting = [
            asyncio.ensure_future(wait_for_change(hq.doorbell, hq.database, clock, {scope: known[scope]}, 25))
            for scope in ("all", "all", "store:berlin-1")
        ]
        await asyncio.sleep(0)
        assert not any(waiter.done() for waiter in waiting)
        change(hq.database)  # type: ignore[arg-type]
        hq.doorbell.ring()
        answers = [(await waiter)[1] for waiter in waiting[:2]]
        assert not waiting[2].done()
        waiting[2].cancel()
        return answers

    assert asyncio.run(ring_later()) == [{"all": known["all"] + 1}] * 2


def test_a_commit_of_another_process_is_found_within_two_seconds(hq: Headquarters, tmp_path: Path) -> None:
    """A command line writes to the same file and rings nothing here."""
    other = SqlDatabase(f"sqlite:///{tmp_path / 'central.db'}")
    known = heads_of(hq, "all")

    class BusyClock(SetClock):
        """At the first pause somebody else commits."""

        has_changed = False

        async def pause(self, seconds: float) -> None:
            self.move(seconds=seconds)
            if not self.has_changed:
                self.has_changed = True
                change(other)

    clock = BusyClock()
    before = clock.now()
    _, heads = asyncio.run(wait_for_change(hq.doorbell, hq.database, clock, known, 25))
    other.close()
    assert heads == {"all": known["all"] + 1}
    assert (clock.now() - before).total_seconds() <= 2
    assert LOOK_S < 2


def test_a_clock_that_stands_still_or_goes_back_ends_the_wait_all_the_same(hq: Headquarters) -> None:
    """The number of looks is bounded by the time asked for."""

    class StoppedClock(SetClock):
        """A pause returns at once and no time passes; then it even goes back."""

        pauses = 0

        async def pause(self, seconds: float) -> None:
            self.pauses += 1
            self.move(hours=-1)

    clock = StoppedClock()
    known = heads_of(hq, "all")
    _, heads = asyncio.run(wait_for_change(Doorbell(), hq.database, clock, known, 25))
    assert heads == known
    assert clock.pauses <= 25 / LOOK_S + 1


def test_a_stopping_server_lets_everybody_go(hq: Headquarters) -> None:
    """A restart does not wait for the longest waiter."""
    known = heads_of(hq, "all")

    async def close_later() -> dict[str, int]:
        waiter = asyncio.ensure_future(wait_for_change(hq.doorbell, hq.database, PatientClock(), known, 25))
        await asyncio.sleep(0)
        hq.doorbell.close()
        return (await waiter)[1]

    assert asyncio.run(close_later()) == known
