"""Properties of the sync engine under any history: whatever HQ, the network and the tablet's own disk do."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from associate_app.sync import steps
from associate_app.sync.engine import PROBLEM_RULES, TRANSITIONS, advance, begin
from associate_app.sync.state import PUSH, REQUESTS_A_ROUND_MAX, EngineState, is_closed
from shared.wire.messages import Check, SnapshotEnd, SnapshotHeader
from shared.wire.problems import PROBLEMS
from tests.support.engine import (
    CHAIN,
    DEVICE,
    EPOCH,
    INSTALL,
    PUBLIC,
    SCOPES,
    hello_reply,
    page,
    push_reply,
    receipt,
    replica,
)

REQUESTS = (steps.SayHello, steps.PushOps, steps.PullPage, steps.OpenSnapshot)
RECEIVING = (steps.PullPage, steps.OpenSnapshot)
CODES = [*PROBLEM_RULES, *(set(PROBLEMS) - set(PROBLEM_RULES)), "teapot"]
CHOICES = st.integers(0, 99)


class World:
    """Answers every action with some event, drawn; keeps what was asked and settled."""

    def __init__(self, draw: Any, *, kindness: int) -> None:
        self.draw = draw
        self.kindness = kindness
        """Out of 100, how often things go well."""
        self.now_s = 0.0
        self.acked_seq = 0
        self.state: EngineState
        self.action: steps.Action
        self.state, self.action = begin("1.0.0")

    def chance(self, percent: int) -> bool:
        return bool(self.draw(CHOICES) < percent)

    def moment(self) -> steps.Moment:
        return steps.Moment(self.now_s, self.draw(st.floats(0, 1, exclude_max=True)), self.chance(50))

    def answer(self) -> steps.Event:
        """An event the present action can bring."""
        if isinstance(self.action, steps.Sleep):
            self.now_s += self.action.seconds
            return steps.Woke(self.moment(), self.draw(st.sampled_from(["timer", "record", "doorbell", "asked"])))
        if not self.chance(self.kindness):
            return self.failure()
        return getattr(self, f"on_{self.state.phase}")(self.action)

    def failure(self) -> steps.Event:
        """What can go wrong with the present action."""
        kinds: list[type[steps.Event]] = [
            event
            for phase, event in TRANSITIONS
            if phase == self.state.phase and event in (steps.NoAnswer, steps.ProblemCame, steps.DiskFull, steps.Broke)
        ]
        kind = self.draw(st.sampled_from(sorted(kinds, key=lambda event: event.__name__)))
        batch = self.batch() if isinstance(self.action, steps.PushOps) else None
        if kind is steps.ProblemCame:
            code = self.draw(st.sampled_from(CODES))
            status = PROBLEMS[code].status if code in PROBLEMS else 418
            return steps.ProblemCame(self.moment(), code, status, self.draw(st.none() | st.integers(0, 99)), batch)
        return steps.NoAnswer(self.moment(), batch=batch) if kind is steps.NoAnswer else kind(self.moment())

    def batch(self) -> steps.Batch:
        assert isinstance(self.action, steps.PushOps)
        count = self.draw(st.integers(1, max(1, self.action.max_ops)))
        return steps.Batch("batch", self.acked_seq + 1, self.acked_seq + count)

    def on_look(self, _: Any) -> steps.Event:
        device = DEVICE if self.chance(90) else self.draw(st.sampled_from([None, "device-2"]))
        return steps.Looked(self.moment(), device, SCOPES, 0.0, self.chance(10), self.chance(3))

    def on_wipe(self, _: Any) -> steps.Event:
        return steps.Wiped(self.moment())

    def on_hello(self, _: Any) -> steps.Event:
        reply = hello_reply(
            acked_seq=self.draw(st.integers(0, 25)),
            chain=CHAIN if self.chance(80) else "d" * 64,
            epoch=EPOCH if self.chance(80) else "another",
            scopes=list(SCOPES) if self.chance(80) else ["all"],
            min_app="0" if self.chance(90) else "2.0",
            next_poll_s=self.draw(st.integers(-5, 10**6)),
        )
        own = steps.OwnJournal(INSTALL, 20, self.draw(st.integers(0, 20)), CHAIN if self.chance(90) else None)
        stored = self.draw(st.sampled_from([None, EPOCH, "another"]))
        return steps.Greeted(self.moment(), reply, DEVICE, own, stored, SCOPES)

    def on_adopt(self, _: Any) -> steps.Event:
        return steps.Adopted(self.moment(), self.chance(90))

    def on_fork(self, _: Any) -> steps.Event:
        return steps.Restarted(self.moment())

    def on_purge(self, _: Any) -> steps.Event:
        return steps.Purged(self.moment())

    def on_push(self, _: Any) -> steps.Event:
        if self.chance(5):
            return steps.NothingToSend(self.moment())
        batch = self.batch()
        changed: dict[str, Any] = self.draw(
            st.sampled_from(
                [
                    {},
                    {},
                    {},
                    {"batch_id": "x"},
                    {"results": []},
                    {"epoch": "another"},
                    {"receipt": receipt(batch.last_seq, epoch="another")},
                    {"receipt": receipt(batch.last_seq - 1)},
                    {"receipt": receipt(batch.last_seq) | {"through_seq": batch.last_seq + 1}},
                ]
            )
        )
        chain = CHAIN if self.chance(90) else None
        key = PUBLIC if self.chance(90) else b"\x05" * 32
        reply = push_reply(batch, **changed)
        return steps.Pushed(self.moment(), batch, reply, INSTALL, chain, key, self.chance(50))

    def on_settle(self, action: Any) -> steps.Event:
        self.acked_seq = max(result.seq for result in action.reply.results)
        return steps.Settled(self.moment(), self.acked_seq)

    def on_withhold(self, _: Any) -> steps.Event:
        return steps.Withheld(self.moment())

    def on_recompute(self, _: Any) -> steps.Event:
        return steps.Recomputed(self.moment())

    def on_pull(self, action: Any) -> steps.Event:
        if self.chance(10):
            return steps.NoCursor(self.moment())
        cursor = self.draw(st.sampled_from(["cursor", "before"]))
        return steps.Paged(self.moment(), cursor, self.some_page(action.scope))

    def some_page(self, scope: str) -> Any:
        more = self.chance(50)
        check = Check(at=7, count=3 if self.chance(70) else 4, sum="0" * 16)
        has_check = not more and self.chance(95)
        epoch = EPOCH if self.chance(95) else "another"
        return page(scope, more=more, check=check if has_check else None, epoch=epoch)

    def on_apply(self, action: Any) -> steps.Event:
        return steps.Applied(self.moment(), action.page, replica(action.scope))

    def on_open(self, action: Any) -> steps.Event:
        scope = action.scope if self.chance(95) else "another"
        epoch = EPOCH if self.chance(95) else "another"
        fields = {"epoch": epoch, "scope": scope, "as_of": 7, "schema": 1, "count": 5}
        as_of_held = self.draw(st.sampled_from([None, 7, 8]))
        return steps.SnapshotOpened(self.moment(), SnapshotHeader.model_validate(fields), 0, as_of_held)

    def on_load(self, _: Any) -> steps.Event:
        end = SnapshotEnd(end=True, count=5, sum="0" * 16, next="cursor") if self.chance(50) else None
        return steps.LinesLoaded(self.moment(), self.draw(st.integers(1, 6)), end)

    def on_swap(self, action: Any) -> steps.Event:
        return steps.Swapped(self.moment(), replica(action.scope))

    def on_finish(self, _: Any) -> steps.Event:
        return steps.Finished(self.moment())


@given(st.data(), st.integers(20, 100), st.integers(10, 100))
@settings(max_examples=60)
def test_a_pull_never_goes_out_while_ops_could_be_pushed(data, kindness, length):
    """Push always before pull: when pages are asked for, nothing waits, or the push lane is closed for a while."""
    world = World(data.draw, kindness=kindness)
    for _ in range(length):
        event = world.answer()
        world.state, world.action = advance(world.state, event)
        if isinstance(world.action, RECEIVING) and event.moment.has_pending:
            assert is_closed(world.state, PUSH, event.moment)


@given(st.data(), st.integers(20, 100), st.integers(10, 100))
@settings(max_examples=60)
def test_nothing_is_settled_without_a_whole_signed_reply_over_the_own_chain(data, kindness, length):
    """Whatever comes, a verdict is written only for a batch's whole reply with a receipt that checks out."""
    world = World(data.draw, kindness=kindness)
    for _ in range(length):
        event = world.answer()
        world.state, world.action = advance(world.state, event)
        if isinstance(world.action, steps.Settle):
            assert isinstance(event, steps.Pushed)
            reply = world.action.reply
            assert reply is event.reply
            assert [result.seq for result in reply.results] == list(
                range(event.batch.first_seq, event.batch.last_seq + 1)
            )
            assert (reply.batch_id, reply.epoch, reply.receipt.epoch) == (event.batch.batch_id, EPOCH, EPOCH)
            assert event.own_chain == reply.receipt.chain
            assert event.receipt_key == PUBLIC


@given(st.data(), st.integers(0, 100))
@settings(max_examples=50)
def test_requests_between_two_sleeps_are_bounded_and_every_sleep_is_a_positive_time(data, kindness):
    """No tight loop: a round asks a bounded number of times, and its sleep is finite and not in the past."""
    world = World(data.draw, kindness=kindness)
    asked = 0
    for _ in range(150):
        event = world.answer()
        world.state, world.action = advance(world.state, event)
        asked += isinstance(world.action, REQUESTS)
        if isinstance(world.action, steps.Sleep):
            assert 0 < world.action.seconds <= 3600
            asked = 0
        assert asked <= REQUESTS_A_ROUND_MAX


@given(st.sampled_from(CODES), st.sampled_from(["hello", "push", "pull", "open"]), st.booleans())
def test_one_and_the_same_refusal_again_and_again_sleeps_after_a_few_requests(code, place, has_pending):
    """At one place, always the same problem: few requests, then a sleep."""
    state, action = begin("1.0.0")
    moment = steps.Moment(0.0, 0.0, has_pending)
    asked = 0
    for _ in range(400):
        if isinstance(action, steps.Sleep):
            assert asked <= 4 * (len(SCOPES) + 2)
            asked, moment = 0, steps.Moment(moment.now_s + action.seconds, 0.0, has_pending)
        asked += isinstance(action, REQUESTS)
        state, action = advance(state, _refuse_at(state, action, moment, code, place))


def _refuse_at(state: EngineState, action: steps.Action, moment: steps.Moment, code: str, place: str) -> steps.Event:
    status = PROBLEMS[code].status if code in PROBLEMS else 418
    batch = steps.Batch("batch", 1, 2)
    if state.phase == place:
        return steps.ProblemCame(moment, code, status, None, batch if place == "push" else None)
    scope = getattr(action, "scope", "")
    fields = {"epoch": EPOCH, "scope": scope, "as_of": 7, "schema": 1, "count": 5}
    own = steps.OwnJournal(INSTALL, 20, 0, None)
    end = SnapshotEnd(end=True, count=5, sum="0" * 16, next="cursor")
    events: dict[str, steps.Event] = {
        "rest": steps.Woke(moment, "timer"),
        "look": steps.Looked(moment, DEVICE, SCOPES),
        "wipe": steps.Wiped(moment),
        "hello": steps.Greeted(moment, hello_reply(), DEVICE, own, EPOCH, SCOPES),
        "adopt": steps.Adopted(moment),
        "fork": steps.Restarted(moment),
        "purge": steps.Purged(moment),
        "push": steps.Pushed(moment, batch, push_reply(batch), INSTALL, CHAIN, PUBLIC, True),
        "settle": steps.Settled(moment, 2),
        "withhold": steps.Withheld(moment),
        "recompute": steps.Recomputed(moment),
        "pull": steps.NoCursor(moment) if place == "open" else steps.Paged(moment, "before", page(scope)),
        "apply": steps.Applied(moment, page(scope), replica(scope)),
        "open": steps.SnapshotOpened(moment, SnapshotHeader.model_validate(fields), 0),
        "load": steps.LinesLoaded(moment, 5, end),
        "swap": steps.Swapped(moment, replica(scope)),
        "finish": steps.Finished(moment),
    }
    return events[state.phase]


@given(st.data(), st.integers(0, 60), st.integers(20, 80))
@settings(max_examples=50)
def test_after_any_trouble_a_kind_world_completes_a_round(data, kindness, length):
    """Liveness: whatever happened before, once everything goes well a round completes in bounded time."""
    world = World(data.draw, kindness=kindness)
    for _ in range(length):
        world.state, world.action = advance(world.state, world.answer())
    began_s = world.now_s
    for _ in range(300):
        moment = steps.Moment(world.now_s, 0.5, False)
        if isinstance(world.action, steps.Sleep):
            world.now_s += world.action.seconds
            moment = steps.Moment(world.now_s, 0.5, False)
        world.state, world.action = advance(world.state, _refuse_at(world.state, world.action, moment, "", ""))
        if world.state.is_complete and world.state.phase == "rest":
            break
    assert world.state.is_complete
    assert world.now_s - began_s <= 2 * 3600 + 300


@given(st.data(), st.integers(0, 100), st.integers(10, 100))
@settings(max_examples=50)
def test_every_step_is_a_row_of_the_table(data, kindness, length):
    """What happens is what PROTOCOL.md draws: each phase leads only where its row says."""
    world = World(data.draw, kindness=kindness)
    for _ in range(length):
        before, event = world.state.phase, world.answer()
        world.state, world.action = advance(world.state, event)
        assert world.state.phase in TRANSITIONS[before, type(event)].then
