"""The verdict of a chaos run can go red: each way to lose or double something is seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.chaos.verdict import AtHq, Truth, judge

TRUTH = Truth(saved={"a", "b", "c"}, undos={"u": "b"}, maybe_undone=set(), tokens={"one", "two", "three"})
DOCUMENTS = {"profile/1": "{}"}


def at_hq() -> AtHq:
    """HQ as it must be: everything accepted, the undone one gone from the profiles, the others there once."""
    facts = dict.fromkeys(("a", "b", "c", "u"), "accepted")
    return AtHq(facts, Counter({"a": 1, "c": 1}), Counter({"one": 1, "three": 1}), dict(DOCUMENTS))


def test_all_there_once_is_good():
    """Four shown as saved, four at HQ."""
    found = judge(TRUTH, at_hq(), dict(DOCUMENTS))
    assert (found.recorded, found.at_hq, found.lost, found.doubled, found.is_good) == (4, 4, 0, 0, True)


@pytest.mark.parametrize(
    ("change", "lost", "doubled"),
    [
        ({"facts": {"a": "accepted", "b": "accepted", "u": "accepted"}}, 1, 0),
        ({"facts": {**at_hq().facts, "c": "parked"}}, 1, 0),
        ({"seen": Counter({"a": 1})}, 1, 0),
        ({"seen": Counter({"a": 2, "c": 1})}, 0, 1),
        ({"seen": Counter({"a": 1, "b": 1, "c": 1})}, 0, 1),
        ({"texts": Counter({"one": 2})}, 0, 1),
        ({"documents": {"profile/1": "{1}"}}, 1, 0),
    ],
    ids=[
        "never came",
        "parked",
        "in no profile",
        "there twice",
        "undone and back",
        "text twice",
        "other on the tablet",
    ],
)
def test_each_loss_and_each_double_is_seen(change, lost, doubled):
    """And named in the examples."""
    found = judge(TRUTH, replace(at_hq(), **change), dict(DOCUMENTS))
    assert (found.lost, found.doubled, found.is_good) == (lost, doubled, False)
    assert found.examples


def test_a_run_in_which_nothing_was_recorded_is_no_proof():
    """Nothing at stake, nothing shown."""
    assert not judge(Truth(), AtHq({}, Counter(), Counter(), {}), {}).is_good
