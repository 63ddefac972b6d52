"""The scanner test: from what arrived to what is wrong."""

from __future__ import annotations

import pytest

from associate_app.ui.scanner_check import TEST_CODE, as_read, judge_scan


@pytest.mark.parametrize(
    ("typed", "has_enter", "told"),
    [
        (TEST_CODE, True, "good"),
        (TEST_CODE, False, "no_enter"),
        ("TEST.yzYZ--?;0123456789", True, "good"),
        ("TEST.zyZY-?-;0123456789", True, "swapped"),
        (TEST_CODE.swapcase(), True, "caps"),
        (TEST_CODE.upper(), True, "caps"),
        (f"]Q1{TEST_CODE}", True, "added"),
        (TEST_CODE[:9], False, "part"),
        ("4006381333931", True, "strange"),
    ],
)
def test_what_arrived_is_named(typed: str, has_enter: bool, told: str) -> None:
    """One verdict each."""
    assert judge_scan(typed, has_enter=has_enter).told == told


@pytest.mark.parametrize(
    ("scanner", "tablet", "typed"),
    [("us", "de", "TEST.zyZYß?-Ö_0123456789"), ("de", "us", "TEST.zyZY/?&>_0123456789")],
)
def test_german_and_english_are_told_apart(scanner: str, tablet: str, typed: str) -> None:
    """y and z, the hyphen and the sharp s: as a real keyboard of each country has them."""
    assert as_read(TEST_CODE, scanner, tablet) == typed
    verdict = judge_scan(typed, has_enter=True)
    assert (verdict.told, verdict.named) == ("layout", {"scanner": scanner, "tablet": tablet})


def test_every_pair_of_layouts_is_named_by_itself() -> None:
    """No two pairs make the same text of the code, and none makes the code itself."""
    layouts = ("us", "de", "ch", "fr")
    pairs = [(one, other) for one in layouts for other in layouts if one != other]
    for scanner, tablet in pairs:
        verdict = judge_scan(as_read(TEST_CODE, scanner, tablet), has_enter=False)
        alike = {"de", "ch"}
        assert verdict.told == "layout" or {scanner, tablet} == alike, (scanner, tablet)
        if verdict.told == "layout":
            assert verdict.named["tablet"] == tablet or {verdict.named["tablet"], tablet} == alike
