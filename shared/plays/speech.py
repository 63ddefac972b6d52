"""How times, counts and distances are said, in English and German. Whole numbers only; no clock, no locale database.

The tablet's screens format dates with Babel; here only the few forms stand that a why-sentence or a held-back line
needs, because the core says those on both sides and must say the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from shared.clock import local_time
from shared.plays.catalogue import DAY_S, HOUR_S

ENGLISH: Final = "en"
GERMAN: Final = "de"

_WEEKDAYS: Final = {
    ENGLISH: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    GERMAN: ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}
_MONTHS: Final = {
    ENGLISH: ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    GERMAN: ("Jan.", "Feb.", "März", "April", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
}
_UNITS: Final = {
    ENGLISH: {
        "minute": ("minute", "minutes"),
        "hour": ("hour", "hours"),
        "day": ("day", "days"),
        "week": ("week", "weeks"),
        "month": ("month", "months"),
        "year": ("year", "years"),
    },
    GERMAN: {
        "minute": ("Minute", "Minuten"),
        "hour": ("Stunde", "Stunden"),
        "day": ("Tag", "Tagen"),
        "week": ("Woche", "Wochen"),
        "month": ("Monat", "Monaten"),
        "year": ("Jahr", "Jahren"),
    },
}
_SIZES: Final = (
    ("year", 365 * DAY_S, 2),
    ("month", 30 * DAY_S, 3),
    ("week", 7 * DAY_S, 3),
    ("day", DAY_S, 2),
    ("hour", HOUR_S, 1),
)
"""From the largest: a unit is used once that many of it have passed."""


def spoken(language: str) -> str:
    """The language a sentence is said in: German for any German, else English."""
    return GERMAN if language[:2] == GERMAN else ENGLISH


def count_of(n: int, unit: str, language: str) -> str:
    """`2 days`, `1 Tag` (German in the dative, as `vor` and `in` need it)."""
    one, many = _UNITS[spoken(language)][unit]
    return f"{n} {one if n == 1 else many}"


def span(seconds: int, language: str) -> str:
    """A length of time in its best unit: `45 minutes`, `2 days`, `4 months`; a broken rest is cut."""
    for unit, size_s, least in _SIZES:
        if seconds >= size_s * least:
            return count_of(seconds // size_s, unit, language)
    return count_of(max(1, seconds // 60), "minute", language)


def ago(at_s: int, now_s: int, language: str) -> str:
    """`2 days ago`, `vor 2 Tagen`; a moment ago is said as such."""
    seconds = max(0, now_s - at_s)
    if seconds < 120:
        return "gerade eben" if spoken(language) == GERMAN else "a moment ago"
    told = span(seconds, language)
    return f"vor {told}" if spoken(language) == GERMAN else f"{told} ago"


def hours_span(hours: int, language: str) -> str:
    """A rule's hours: `72 hours` stay hours up to two days, then days: `7 days`."""
    is_days = hours % 24 == 0 and hours > 48
    return count_of(hours // 24, "day", language) if is_days else count_of(hours, "hour", language)


def on_day(at_s: int, now_s: int, zone: dt.tzinfo, language: str) -> str:
    """The day of a time in the store's zone, without a preposition: `Friday` within six days, else `12 Nov`."""
    day, today = (local_time(moment_s, zone).date() for moment_s in (at_s, now_s))
    tongue = spoken(language)
    if abs((day - today).days) <= 6:
        return _WEEKDAYS[tongue][day.weekday()]
    dot = "." if tongue == GERMAN else ""
    year = f" {day.year}" if day.year != today.year else ""
    return f"{day.day}{dot} {_MONTHS[tongue][day.month - 1]}{year}"


def clock_time(at_s: int, zone: dt.tzinfo) -> str:
    """`10:00` in the store's zone."""
    return f"{local_time(at_s, zone):%H:%M}"


def distance(metres: int, language: str) -> str:
    """`800 m`, `1.2 km`, `12 km`."""
    if metres < 1000:
        return f"{metres} m"
    whole, tenths = divmod(metres // 100, 10)
    mark = "," if spoken(language) == GERMAN else "."
    return f"{whole} km" if whole >= 10 or tenths == 0 else f"{whole}{mark}{tenths} km"


def category_word(category: str, language: str, names: Mapping[str, Mapping[str, str]]) -> str:
    """The word for a category: the chain's own in that language, else the slug with spaces."""
    own = names.get(spoken(language), {})
    return own.get(category, category.replace("-", " "))


def short_title(title: str) -> str:
    """A product's name as one says it: without the colour or size after the comma."""
    return title.split(",", maxsplit=1)[0].strip() or title


def capital(text: str) -> str:
    """The sentence's first letter in upper case."""
    return text[:1].upper() + text[1:]
