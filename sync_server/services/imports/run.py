"""One import from file to report: rows read, mapped, taken in batches, bad ones kept in a file with the reason.

That file lies in the data folder, for its rows hold personal words. Idempotent: what came before is counted as known.
`is_trial` does everything but write.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from shared.errors import Malformed, Refused
from shared.ingest_rules import IngestRules
from shared.segment_messages import normalise_message
from shared.shopper_events import FaultyMessage
from sync_server.services.chain import read_chain
from sync_server.services.headquarters import Headquarters
from sync_server.services.imports.mapping import FIELDS, ImportMapping, infer_mapping, read_mapping
from sync_server.services.imports.messages import MESSAGES, Message, order_message
from sync_server.services.imports.readings import Reading
from sync_server.services.imports.rows import Row, columns_of, read_rows
from sync_server.services.imports.staging import Staging
from sync_server.services.imports.tables import TABLES, write_table
from sync_server.services.ingest import rules_of, take_messages

BATCH: Final = 500
_EVENT_COLUMNS: Final = ImportMapping(columns={})


@dataclass(slots=True)
class ImportReport:
    """What came of a file: rows read, things taken (orders, shoppers, ...), those known before, rows left out and
    why."""

    kind: str
    rows: int = 0
    taken: int = 0
    known: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    bad_rows: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        left_out = dict(sorted(self.left_out.items(), key=lambda pair: (-pair[1], pair[0])))
        told = {"kind": self.kind, "rows": self.rows, "taken": self.taken, "known": self.known, "left_out": left_out}
        return {**told, "bad_rows": None if self.bad_rows is None else str(self.bad_rows)}


def run_import(
    hq: Headquarters,
    kind: str,
    path: Path,
    *,
    mapping: Path | None = None,
    is_trial: bool = False,
    heard: Callable[[int], object] = lambda _: None,
) -> ImportReport:
    """Import a file. `heard` is told the bytes read. Raises Refused for an unknown kind, a file or mapping that is
    none."""
    if kind not in FIELDS:
        raise Refused(f"There is no import of {kind!r:.40}. There are: {', '.join(FIELDS)}.")
    if not path.is_file():
        raise Refused(f"There is no file {path}.")
    with hq.database.read() as reader:
        timezone, rules = read_chain(reader).timezone, rules_of(reader)
    columns = columns_of(path)
    plan = _EVENT_COLUMNS if kind == "events" else None
    plan = plan or (read_mapping(mapping, kind, columns) if mapping else infer_mapping(kind, columns))
    return _Import(hq, kind, path, plan, timezone, rules, is_trial=is_trial).run(heard)


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
        *,
        is_trial: bool,
    ) -> None:
        self._hq, self._kind, self._path, self._mapping = hq, kind, path, mapping
        self._timezone, self._rules, self._is_trial = timezone, rules, is_trial
        self._report = ImportReport(kind)
        self._bad = hq.settings.data_dir / "imports" / f"{path.name}.bad.jsonl"
        self._bad_lines: list[str] = []

    def run(self, heard: Callable[[int], object]) -> ImportReport:
        self._bad.unlink(missing_ok=True)
        rows = self._sound(read_rows(self._path, heard))
        if self._kind in TABLES:
            self._take_table(rows)
        else:
            for batch in _batches(self._messages(rows)):
                self._take(batch)
        self._save_bad()
        self._hq.doorbell.ring()
        return self._report

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

    def _messages(self, rows: Iterator[Row]) -> Iterator[tuple[list[Row], Message]]:
        if self._kind == "orders":
            yield from self._order_messages(rows)
            return
        for row in rows:
            try:
                is_event = self._kind == "events"
                yield [row], dict(row.values) if is_event else MESSAGES[self._kind](self._reading(row))
            except Malformed as problem:
                self._leave_out([row], str(problem))

    def _order_messages(self, rows: Iterator[Row]) -> Iterator[tuple[list[Row], Message]]:
        with Staging() as staging:
            for row in rows:
                try:
                    staging.put(self._reading(row).must("order_id"), row)
                except Malformed as problem:
                    self._leave_out([row], str(problem))
            for lines in staging.orders():
                yield from self._one_order(lines)

    def _one_order(self, lines: list[Row]) -> Iterator[tuple[list[Row], Message]]:
        """A bad line is left out alone; an order none of whose lines is good is left out whole."""
        good = []
        for line in lines:
            try:
                order_message([self._reading(line)], self._mapping)
                good.append(line)
            except Malformed as problem:
                self._leave_out([line], str(problem))
        if good:
            try:
                yield good, order_message([self._reading(line) for line in good], self._mapping)
            except Malformed as problem:
                self._leave_out(good, str(problem))

    def _take(self, batch: Sequence[tuple[list[Row], Message]]) -> None:
        """Messages that ingest would not take are left out here, with their rows, instead of becoming dead letters."""
        now_at, source, sound = self._hq.now_at(), f"import-{self._kind}", []
        for rows, message in batch:
            read = normalise_message(message, source=source, received_at=now_at, rules=self._rules)
            if isinstance(read, FaultyMessage):
                self._leave_out(rows, read.sentence)
            else:
                sound.append(message)
        if self._is_trial:
            self._report.taken += len(sound)
            return
        done = take_messages(self._hq.database, self._hq.clock, source, sound)
        self._report.taken += done.accepted
        self._report.known += done.duplicate

    # tables -----------------------------------------------------------------------------------------------------------

    def _take_table(self, rows: Iterator[Row]) -> None:
        made = []
        for row in rows:
            try:
                made.append(TABLES[self._kind](self._reading(row), self._mapping))
            except Malformed as problem:
                self._leave_out([row], str(problem))
        changed = len(made) if self._is_trial else write_table(self._hq, self._kind, made)
        self._report.taken += changed
        self._report.known += len(made) - changed

    # bad rows ---------------------------------------------------------------------------------------------------------

    def _leave_out(self, rows: Sequence[Row], why: str) -> None:
        self._report.left_out[_without_values(why)] += len(rows)
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


def _batches(
    made: Iterator[tuple[list[Row], Message]],
) -> Iterator[list[tuple[list[Row], Message]]]:
    batch = []
    for one in made:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
