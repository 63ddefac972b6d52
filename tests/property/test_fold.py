"""The laws of the fold: any order, any grouping, rebuilt or incremental, the profile is the same.

It takes distinct facts: that one which comes again is none is the ledger's law (tests/contract, invariant I5).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.clock import format_at, seconds_at
from shared.fold import EVENT, Fact, ProfileState, fold
from shared.projection import Reading, StoreView, project, slice_reasons

_BASE_S = 1_790_000_000
_SKUS = ("a1", "a2", "a3")
_PLAYS = ("p1", "p2")
_STORES = ("berlin-1", "zurich-1")
SHOPPER = {"type": "loyalty_id", "value": "2900000000015"}

moments = st.integers(min_value=0, max_value=40).map(lambda step: seconds_at(_BASE_S + step * 3600))


def _ops() -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    outcome = st.fixed_dictionaries(
        {
            "shopper": st.just(SHOPPER),
            "play_id": st.sampled_from(_PLAYS),
            "play_version": st.just(1),
            "outcome": st.sampled_from(("bought", "not_today")),
            "arm": st.just("shown"),
            "rule_pack": st.just("r"),
        }
    )
    consent = st.fixed_dictionaries(
        {
            "purpose": st.sampled_from(("personalise_in_store", "email")),
            "decision": st.sampled_from(("granted", "denied")),
            "method": st.sampled_from(("shopper_tapped", "spoken")),
        }
    )
    shown = st.fixed_dictionaries(
        {"play_id": st.sampled_from(_PLAYS), "play_version": st.just(1), "arm": st.just("shown"), "rank": st.just(1)}
    )
    impression = st.fixed_dictionaries(
        {
            "shopper": st.just(SHOPPER),
            "shown": st.lists(shown, max_size=2),
            "rule_pack": st.just("r"),
            "profile_s": st.just(1),
        }
    )
    return st.one_of(
        st.tuples(st.just("outcome_recorded"), outcome),
        st.tuples(st.just("impression_recorded"), impression),
        st.tuples(st.just("note_added"), st.fixed_dictionaries({"text": st.sampled_from(("wool", "size M"))})),
        st.tuples(st.just("shopper_opened"), st.just({"shopper": SHOPPER, "how": "card"})),
        st.tuples(st.just("consent_changed"), st.fixed_dictionaries({"consent": consent})),
        st.tuples(st.just("op_withdrawn"), st.just({"why": "undo"})),
    )


def _events() -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    line = st.fixed_dictionaries(
        {"sku": st.sampled_from(_SKUS), "price_minor": st.integers(100, 900), "quantity": st.integers(1, 3)}
    )
    order = st.fixed_dictionaries(
        {
            "order_id": st.sampled_from(("o1", "o2")),
            "currency": st.sampled_from(("EUR", "CHF")),
            "revenue_minor": st.integers(0, 9000),
            "lines": st.lists(line, max_size=2),
        }
    )
    names = st.sampled_from(("Product Added", "Product Removed", "Product Viewed", "Product Added to Wishlist"))
    browsed = st.builds(
        lambda name, part: {"kind": "track", "channel": "web", "name": name, **part, "currency": "EUR"}, names, line
    )
    ordered = st.builds(
        lambda name, part, store: {"kind": "track", "channel": "pos", "name": name, "order": part, "store": store},
        st.sampled_from(("Order Completed", "Order Refunded", "Order Cancelled", "Order Updated")),
        order,
        st.sampled_from(_STORES),
    )
    told = st.builds(
        lambda tier: {"kind": "identify", "channel": "pos", "traits": {"tier": tier, "given_name": tier}},
        st.sampled_from(("Gold", "Silver")),
    )
    return st.one_of(browsed, ordered, told).map(lambda body: (EVENT, body))


@st.composite
def fact_sets(draw: st.DrawFn) -> list[Fact]:
    """Distinct facts; corrections and withdrawals name any op of the set, also one that comes later or never."""
    kinds = draw(st.lists(st.one_of(_ops(), _events()), min_size=1, max_size=14))
    ids = [f"f{number:02d}" for number in range(len(kinds))]
    facts = []
    for fact_id, (kind, body) in zip(ids, kinds, strict=True):
        is_amending = kind == "op_withdrawn" or (kind in ("outcome_recorded", "note_added") and draw(st.booleans()))
        amends = draw(st.sampled_from([*ids, "never"])) if is_amending else None
        at, store = draw(moments), draw(st.sampled_from(_STORES))
        facts.append(Fact(fact_id, at, kind, body, store, "anna", amends, (("loyalty_id", "29"),)))
    return facts


def _document(state: ProfileState) -> dict[str, Any]:
    return project(Reading(state), "profile", StoreView(), ["home"])


@given(fact_sets(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_never_matters(facts: list[Fact], shuffler: Any) -> None:
    """Folding any permutation of a set of facts gives the same state and the same document."""
    shuffled = list(facts)
    shuffler.shuffle(shuffled)
    straight, mixed = fold(ProfileState(), facts), fold(ProfileState(), shuffled)
    assert straight == mixed
    assert _document(straight) == _document(mixed)


@given(fact_sets(), st.integers(min_value=0, max_value=14))
def test_folding_in_two_parts_with_a_stop_between_is_folding_at_once(facts: list[Fact], cut: int) -> None:
    """Incremental == rebuild, also when the state went to the database and back between the parts."""
    first = fold(ProfileState(), facts[:cut])
    stored = json.loads(json.dumps(first.as_json()))
    assert fold(ProfileState.from_json(stored), facts[cut:]) == fold(ProfileState(), facts)


@given(fact_sets(), fact_sets(), st.integers(min_value=0, max_value=14))
def test_batches_commute_and_associate(left: list[Fact], right: list[Fact], cut: int) -> None:
    """A then B is B then A; (A then B) then C is A then (B then C), each part folded into what was stored before."""
    named = [replace(fact, id=f"g{fact.id}", amends=fact.amends and f"g{fact.amends}") for fact in right]
    first, second = named[:cut], named[cut:]
    assert fold(fold(ProfileState(), left), named) == fold(fold(ProfileState(), named), left)
    assert fold(fold(fold(ProfileState(), left), first), second) == fold(fold(ProfileState(), left), [*first, *second])


@given(fact_sets())
def test_a_document_is_plain_json_without_floats_and_shows_each_record_once(facts: list[Fact]) -> None:
    """Each outcome and note appears exactly once; nothing in the document is a float or None."""
    document = _document(fold(ProfileState(), facts))
    for listed in ("outcomes", "notes"):
        op_ids = [line["op_id"] for line in document[listed]]
        assert len(op_ids) == len(set(op_ids))
    assert json.loads(json.dumps(document)) == document
    assert not any(isinstance(part, float) or part is None for part in _parts(document))


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [part for child in value.values() for part in _parts(child)]
    return [part for child in value for part in _parts(child)] if isinstance(value, list) else [value]


@given(fact_sets())
def test_without_consent_no_online_behaviour_is_in_the_document(facts: list[Fact]) -> None:
    """Unless personalise_in_store is granted, recent, cart and wishlist are empty and no web event is counted."""
    document = _document(fold(ProfileState(), facts))
    if document["consent"].get("personalise_in_store", {}).get("decision") != "granted":
        assert document["redacted"] == ["behaviour"]
        assert document["recent"] == document["cart"] == document["wishlist"] == []
        assert "web" not in document["facts"]["last_seen"]
        assert not {"Product Viewed", "Product Added"} & set(document["seen"])


@given(fact_sets())
def test_a_withdrawn_record_is_gone_for_good(facts: list[Fact]) -> None:
    """Whatever came before or after, an op that was withdrawn shows nowhere."""
    withdrawn = {fact.amends for fact in facts if fact.kind == "op_withdrawn"}
    document = _document(fold(ProfileState(), facts))
    shown = {line["op_id"] for listed in ("outcomes", "notes") for line in document[listed]}
    assert not shown & withdrawn


def _outcome(fact_id: str, at_s: int, outcome: str, amends: str | None = None) -> Fact:
    body = {"shopper": SHOPPER, "play_id": "p1", "play_version": 1, "outcome": outcome, "arm": "shown"}
    return Fact(fact_id, seconds_at(_BASE_S + at_s), "outcome_recorded", body, "berlin-1", "anna", amends)


def test_the_last_correction_takes_the_ops_place_even_when_it_came_first() -> None:
    """Corrections may arrive before what they correct; the last by (time, id) counts, under the first op's id."""
    facts = [_outcome("c2", 60, "interested", "f1"), _outcome("c1", 30, "not_today", "f1"), _outcome("f1", 0, "bought")]
    (line,) = _document(fold(ProfileState(), facts))["outcomes"]
    assert (line["op_id"], line["outcome"]) == ("f1", "interested")


def test_an_open_cart_loses_what_was_bought_in_a_store_and_keeps_the_rest() -> None:
    """A POS order without a cart id takes its own products out of a cart with one; the other lines stay."""
    added = {"kind": "track", "channel": "web", "name": "Product Added", "cart_id": "c1", "currency": "EUR"}
    bought = {"kind": "track", "channel": "pos", "name": "Order Completed", "store": "berlin-1"}
    order = {"order_id": "o", "currency": "EUR", "revenue_minor": 900, "lines": [{"sku": "a1", "quantity": 1}]}
    facts = [
        Fact("1", seconds_at(_BASE_S), EVENT, {**added, "sku": "a1"}),
        Fact("2", seconds_at(_BASE_S + 1), EVENT, {**added, "sku": "a2"}),
        Fact("3", seconds_at(_BASE_S + 9), EVENT, {**bought, "order": order}),
        Fact("4", seconds_at(_BASE_S), EVENT, {"kind": "identify", "channel": "web", "consent": _GRANT}),
    ]
    document = _document(fold(ProfileState(), facts))
    assert [line["sku"] for line in document["cart"]] == ["a2"]
    assert document["facts"]["net_revenue"] == [{"currency": "EUR", "minor": 900}]


_GRANT = {"personalise_in_store": "granted"}


def test_a_grant_spoken_to_an_associate_does_not_count_but_a_withdrawal_does() -> None:
    """An associate alone can only record a withdrawal; a grant needs the shopper's own tap."""

    def decide(fact_id: str, at_s: int, decision: str, method: str) -> Fact:
        consent = {"purpose": "personalise_in_store", "decision": decision, "method": method}
        body = {"shopper": SHOPPER, "consent": consent}
        return Fact(fact_id, seconds_at(_BASE_S + at_s), "consent_changed", body, "berlin-1")

    spoken = [decide("1", 0, "granted", "spoken")]
    tapped = [*spoken, decide("2", 1, "granted", "shopper_tapped")]
    withdrawn = [*tapped, decide("3", 2, "denied", "spoken")]
    states = [_document(fold(ProfileState(), facts))["consent"] for facts in (spoken, tapped, withdrawn)]
    decisions = [state.get("personalise_in_store", {}).get("decision") for state in states]
    assert decisions == [None, "granted", "denied"]


def test_a_store_holds_a_shopper_for_a_reason_and_only_as_long() -> None:
    """Opened here 29 days ago holds, 31 days ago does not; an order holds for 400 days."""
    opened = Fact("1", seconds_at(_BASE_S), "shopper_opened", {"shopper": SHOPPER, "how": "card"}, "zurich-1")
    order = {"kind": "track", "channel": "pos", "name": "Order Completed", "store": "berlin-1"}
    bought = Fact("2", seconds_at(_BASE_S), EVENT, {**order, "order": {"order_id": "o", "currency": "EUR"}})
    reading = Reading(fold(ProfileState(), [opened, bought]))
    after_29, after_31 = (seconds_at(_BASE_S + days * 86_400) for days in (29, 31))
    assert slice_reasons(reading, after_29, {})["zurich-1"].keys() == {"opened", "contact"}
    assert "zurich-1" not in slice_reasons(reading, after_31, {})
    assert slice_reasons(reading, after_31, {})["berlin-1"].keys() == {"home", "visited"}


def test_time_is_written_the_same_way_everywhere() -> None:
    """The helper of these tests writes wire times, or the order of strings would not be the order of time."""
    from datetime import UTC, datetime

    assert seconds_at(_BASE_S) == format_at(datetime.fromtimestamp(_BASE_S, UTC))
