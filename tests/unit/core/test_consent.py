"""Consent: which decision is in force, for one person and after a merge."""

from __future__ import annotations

from itertools import permutations

import pytest

from shared.consent import (
    ConsentDecision,
    Decision,
    Method,
    Purpose,
    consent_after_merge,
    is_granted,
    latest_decisions,
    may_grant,
    merge_decisions,
)
from shared.errors import Malformed
from shared.profile import ConsentState


def said(decision, day, purpose="email", **proof):
    """A decision of a day in November."""
    return ConsentDecision(Purpose(purpose), Decision(decision), f"2026-11-{day:02d}T10:00:00.000Z", **proof)


def in_force(*decisions):
    """The one purpose's decision in force."""
    return latest_decisions(decisions)["email"].decision


def test_the_latest_decision_counts_in_any_order():
    """A withdrawal ends a grant, a new grant ends a withdrawal, whatever arrives first."""
    story = [said("granted", 1), said("denied", 2), said("granted", 3)]
    assert {in_force(*order) for order in permutations(story)} == {"granted"}
    assert {in_force(*order) for order in permutations(story[:2])} == {"denied"}


def test_a_tie_denies():
    """Two decisions of one instant: the more restrictive one."""
    assert in_force(said("granted", 1), said("denied", 1)) == "denied"
    assert in_force(said("denied", 1), said("granted", 1)) == "denied"


def test_purposes_are_decided_apart():
    """Saying no to e-mail says nothing about the shop floor."""
    decided = latest_decisions([said("denied", 1), said("granted", 1, "personalise_in_store")])
    assert not is_granted(decided, Purpose.EMAIL)
    assert is_granted(decided, "personalise_in_store")


def test_missing_is_not_granted():
    """Silence is never consent."""
    assert not is_granted({}, Purpose.PROFILING)


def test_the_profile_s_own_state_answers_too():
    """The tablet asks the document it holds."""
    assert is_granted({"sms": ConsentState(decision="granted", at="2026-11-01T10:00:00.000Z")}, "sms")


def test_two_views_of_one_person_merge_to_the_latest():
    """Partial views are no merge of profiles: nothing becomes more restrictive by it."""
    left, right = latest_decisions([said("denied", 1)]), latest_decisions([said("granted", 2)])
    assert is_granted(merge_decisions(left, right), "email")


def test_a_merge_with_a_denied_profile_denies_until_a_new_decision():
    """Most restrictive wins, even against a newer grant of the other profile; only a still newer one lifts it."""
    parts = [latest_decisions([said("granted", 9)]), latest_decisions([said("denied", 3)])]
    joined = consent_after_merge(parts)
    assert not is_granted(joined, "email")
    assert not is_granted(merge_decisions(joined, latest_decisions([said("granted", 9)])), "email")
    assert is_granted(merge_decisions(joined, latest_decisions([said("granted", 10)])), "email")


def test_a_merge_does_not_depend_on_the_order_of_its_parts():
    """The proof that is shown is the same one too."""
    parts = [
        latest_decisions([said("granted", 9, wording_version="2")]),
        latest_decisions([said("denied", 3, wording_version="1")]),
        latest_decisions([said("denied", 5, wording_version="1")]),
    ]
    answers = [consent_after_merge(order) for order in permutations(parts)]
    assert all(answer == answers[0] for answer in answers)


def test_silence_on_one_side_of_a_merge_is_no_denial():
    """Who never asked cannot take back what the other profile granted."""
    assert is_granted(consent_after_merge([latest_decisions([said("granted", 2)]), {}]), "email")


def test_an_associate_alone_cannot_grant():
    """Spoken consent is no consent; the shopper's tap, paper, an import and the web are."""
    assert not may_grant(Method.SPOKEN)
    assert not may_grant(None)
    assert all(may_grant(method) for method in ("shopper_tapped", "paper", "import", "web"))


def test_a_decision_survives_its_body():
    """With all its proof, and absent parts left out."""
    full = said(
        "granted", 1, wording_version="3", language="de", wording_sha="ab", method=Method.PAPER, store="berlin-1"
    )
    assert ConsentDecision.from_body(full.to_body()) == full
    assert set(said("denied", 1).to_body()) == {"purpose", "decision", "at"}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"purpose": "fun", "decision": "granted", "at": "2026-11-01T10:00:00.000Z"},
        {"purpose": "email", "decision": "maybe", "at": "2026-11-01T10:00:00.000Z"},
        {"purpose": "email", "decision": "granted", "at": "yesterday"},
        {"purpose": "email", "decision": "granted", "at": 7},
        {"purpose": "email", "decision": "granted", "at": "2026-11-01T10:00:00.000Z", "store": 7},
    ],
)
def test_a_body_that_is_no_decision_is_malformed(wrong):
    """A proof is read strictly."""
    with pytest.raises(Malformed):
        ConsentDecision.from_body(wrong)
