"""Mutants of the server: small patches of its intake, feed and database, taken back when the context ends."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from sqlalchemy import delete

from associate_app.sync import engine, judge
from shared.clock import format_at, shift_at
from sync_server.adapters import schema
from sync_server.adapters.database import SqlReader, SqlWriter
from sync_server.api import sync as sync_routes
from sync_server.ports import CentralDatabase, DocWrite, Install, KnownFact
from sync_server.services import feed, intake, sessions, upkeep
from tests.mutants.on_tablets import together
from tests.simulation.headquarters import CommitLost


class _AnswersAnyway:
    """A database whose lost COMMIT nobody notices."""

    def __init__(self, database: CentralDatabase) -> None:
        self._database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @contextmanager
    def write(self) -> Iterator[Any]:
        try:
            with self._database.write() as tx:
                yield tx
        except CommitLost:
            return


def ack_before_commit() -> AbstractContextManager[Any]:
    """M1: a push is answered whether or not its transaction became durable."""
    real = intake.take_push

    def take_push(database: CentralDatabase, *others: Any, **named: Any) -> dict[str, Any]:
        return real(_AnswersAnyway(database), *others, **named)

    return mock.patch.object(sync_routes, "take_push", take_push)


def naive_positions() -> AbstractContextManager[Any]:
    """M3: positions are given out before COMMIT, so that a slow transaction commits under a smaller one. On SQLite,
    where writers take turns, the slow one is simulated: its documents appear with the next transaction of the scope."""
    real = SqlWriter._publish_scope
    waiting: dict[tuple[int, str], list[tuple[str, int]]] = {}

    def publish_scope(self: SqlWriter, scope: str, writes: list[DocWrite], written_at: str) -> int:
        key = (id(self._connection.engine), scope)
        late = waiting.pop(key, [])
        before = self._lock_head(scope).n
        position = real(self, scope, writes, written_at)
        table = schema.doc
        for id_, s in late:
            mine = (table.c.scope == scope) & (table.c.id == id_) & (table.c.s == -s)
            self._connection.execute(table.update().where(mine).values(s=s))
        if position > before and not late:
            mine = (table.c.scope == scope) & (table.c.s == position)
            [id_] = [row.id for row in self._connection.execute(table.select().where(mine))]
            self._connection.execute(table.update().where(mine).values(s=-position))
            waiting[key] = [(id_, position)]
        return position

    def page(self: SqlReader, scope: str, after_s: int, limit: int) -> Any:
        return [row for row in real_page(self, scope, after_s, limit) if row.s > 0]

    real_page = SqlReader.page
    return together(
        [mock.patch.object(SqlWriter, "_publish_scope", publish_scope), mock.patch.object(SqlReader, "page", page)]
    )


def dedupe_by_seq() -> AbstractContextManager[Any]:
    """M7: an op counts as known when the device ever sent one at its seq, whatever its install and op_id."""
    real = intake._judge_all

    def judge_all(tx: Any, draft: Any, ops: Any, setting: Any) -> None:
        installs = [row["install_id"] for row in tx.rows("install", device_id=setting.device.device_id)]
        seen = {
            seq
            for install_id in installs
            if install_id != draft.install.install_id
            for seq in tx.entries(install_id, 1, 1 << 40)
        }
        real(tx, draft, ops, setting)
        for place, op in enumerate(ops):
            if op["seq"] in seen and op["op_id"] in draft.rows:
                del draft.rows[op["op_id"]]
                draft.facts[:] = [fact for fact in draft.facts if fact.id != op["op_id"]]
                draft.results[place] = {"seq": op["seq"], "verdict": "duplicate", "was": "accepted"}

    return mock.patch.object(intake, "_judge_all", judge_all)


def dedupe_for_a_day() -> AbstractContextManager[Any]:
    """M8: what came more than a day ago is forgotten by the dedupe, and taken as new."""
    real = intake._judge_all

    def judge_all(tx: Any, draft: Any, ops: Any, setting: Any) -> None:
        table = schema.fact
        held = tx.entries(draft.install.install_id, ops[0]["seq"], ops[-1]["seq"]) if ops else {}
        ids = [op["op_id"] for op in ops if op["seq"] not in held]
        old = table.c.fact_id.in_(ids) & (table.c.received_at < shift_at(setting.received_at, days=-1))
        forgotten = {row.fact_id for row in tx._connection.execute(table.select().where(old))}
        real_known = tx.known_facts

        def known_facts(wanted: Collection[str]) -> dict[str, KnownFact]:
            return {op_id: fact for op_id, fact in real_known(wanted).items() if op_id not in forgotten}

        tx.known_facts = known_facts
        tx._connection.execute(delete(table).where(table.c.fact_id.in_(forgotten)))
        real(tx, draft, ops, setting)

    return mock.patch.object(intake, "_judge_all", judge_all)


def short_tombstones() -> AbstractContextManager[Any]:
    """M9: deletions are forgotten after a day, and nobody tells the tablets that were offline."""

    def drop_tombstones(database: CentralDatabase, clock: Any) -> int:
        table = schema.doc
        before_at = shift_at(format_at(clock.now()), days=-1)
        with database.write() as tx:
            connection: Any = tx
            old = table.c.deleted & (table.c.written_at < before_at)
            return int(connection._connection.execute(delete(table).where(old)).rowcount)

    import tests.simulation.headquarters as simulated

    return together(
        [
            mock.patch.object(upkeep, "drop_tombstones", drop_tombstones),
            mock.patch.object(simulated, "drop_tombstones", drop_tombstones),
        ]
    )


def equal_positions() -> AbstractContextManager[Any]:
    """M11: three documents share a position, so that a page that ends between them leaves the others out. The table
    refuses equal positions, so the cursor after such a page is moved to the end of the three instead."""
    real = feed.read_page

    def read_page(database: CentralDatabase, keys: Any, scope: str, sealed: str | None, limit: int) -> dict[str, Any]:
        page = real(database, keys, scope, sealed, limit)
        cursor = feed.open_cursor(page["next"], keys.hmac_key("cursor"))
        if page["more"] and cursor is not None:
            last = min(page["head"], -(-cursor.position // 3) * 3)
            page["next"] = feed.seal_cursor(replace(cursor, position=last), keys.hmac_key("cursor"))
        return page

    return mock.patch.object(sync_routes, "read_page", read_page)


def no_epoch_check() -> AbstractContextManager[Any]:
    """M13: HQ takes pushes and cursors of any history."""
    real_checked, real_take = feed._checked, intake._take

    def checked(cursor: Any, epoch: str, scope: str, head: Any) -> int:
        ours = None if cursor is None else replace(cursor, epoch_mark=feed.mark_of(epoch))
        return real_checked(ours, epoch, scope, head)

    def take(tx: Any, keys: Any, device: Any, push: Any, *others: Any, **named: Any) -> Any:
        ours = push.request.model_copy(update={"epoch": tx.note(sessions.EPOCH_NOTE)})
        return real_take(tx, keys, device, replace(push, request=ours), *others, **named)

    return together([mock.patch.object(feed, "_checked", checked), mock.patch.object(intake, "_take", take)])


def no_fork_check() -> AbstractContextManager[Any]:
    """M14: nobody compares journals; what stands at a seq already counts as the same op."""
    real = intake._judge_all

    def judge_all(tx: Any, draft: Any, ops: Any, setting: Any) -> None:
        held = tx.entries(draft.install.install_id, ops[0]["seq"], ops[-1]["seq"]) if ops else {}
        same = [
            op | {"op_id": held[op["seq"]].op_id, "sha": held[op["seq"]].sha} if op["seq"] in held else op for op in ops
        ]
        real(tx, draft, same, setting)

    def meet(tx: Any, device: Any, request: Any) -> Install:
        found: Install = tx.lock_install(request.install_id, device.device_id)
        return found

    def judge_hello(reply: Any, own: Any) -> str:
        return "behind" if reply.acked_seq < own.acked_seq else "sound"

    def judge_push(told: Any, epoch: str) -> str:
        verdict = real_push(told, epoch)
        return "sound" if verdict == "forked" else verdict

    real_push = judge.judge_push
    return together(
        [
            mock.patch.object(intake, "_judge_all", judge_all),
            mock.patch.object(sessions, "_meet", meet),
            mock.patch.object(engine, "judge_hello", judge_hello),
            mock.patch.object(engine, "judge_push", judge_push),
        ]
    )


def device_clocks_decide() -> AbstractContextManager[Any]:
    """M15: facts take effect when the device's clock says, so that the fastest clock wins."""
    real = intake._row

    def row(*told: Any, **named: Any) -> Any:
        made = real(*told, **named)
        return made._replace(effective_at=made.occurred_at)

    return mock.patch.object(intake, "_row", row)


def batch_rejected_whole() -> AbstractContextManager[Any]:
    """M17: one op that cannot be taken rejects its whole batch."""
    real = intake._judge_all

    def judge_all(tx: Any, draft: Any, ops: Any, setting: Any) -> None:
        real(tx, draft, ops, setting)
        if not any(result["verdict"] in ("parked", "rejected") for result in draft.results):
            return
        draft.rows.clear()
        draft.facts.clear()
        draft.results[:] = [{"seq": op["seq"], "verdict": "rejected", "code": "malformed"} for op in ops]
        draft.entries[:] = [entry._replace(verdict="rejected", code="malformed") for entry in draft.entries]

    return mock.patch.object(intake, "_judge_all", judge_all)
