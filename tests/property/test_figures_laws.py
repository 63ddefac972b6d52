"""Laws of a store's figures: neither order nor repetition counts, undone is uncounted, and nothing is counted twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.plays.figures import (
    Figures,
    add_revenue,
    by_play,
    count_moments,
    figures_of,
    moments_of,
    not_counted,
    rows_of,
)
from shared.wire.ops import OUTCOMES, Op

PLAYS = st.sampled_from(["greet", "cart"])
ARMS = st.sampled_from(["shown", "would_show"])


def op_of(number: int, kind: str, body: dict[str, Any], amends: str | None = None) -> Op:
    """The op recorded at hour `number`."""
    at = f"2026-11-{20 + number // 24:02}T{number % 24:02}:00:00.000Z"
    return Op(number + 1, f"op-{number:02}", kind, 1, "store:berlin-1", "a0001", at, amends, "", body)


@st.composite
def journals(draw: st.DrawFn) -> list[Op]:
    """What a tablet records: showings, outcomes, corrections of outcomes, and undo of anything."""
    ops: list[Op] = []
    for number in range(draw(st.integers(0, 12))):
        firsts = [op for op in ops if op.kind != "op_withdrawn" and op.amends is None]
        kind = draw(st.sampled_from(["impression_recorded", "outcome_recorded", "correction", "op_withdrawn"]))
        outcome = {"play_id": draw(PLAYS), "arm": draw(ARMS), "outcome": draw(st.sampled_from(OUTCOMES))}
        if kind == "impression_recorded":
            shown = [{"play_id": play_id, "arm": draw(ARMS)} for play_id in draw(st.sets(PLAYS))]
            ops.append(op_of(number, kind, {"shown": shown}))
        elif kind == "outcome_recorded" or not firsts:
            showings = [op.op_id for op in firsts if op.kind == "impression_recorded"]
            named = {"impression_op_id": draw(st.sampled_from([None, *showings]))}
            ops.append(op_of(number, "outcome_recorded", {**outcome, **named}))
        else:
            target = draw(st.sampled_from(firsts))
            if kind == "op_withdrawn":
                ops.append(op_of(number, kind, {"why": "undo"}, target.op_id))
            elif target.kind == "outcome_recorded":
                ops.append(op_of(number, target.kind, {**target.body, "outcome": outcome["outcome"]}, target.op_id))
    return ops


def figures(ops: list[Op]) -> Figures:
    """The figures of ops by UTC days."""
    return count_moments(moments_of(ops), lambda at: at[:10])


@given(ops=journals(), data=st.data())
def test_neither_order_nor_repetition_counts(ops: list[Op], data: st.DataObject) -> None:
    """A set of facts has one count."""
    repeated = data.draw(st.permutations(ops + ops[: len(ops) // 2]))
    assert figures(list(repeated)) == figures(ops)


@given(ops=journals())
def test_what_is_undone_counts_nothing(ops: list[Op]) -> None:
    """With all undone nothing is left, and one undo is as if the op had never been."""
    firsts = [op for op in ops if op.kind != "op_withdrawn" and op.amends is None]
    undone = [op_of(40 + place, "op_withdrawn", {"why": "undo"}, op.op_id) for place, op in enumerate(firsts)]
    assert +figures(ops + undone) == Counter()
    for op, undo in zip(firsts, undone, strict=True):
        without = [one for one in ops if op.op_id not in (one.op_id, one.amends)]
        assert +figures([*ops, undo]) == +figures(without)


@given(ops=journals(), data=st.data())
def test_hq_s_figures_and_the_rest_of_a_journal_are_all_of_it(ops: list[Op], data: st.DataObject) -> None:
    """Whatever part HQ had counted, also when it had counted what was taken back since."""
    known = data.draw(st.sets(st.sampled_from([op.op_id for op in ops]))) if ops else set()
    counted = figures([op for op in ops if op.op_id in known])
    counted.update(not_counted([(op, op.op_id in known) for op in ops], lambda at: at[:10]))
    assert +counted == +figures(ops)
    assert all(n >= 0 for n in counted.values())


@given(ops=journals())
def test_rows_tell_the_same_and_bought_is_a_part_of_used(ops: list[Op]) -> None:
    """A document holds the figures whole; days from one on add up."""
    counted = figures(ops)
    rows = rows_of(counted)
    assert +figures_of(rows) == +counted
    assert rows == sorted(rows, key=lambda row: (row.on, row.play_id))
    assert all(row.bought <= row.used for row in rows)
    for play_id, found in by_play(counted, "2026-11-20").items():
        assert found["shown"] == sum(row.shown for row in rows if row.play_id == play_id)


def test_two_outcomes_of_one_showing_are_one_use() -> None:
    """A card opened again within its visit: interested first, bought later, shown once."""
    shown = op_of(23, "impression_recorded", {"shown": [{"play_id": "cart", "arm": "shown"}]})
    came = {"play_id": "cart", "arm": "shown", "impression_op_id": shown.op_id}
    first = op_of(23, "outcome_recorded", {**came, "outcome": "interested"})
    later = op_of(24, "outcome_recorded", {**came, "outcome": "bought"})
    first = replace(first, op_id="op-x")
    told = by_play(figures([shown, first, later]), "2026-11-20")["cart"]
    assert (told["shown"], told["used"], told["bought"]) == (1, 1, 1)
    assert figures([first, later])["2026-11-20", "cart", "used"] == 1, "on the day of the first"


@given(
    totals=st.dictionaries(
        st.tuples(st.sampled_from(["2026-11-21", "2026-11-22"]), st.sampled_from(["EUR", "CHF"])), st.integers(0, 10**9)
    )
)
def test_money_is_never_added_across_currencies(totals: dict[tuple[str, str], int]) -> None:
    """Each currency's total is the sum of its own amounts."""
    added = add_revenue(totals, "2026-11-21")
    assert added.keys() == {currency for _, currency in totals}
    for currency, minor in added.items():
        assert minor == sum(amount for (_, other), amount in totals.items() if other == currency)
