"""Opening hours: typed by people, kept in a document, read by a tablet that must make sense of any document."""

from __future__ import annotations

from datetime import date

import pytest

from shared.errors import Malformed
from shared.opening_hours import ASSUMED, OpeningHours, check_hours, parse_hours, tell_hours

MONDAY, SUNDAY = date(2026, 11, 23), date(2026, 11, 29)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("mon-fri 10:00-20:00; sat 10:00-18:00", None),
        ("Mo-Fr 10:00 - 20:00;Saturday 10:00-18:00;", "mon-fri 10:00-20:00; sat 10:00-18:00"),
        ("sat-mon 10:00-24:00; wed 09:30-12:00", "mon 10:00-24:00; wed 09:30-12:00; sat-sun 10:00-24:00"),
        ("mon-sun 00:00-24:00; sun 13:00-18:00", "mon-sat 00:00-24:00; sun 13:00-18:00"),
    ],
)
def test_what_is_typed_is_told_again_and_reads_as_the_same(typed: str, told: str | None) -> None:
    """In any spelling of a day; a later rule goes before an earlier one."""
    hours = parse_hours(typed)
    assert tell_hours(hours) == (told or typed)
    assert parse_hours(tell_hours(hours)) == hours


@pytest.mark.parametrize(
    "typed",
    [
        "",
        ";",
        "10:00-20:00",
        "mon 20:00-10:00",
        "mon 10:00-10:00",
        "mon 9:00-20:00",
        "mon 10:00-25:00",
        "xy 10:00-11:00",
    ],
)
def test_what_cannot_be_hours_is_refused(typed: str) -> None:
    """With the form in which they are written."""
    with pytest.raises(Malformed, match=r"hours are written as|a day is"):
        parse_hours(typed)


def test_a_tablet_reads_what_it_can_and_assumes_a_usual_week_for_nothing() -> None:
    """A day that cannot be read is closed; a document of which nothing can be read says nothing."""
    hours = OpeningHours.from_document({"mon": ["10:00", "20:00"], "tue": "always", "wed": [1, 2], "sun": None})
    assert (hours.on(MONDAY), hours.on(SUNDAY), hours.is_told) == ((600, 1200), None, True)
    assert hours.days[1:3] == (None, None)
    nothings: tuple[object, ...] = (None, {}, [], "mon", {"mon": ["20:00", "10:00"]})
    for nothing in nothings:
        assert OpeningHours.from_document(nothing) == ASSUMED
    assert (ASSUMED.on(MONDAY), ASSUMED.on(SUNDAY), ASSUMED.is_told) == ((600, 1200), None, False)


@pytest.mark.parametrize("told", [[], {"monday": ["10:00", "20:00"]}, {"mon": []}, {"mon": ["10", "20"]}])
def test_hq_takes_nothing_else_into_a_document(told: object) -> None:
    """Nor what its own tablets could not read."""
    with pytest.raises(Malformed):
        check_hours(told)
    check_hours({})
