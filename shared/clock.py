"""Times as the wire writes them: `2026-11-22T10:00:00.123Z`, UTC, exactly three decimals.

Because the form is fixed, string order is time order: the fold and the feed compare the strings themselves.
Nothing here reads a clock; `now` always comes in from a port.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

EARLIEST_AT: Final = "0001-01-01T00:00:00.000Z"
LATEST_AT: Final = "9999-12-31T23:59:59.999Z"
_LENGTH: Final = 24


def format_at(moment: datetime) -> str:
    """Write an aware time as the wire does; finer digits are cut, never rounded up into the future."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be written")
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[: _LENGTH - 1] + "Z"


def parse_at(text: str) -> datetime:
    """Read a wire time. Raises ValueError unless it is exactly the wire's form."""
    if len(text) != _LENGTH or text[7:20:3] != "-T::." or text[-1] != "Z" or not text.isascii():
        raise ValueError(f"not a time of the form 2026-11-22T10:00:00.123Z: {text[:40]!r}")
    return datetime.fromisoformat(text)


def is_at(text: object) -> bool:
    """Say whether a value is a wire time."""
    if not isinstance(text, str):
        return False
    try:
        parse_at(text)
    except ValueError:
        return False
    return True


def at_seconds(text: str) -> int:
    """Wire time -> whole UTC seconds since 1970 (cut, not rounded), as the play evaluator counts."""
    moment = parse_at(text).replace(microsecond=0)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)


@lru_cache(maxsize=2048)
def _day_start_s(day: str) -> int:
    return (date.fromisoformat(day) - date(1970, 1, 1)).days * 86_400


def seconds_of(at: str) -> int | None:
    """The same of a time somebody else wrote: None for a text that is none, so one bad line never costs a card."""
    try:
        return _day_start_s(at[:10]) + int(at[11:13]) * 3600 + int(at[14:16]) * 60 + int(at[17:19])
    except ValueError:
        return None


def seconds_at(seconds: int) -> str:
    """Whole UTC seconds since 1970 -> wire time; beyond the years 1 to 9999 their first or last moment."""
    return format_at(local_time(seconds, UTC))


def local_time(seconds: int, zone: tzinfo) -> datetime:
    """Whole UTC seconds since 1970 as a time in a zone; beyond the years 1 to 9999 their first or last moment."""
    try:
        return datetime.fromtimestamp(seconds, zone)
    except (ValueError, OverflowError, OSError):
        return datetime.min.replace(tzinfo=zone) if seconds < 0 else datetime.max.replace(tzinfo=zone)


def local_day(text: str, zone: tzinfo) -> date:
    """The date of a wire time in a zone."""
    return parse_at(text).astimezone(zone).date()


def shift_at(text: str, *, ms: int = 0, seconds: int = 0, days: int = 0) -> str:
    """Move a wire time; the result stays inside the years 1 to 9999, so a mad clock never raises."""
    try:
        return format_at(parse_at(text) + timedelta(days=days, seconds=seconds, milliseconds=ms))
    except OverflowError:
        return EARLIEST_AT if (ms + seconds + days) < 0 else LATEST_AT


def ms_between(earlier: str, later: str) -> int:
    """Milliseconds from `earlier` to `later` (negative when it is the other way round)."""
    return (parse_at(later) - parse_at(earlier)) // timedelta(milliseconds=1)
