"""What a browser did while nobody was named in it is the shopper's only while they agree to profiling."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import seconds_at
from shared.consent import Purpose
from shared.fold import EVENT, Fact, ProfileState, fold, with_unnamed
from shared.projection import Reading, StoreView, net_revenue, project, slice_reasons

CARD, BROWSER = ("loyalty_id", "2900000000018"), ("anonymous_id", "11111111-1111-4111-8111-111111111111")
WHO_IS_WHO = {"identifiers", "together", "decided", "unnamed"}


def at(hour: int) -> str:
    """A moment."""
    return seconds_at(1_790_000_000 + hour * 3600)


def event(number: int, *named: tuple[str, str], **body: Any) -> Fact:
    """An event of the web shop; a look at a parka unless told otherwise."""
    told = {"kind": "track", "channel": "web", "name": "Product Viewed", "sku": "parka", **body}
    return Fact(f"f{number}", at(number), EVENT, told, identifiers=named)


def agreed(number: int, *named: tuple[str, str], **answers: str) -> Fact:
    """A decision on the web."""
    return event(number, *named, name=None, sku=None, kind="identify", consent=answers)


def document(*facts: Fact) -> dict[str, Any]:
    """What a store is given."""
    return project(Reading(fold(ProfileState(), facts)), "p", StoreView(), ["home"])


SIGNED_IN = event(2, BROWSER, CARD, sku="boots")
UNNAMED = (
    event(1, BROWSER),
    event(3, BROWSER, name="Product Added", sku="cap", quantity=1),
    event(4, BROWSER, name="Promotion Clicked", sku=None, offer_id="ten"),
)
SHOWN = agreed(0, CARD, personalise_in_store="granted")


def test_without_profiling_only_what_was_done_under_a_name_is_shown():
    """No line, cart, offer, time or reason of the visits that nobody had signed in to."""
    alone, all_of_it = document(SHOWN, SIGNED_IN), document(SHOWN, SIGNED_IN, *UNNAMED)
    assert [line["sku"] for line in all_of_it["recent"]] == ["boots"]
    assert all_of_it == alone
    near = {"berlin-1": 900}
    reasons = [
        slice_reasons(Reading(fold(ProfileState(), facts)), at(9), near)
        for facts in ((SHOWN, SIGNED_IN), (SHOWN, SIGNED_IN, *UNNAMED))
    ]
    assert reasons[0] == reasons[1]


def test_with_profiling_the_browser_s_visits_are_the_shopper_s_and_a_withdrawal_takes_them_apart():
    """And a new yes joins them again: nothing is used up."""
    yes, no, again = (agreed(5 + n, CARD, profiling=word) for n, word in enumerate(("granted", "denied", "granted")))
    told = document(SHOWN, SIGNED_IN, *UNNAMED, yes)
    assert {line.get("sku") for line in told["recent"]} == {"boots", "parka", "cap", None}
    assert [line["sku"] for line in told["cart"]] == ["cap"]
    assert [offer["offer_id"] for offer in told["offers"]] == ["ten"]
    apart = document(SHOWN, SIGNED_IN, *UNNAMED, yes, no)
    assert ([line["sku"] for line in apart["recent"]], apart["cart"], apart["offers"]) == (["boots"], [], [])
    joined = document(SHOWN, SIGNED_IN, *UNNAMED, yes, no, again)
    assert (joined["recent"], joined["cart"], joined["offers"]) == (told["recent"], told["cart"], told["offers"])


def test_a_trait_typed_where_nobody_was_named_and_an_order_of_a_guest_wait_for_profiling_too():
    """No trait, no money, no order is the shopper's by a browser alone."""
    typed = agreed(3, BROWSER)
    typed = replace(typed, body={**typed.body, "traits": {"given_name": "Mara"}})
    order = {"order_id": "o1", "revenue_minor": 900, "currency": "EUR", "lines": []}
    guest = event(4, BROWSER, name="Order Completed", sku=None, order=order)
    yes = agreed(5, CARD, profiling="granted")
    assert "given_name" not in document(SIGNED_IN, typed, guest)
    assert document(SIGNED_IN, typed, guest, yes)["given_name"] == "Mara"
    without, with_ = (Reading(fold(ProfileState(), [SIGNED_IN, guest, *more])) for more in ((), (yes,)))
    assert (net_revenue(without), net_revenue(with_)) == ({}, {"EUR": 900})


def test_an_answer_given_to_a_cookie_banner_counts_although_nobody_was_named():
    """The browser's own yes to profiling, and its own no, are answers of the shopper it turned out to be."""
    banner = agreed(1, BROWSER, profiling="granted", personalise_in_store="granted")
    assert [line["sku"] for line in document(banner, SIGNED_IN, *UNNAMED)["cart"]] == ["cap"]
    refused = agreed(1, BROWSER, profiling="denied", personalise_in_store="granted")
    assert document(refused, SIGNED_IN, *UNNAMED)["cart"] == []


def test_a_browser_of_nobody_is_whole_by_itself():
    """There is no person to keep its visits apart from."""
    assert len(Reading(fold(ProfileState(), UNNAMED)).state.recent) == len(UNNAMED)


_EVENTS = (
    {"name": "Product Added", "quantity": 2},
    {"name": "Product Removed", "quantity": 1},
    {"name": "Product Added to Wishlist"},
    {"name": "Promotion Clicked", "offer_id": "ten"},
    {"name": "Order Completed", "order": {"order_id": "o1", "revenue_minor": 5, "currency": "EUR", "lines": []}},
    {"name": "Order Cancelled", "order": {"order_id": "o1"}},
    {"name": "Order Refunded", "order": {"order_id": "o1", "refund_minor": 3, "currency": "EUR"}},
    {"name": "Support Case Opened", "case_id": "c", "channel": "service"},
    {"name": "Support Case Closed", "case_id": "c", "channel": "service"},
    {"name": "Email Opened", "offer_id": "ten", "traits": {"given_name": "M", "language": "de"}},
)
stories = st.lists(
    st.tuples(st.sampled_from(_EVENTS), st.integers(0, 40), st.booleans(), st.sampled_from(["a", "b"])),
    max_size=12,
)


@given(stories, st.randoms(use_true_random=False), st.integers(0, 12))
def test_joined_it_is_as_if_the_browser_had_been_named_all_along(story: Any, shuffler: Any, cut: int):
    """Any order, any cut: two states apart and joined are the one state that never was apart."""
    apart, never = [], []
    for number, (body, hour, is_named, sku) in enumerate(story):
        made = replace(event(number, BROWSER, sku=sku, **body), at=at(hour))
        apart.append(replace(made, identifiers=(BROWSER, CARD)) if is_named else made)
        never.append(replace(made, identifiers=(BROWSER, CARD)))
    shuffler.shuffle(apart)
    state = ProfileState.from_json(fold(ProfileState(), apart[:cut]).as_json())
    joined, whole = with_unnamed(fold(state, apart[cut:])), fold(ProfileState(), never)
    for part in {part.name for part in fields(ProfileState)} - WHO_IS_WHO:
        assert getattr(joined, part) == getattr(whole, part), part


@pytest.mark.parametrize("purpose", [one.value for one in Purpose if one is not Purpose.PROFILING])
def test_no_other_purpose_joins_them(purpose: str):
    """Only a yes to profiling does."""
    facts = [SIGNED_IN, *UNNAMED, agreed(5, CARD, **{purpose: "granted"})]
    assert len(Reading(fold(ProfileState(), facts)).state.recent) == 1
