"""Holdouts: the hash other tools use, the shares, and what makes them hold."""

from __future__ import annotations

import pytest

from shared.plays.estimates import divide_half_even, shrunk_p_ppm
from shared.plays.holdout import bucket_of, fnv1a32, held_out_by, is_held_out, play_seed
from shared.plays.settings import HoldoutSettings

NO_CHAIN = HoldoutSettings()


@pytest.mark.parametrize(("text", "value"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)])
def test_fnv_gives_the_published_values(text, value):
    """The test suite of the hash's authors, isthe.com/chongo/tech/comp/fnv."""
    assert fnv1a32(text) == value


@pytest.mark.parametrize(
    ("seed", "unit_id", "share"),
    [
        ("seed", "a", 505),
        ("seed", "b", 2696),
        ("foo", "ab", 2575),
        ("foo", "def", 2019),
        ("89123klj", "8952klfjas09ujkasdf", 1240),
        ("90850943850283058242805", "123", 7516),
        ("()**(%$##$%#$#", '___)((*":&', 128),
    ],
)
def test_buckets_are_those_of_growthbook(seed, unit_id, share):
    """Version 2 vectors of github.com/growthbook/growthbook-python, tests/cases.json, key `hash`, times 10,000."""
    assert bucket_of(seed, unit_id) == share


@pytest.mark.parametrize("text", ["ä", "日本", "🏔"])
def test_text_is_hashed_by_utf16_code_units(text):
    """As JavaScript's charCodeAt: one step a unit, two for a mountain."""
    value = 2_166_136_261
    units = text.encode("utf-16-le")
    for low, high in zip(units[::2], units[1::2], strict=True):
        value = ((value ^ (low | high << 8)) * 16_777_619) % 2**32
    assert fnv1a32(text) == value


def test_a_tenth_is_held_out_and_more_percent_lets_nobody_back_in():
    """Over 20,000 cards the share is near the percent, and the groups are nested."""
    seed = play_seed("cart", 1)
    tenth = {n for n in range(20_000) if is_held_out(seed, f"9940000{n:06d}", 10)}
    fifth = {n for n in range(20_000) if is_held_out(seed, f"9940000{n:06d}", 20)}
    assert 0.09 < len(tenth) / 20_000 < 0.11
    assert tenth < fifth


def test_a_new_period_draws_others_and_two_plays_draw_independently():
    """Seeds differ by play and period, so about a tenth of a tenth falls in both."""
    cards = [f"L{n}" for n in range(10_000)]
    groups = [{card for card in cards if is_held_out(seed, card, 10)} for seed in ("play:a:1", "play:a:2", "play:b:1")]
    assert 50 < len(groups[0] & groups[1]) < 150
    assert 50 < len(groups[0] & groups[2]) < 150


def test_the_first_exposure_is_sticky():
    """Who has seen a play goes on seeing it; who was held out stays so while the play has a holdout."""
    held = next(card for card in (f"L{n}" for n in range(1000)) if is_held_out(play_seed("a", 1), card, 10))
    free = next(card for card in (f"L{n}" for n in range(1000)) if not is_held_out(play_seed("a", 1), card, 90))
    assert held_out_by("a", 10, 1, held, NO_CHAIN, None) == "holdout_play"
    assert held_out_by("a", 10, 1, held, NO_CHAIN, "shown") is None
    assert held_out_by("a", 10, 1, free, NO_CHAIN, "would_show") == "holdout_play"
    assert held_out_by("a", 0, 1, held, NO_CHAIN, "would_show") is None


def test_the_chains_holdout_comes_first():
    """A shopper in both is counted for the chain's."""
    assert held_out_by("a", 90, 1, "L1", HoldoutSettings(percent=90), None) == "holdout_chain"


@pytest.mark.parametrize(
    ("successes", "shown", "p0", "expected"),
    [(0, 0, 50_000, 50_000), (10, 100, 50_000, 66_667), (200, 200, 0, 500_000), (0, 800, 50_000, 10_000)],
)
def test_an_estimate_is_pulled_towards_its_prior(successes, shown, p0, expected):
    """p = (s + 200 p0) / (n + 200) in parts per million."""
    assert shrunk_p_ppm(successes, shown, p0) == expected


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"), [(1, 2, 0), (3, 2, 2), (5, 2, 2), (7, 3, 2), (8, 3, 3)]
)
def test_halves_go_to_the_even_neighbour(numerator, denominator, expected):
    """Rounded as plays.md says, in whole numbers."""
    assert divide_half_even(numerator, denominator) == expected
