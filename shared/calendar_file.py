"""Writes one event as an iCalendar file (RFC 5545), which phones and computers take into their calendar. Pure.

Only what an appointment needs: times in UTC, so that no time zone has to be described; no METHOD, which would make it
an invitation somebody must answer. Lines end with CRLF and are folded at 75 octets, never within a character.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

MEDIA_TYPE: Final = "text/calendar; charset=utf-8"
_LINE_OCTETS_MAX: Final = 75
_PRODUCT: Final = "-//Floorside//Appointments//EN"
_ESCAPED: Final = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"}


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """What is written: `uid` is the same in each file of one event, `sequence` grows when it is moved; times are aware,
    `stamped_at` is when this was true."""

    uid: str
    stamped_at: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    location: str = ""
    description: str = ""
    sequence: int = 0
    is_cancelled: bool = False


def calendar_file(event: CalendarEvent) -> str:
    """The file's text; encode it as UTF-8."""
    return "".join(f"{folded}\r\n" for line in _lines(event) for folded in _fold(line))


def _lines(event: CalendarEvent) -> Iterator[str]:
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield f"PRODID:{_PRODUCT}"
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(event.uid)}"
    yield f"DTSTAMP:{_utc(event.stamped_at)}"
    yield f"DTSTART:{_utc(event.starts_at)}"
    yield f"DTEND:{_utc(event.ends_at)}"
    yield f"SUMMARY:{_text(event.summary)}"
    if event.location:
        yield f"LOCATION:{_text(event.location)}"
    if event.description:
        yield f"DESCRIPTION:{_text(event.description)}"
    if event.sequence:
        yield f"SEQUENCE:{event.sequence}"
    if event.is_cancelled:
        yield "STATUS:CANCELLED"
    yield "END:VEVENT"
    yield "END:VCALENDAR"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(told: str) -> str:
    """A TEXT value: its four special characters escaped, control characters left out, any line break as one."""
    plain = "\n".join(told.splitlines())
    return "".join(_ESCAPED.get(one, one) for one in plain if one in "\n\t" or (one >= " " and one != "\x7f"))


def _fold(line: str) -> Iterator[str]:
    """A line in pieces of at most 75 octets; each but the first begins with a space, which counts."""
    piece, octets = "", 0
    for one in line:
        size = len(one.encode())
        if octets + size > _LINE_OCTETS_MAX:
            yield piece
            piece, octets = " ", 1
        piece, octets = piece + one, octets + size
    yield piece
