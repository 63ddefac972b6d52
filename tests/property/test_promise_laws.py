"""The laws of promises: whatever two tablets do and in whatever order HQ hears of it, everybody sees one state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.clock import seconds_at
from shared.fold import Fact, ProfileState, fold
from shared.projection import Reading, promises_of, promises_taken_back
from shared.promises import CHANGES, REQUESTS, STATES, Promise, lay_over
from shared.wire.messages import store_scope
from shared.wire.ops import Op

_BASE_S = 1_790_000_000
SHOPPER = {"type": "loyalty_id", "value": "2900000000015"}
REQUESTED: dict[str, dict[str, Any]] = {
    "follow_up_requested": {"what": "call", "due_at": seconds_at(_BASE_S), "channel": "phone", "assignee": "me"},
    "hold_requested": {"sku": "A", "quantity": 1, "until_on": "2026-11-25"},
    "appointment_booked": {"starts_at": seconds_at(_BASE_S), "minutes": 30, "topic": "boots"},
}
moments = st.integers(min_value=0, max_value=8).map(lambda step: seconds_at(_BASE_S + step * 3600))


@dataclass(frozen=True)
class Said:
    """One record of a tablet, and the record it needs to make sense."""

    op: Op
    needs: str | None

    def fact(self) -> Fact:
        op = self.op
        return Fact(op.op_id, op.occurred_at, op.kind, op.body, "berlin-1", op.associate_id, op.amends)


def _op(number: int, kind: str, at: str, body: dict[str, Any], amends: str | None = None) -> Op:
    scope, who = store_scope("berlin-1"), ("anna", "jonas")[number % 2]
    return Op(number, f"op{number:02d}", kind, 1, scope, who, at, amends, "", body)


@st.composite
def stories(draw: st.DrawFn) -> list[Said]:
    """Promises of every kind, changes of them (allowed or not), and undos of either, at any times, also equal ones."""
    kinds = draw(st.lists(st.sampled_from(sorted(REQUESTED)), min_size=1, max_size=3))
    made = [
        _op(n, kind, draw(moments), {"shopper": SHOPPER, **REQUESTED[kind], "text": f"no. {n}"})
        for n, kind in enumerate(kinds)
    ]
    said = [Said(op, None) for op in made]
    for number in range(len(made), len(made) + draw(st.integers(0, 7))):
        said.append(_later(draw, number, made, said))
    return said


def _later(draw: st.DrawFn, number: int, made: list[Op], said: list[Said]) -> Said:
    if draw(st.integers(0, 3)) == 0:
        target = draw(st.sampled_from([one.op.op_id for one in said if one.op.kind != "op_withdrawn"]))
        return Said(_op(number, "op_withdrawn", draw(moments), {"why": "undo"}, target), target)
    first = draw(st.sampled_from(made))
    kind = next(kind for kind, told in CHANGES.items() if told == REQUESTS[first.kind])
    told = {
        "state": draw(st.sampled_from([None, *STATES[REQUESTS[first.kind]]["open"], "never heard of"])),
        "due": draw(st.sampled_from([None, seconds_at(_BASE_S + 1)])),
    }
    told |= {"assignee": draw(st.sampled_from([None, "ben", "store"])), "reason": draw(st.sampled_from([None, "gone"]))}
    body = {"id": first.op_id, **{name: value for name, value in told.items() if value is not None}}
    return Said(_op(number, kind, draw(moments), body), first.op_id)


def at_hq(said: list[Said]) -> dict[str, Any]:
    """The documents HQ publishes of these records, by id."""
    state = fold(ProfileState(), [one.fact() for one in said])
    found = {f"{one.kind}/{one.op_id}": one.as_document() for one in promises_of(Reading(state))}
    assert found.keys().isdisjoint(document_id for document_id, _ in promises_taken_back(state))
    return found


def on_tablet(documents: dict[str, Any], own: list[Said]) -> dict[str, Any]:
    """What a tablet shows that holds these documents and has these records that HQ has not answered."""
    shown = {}
    for kind in STATES:
        known = [Promise.from_document(kind, told) for id_, told in documents.items() if id_.startswith(f"{kind}/")]
        for one in lay_over(kind, known, [said.op for said in own]):
            shown[f"{kind}/{one.op_id}"] = one.as_document()
    return shown


@given(stories(), st.randoms(use_true_random=False))
def test_hq_publishes_one_state_whatever_order_the_records_came_in(said: list[Said], shuffler: Any) -> None:
    """Changes and undos may arrive before what they change."""
    shuffled = list(said)
    shuffler.shuffle(shuffled)
    assert at_hq(shuffled) == at_hq(said)


@given(stories(), st.data())
def test_a_tablet_shows_before_the_sync_what_everybody_shows_after_it(said: list[Said], data: st.DataObject) -> None:
    """Any part of the records at HQ, the rest this tablet's own: laid over, they are the whole."""
    at_first = {one.op.op_id for one in said if data.draw(st.booleans())}
    heard: list[Said] = []
    for one in said:
        if one.op.op_id in at_first and (one.needs is None or any(one.needs == other.op.op_id for other in heard)):
            heard.append(one)
    own = [one for one in said if one not in heard]
    assert on_tablet(at_hq(heard), own) == at_hq(said)


@given(stories())
def test_what_the_feed_shows_already_changes_nothing(said: list[Said]) -> None:
    """Between HQ's answer and the next page an op is in the documents and still this tablet's own; afterwards it is in
    the documents alone, on both tablets."""
    published = at_hq(said)
    assert on_tablet(published, said) == published
    assert on_tablet(published, []) == published


def test_every_state_of_the_table_is_reached_and_stands_in_it() -> None:
    """No deed leads out of the table, and no state of it is unreachable."""
    for kind, states in STATES.items():
        reached = {"open"} | {state for deeds in states.values() for state in deeds.values()}
        assert reached == set(states), kind
