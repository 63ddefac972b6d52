"""Two server processes write to one PostgreSQL at the same moment: nothing is lost, nothing parked for having met.

The second writer runs, whole, at the exact place in the first one's transaction where it hurts: no clock, no chance.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Problem
from shared.ids import Uuid7
from sync_server.adapters.database import SqlDatabase, SqlReader, SqlWriter
from sync_server.ports import Conflict
from sync_server.services.conflicts import TRIES_MAX, tried_again
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.merge import refold
from sync_server.services.sessions import greet
from tests.support.postgresql import PostgresServer
from tests.support.world import LOYALTY_ID, Journalist, SeededChance, make_headquarters, make_journalist, verdicts

EMAIL = "mara@example.org"
Interrupt = Callable[[type, str, Callable[[], object]], None]


@pytest.fixture
def first(postgresql: PostgresServer, tmp_path: Path) -> Iterator[Headquarters]:
    """The first server process's parts."""
    made = make_headquarters(postgresql.fresh_url(), tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def second(first: Headquarters) -> Iterator[Headquarters]:
    """Another's, on the same database and keys."""
    database = SqlDatabase(first.settings.database)
    chance = SeededChance(11)
    yield replace(first, database=database, chance=chance, make_id=Uuid7(first.clock.now, chance.bits))
    database.close()


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """`interrupt(owner, name, work)`: right after the first call of a method, run `work` before its caller goes on."""

    def plan(owner: type, name: str, work: Callable[[], object]) -> None:
        real, waiting = getattr(owner, name), [work]

        def called(self: Any, *args: Any, **named: Any) -> Any:
            answer = real(self, *args, **named)
            if waiting:
                waiting.pop()()
            return answer

        monkeypatch.setattr(owner, name, called)

    return plan


def profiles_at(hq: Headquarters) -> list[dict[str, Any]]:
    """The profiles in the feed of berlin-1, which must be what the whole ledger gives."""
    with hq.database.write() as tx:
        stored = {one.profile_id: json.loads(one.state) for one in tx.every_profile()}
        states, _ = refold(tx, list(stored), hq.now_at())
        assert {one: state.as_json() for one, state in states.items()} == stored
        return [json.loads(row.body) for row in tx.docs_of("store:berlin-1", "profile/")]


def notes_of(profile: dict[str, Any]) -> set[str]:
    """The texts of a profile's notes."""
    return {note["text"] for note in profile["notes"]}


def note_by_email(tablet: Journalist, text: str) -> dict[str, Any]:
    """A note about whoever has the e-mail address."""
    return tablet.record("note_added", {"shopper": {"type": "email", "value": EMAIL}, "text": text})


def at_second(second: Headquarters) -> Journalist:
    """A tablet that talks to the second process."""
    return make_journalist(second)


def test_two_tablets_make_the_same_shopper_at_once(
    first: Headquarters, second: Headquarters, interrupt: Interrupt
) -> None:
    """Both looked and found nobody; both notes are on the one profile."""
    one, two = make_journalist(first), at_second(second)
    one.note("from the first")
    two.note("from the second")
    interrupt(SqlReader, "first_seen", two.push)
    assert verdicts(one.push()) == ["accepted"]
    [profile] = profiles_at(first)
    assert notes_of(profile) == {"from the first", "from the second"}


def test_a_shopper_merged_away_while_a_note_about_her_is_under_way(
    first: Headquarters, second: Headquarters, interrupt: Interrupt
) -> None:
    """Her e-mail led to a profile that is gone when the lock is there: the note goes where it went."""
    one, two = make_journalist(first), at_second(second)
    one.push([note_by_email(one, "before")])
    two.push([two.note("by card")])
    enrolled = two.record("shopper_enrolled", {"loyalty_id": LOYALTY_ID, "email": EMAIL, "consents": []})
    interrupt(SqlReader, "profile_ids", lambda: two.push([enrolled]))
    assert verdicts(one.push([note_by_email(one, "under way")])) == ["accepted"]
    [profile] = profiles_at(first)
    assert notes_of(profile) == {"before", "by card", "under way"}


def test_one_new_address_given_to_two_shoppers_at_once(
    first: Headquarters, second: Headquarters, interrupt: Interrupt
) -> None:
    """It belongs to one of them, whoever was first by the rule and not by the race; the other pair waits for review."""
    one, two = make_journalist(first), at_second(second)
    other = "2900000000025"
    one.push([one.note("a")])
    two.push([two.note("b", loyalty_id=other)])
    added = {"identifier": {"type": "email", "value": EMAIL}}
    mine = one.record("identifier_added", {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, **added})
    theirs = two.record("identifier_added", {"shopper": {"type": "loyalty_id", "value": other}, **added})
    interrupt(SqlReader, "first_seen", lambda: two.push([theirs]))
    assert verdicts(one.push([mine])) == ["accepted"]
    with first.database.read() as reader:
        [holder] = reader.profile_ids([("email", EMAIL)]).values()
        [review] = reader.reviews(is_open=True)
    assert sorted(map(sorted, map(notes_of, profiles_at(first)))) == [["a"], ["b"]]
    assert len([profile for profile in profiles_at(first) if profile["id"] == holder]) == 1
    assert (review.why, review.b_value) == ("two_numbers", EMAIL) or (review.why, review.a_value) == (
        "two_numbers",
        EMAIL,
    )


def test_the_same_ops_of_a_clone_reach_both_processes_at_once(
    first: Headquarters, second: Headquarters, interrupt: Interrupt
) -> None:
    """Stored once; the later one hears `duplicate`, and nothing is parked for having met."""
    one, two = make_journalist(first), at_second(second)
    ops = [one.note("once"), one.note("and once")]
    interrupt(SqlReader, "known_facts", lambda: two.push(ops))
    assert verdicts(one.push()) == ["duplicate", "duplicate"]
    assert len(profiles_at(first)[0]["notes"]) == 2


def test_the_same_message_of_a_web_shop_reaches_both_processes_at_once(
    first: Headquarters, second: Headquarters, interrupt: Interrupt
) -> None:
    """Senders resend early: it counts once, and is no dead letter."""
    messages = [{"type": "track", "event": "Product Viewed", "userId": "c-1", "messageId": "m-1", "properties": {}}]
    interrupt(SqlReader, "known_facts", lambda: take_messages(second.database, second.clock, "shop", messages))
    taken = take_messages(first.database, first.clock, "shop", messages)
    assert (taken.accepted, taken.duplicate, taken.faulty) == (0, 1, 0)


def test_the_first_contact_of_an_install_at_both_processes_at_once(
    first: Headquarters, second: Headquarters, interrupt: Interrupt
) -> None:
    """One install, at 0, for both."""
    tablet = make_journalist(first)
    hello = {
        "proto": 1,
        "device_id": tablet.device.device_id,
        "install_id": first.make_id(),
        "app": "1.0.0",
        "epoch": None,
        "device_now": first.now_at(),
        "head_seq": 0,
        "acked_seq": 0,
        "chain": "0" * 64,
    }
    other: list[Any] = []
    at_the_other = partial(greet, second.database, second.clock, second.chance, tablet.device, hello)
    interrupt(SqlReader, "note", lambda: other.append(at_the_other()))
    assert greet(first.database, first.clock, first.chance, tablet.device, hello)["acked_seq"] == 0
    assert other[0]["acked_seq"] == 0


def test_a_row_the_database_refuses_is_parked_alone(
    hq: Headquarters, tablet: Journalist, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused by the engine itself, inside a savepoint, on either engine: its neighbours are accepted."""
    real = SqlWriter.add_facts

    def add_facts(self: SqlWriter, rows: Any, profile_of: Any) -> None:
        if any("poison" in row.body and row.verdict == "accepted" for row in rows):
            self._connection.exec_driver_sql("INSERT INTO note (name, value) VALUES ('x', NULL)")
        real(self, rows, profile_of)

    monkeypatch.setattr(SqlWriter, "add_facts", add_facts)
    for text in ("good", "poison", "good too"):
        tablet.note(text)
    assert verdicts(tablet.push()) == ["accepted", "parked:merge_failed", "accepted"]


def test_whoever_always_meets_others_is_told_to_wait() -> None:
    """A few tries, then 503 `busy` with a time to come back."""
    tries: list[int] = []

    @tried_again
    def meet() -> None:
        tries.append(1)
        raise Conflict

    with pytest.raises(Problem) as told:
        meet()
    assert len(tries) == TRIES_MAX
    assert (told.value.status, told.value.code, told.value.retry_after_s) == (503, "busy", 2)
