"""Mutants of the tablet: small patches of its journal, replica and driver, taken back when the context ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from associate_app.adapters import sqlite_journal
from associate_app.adapters.sqlite_journal import JournalTables
from associate_app.adapters.sqlite_replica import ReplicaTables
from associate_app.ports import NewOp, ReplicaState
from associate_app.sync import errands
from associate_app.sync.driver import SyncDriver
from associate_app.sync.errands import Errands
from associate_app.sync.steps import Event, ProblemCame
from shared.errors import Weather
from shared.wire.messages import FeedPage, OpResult, SnapshotEnd, SnapshotLine
from shared.wire.ops import Op

FOR_EVER_S = 1e8


def cursor_before_apply() -> AbstractContextManager[Any]:
    """M2: the cursor is committed first, the documents afterwards."""
    real = ReplicaTables.apply_page

    def apply_page(self: ReplicaTables, page: FeedPage) -> ReplicaState:
        self._connection.write(
            "UPDATE replica SET cursor = ?, at = ? WHERE scope = ?", (page.next, page.head, page.scope)
        )
        return real(self, page)

    return mock.patch.object(ReplicaTables, "apply_page", apply_page)


def delete_on_ack() -> AbstractContextManager[Any]:
    """M4: an acknowledged op is deleted at once."""
    real = JournalTables._settle_one

    def settle_one(self: JournalTables, install_id: str, result: OpResult, visible_at: dict[str, int], at: str) -> None:
        real(self, install_id, result, visible_at, at)
        self._connection.write("DELETE FROM op WHERE install_id = ? AND seq = ?", (install_id, result.seq))

    return mock.patch.object(JournalTables, "_settle_one", settle_one)


def stop_at_rejection() -> AbstractContextManager[Any]:
    """M5: what comes after the first refused op is not counted as answered."""
    real = JournalTables._advance

    def advance(self: JournalTables, install_id: str, answered: list[int]) -> None:
        refused = self._connection.rows(
            "SELECT seq FROM op WHERE install_id = ? AND state IN ('parked', 'rejected')", (install_id,)
        )
        first = min((seq for (seq,) in refused if seq in answered), default=None)
        real(self, install_id, [seq for seq in answered if first is None or seq < first])

    return mock.patch.object(JournalTables, "_advance", advance)


def unknown_token_clears_outbox() -> AbstractContextManager[Any]:
    """M6: a 401 deletes what was not sent."""
    real = Errands.carry_out

    def carry_out(self: Errands, action: Any) -> Event:
        event = real(self, action)
        if isinstance(event, ProblemCame) and event.code == "token_unknown":
            connection: Any = self._database
            connection._connection.write("DELETE FROM op WHERE state = 'pending'")
        return event

    return mock.patch.object(Errands, "carry_out", carry_out)


def adopt_the_sum() -> AbstractContextManager[Any]:
    """M10: count and sum are copied from HQ instead of computed from what is stored."""
    real = ReplicaTables.apply_page

    def apply_page(self: ReplicaTables, page: FeedPage) -> ReplicaState:
        state = real(self, page)
        if page.check is None:
            return state
        told = (page.check.count, page.check.sum)
        self._connection.write("UPDATE replica SET count = ?, sum = ? WHERE scope = ?", (*told, page.scope))
        return replace(state, count=told[0], sum=told[1])

    return mock.patch.object(ReplicaTables, "apply_page", apply_page)


def snapshot_without_end() -> AbstractContextManager[Any]:
    """M12: a snapshot whose end never came counts as whole."""
    real = errands._read_lines

    def read_lines(stream: Any) -> tuple[list[SnapshotLine], SnapshotEnd | None]:
        try:
            lines, end = real(stream)
        except Weather:
            lines, end = [], None
        if end is None and (stream.broken is not None or not lines):
            end = SnapshotEnd.model_validate({"end": True, "count": 0, "sum": "0" * 16, "next": "?"})
        return lines, end

    return mock.patch.object(errands, "_read_lines", read_lines)


def timer_not_rearmed() -> AbstractContextManager[Any]:
    """M16: after an exception the worker is never called again."""
    real = SyncDriver.step
    dead: set[int] = set()

    def step(self: SyncDriver) -> float:
        delay_s = FOR_EVER_S if id(self) in dead else real(self)
        if any(trouble.kind == "broken" for trouble in self.state.troubles.values()):
            dead.add(id(self))
        return FOR_EVER_S if id(self) in dead else delay_s

    return mock.patch.object(SyncDriver, "step", step)


def overlay_dropped_at_ack() -> AbstractContextManager[Any]:
    """M18: an acknowledged op is no longer laid over the card, though the replica does not show it yet."""

    def is_ahead(entry: Any, _at: dict[str, int], _parked: frozenset[str]) -> bool:
        return entry.state == "pending"

    return mock.patch.object(sqlite_journal, "_is_ahead", is_ahead)


def seq_outside_the_transaction() -> AbstractContextManager[Any]:
    """M19: the number is given out in one transaction, the op saved in the next."""
    real = JournalTables.record

    def record(self: JournalTables, ops: Sequence[NewOp]) -> tuple[Op, ...]:
        install_id, seq, chain, *_ = self._install()
        self._move_head(install_id, seq + len(ops), chain)
        with self._connection.atomic():
            self._move_head(install_id, seq, chain)
            return real(self, ops)

    return mock.patch.object(JournalTables, "record", record)


def push_as_whoever_is_signed_in() -> AbstractContextManager[Any]:
    """M20: ops go out under the associate of the moment, not of the record."""
    real = errands.wire_op
    signed_in: list[str | None] = []

    def wire_op(op: Op) -> dict[str, Any]:
        if op.associate_id is not None and not signed_in:
            signed_in.append(op.associate_id)
        told = real(op)
        return told | {"associate_id": signed_in[0]} if signed_in and "associate_id" in told else told

    return mock.patch.object(errands, "wire_op", wire_op)


@contextmanager
def together(patches: Iterable[AbstractContextManager[Any]]) -> Iterator[None]:
    """Several patches as one."""
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        yield
