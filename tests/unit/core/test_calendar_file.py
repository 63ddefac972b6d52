"""The iCalendar file of an appointment, judged by RFC 5545's own rules: octets, folds, escapes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.calendar_file import CalendarEvent, calendar_file

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
BERLIN = datetime.fromisoformat("2026-11-28T14:00:00+01:00")
KNOWN = CalendarEvent("op-1", NOW, BERLIN, BERLIN + timedelta(minutes=45), "Fitting · Nordhang Berlin Mitte")


def unfolded(text: str) -> dict[str, str]:
    """Property -> value, its escapes undone, as section 3.1 and 3.3.11 have it; begins and ends left out."""
    assert text.endswith("\r\n")
    lines = text.replace("\r\n ", "").split("\r\n")[:-1]
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    pairs = (line.partition(":")[::2] for line in lines if not line.startswith(("BEGIN:", "END:")))
    return {name: _plain(value) for name, value in pairs}


def _plain(value: str) -> str:
    signs = iter(value)
    return "".join({"n": "\n"}.get(told := next(signs), told) if one == "\\" else one for one in signs)


def test_an_appointment_is_written_in_utc_with_what_rfc_5545_demands() -> None:
    """PRODID and VERSION once, UID and DTSTAMP in the event, and nothing that would make it an invitation."""
    assert unfolded(calendar_file(KNOWN)) == {
        "VERSION": "2.0",
        "PRODID": "-//Floorside//Appointments//EN",
        "UID": "op-1",
        "DTSTAMP": "20261127T090000Z",
        "DTSTART": "20261128T130000Z",
        "DTEND": "20261128T134500Z",
        "SUMMARY": "Fitting · Nordhang Berlin Mitte",
    }


@settings(max_examples=40)
@given(st.text(max_size=120), st.text(max_size=120))
def test_whatever_is_said_is_folded_in_octets_and_comes_back_as_it_was(summary: str, description: str) -> None:
    """No line over 75 octets, no character torn, no line break and no control character of its own."""
    text = calendar_file(CalendarEvent("op-1", NOW, BERLIN, BERLIN, summary, "Berlin; Mitte, 1", description, 2))
    for line in text.encode().split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
        assert not any(one < 32 and one != 9 for one in line)
    told = unfolded(text)
    assert told["LOCATION"] == "Berlin; Mitte, 1"
    assert told["SEQUENCE"] == "2"
    assert told["SUMMARY"] == written(summary)
    assert told.get("DESCRIPTION", "") == written(description)


def written(said: str) -> str:
    """What of a text can stand in a calendar: any line break is one, other control characters are none."""
    lines = "\n".join(said.splitlines())
    return "".join(one for one in lines if one in "\n\t" or not (ord(one) < 32 or ord(one) == 127))
