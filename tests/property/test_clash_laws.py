"""The laws of clashes: any tablet, whatever it heard in whatever order, tells the same ones; nothing is lost by one."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.clashes import Booked, booked_of, clashes
from shared.clock import seconds_at
from shared.promises import STORE, Promise, lay_over
from tests.property.test_promise_laws import Said, at_hq, stories

times = st.builds(
    lambda key, starts, length, owner: Booked(str(key), starts, starts + length, owner),
    st.integers(0, 99),
    st.integers(0, 10),
    st.integers(1, 6),
    st.sampled_from(["anna", "jonas", STORE]),
)
days = st.lists(times, max_size=7, unique_by=lambda one: one.key)


def by_every_moment(booked: list[Booked], at_once: int) -> dict[str, set[str]]:
    """The same by its definition: moment for moment, nobody in two places, and no more than so many at once."""
    found: dict[str, set[str]] = {}
    for moment in range(20):
        now = [one for one in booked if one.starts_s <= moment < one.ends_s]
        persons = Counter(one.owner for one in now if one.owner != STORE)
        for one in now:
            others = {other.key for other in now if len(now) > at_once or other.owner == one.owner != STORE}
            if len(now) > at_once or persons[one.owner] > 1:
                found.setdefault(one.key, set()).update(others - {one.key})
    return {key: others for key, others in found.items() if others}


@given(days, st.integers(1, 3), st.randoms(use_true_random=False))
def test_a_clash_is_what_its_definition_says_in_whatever_order_they_came(
    booked: list[Booked], at_once: int, shuffler: Any
) -> None:
    """And each of two says so of the other."""
    shuffled = list(booked)
    shuffler.shuffle(shuffled)
    found = clashes(booked, at_once)
    assert clashes(shuffled, at_once) == found
    assert {key: set(others) for key, others in found.items()} == by_every_moment(booked, at_once)
    assert all(key in found[other] for key, others in found.items() for other in others)


@given(days, times, st.integers(1, 3))
def test_one_more_ends_no_clash(booked: list[Booked], more: Booked, at_once: int) -> None:
    """What a tablet has told stays true when it hears of another appointment."""
    known = [one for one in booked if one.key != more.key]
    before, after = clashes(known, at_once), clashes([*known, more], at_once)
    assert all(set(others) <= set(after[key]) for key, others in before.items())


def shown(documents: dict[str, Any], own: list[Said]) -> dict[str, tuple[str, ...]]:
    """The clashes on a tablet that holds these documents and has these records that HQ has not answered."""
    known = [
        Promise.from_document("appointment", told) for id_, told in documents.items() if id_[:12] == "appointment/"
    ]
    laid = lay_over("appointment", known, [one.op for one in own])
    return clashes(booked for one in laid if (booked := booked_of(one)) is not None)


@given(stories(), st.randoms(use_true_random=False))
def test_both_tablets_tell_the_same_clashes_after_the_sync_and_the_one_that_knew_all_before(
    said: list[Said], shuffler: Any
) -> None:
    """Appointments booked, moved, handed over, ended and taken back, heard of in any order; and all of it offline."""
    shuffled = list(said)
    shuffler.shuffle(shuffled)
    assert shown(at_hq(shuffled), []) == shown(at_hq(said), []) == shown({}, said)


def test_a_time_nobody_can_read_clashes_with_nothing_and_a_length_nobody_can_read_is_half_an_hour() -> None:
    """Better no clash than one that is none."""
    body = {"starts_at": "soon", "minutes": 30, "topic": "boots"}
    assert booked_of(Promise("appointment", "a", "", None, None, body)) is None
    for minutes in (None, "long", True, 0):
        made = booked_of(Promise("appointment", "a", "", None, None, {"starts_at": seconds_at(0), "minutes": minutes}))
        assert made is not None
        assert made.ends_s == (60 if minutes == 0 and minutes is not False else 1800)
