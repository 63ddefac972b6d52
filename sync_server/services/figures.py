"""The figures of each store: how often each play was shown, held back, used and sold on each of the last days.

Counted from the folded profiles in the same walk as the estimates, so that a late order, an undo, a merge or an erasure
is right in the next night without a counter to mend; the store of a showing is its op's. `figures/<store>` goes to the
store's own feed with its tablets as HQ last heard of them, and names no shopper and no associate. A push counts
nothing: until the next counting a tablet adds its own ops (`shared/plays/figures.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from shared.clock import local_day, shift_at
from shared.plays.figures import (
    DAYS,
    DayRevenue,
    Figures,
    FiguresDocument,
    Moment,
    TabletRow,
    count_moments,
    rows_of,
)
from shared.plays.inputs import zone_of
from shared.projection import Reading, net_of
from shared.wire.messages import store_scope
from sync_server.ports import CentralReader, Store
from sync_server.services.online_first import OnlineFirstCount

_PAGE: Final = 500
_TABLET: Final = ("device_id", "name", "last_seen_at", "unsent", "app")


class StoreCount:
    """What the stores did in the days that are told, as of one moment."""

    def __init__(self, stores: Collection[Store], now_at: str) -> None:
        self._day_of = {store.code: _day_of(store.timezone) for store in stores}
        self._now_at = now_at
        # One day more than is shown: who hears nothing of HQ for a day still has a whole week.
        self._since_at = shift_at(now_at, days=-DAYS - 1)
        self._showings: dict[str, list[Moment]] = {}
        self._moments: dict[str, list[Moment]] = {code: [] for code in self._day_of}
        self._proven: dict[str, Figures] = {code: Counter() for code in self._day_of}
        self._proven_uses: set[tuple[str, str]] = set()
        self._revenue: dict[str, Counter[tuple[str, str]]] = {code: Counter() for code in self._day_of}
        self._online_first = OnlineFirstCount(stores, now_at)

    def add(self, reading: Reading, proven: Mapping[str, str]) -> None:
        """Count one shopper; `proven` names the order of each claim that one proves."""
        self._online_first.add(reading)
        for play_id, entries in reading.state.shown.items():
            for at, op_id, arm in entries:
                if at >= self._since_at and op_id not in reading.state.withdrawn:
                    self._showings.setdefault(op_id, []).append(Moment(op_id, at, play_id, arm))
        for record in reading.records:
            if record.kind == "outcome_recorded" and record.at >= self._since_at and record.store in self._day_of:
                body = record.body
                came = (body["outcome"], body.get("impression_op_id"))
                moment = Moment(record.op_id, record.at, body["play_id"], body["arm"], *came)
                self._moments[record.store].append(moment)
                if record.op_id in proven:
                    self._add_proven(record.store, moment, net_of(reading, proven[record.op_id]))

    def _add_proven(self, store: str, moment: Moment, net: tuple[int, str] | None) -> None:
        on = self._day_of[store](moment.at)
        is_first = moment.used_as not in self._proven_uses
        self._proven_uses.add(moment.used_as)
        self._proven[store][on, moment.play_id, "proven"] += is_first
        if net is not None:
            self._revenue[store][on, net[1]] += net[0]

    def documents(self, reader: CentralReader) -> Iterator[FiguresDocument]:
        """The figures of the stores that have a tablet to show them, from the same state of the database."""
        self._place_showings(reader)
        scopes = {code: store_scope(code) for code in self._day_of}
        heads = reader.heads(set(scopes.values()))
        for code, scope in scopes.items():
            tablets = [row for row in reader.rows("device", store=code) if row["revoked_at"] is None]
            if tablets:
                yield self._document(code, heads.get(scope, 0), tablets)

    def _place_showings(self, reader: CentralReader) -> None:
        """A profile does not remember where it was shown a play; the op does."""
        op_ids = sorted(self._showings)
        for start in range(0, len(op_ids), _PAGE):
            for fact in reader.facts_by_id(op_ids[start : start + _PAGE]):
                if fact.store in self._moments:
                    self._moments[fact.store] += self._showings[fact.fact_id]

    def _document(self, code: str, head: int, tablets: list[dict[str, Any]]) -> FiguresDocument:
        figures = count_moments(self._moments[code], self._day_of[code])
        figures.update(self._proven[code])
        return FiguresDocument(
            store=code,
            as_of=self._now_at,
            through_s=head,
            rows=tuple(rows_of(figures)),
            revenue=tuple(
                DayRevenue(on=on, minor=minor, currency=currency)
                for (on, currency), minor in sorted(self._revenue[code].items())
            ),
            online_first=self._online_first.of(code),
            tablets=tuple(TabletRow.model_validate({name: row[name] for name in _TABLET}) for row in tablets),
        )


def _day_of(timezone: str) -> Callable[[str], str]:
    """The store's date of a wire time."""
    zone = zone_of(timezone)
    return lambda at: local_day(at, zone).isoformat()
