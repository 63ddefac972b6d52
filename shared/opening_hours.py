"""When a store is open, by the days of its week: as its document says it, and as people at HQ type it.

HQ checks what is typed (`parse_hours`, strict), the tablet reads the document (`OpeningHours.from_document`, lenient).
Pure; times are the store's own, in minutes after its midnight.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Final

from shared.errors import Malformed

Span = tuple[int, int]
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN: Final = 24 * 60
_ASSUMED: Final[Span] = (10 * 60, 20 * 60)
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z|24:00\Z", re.ASCII)
_RULE: Final = re.compile(r"([a-z]{2,9})(?:\s*-\s*([a-z]{2,9}))?\s+([0-9:]{5})\s*-\s*([0-9:]{5})\Z")
_FORM: Final = "hours are written as mon-fri 10:00-20:00; sat 10:00-18:00, a day left out is closed, not"


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Opening and closing minute of each weekday from Monday on, None where the store stays closed. `is_told` is False
    where HQ has said nothing and a usual week is assumed."""

    days: tuple[Span | None, ...]
    is_told: bool = True

    def on(self, day: date) -> Span | None:
        """Opening and closing minute of a day; None when it stays closed."""
        return self.days[day.weekday()]

    @classmethod
    def from_document(cls, told: object) -> OpeningHours:
        """Read the `hours` of `store/<code>`; where nothing in them can be read, Monday to Saturday from 10 to 20."""
        found = {day: _span(times) for day, times in told.items()} if isinstance(told, Mapping) else {}
        spans = tuple(found.get(day) for day in WEEKDAYS)
        return cls(spans) if any(spans) else ASSUMED


ASSUMED: Final = OpeningHours((*[_ASSUMED] * 6, None), is_told=False)


def _span(times: Any) -> Span | None:
    if not isinstance(times, Sequence) or isinstance(times, str) or len(times) != 2:
        return None
    opens, closes = (_minutes(one) for one in times)
    return (opens, closes) if opens is not None and closes is not None and opens < closes else None


def _minutes(text: object) -> int | None:
    if not isinstance(text, str) or not _TIME.match(text):
        return None
    return int(text[:2]) * 60 + int(text[3:])


def check_hours(told: object) -> None:
    """Raises Malformed unless this is what `hours` may be: `{"mon": ["10:00", "20:00"]}`, empty for not said."""
    if not isinstance(told, Mapping):
        raise Malformed(f"{_FORM} {told!r:.60}")
    for day, times in told.items():
        if day not in WEEKDAYS or _span(times) is None:
            raise Malformed(f"{_FORM} {day!s:.20} {times!r:.40}")


def parse_hours(text: str) -> dict[str, list[str]]:
    """`mon-fri 10:00-20:00; sat 10:00-18:00` -> the document's `hours`. Raises Malformed for anything else."""
    hours: dict[str, list[str]] = {}
    for rule in filter(None, (part.strip() for part in text.lower().split(";"))):
        found = _RULE.match(rule)
        if found is None:
            raise Malformed(f"{_FORM} {rule!r:.60}")
        first, last = _day(found[1]), _day(found[2] or found[1])
        for n in range(first, last + 1 + 7 * (last < first)):
            hours[WEEKDAYS[n % 7]] = [found[3], found[4]]
    check_hours(hours)
    if not hours:
        raise Malformed(f"{_FORM} {text!r:.60}")
    return {day: hours[day] for day in WEEKDAYS if day in hours}


def _day(text: str) -> int:
    for n, day in enumerate(WEEKDAYS):
        if text[:2] == day[:2]:
            return n
    raise Malformed(f"a day is mon, tue, wed, thu, fri, sat or sun, not {text!r:.20}")


def tell_hours(told: Mapping[str, Sequence[str]]) -> str:
    """The inverse of `parse_hours`, days with the same hours in a row put together; empty for not said."""
    open_days = [(n, f"{told[day][0]}-{told[day][1]}") for n, day in enumerate(WEEKDAYS) if day in told]
    rules = []
    for (_, hours), run in groupby(enumerate(open_days), lambda one: (one[1][0] - one[0], one[1][1])):
        days = [WEEKDAYS[n] for _, (n, _) in run]
        rules.append(f"{days[0] if len(days) == 1 else f'{days[0]}-{days[-1]}'} {hours}")
    return "; ".join(rules)
