"""How far an offer may be bent: each limit refuses in words, and what the till reads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.plays.files import Offer
from shared.plays.overrides import Counter, last_day, override_problem, till_text, worth_minor
from tests.support.plays import offer

LIMITS = {"extend_days": 3, "max_percent": 20, "max_minor": 1500, "per_day": 2, "reasons": ["late", "wrong size"]}
DAYS = [f"2026-11-{day:02}" for day in range(1, 31)]


def knits(**changes: Any) -> Offer:
    """An offer from 10 to 20 November, with limits."""
    override = {**LIMITS, "needs": "associate", **changes.pop("override", {})}
    dates = {"valid_from": "2026-11-10", "valid_until": "2026-11-20"}
    return offer(**{"id": "knits", "codes": ["KNITS20"], **dates, **changes, "override": override})


def at_counter(day: str = "2026-11-22", **changes: Any) -> Counter:
    """Berlin, two days after the offer's end, by an associate."""
    return Counter(**{"store": "berlin-1", "currency": "EUR", "day": day, "is_managers": False, "used": 0, **changes})


def asked(kind: str = "extended", **more: Any) -> dict[str, Any]:
    """What an override says."""
    return {"offer_id": "knits", "kind": kind, "reason": "late", **more}


@pytest.mark.parametrize(
    ("said", "counter", "words"),
    [
        (asked(), at_counter("2026-11-24"), "ended on 2026-11-20 and is honoured until 2026-11-23"),
        (asked(), at_counter("2026-11-20"), "still runs"),
        (asked(), at_counter("2026-11-09"), "begins on 2026-11-10"),
        (asked(percent=5), at_counter(), "Leave the percentage and the amount out"),
        (asked(reason="because"), at_counter(), "one of HQ's: late, wrong size"),
        (asked(), at_counter(used=2), "bent 2 times here today; at most 2 a day"),
        (asked("adjusted"), at_counter(), "either a percentage or an amount"),
        (asked("adjusted", percent=5, amount=5), at_counter(), "either a percentage or an amount"),
        (asked("goodwill", amount=0), at_counter(), "either a percentage or an amount"),
        (asked("goodwill", percent=21), at_counter(), "At most 20 % are allowed; this is 21 %"),
        (asked("goodwill", amount=1501), at_counter(), "At most 15.00 EUR are allowed; this is 15.01 EUR"),
        (asked("adjusted", percent=20), at_counter("2026-11-24"), "runs from 2026-11-10 until 2026-11-20"),
    ],
)
def test_beyond_a_limit_is_refused_in_words(said: dict[str, Any], counter: Counter, words: str) -> None:
    """One sentence that says what is allowed."""
    assert words in str(override_problem(knits(), said, counter))


@pytest.mark.parametrize(
    ("said", "day"),
    [
        (asked(), "2026-11-23"),
        (asked("adjusted", percent=20), "2026-11-23"),
        (asked("goodwill", amount=1500), "2026-11-30"),
    ],
)
def test_up_to_the_limit_it_is_given(said: dict[str, Any], day: str) -> None:
    """The last day, the last per cent and the last cent belong to it."""
    assert override_problem(knits(), said, at_counter(day, used=1)) is None


def test_an_offer_without_limits_stays_as_it_is_and_a_store_gives_only_its_own() -> None:
    """Nothing is bent by default."""
    assert "stays as it is" in str(override_problem(offer(id="knits"), asked(), at_counter()))
    assert "stays as it is" in str(override_problem(knits(override={"per_day": 0}), asked(), at_counter()))
    assert "it is for zurich-1" in str(override_problem(knits(stores=["zurich-1"]), asked(), at_counter()))


def test_a_manager_is_asked_for_last() -> None:
    """Nobody types a PIN for what cannot be."""
    managers = knits(override={"needs": "manager"})
    assert "type their PIN" in str(override_problem(managers, asked(), at_counter()))
    assert "one of HQ's" in str(override_problem(managers, asked(reason="no"), at_counter()))
    assert override_problem(managers, asked(), at_counter(is_managers=True)) is None


@given(
    kind=st.sampled_from(["extended", "adjusted", "goodwill"]),
    percent=st.none() | st.integers(0, 90),
    amount=st.none() | st.integers(0, 3000),
    day=st.sampled_from(DAYS),
    used=st.integers(0, 4),
)
def test_whatever_is_given_lies_within_every_limit(
    kind: str, percent: int | None, amount: int | None, day: str, used: int
) -> None:
    """No way round: what passes keeps each limit, and says exactly one thing."""
    one = knits()
    if override_problem(one, asked(kind, percent=percent, amount=amount), at_counter(day, used=used)) is not None:
        return
    assert used < one.override.per_day
    assert (percent or 0) <= one.override.max_percent
    assert (amount or 0) <= one.override.max_minor
    assert (kind == "extended") == (percent is None and amount is None)
    assert kind == "goodwill" or day <= str(last_day(one))


def test_the_till_reads_what_it_is_and_which_record_stands_behind_it() -> None:
    """Only letters that a QR code packs tightest."""
    op_id = "019aab00-0000-7000-8000-0000000000e1"
    texts = [till_text(knits(), said, "EUR", op_id) for said in (asked(), asked("goodwill", amount=9))]
    assert texts[0] == "FSV1.KNITS20.X.019AAB00-0000-7000-8000-0000000000E1"
    adjusted = till_text(knits(codes=[]), asked("adjusted", percent=15), "EUR", op_id)
    assert adjusted.startswith("FSV1.KNITS.P15.")
    assert texts[1].split(".")[2] == "A9EUR"
    assert set("".join(texts)) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def test_an_extension_is_worth_what_the_offer_is() -> None:
    """In the store's currency; a percentage names no money."""
    trade_in = offer(id="t", kind="amount", percent=None, amounts=[{"minor": 2000, "currency": "CHF"}])
    assert [worth_minor(trade_in, asked(), currency) for currency in ("CHF", "EUR")] == [2000, 0]
    assert worth_minor(trade_in, asked("goodwill", amount=700), "CHF") == 700
    assert worth_minor(knits(), asked("adjusted", percent=10), "EUR") == 0
