"""One import from file to report: rows read, mapped, taken in batches, bad ones kept in a file with the reason.

That file lies in the data folder, for its rows hold personal words. Idempotent: what came before is counted as known.
`is_trial` does everything but write. Memory stays flat: at most a batch of rows is held.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from shared.errors import Damaged, Malformed, Refused, StorageFull
from shared.ingest_rules import IngestRules
from shared.segment_messages import normalise_message
from shared.shopper_events import FaultyMessage
from sync_server.services.chain import read_chain
from sync_server.services.headquarters import Headquarters
from sync_server.services.imports.kinds import FIELDS, ImportMapping
from sync_server.services.imports.mapping import infer_mapping, read_mapping
from sync_server.services.imports.messages import (
    MESSAGES,
    SHARED_BY_ORDER,
    Message,
    alias_messages,
    order_message,
    refund_message,
)
from sync_server.services.imports.readings import Reading
from sync_server.services.imports.refunds import due_refunds
from sync_server.services.imports.rows import Row, check_whole, columns_of, read_rows
from sync_server.services.imports.staging import Staging
from sync_server.services.imports.tables import TABLES, Ground, write_table
from sync_server.services.imports.traffic import DoorCounts
from sync_server.services.ingest import rules_of, take_messages

T = TypeVar("T")
BATCH: Final = 500
REASONS_MAX: Final = 50
OTHER_REASONS: Final = "other reasons"
_THINGS: Final = {"traffic": "hours of visitors", "service": "service cases", "stock": "stock counts"}
_EVENT_COLUMNS: Final = ImportMapping(columns={})


@dataclass(slots=True)
class ImportReport:
    """What came of a file: rows read, things taken (orders, shoppers, ...), those known before, rows left out and
    why. `also` counts what came along: old numbers of shoppers, refunds of orders."""

    kind: str
    rows: int = 0
    taken: int = 0
    known: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    bad_rows: Path | None = None
    also: Counter[str] = field(default_factory=Counter)

    @property
    def things(self) -> str:
        """What was taken, as people call it."""
        return _THINGS.get(self.kind, self.kind)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        left_out = dict(sorted(self.left_out.items(), key=lambda pair: (-pair[1], pair[0])))
        told = {"kind": self.kind, "rows": self.rows, "taken": self.taken, "known": self.known, "left_out": left_out}
        return {**told, "also": dict(self.also), "bad_rows": None if self.bad_rows is None else str(self.bad_rows)}


@dataclass(frozen=True, slots=True)
class _Taken:
    """A message with the rows it is made of, and what follows it once it is taken."""

    rows: list[Row]
    message: Message
    aliases: Sequence[Message] = ()
    refund: Message | None = None


def run_import(
    hq: Headquarters,
    kind: str,
    path: Path,
    *,
    mapping: Path | None = None,
    is_trial: bool = False,
    heard: Callable[[int], object] = lambda _: None,
) -> ImportReport:
    """Import a file. `heard` is told the bytes read; what it raises ends the import between two batches. Raises
    Refused for an unknown kind, a file or mapping that is none."""
    if kind not in FIELDS:
        raise Refused(f"There is no import of {kind!r:.40}. There are: {', '.join(FIELDS)}.")
    if not path.is_file():
        raise Refused(f"There is no file {path}.")
    check_whole(path)
    columns = columns_of(path)
    with hq.database.read() as reader:
        chain, rules = read_chain(reader), rules_of(reader)
        stores = reader.stores()
    plan = _EVENT_COLUMNS if kind == "events" or not columns else None
    plan = plan or (read_mapping(mapping, kind, columns) if mapping else infer_mapping(kind, columns))
    ground = Ground(chain.currency, {store.code: store.timezone for store in stores}, hq.clock.now().date())
    named = {store.name.casefold(): store.code for store in stores}
    return _Import(hq, kind, path, plan, chain.timezone, rules, ground, named, is_trial=is_trial).run(heard)


class _Import:
    """One run over one file."""

    def __init__(
        self,
        hq: Headquarters,
        kind: str,
        path: Path,
        mapping: ImportMapping,
        timezone: str,
        rules: IngestRules,
        ground: Ground,
        stores: Mapping[str, str],
        *,
        is_trial: bool,
    ) -> None:
        self._hq, self._kind, self._path, self._mapping = hq, kind, path, mapping
        self._timezone, self._rules, self._ground, self._is_trial = timezone, rules, ground, is_trial
        self._stores, self._source = stores, f"import-{kind}"
        self._report = ImportReport(kind)
        self._bad = hq.settings.data_dir / "imports" / f"{path.name}.bad.jsonl"
        self._bad_lines: list[str] = []
        self._bytes_read = 0
        self._heard: Callable[[int], object] = lambda _: None

    def run(self, heard: Callable[[int], object]) -> ImportReport:
        self._bad.unlink(missing_ok=True)
        self._heard = heard
        rows = self._sound(read_rows(self._path, self._read_so_far))
        if self._kind == "traffic":
            counts = DoorCounts(
                self._reading, self._leave_out, self._ground, self._hq.clock.now(), self._mapping.timezone
            )
            self._take_things(counts.hours(rows))
        elif self._kind in TABLES:
            self._take_things(self._things(rows))
        else:
            for batch in _batches(self._messages(rows)):
                self._take(batch)
                heard(self._bytes_read)
        self._save_bad()
        self._hq.doorbell.ring()
        return self._report

    def _read_so_far(self, count: int) -> None:
        self._bytes_read = count
        self._heard(count)

    def _sound(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            self._report.rows += 1
            if row.fault is None:
                yield row
            else:
                self._leave_out([row], row.fault)

    def _reading(self, row: Row) -> Reading:
        return Reading(row.values, self._mapping, self._timezone)

    # messages ---------------------------------------------------------------------------------------------------------

    def _messages(self, rows: Iterator[Row]) -> Iterator[_Taken]:
        if self._kind == "orders":
            yield from self._order_messages(rows)
            return
        for row in rows:
            try:
                yield self._message(row)
            except Malformed as problem:
                self._leave_out([row], str(problem))

    def _message(self, row: Row) -> _Taken:
        if self._kind == "events":
            return _Taken([row], dict(row.values))
        reading = self._reading(row)
        aliases = alias_messages(reading) if self._kind == "shoppers" else ()
        return _Taken([row], MESSAGES[self._kind](reading), aliases)

    def _order_messages(self, rows: Iterator[Row]) -> Iterator[_Taken]:
        with Staging() as staging:
            for row in rows:
                try:
                    staging.put(self._reading(row).must("order_id"), row)
                except Malformed as problem:
                    self._leave_out([row], str(problem))
            for _, lines in staging.groups():
                yield from self._one_order(lines)

    def _one_order(self, lines: list[Row]) -> Iterator[_Taken]:
        """A bad line is left out alone; an order none of whose lines is good is left out whole."""
        shared = self._shared(lines)
        good: list[tuple[Row, Reading]] = []
        for line in lines:
            reading = Reading(line.values, self._mapping, self._timezone, shared)
            try:
                order_message([reading], self._mapping, self._stores)
                good.append((line, reading))
            except Malformed as problem:
                self._leave_out([line], str(problem))
        if good:
            rows, readings = [line for line, _ in good], [reading for _, reading in good]
            try:
                order = order_message(readings, self._mapping, self._stores)
                yield _Taken(rows, order, refund=refund_message(readings[0], self._stores))
            except Malformed as problem:
                self._leave_out(rows, str(problem))

    def _shared(self, lines: Sequence[Row]) -> dict[str, str]:
        """What the order's lines leave to the first that says it."""
        shared: dict[str, str] = {}
        for line in lines:
            for name, said in self._reading(line).texts(SHARED_BY_ORDER).items():
                shared.setdefault(name, said)
        return shared

    def _take(self, batch: Sequence[_Taken]) -> None:
        """Messages that ingest would not take are left out here, with their rows, instead of becoming dead letters."""
        sound = [one for one in batch if self._is_sound(one.rows, one.message)]
        aliases = [alias for one in sound for alias in one.aliases if self._is_sound(one.rows, alias)]
        if self._is_trial:
            self._report.taken += len(sound)
            return
        done = take_messages(self._hq.database, self._hq.clock, self._source, [one.message for one in sound])
        self._report.taken += done.accepted
        self._report.known += done.duplicate
        self._take_along("old numbers", aliases)
        self._take_along("refunds", self._refunds_due([one.refund for one in sound if one.refund is not None]))

    def _is_sound(self, rows: list[Row], message: Message) -> bool:
        now_at = self._hq.now_at()
        read = normalise_message(message, source=self._source, received_at=now_at, rules=self._rules)
        if isinstance(read, FaultyMessage):
            self._leave_out(rows, read.sentence)
            return False
        return True

    def _take_along(self, what: str, messages: Sequence[Message]) -> None:
        if messages:
            done = take_messages(self._hq.database, self._hq.clock, self._source, messages)
            self._report.also[what] += done.accepted

    def _refunds_due(self, refunds: Sequence[Message]) -> list[Message]:
        if not refunds:
            return []
        with self._hq.database.read() as reader:
            return list(due_refunds(reader, self._source, refunds, self._rules, self._hq.now_at()))

    # things of the chain's own ----------------------------------------------------------------------------------------

    def _things(self, rows: Iterator[Row]) -> Iterator[tuple[list[Row], Any]]:
        for row in rows:
            try:
                yield [row], TABLES[self._kind](self._reading(row), self._ground)
            except Malformed as problem:
                self._leave_out([row], str(problem))

    def _take_things(self, things: Iterator[tuple[list[Row], Any]]) -> None:
        for batch in _batches(things):
            self._write(batch)
            self._heard(self._bytes_read)

    def _write(self, batch: Sequence[tuple[list[Row], Any]]) -> None:
        """A batch at once; where the chain refuses it, one by one, so that only the culprit is left out."""
        try:
            changed = len(batch) if self._is_trial else write_table(self._hq, self._kind, [made for _, made in batch])
        except (StorageFull, Damaged):
            raise
        except Refused as refusal:
            if len(batch) == 1:
                self._leave_out(batch[0][0], str(refusal))
            else:
                for one in batch:
                    self._write([one])
            return
        self._report.taken += changed
        self._report.known += len(batch) - changed

    # bad rows ---------------------------------------------------------------------------------------------------------

    def _leave_out(self, rows: Sequence[Row], why: str) -> None:
        reason, counted = _without_values(why), self._report.left_out
        counted[reason if reason in counted or len(counted) < REASONS_MAX else OTHER_REASONS] += len(rows)
        for row in rows:
            told: Mapping[str, Any] = {"line": row.number, "why": why, "row": dict(row.values)}
            self._bad_lines.append(json.dumps(told, ensure_ascii=False) + "\n")
        if len(self._bad_lines) >= BATCH:
            self._save_bad()

    def _save_bad(self) -> None:
        if self._bad_lines:
            self._bad.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._bad.open("a", encoding="utf-8") as file:
                file.writelines(self._bad_lines)
            self._bad_lines.clear()
            self._report.bad_rows = self._bad


def _without_values(why: str) -> str:
    """A reason as it is counted: without the value that only one row has."""
    return why.partition(":")[0].strip()


def _batches(made: Iterator[T]) -> Iterator[list[T]]:
    batch = []
    for one in made:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
