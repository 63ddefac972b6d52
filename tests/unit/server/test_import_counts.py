"""Hours of visitors and rates of currencies: in the store's own time, exact, and the last one wins."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clock import format_at
from shared.errors import Refused
from sync_server.ports import Store
from sync_server.services.chain import add_stores
from sync_server.services.headquarters import Headquarters
from sync_server.services.imports.kinds import ImportMapping
from sync_server.services.imports.readings import Reading
from sync_server.services.imports.rows import Row
from sync_server.services.imports.run import ImportReport, run_import
from sync_server.services.imports.tables import Ground
from sync_server.services.imports.traffic import DoorCounts
from tests.support.world import START


def take(hq: Headquarters, folder: Path, kind: str, text: str, **options: Any) -> ImportReport:
    """Import a text as a file."""
    path = folder / f"{kind}.csv"
    path.write_text(text, "utf-8")
    return run_import(hq, kind, path, **options)


def hours(hq: Headquarters, store: str = "berlin-1") -> dict[str, int]:
    """Hour in UTC, to the minute -> visitors."""
    with hq.database.read() as reader:
        return {row["hour"][:16]: row["count"] for row in reader.rows("store_traffic", store=store)}


# visitors -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "store,date,hour,visitors\nberlin-1,2026-11-20,10,31\nberlin-1,2026-11-20,11,44\n",
        "Store;Date;Time;In\nberlin-1;2026-11-20;10:00-11:00;31\nberlin-1;2026-11-20;11:00-12:00;44\n",
        "store,at,visitors\nberlin-1,2026-11-20 10:00,31\nberlin-1,2026-11-20T10:00:00Z,44\n",
        "store,date,visitors\nberlin-1,2026-11-20 10:59,31\nberlin-1,2026-11-20 11:00,44\n",
    ],
)
def test_hours_are_those_of_the_store_s_own_wall(hq: Headquarters, tmp_path: Path, text: str):
    """In one column or two; a time that names its zone is taken at its word."""
    report = take(hq, tmp_path, "traffic", text)
    assert (report.taken, report.left_out) == (2, {})
    assert hours(hq) == {"2026-11-20T09:00": 31, "2026-11-20T10:00": 44}
    assert take(hq, tmp_path, "traffic", text).known == 2


def test_the_hour_that_comes_twice_and_the_hour_that_never_was(hq: Headquarters, tmp_path: Path):
    """When the clocks go back the second row is the second hour; when they go forward there is none to count in."""
    text = "store,at,visitors\n"
    text += "".join(f"berlin-1,2026-10-25 0{hour}:00,{count}\n" for hour, count in ((1, 1), (2, 2), (2, 3), (3, 4)))
    text += "berlin-1,2026-03-29 02:00,9\nberlin-1,2026-03-29 03:00,5\n"
    report = take(hq, tmp_path, "traffic", text)
    assert report.left_out == {"there was no such hour, the clocks went forward": 1}
    assert hours(hq) == {
        "2026-03-29T01:00": 5,
        "2026-10-24T23:00": 1,
        "2026-10-25T00:00": 2,
        "2026-10-25T01:00": 3,
        "2026-10-25T02:00": 4,
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Australia/Adelaide", "Pacific/Apia"]),
    day=st.integers(0, 2_400),
    length=st.integers(1, 80),
)
def test_every_hour_of_a_wall_clock_comes_back_as_the_hour_it_was(zone: str, day: int, length: int):
    """Whatever the zone and the season: hours written as the wall shows them are told apart again, none lost."""
    begins = (START - timedelta(days=day + 60)).astimezone(ZoneInfo(zone)).replace(minute=0).astimezone(UTC)
    true_hours = [begins + timedelta(hours=step) for step in range(length)]
    walls = [hour.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") for hour in true_hours]
    rows = iter([Row(number, {"store": "s", "at": wall, "visitors": number}) for number, wall in enumerate(walls)])
    mapping = ImportMapping(columns={"store": "store", "at": "at", "visitors": "visitors"})
    bad: list[str] = []
    counts = DoorCounts(
        lambda row: Reading(row.values, mapping, "UTC"),
        lambda _, why: bad.append(why),
        Ground("EUR", {"s": zone}, START.date()),
        START,
        None,
    )
    found = {hour["hour"]: hour["count"] for _, hour in counts.hours(rows)}
    assert bad == []
    assert found == {format_at(hour): number for number, hour in enumerate(true_hours)}


def test_quarters_of_an_hour_add_up_and_the_last_word_on_one_counts(hq: Headquarters, tmp_path: Path):
    """Within a file by the minute; a later file replaces the hour."""
    quarters = "".join(f"berlin-1,2026-11-20 10:{minute:02},{minute}\n" for minute in (0, 15, 30, 45, 15))
    assert take(hq, tmp_path, "traffic", "store,at,visitors\n" + quarters).taken == 1
    assert hours(hq) == {"2026-11-20T09:00": 90}
    assert take(hq, tmp_path, "traffic", "store,at,visitors\nberlin-1,2026-11-20 10:00,88\n").taken == 1
    assert hours(hq) == {"2026-11-20T09:00": 88}


def test_a_store_whose_zone_is_off_by_half_an_hour_has_its_own_hours(hq: Headquarters, tmp_path: Path):
    """They begin at half past in UTC."""
    add_stores(hq, [Store("pune-1", "Pune", "INR", "Asia/Kolkata", "IN")])
    take(hq, tmp_path, "traffic", "store,at,visitors\npune-1,2026-11-20 10:15,7\n")
    assert hours(hq, "pune-1") == {"2026-11-20T04:30": 7}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("berlin-1,2026-11-20 10:00,-3", "the visitors are no number from 0 to 100000"),
        ("berlin-1,2026-11-20 10:00,100001", "the visitors are no number from 0 to 100000"),
        ("berlin-1,2026-11-20 10:00,", "the visitors are no number from 0 to 100000"),
        ("berlin-1,2026-11-20 10:00,3.5", "visitors is no whole number"),
        ("berlin-1,2026-11-20 10:00,many", "visitors is no number"),
        ("berlin-1,2026-11-20,12", "at names a day and no hour"),
        ("berlin-1,2027-01-01 10:00,12", "the hour lies ahead"),
        ("berlin-1,0001-01-01 00:00,12", "the hour is none of ours"),
        ("berlin-1,,12", "at is empty"),
        ("rome-9,2026-11-20 10:00,12", "there is no such store"),
    ],
)
def test_a_count_that_cannot_be_is_a_bad_row(hq: Headquarters, tmp_path: Path, row: str, why: str):
    """With its reason; nothing of it is counted."""
    report = take(hq, tmp_path, "traffic", f"store,at,visitors\n{row}\n")
    assert (report.taken, report.left_out, hours(hq)) == (0, {why: 1}, {})


def test_a_file_of_visitors_without_a_time_is_refused(hq: Headquarters, tmp_path: Path):
    """Before a row is read."""
    with pytest.raises(Refused, match="no column for at, which traffic need"):
        take(hq, tmp_path, "traffic", "store,visitors\nberlin-1,3\n")


# rates ----------------------------------------------------------------------------------------------------------------


def rates(hq: Headquarters) -> dict[tuple[str, str], str]:
    """(day, currency) -> rate."""
    with hq.database.read() as reader:
        return {(row["day"], row["currency"]): row["rate"] for row in reader.rows("currency_rate")}


def test_rates_are_dated_exact_and_the_last_one_wins(hq: Headquarters, tmp_path: Path):
    """Kept as decimal text, however many noughts a bank writes behind it."""
    text = "day,currency,rate\n2026-11-20,chf,1.07090\n2026-11-20,JPY,0.006125\n2026-11-20,CHF,1.0710\n"
    report = take(hq, tmp_path, "rates", text)
    assert (report.taken, report.left_out) == (3, {})
    assert rates(hq) == {("2026-11-20", "CHF"): "1.071", ("2026-11-20", "JPY"): "0.006125"}
    again = take(hq, tmp_path, "rates", "Date;Currency;Rate\n2026-11-20;CHF;1.071\n2026-11-20;JPY;0.006125\n")
    assert (again.taken, again.known) == (0, 2)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("2026-11-20,CHF,0", "the rate is no amount above 0"),
        ("2026-11-20,CHF,-1.07", "the rate is no amount above 0"),
        ("2026-11-20,CHF,", "the rate is no amount above 0"),
        ("2026-11-20,CHF,1.07.1", "rate is no number"),
        (
            "2026-11-20,EUR,1.07",
            "the chain's own currency has the rate 1; are these rates the other way round? It says",
        ),
        ("2026-11-20,francs,1.07", "the currency is no code of three letters"),
        ("20.11.2026,CHF,1.07", "day is no time"),
        ("2028-11-20,CHF,1.07", "the day lies too far ahead"),
        ("2026-11-20,CHF,1.0000000000001", "the rate has more than 12 decimals"),
    ],
)
def test_a_rate_that_cannot_be_is_a_bad_row(hq: Headquarters, tmp_path: Path, row: str, why: str):
    """Of the chain's own currency as well: that one is how rates the other way round are noticed."""
    report = take(hq, tmp_path, "rates", f"day,currency,rate\n{row}\n")
    assert (report.taken, report.left_out, rates(hq)) == (0, {why: 1}, {})
