"""Picks moments of the past: evenings for browsing, opening hours for the till. All in whole UTC seconds before `now`.

Local time is the store's. Days are counted back from `now`, so a demo is alive on any date.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import lru_cache
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from sync_server.demo.assets import WEEKDAYS, DemoStore

DAY_S: Final = 86_400
_SETTLED_S: Final = 90  # nothing is younger than this, so that no clock difference makes it future
_NOON_MIN: Final = 720
_HOURS: Final = tuple(range(6, 24))
_HOUR_WEIGHTS: Final = (1, 3, 5, 5, 5, 5, 7, 7, 6, 6, 7, 8, 10, 13, 16, 16, 12, 6)


@lru_cache(maxsize=4096)
def noon_s(zone: str, day: int) -> int:
    """UTC seconds of noon of a day (proleptic ordinal) in a zone; minutes counted from noon survive clock changes."""
    return int(datetime.combine(date.fromordinal(day), time(12), ZoneInfo(zone)).timestamp())


def day_of(zone: str, at_s: int) -> int:
    """The local day (proleptic ordinal) of a moment."""
    return datetime.fromtimestamp(at_s, ZoneInfo(zone)).toordinal()


def opening_minutes(store: DemoStore, day: int) -> tuple[int, int] | None:
    """Opening and closing time of a day in minutes after midnight; None when the store stays closed."""
    hours = store.hours.get(WEEKDAYS[(day - 1) % 7])
    return (_minutes(hours[0]), _minutes(hours[1])) if hours else None


def is_open(store: DemoStore, at_s: int) -> bool:
    """Say whether the store is open at a moment."""
    day = day_of(store.timezone, at_s)
    hours = opening_minutes(store, day)
    minute = _NOON_MIN + (at_s - noon_s(store.timezone, day)) // 60
    return hours is not None and hours[0] <= minute < hours[1]


def online_moment(rng: Random, store: DemoStore, now_s: int, days_ago: float) -> int:
    """A moment of that day when people sit at a screen; where that would be in the future, `days_ago` itself or so."""
    at_s = now_s - round(days_ago * DAY_S)
    hour = rng.choices(_HOURS, _HOUR_WEIGHTS)[0]
    minute = hour * 60 + rng.randrange(60)
    picked_s = noon_s(store.timezone, day_of(store.timezone, at_s)) + (minute - _NOON_MIN) * 60 + rng.randrange(60)
    return picked_s if picked_s < now_s - _SETTLED_S else min(at_s, now_s - _SETTLED_S - rng.randrange(3600))


def till_moment(rng: Random, store: DemoStore, now_s: int, days_ago: float) -> int:
    """A moment of that day, or of the open day before it, within opening hours."""
    day = day_of(store.timezone, now_s - round(days_ago * DAY_S))
    while True:
        hours = opening_minutes(store, day)
        if hours is not None:
            minute = int(rng.triangular(hours[0], hours[1] - 1, hours[0] + (hours[1] - hours[0]) * 0.6))
            picked_s = noon_s(store.timezone, day) + (minute - _NOON_MIN) * 60 + rng.randrange(60)
            if picked_s < now_s - _SETTLED_S:
                return picked_s
        day -= 1


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def utc_day(at_s: int) -> date:
    """The UTC date of a moment."""
    return datetime.fromtimestamp(at_s, UTC).date()
