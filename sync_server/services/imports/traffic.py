"""What counters at the doors export, as visitors of each store and hour.

Counters write the time of their store's wall: the hour that comes twice when the clocks go back is told apart by the
order of its rows, the one that never was is refused. Rows of one hour at different minutes add up; one that comes
again for the same minute replaces the one before.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.clock import format_at
from shared.errors import Malformed
from sync_server.services.imports.readings import Reading
from sync_server.services.imports.rows import Row
from sync_server.services.imports.staging import Staging
from sync_server.services.imports.tables import Ground

VISITORS_MAX: Final = 100_000
"""More than any shop's door lets in within an hour: a meter reading, or a slipped column."""
_DAY_ALONE: Final = re.compile(r"[\d./-]{6,10}")
_HOUR: Final = re.compile(r"(\d{1,2})(?::([0-5]\d))?(?::[0-5]\d)?(?:\s*[-–].*)?", re.ASCII)


class DoorCounts:
    """The hours of one file. `leave_out` is told rows that cannot be taken, `timezone` is the mapping's, if any."""

    def __init__(
        self,
        read: Callable[[Row], Reading],
        leave_out: Callable[[list[Row], str], None],
        ground: Ground,
        now: datetime,
        timezone: str | None,
    ) -> None:
        self._read, self._leave_out, self._ground = read, leave_out, ground
        self._latest, self._timezone = now + timedelta(days=1), timezone
        self._seen: Counter[tuple[str, datetime]] = Counter()

    def hours(self, rows: Iterator[Row]) -> Iterator[tuple[list[Row], dict[str, Any]]]:
        """(rows, row of table `store_traffic`) for each hour, brought together on the disk."""
        with Staging() as staging:
            for row in rows:
                try:
                    store, hour, at, visitors = self._counted(self._read(row))
                except Malformed as problem:
                    self._leave_out([row], str(problem))
                    continue
                staging.put(json.dumps([store, hour]), Row(row.number, {"at": at, "visitors": visitors}))
            for key, lines in staging.groups():
                store, hour = json.loads(key)
                by_minute = {line.values["at"]: line.values["visitors"] for line in lines}
                yield lines, {"store": store, "hour": hour, "count": sum(by_minute.values())}

    def _counted(self, row: Reading) -> tuple[str, str, str, int]:
        store = self._ground.store_of(row)
        visitors = row.whole("visitors")
        if visitors is None or not 0 <= visitors <= VISITORS_MAX:
            raise Malformed(f"the visitors are no number from 0 to {VISITORS_MAX}: {row.text('visitors')!r:.40}")
        zone = ZoneInfo(self._ground.timezones[store])
        said = _time_said(row)
        try:
            at = said if said.tzinfo else self._on_the_wall(store, said, ZoneInfo(self._timezone or zone.key))
            hour = at.astimezone(zone).replace(minute=0, second=0, microsecond=0)
            if at > self._latest:
                raise Malformed(f"the hour lies ahead: {said.isoformat()}")
            return store, format_at(hour), format_at(at), visitors
        except OverflowError:
            raise Malformed(f"the hour is none of ours: {said.isoformat()}") from None

    def _on_the_wall(self, store: str, said: datetime, zone: ZoneInfo) -> datetime:
        first, second = said.replace(tzinfo=zone, fold=0), said.replace(tzinfo=zone, fold=1)
        if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != said:
            raise Malformed(f"there was no such hour, the clocks went forward: {said.isoformat()} in {zone.key}")
        if first.utcoffset() == second.utcoffset():
            return first
        self._seen[store, said] += 1
        return first if self._seen[store, said] == 1 else second


def _time_said(row: Reading) -> datetime:
    """A day and an hour in two columns, or a time in one."""
    day, hour = row.text("date"), row.text("hour")
    if day is not None and hour is not None:
        found = _HOUR.fullmatch(hour)
        if found is None or int(found[1]) > 23:
            raise Malformed(f"{row.called('hour')} is no hour from 0 to 23: {hour!r:.40}")
        at = row.day("date")
        return datetime(at.year, at.month, at.day, int(found[1]), int(found[2] or 0))  # noqa: DTZ001 - the wall's time
    field = next((field for field in ("at", "date", "hour") if row.text(field) is not None), "at")
    if _DAY_ALONE.fullmatch(row.must(field)):
        raise Malformed(f"{row.called(field)} names a day and no hour: {row.must(field)}")
    said = row.time(field)
    assert said is not None, "must has seen it"
    return said
