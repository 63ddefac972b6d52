"""Promises: what may become of them, and how a tablet's own changes show on the shopper's card before HQ has them."""

from __future__ import annotations

from typing import Any

import pytest

from shared.overlay import overlay
from shared.promises import Change, Promise
from shared.wire.ops import Op

AT = "2026-11-22T10:00:00.000Z"
SHOPPER = {"type": "loyalty_id", "value": "2900000000015"}
CALL = {"shopper": SHOPPER, "what": "call", "due_at": AT, "channel": "phone", "assignee": "me"}


def promise(*changes: Change) -> Promise:
    """A call that Anna promised, with changes."""
    return Promise("follow_up", "op1", AT, "berlin-1", "anna", CALL, changes)


def op(number: int, kind: str, body: dict[str, Any], amends: str | None = None) -> Op:
    """An op of this tablet."""
    return Op(number, f"op{number}", kind, 1, "store:berlin-1", "anna", AT, amends, "", body)


def change(number: int, hour: int, **told: Any) -> Change:
    """A change at an hour."""
    return Change.of(f"op{number}", f"2026-11-22T{hour}:00:00.000Z", told)


def test_a_follow_up_is_the_one_s_who_promised_it_until_it_is_handed_over():
    """*Me* means somebody else on another tablet; the store's belongs to nobody in particular."""
    assert promise().standing.owner == "anna"
    assert promise(change(2, 11, assignee="jonas")).standing.owner == "jonas"
    assert promise(change(2, 11, assignee="store")).standing.owner == "store"


def test_the_earlier_end_stands_and_nothing_comes_after_it():
    """Done at eleven and dropped or moved at twelve is done, whichever was heard first."""
    done, dropped = change(2, 11, state="done"), change(3, 12, state="dropped", reason="moved away")
    moved = change(4, 13, due="2026-11-28T09:00:00.000Z")
    standing = promise(moved, dropped, done).standing
    assert (standing.state, standing.due, standing.reason) == ("done", AT, None)
    assert promise(dropped).standing.reason == "moved away"
    assert promise(moved).standing.due == "2026-11-28T09:00:00.000Z"


@pytest.mark.parametrize("state", ["sold", "open", "polished"])
def test_what_the_table_does_not_know_changes_nothing(state):
    """A hold's word, a state that is no deed, a newer app's word."""
    assert promise(change(2, 11, state=state)).standing == promise().standing


def test_own_changes_show_on_the_card_at_once_and_an_undo_takes_them_back():
    """Requested, moved, handed over, done; the line of another tablet's follow-up alike."""
    theirs = {"op_id": "op0", "what": "visit", "due_at": AT, "state": "open", "assignee": "ben"}
    document = {"id": "p", "follow_ups": [theirs]}
    ops = [
        op(1, "follow_up_requested", CALL),
        op(2, "follow_up_changed", {"id": "op1", "due": "2026-11-28T09:00:00.000Z"}),
        op(3, "follow_up_changed", {"id": "op0", "assignee": "anna"}),
    ]
    first, second = overlay(document, ops)["follow_ups"]
    assert (first["op_id"], first["assignee"]) == ("op0", "anna")
    assert (second["op_id"], second["assignee"], second["due_at"]) == ("op1", "anna", "2026-11-28T09:00:00.000Z")
    ops.append(op(4, "follow_up_changed", {"id": "op0", "state": "done"}))
    assert [line["op_id"] for line in overlay(document, ops)["follow_ups"]] == ["op1"]
    ops.append(op(5, "op_withdrawn", {"why": "undo"}, "op4"))
    assert [line["op_id"] for line in overlay(document, ops)["follow_ups"]] == ["op0", "op1"]
    assert document["follow_ups"] == [theirs]
