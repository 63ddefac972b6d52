"""The field catalogue agrees with the rest of the core: purposes, outcomes, events, fields."""

from __future__ import annotations

from typing import get_args

from shared.consent import Purpose
from shared.event_catalogue import CATALOGUE
from shared.lifecycle import STAGES
from shared.plays import catalogue, evaluate
from shared.plays.catalogue import EVENTS, FIELDS, ONLINE_EVENTS, OPERATORS, PROPERTIES, PURPOSES
from shared.plays.condition import Operator, Result, StageName
from shared.plays.playbook import AFTER_OUTCOME
from shared.wire.ops import OUTCOMES


def test_rules_know_the_purposes_outcomes_and_stages_of_the_core():
    """One list each, nowhere another."""
    assert set(PURPOSES) == {purpose.value for purpose in Purpose}
    assert set(AFTER_OUTCOME) == set(OUTCOMES)
    assert set(get_args(Result)) == {*OUTCOMES, "any"}
    assert set(get_args(StageName)) == set(STAGES)


def test_every_event_of_the_core_can_be_named_and_has_words():
    """A rule may name each known event; words are kept for known events only."""
    assert EVENTS.keys() == CATALOGUE.keys()
    assert catalogue._EVENT_WORDS.keys() <= CATALOGUE.keys()
    assert all(event.english and event.german for event in EVENTS.values())


def test_behaviour_needs_consent_and_service_does_not():
    """What a shopper looks at is theirs to share; orders, cases and appointments a chain must know."""
    assert {EVENTS[name].purpose for name in ONLINE_EVENTS} == {"personalise_in_store"}
    free = {"Order Completed", "Order Refunded", "Support Case Opened", "Appointment Booked", "Store Event Registered"}
    assert {EVENTS[name].purpose for name in free} == {None}
    assert {EVENTS[name].purpose for name in ("Store Entered", "Product Viewed", "Email Opened")} == {
        "personalise_in_store"
    }
    assert "Email Sent" not in ONLINE_EVENTS
    assert "Order Completed" not in ONLINE_EVENTS


def test_every_field_and_property_can_be_read_and_every_operator_evaluated():
    """No name in the catalogue that the evaluator does not know, and the other way round."""
    assert evaluate._FIELD_READERS.keys() == FIELDS.keys()
    assert evaluate._PROPERTY_READERS.keys() == PROPERTIES.keys()
    named = {operator for operators in OPERATORS.values() for operator in operators}
    assert named == set(get_args(Operator))
    assert set(evaluate._OPERATIONS) | {"exists", "missing", "within_next_days"} == named
