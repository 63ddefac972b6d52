"""What the store did, for its manager: HQ's last figures and, on top, what only this tablet knows. Reads only.

HQ counts at night (`figures/<store>`, `lift/<play>`); this tablet adds its own ops that HQ had not counted, told apart
by positions of the feed and not by clocks (decision 0040). What other tablets did since is not here, and is said so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from associate_app.ports import LAST_CONTACT_NOTE, DeviceIdentity, JournalEntry, TabletDatabase
from associate_app.services.feedback import Told, told_to_hq
from associate_app.services.store_book import StoreBook
from shared.clock import format_at, is_at, local_day, parse_at, shift_at
from shared.documents import Document
from shared.plays.figures import (
    DAYS,
    KINDS,
    Figures,
    FiguresDocument,
    LiftDocument,
    TabletRow,
    figures_of,
    not_counted,
)
from shared.plays.inputs import zone_of
from shared.wire.messages import store_scope

STALE: Final = timedelta(hours=36)
"""HQ counts every night: figures older than that have missed one."""
_SAID_MAX: Final = 6
D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class FleetRow:
    """A tablet of the store. Of this one what it had unsent is known now, of others as of their last contact. `parked`:
    records that need a look; `app`: the version HQ last heard of."""

    name: str
    last_seen_at: str | None
    unsent: int | None
    is_this: bool
    parked: int = 0
    app: str | None = None


@dataclass(frozen=True, slots=True)
class StoreNow:
    """Everything of *Store today*. `hq_as_of` is None before HQ's first figures; `own` is the part of `figures` that
    only this tablet knows. Days are the store's own, from `week_on` to `today_on`."""

    today_on: str
    week_on: str
    hq_as_of: str | None
    is_stale: bool
    figures: Figures
    own: Figures
    revenue: Mapping[tuple[str, str], int]
    lifts: Mapping[str, LiftDocument]
    said: tuple[Told, ...]
    tablets: tuple[FleetRow, ...]


def read_store(database: TabletDatabase, book: StoreBook, device: DeviceIdentity, now: datetime) -> StoreNow:
    """What the store did, as far as this tablet knows."""
    stored = database.document(f"figures/{device.store}")
    told = _read(FiguresDocument, stored.body) if stored and is_at(stored.body.get("as_of")) else None
    own = _own(database, book, device.store, told.through_s if told else -1, now)
    figures: Figures = figures_of(told.rows if told else ())
    figures.update(own)
    revenue: Counter[tuple[str, str]] = Counter()
    for one in told.revenue if told else ():
        revenue[one.on, one.currency] += one.minor
    today = book.today(now)
    found = (_read(LiftDocument, one.body) for one in database.documents("lift"))
    return StoreNow(
        today_on=today.isoformat(),
        week_on=(today - timedelta(days=DAYS - 1)).isoformat(),
        hq_as_of=told.as_of if told else None,
        is_stale=told is not None and now - parse_at(told.as_of) > STALE,
        figures=figures,
        own=own,
        revenue=revenue,
        lifts={one.play_id: one for one in found if one is not None},
        said=told_to_hq(database, now)[:_SAID_MAX],
        tablets=tuple(_tablets(database, told.tablets if told else (), device)),
    )


def _read(kind: type[D], body: Mapping[str, Any]) -> D | None:
    """A document of a newer HQ may be of another form: it is left out, and the rest is shown."""
    try:
        return kind.model_validate(body)
    except ValidationError:
        return None


def _own(database: TabletDatabase, book: StoreBook, store: str, through_s: int, now: datetime) -> Figures:
    """What this tablet recorded and HQ had not counted. What HQ could not take or apply counts nowhere."""
    since_at, zone = shift_at(format_at(now), days=-DAYS - 1), zone_of(book.store.timezone)
    entries = [
        entry
        for kind in KINDS
        for entry in database.recorded_since(kind, since_at)
        if entry.op.scope == store_scope(store) and entry.state not in ("parked", "rejected")
    ]
    told = ((entry.op, _is_counted(entry, through_s)) for entry in entries)
    return not_counted(told, lambda at: local_day(at, zone).isoformat())


def _is_counted(entry: JournalEntry, through_s: int) -> bool:
    return entry.state == "acked" and entry.visible_at is not None and entry.visible_at <= through_s


def _tablets(database: TabletDatabase, told: tuple[TabletRow, ...], device: DeviceIdentity) -> Iterator[FleetRow]:
    """This tablet first, as it stands now; then the others by name, those too of which HQ told nothing but the name."""
    known = {row.device_id: row for row in told}
    parked: dict[str, int] = {}
    for one in database.documents("device"):
        device_id = one.id.partition("/")[2]
        known.setdefault(device_id, TabletRow(device_id=device_id, name=str(one.body.get("name") or "")))
        parked[device_id] = len(one.body.get("parked") or ())
    counts, own = database.counts(), known.get(device.device_id)
    looks = counts.parked + counts.rejected + counts.withheld
    seen_at = database.read_note(LAST_CONTACT_NOTE)
    yield FleetRow(device.name, seen_at, counts.pending, is_this=True, parked=looks, app=own.app if own else None)
    others = sorted((row for row in known.values() if row.device_id != device.device_id), key=lambda row: row.name)
    for row in others:
        looks = parked.get(row.device_id, 0)
        yield FleetRow(row.name, row.last_seen_at, row.unsent, is_this=False, parked=looks, app=row.app)
