"""The journal in SQLite: what this device recorded, chained, and how each op stands with HQ. Flow steps 5 and 6.

An op's row is written once; `body` holds its frozen canonical bytes and is never rewritten, only blanked when the
shopper was erased. Renumbering under a new install changes seq and chain alone. Every public method is one transaction.
"""

# ruff: noqa: S608 (statements are put together from this module's own constants; values always travel as parameters)

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from associate_app.adapters.install_file import InstallFile
from associate_app.adapters.sqlite_connection import Connection
from associate_app.ports import JournalEntry, NewOp, OpState, OutboxCounts
from shared.errors import Malformed
from shared.journal import CHAIN_START, extend_chain
from shared.wire.canonical import canonical, check_body, load_json
from shared.wire.messages import Limits, OpResult, PushReply, Receipt
from shared.wire.ops import ERASED, SCHEMA, WITHHELD, Op

_LAST_RECEIPT: Final = "last_receipt"
_ENVELOPE_SLACK: Final = 1024
"""Bytes of a push message around its ops, counted generously."""

_OP: Final = "seq, op_id, kind, schema, scope, associate_id, occurred_at, amends, sha, body"
_ENTRY: Final = f"{_OP}, chain, state, code, detail, visible_at, acked_at, profile_id, stand_in"
_INSERT: Final = (
    "INSERT INTO op (install_id, seq, op_id, kind, schema, scope, associate_id, occurred_at, amends, sha, body, chain, "
    "state, must_blank, profile_id, shopper_type, shopper_value) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0, ?, ?, ?)"
)
_ABOUT: Final = (
    "rowid IN (SELECT rowid FROM op WHERE profile_id IN (SELECT value FROM json_each(?)) "
    "UNION SELECT op.rowid FROM json_each(?) AS pair CROSS JOIN op "
    "ON op.shopper_type = json_extract(pair.value, '$[0]') AND op.shopper_value = json_extract(pair.value, '$[1]'))"
)
_MAY_BE_AHEAD: Final = (
    "state <> 'rejected' AND (state <> 'acked' OR amends IS NOT NULL OR visible_at IS NULL OR "
    "visible_at > coalesce((SELECT at FROM replica WHERE replica.scope = op.scope), 0))"
)


class JournalTables:
    """The journal face of the tablet database."""

    _connection: Connection
    _install_file: InstallFile

    # recording

    def install_id(self) -> str:
        """The install whose journal this is."""
        return str(self._install()[0])

    def record(self, ops: Sequence[NewOp]) -> tuple[Op, ...]:
        """Append ops in order, in one transaction: what comes back is on the disk."""
        prepared = [_prepare(new) for new in ops]
        with self._connection.atomic():
            install_id, seq, chain, *_ = self._install()
            made = []
            for new, sha, body in prepared:
                seq, chain = seq + 1, extend_chain(chain, new.op_id, sha)
                self._append(new, install_id, seq, sha, body, chain)
                made.append(_new_op(new, seq, sha))
            self._move_head(install_id, seq, chain)
        self._install_file.write(install_id, seq)
        return tuple(made)

    def _append(self, new: NewOp, install_id: str, seq: int, sha: str, body: bytes, chain: str) -> None:
        about = self._about(new)
        envelope = (new.op_id, new.kind, SCHEMA, new.scope, new.associate_id, new.occurred_at, new.amends, sha)
        self._connection.write(_INSERT, (install_id, seq, *envelope, body, chain, *about))

    def _about(self, new: NewOp) -> tuple[str | None, str | None, str | None]:
        """(profile id, identifier type, value) of the shopper; a withdrawal is about whom its target is about."""
        type_, value = _shopper_of(new)
        if type_ is None and new.amends is not None:
            target = self._connection.row(
                "SELECT profile_id, shopper_type, shopper_value FROM op WHERE op_id = ?", (new.amends,)
            )
            if target is not None:
                return (new.profile_id or target[0], target[1], target[2])
        return (new.profile_id, type_, value)

    def _install(self) -> tuple[Any, ...]:
        """(install_id, head_seq, head_chain, acked_seq, acked_chain, forgotten) of the current install."""
        found = self._connection.row(
            "SELECT install_id, head_seq, head_chain, acked_seq, acked_chain, forgotten FROM install WHERE is_current"
        )
        assert found is not None, "the file was opened without an install"
        return found

    def _move_head(self, install_id: str, seq: int, chain: str) -> None:
        self._connection.write(
            "UPDATE install SET head_seq = ?, head_chain = ? WHERE install_id = ?", (seq, chain, install_id)
        )

    def _move_acked(self, install_id: str, seq: int, chain: str) -> None:
        self._connection.write(
            "UPDATE install SET acked_seq = ?, acked_chain = ? WHERE install_id = ?", (seq, chain, install_id)
        )

    # sending

    def head(self) -> tuple[int, str]:
        """(seq, chain) of the newest op of this install."""
        _, seq, chain, *_ = self._install()
        return (seq, chain)

    def acked(self) -> tuple[int, str]:
        """(seq, chain) up to which HQ has answered."""
        *_, seq, chain, _ = self._install()
        return (seq, chain)

    def chain_at(self, seq: int) -> str | None:
        """The chain at a seq; None where that op is no longer kept."""
        install_id, head_seq, head_chain, acked_seq, acked_chain, _ = self._install()
        known = {0: CHAIN_START, head_seq: head_chain, acked_seq: acked_chain}
        if seq in known:
            return str(known[seq])
        found = self._connection.row("SELECT chain FROM op WHERE install_id = ? AND seq = ?", (install_id, seq))
        return str(found[0]) if found else None

    def next_batch(self, *, after_seq: int, max_ops: int, max_bytes: int) -> tuple[Op, ...]:
        """The next contiguous ops within both limits, at least one if there is one."""
        rows = self._connection.rows(
            f"SELECT {_OP}, stand_in FROM op WHERE install_id = ? AND seq > ? ORDER BY seq LIMIT ?",
            (self.install_id(), after_seq, max_ops),
        )
        batch: list[Op] = []
        left = max_bytes - _ENVELOPE_SLACK
        for row in rows:
            op = _to_send(row[:-1], row[-1])
            left -= len(canonical(op.as_wire())) + 1
            if batch and (left < 0 or op.seq != batch[-1].seq + 1):
                break
            batch.append(op)
        return tuple(batch)

    def settle(self, reply: PushReply, *, at: str) -> None:
        """Apply a push reply: verdicts, positions, acked seq and receipt."""
        with self._connection.atomic():
            install_id, *_ = self._install()
            if reply.receipt.install_id != install_id:
                return
            for result in reply.results:
                self._settle_one(install_id, result, reply.visible_at, at)
            self._advance(install_id, [result.seq for result in reply.results])
            if self.chain_at(reply.receipt.through_seq) == reply.receipt.chain:
                self._keep_receipt(reply.receipt)

    def _settle_one(self, install_id: str, result: OpResult, visible_at: dict[str, int], at: str) -> None:
        found = self._connection.row(
            "SELECT scope, stand_in, must_blank, visible_at FROM op WHERE install_id = ? AND seq = ?",
            (install_id, result.seq),
        )
        if found is None:
            return
        scope, stand_in, must_blank, known_position = found
        state = _state_after(result, stand_in)
        position = visible_at.get(scope, known_position)
        self._connection.write(
            "UPDATE op SET state = ?, code = ?, detail = ?, visible_at = ?, acked_at = ? "
            "WHERE install_id = ? AND seq = ?",
            (state, result.code, result.detail, position, at, install_id, result.seq),
        )
        if must_blank:
            _blank(self._connection, "install_id = ? AND seq = ?", (install_id, result.seq))

    def _advance(self, install_id: str, answered: list[int]) -> None:
        """Move the acked position over what was answered, up to the first gap."""
        reached, chain = self.acked()
        for seq in sorted(answered):
            if seq == reached + 1:
                reached = seq
        self._move_acked(install_id, reached, self.chain_at(reached) or chain)

    def _keep_receipt(self, receipt: Receipt) -> None:
        self._connection.write(
            "INSERT INTO note VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (_LAST_RECEIPT, receipt.model_dump_json()),
        )

    def withhold(self, seq: int) -> None:
        """Send a stand-in for this op from now on; its body stays here."""
        self._connection.write(
            "UPDATE op SET state = 'withheld', stand_in = ? WHERE install_id = ? AND seq = ? AND stand_in IS NULL",
            (WITHHELD, self.install_id(), seq),
        )

    # a server that is behind, and new installs

    def resend_from(self, seq: int) -> bool:
        """Queue everything after `seq` again, if all of it is still kept."""
        with self._connection.atomic():
            install_id, head_seq, *_ = self._install()
            kept = self._connection.row("SELECT count(*) FROM op WHERE install_id = ? AND seq > ?", (install_id, seq))
            chain = self.chain_at(seq)
            if kept is None or kept[0] != head_seq - seq or chain is None:
                return False
            self._requeue("install_id = ? AND seq > ?", (install_id, seq))
            self._move_acked(install_id, seq, chain)
            return True

    def requeue_earlier_installs(self) -> int:
        """Queue kept ops of earlier installs again at the end of this one."""
        with self._connection.atomic():
            install_id = self.install_id()
            moved = self._rows_to_move("install_id <> ?", (install_id,))
            self._renumber(moved, install_id)
        self._install_file.write(install_id, self.head()[0])
        return len(moved)

    def restart_install(self, install_id: str, *, include_acked: bool) -> None:
        """Renumber what HQ has not acknowledged (or all that is kept) under a new install, from 1."""
        with self._connection.atomic():
            *_, acked_seq, _, forgotten = self._install()
            current = self.install_id()
            where, parameters = ("1", ()) if include_acked else ("install_id = ? AND seq > ?", (current, acked_seq))
            moved = self._rows_to_move(where, parameters)
            self._connection.write("UPDATE install SET is_current = 0, forgotten = 0")
            self._begin_install(install_id, forgotten)
            self._renumber(moved, install_id)
            self._install_file.write(install_id, self.head()[0])

    def _begin_install(self, install_id: str, forgotten: int = 0) -> None:
        self._connection.write(
            "INSERT INTO install VALUES (?, 0, ?, 0, ?, ?, 1)", (install_id, CHAIN_START, CHAIN_START, forgotten)
        )

    def _rows_to_move(self, where: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Rowids, op_ids and shas in the order in which they were recorded."""
        return self._connection.rows(f"SELECT rowid, op_id, sha FROM op WHERE {where} ORDER BY rowid", parameters)

    def _renumber(self, moved: list[tuple[Any, ...]], install_id: str) -> None:
        _, seq, chain, *_ = self._install()
        for rowid, op_id, sha in moved:
            seq, chain = seq + 1, extend_chain(chain, op_id, sha)
            self._connection.write(
                "UPDATE op SET install_id = ?, seq = ?, chain = ? WHERE rowid = ?", (install_id, seq, chain, rowid)
            )
            self._requeue("rowid = ?", (rowid,))
        self._move_head(install_id, seq, chain)

    def _requeue(self, where: str, parameters: Sequence[Any]) -> None:
        self._connection.write(
            "UPDATE op SET state = CASE stand_in WHEN 'withheld' THEN 'withheld' ELSE 'pending' END, "
            f"code = NULL, detail = NULL, acked_at = NULL WHERE {where}",
            parameters,
        )

    # reading

    def counts(self) -> OutboxCounts:
        """What is where; ops dropped after their retention count as acked for ever."""
        rows = self._connection.rows("SELECT state, count(*), min(occurred_at) FROM op GROUP BY state")
        found: dict[str, int] = {state: count for state, count, _ in rows}
        kept = sum(found.values())
        found["acked"] = found.get("acked", 0) + int(self._install()[-1])
        oldest = next((first for state, _, first in rows if state == "pending"), None)
        states = ("pending", "acked", "parked", "rejected", "withheld")
        return OutboxCounts(
            recorded=sum(found.values()),
            kept=kept,
            oldest_pending_at=oldest,
            **{state: found.get(state, 0) for state in states},
        )

    def entries(self, *, limit: int = 50, before_seq: int | None = None) -> tuple[JournalEntry, ...]:
        """Newest first, in order of recording; `before_seq` pages on from an op of this install."""
        return self._entries(
            "WHERE ? IS NULL OR rowid < (SELECT rowid FROM op WHERE install_id = ? AND seq = ?) "
            "ORDER BY rowid DESC LIMIT ?",
            (before_seq, self.install_id(), before_seq, limit),
        )

    def entry(self, op_id: str) -> JournalEntry | None:
        """One recorded op."""
        return next(iter(self._entries("WHERE op_id = ?", (op_id,))), None)

    def newest_about(
        self, kind: str, profile_id: str | None, identifiers: Iterable[tuple[str, str]]
    ) -> JournalEntry | None:
        """The newest own op of a kind about a shopper that was not withdrawn."""
        found = self._entries(
            f"WHERE kind = ? AND {_ABOUT} AND NOT EXISTS "
            "(SELECT 1 FROM op AS undo WHERE undo.amends = op.op_id AND undo.kind = 'op_withdrawn') "
            "ORDER BY rowid DESC LIMIT 1",
            (kind, *_about_parameters(profile_id, identifiers)),
        )
        return next(iter(found), None)

    def recorded_since(self, kind: str, since_at: str) -> tuple[JournalEntry, ...]:
        """Own ops of a kind from a time on, newest first."""
        return self._entries("WHERE kind = ? AND occurred_at >= ? ORDER BY occurred_at DESC", (kind, since_at))

    def corrections_of(self, op_id: str) -> tuple[Op, ...]:
        """Own corrections of an op, oldest first."""
        found = self._entries(
            "WHERE amends = ? AND kind <> 'op_withdrawn' AND body IS NOT NULL ORDER BY rowid", (op_id,)
        )
        return tuple(entry.op for entry in found)

    def newest_op_id(self) -> str | None:
        """The largest op_id kept."""
        found = self._connection.row("SELECT max(op_id) FROM op")
        return found[0] if found else None

    def unsettled(self, profile_id: str | None, identifiers: Iterable[tuple[str, str]]) -> tuple[Op, ...]:
        """Own ops about a shopper that the replica does not show yet, oldest first, with their corrections."""
        return self._unsettled(_ABOUT, _about_parameters(profile_id, identifiers))

    def unsettled_of(self, kinds: Iterable[str]) -> tuple[Op, ...]:
        """The same of some kinds, about whomever."""
        return self._unsettled("kind IN (SELECT value FROM json_each(?))", (json.dumps(sorted(kinds)),))

    def _unsettled(self, where: str, parameters: Sequence[Any]) -> tuple[Op, ...]:
        with self._connection.snapshot():
            found = self._entries(f"WHERE {where} AND body IS NOT NULL AND {_MAY_BE_AHEAD} ORDER BY rowid", parameters)
            at = dict(self._connection.rows("SELECT scope, at FROM replica"))
            listed = self._parked_by_hq()
        ahead = {entry.op.op_id for entry in found if _is_ahead(entry, at, listed)}
        return tuple(entry.op for entry in found if entry.op.op_id in ahead or entry.op.amends in ahead)

    def _parked_by_hq(self) -> frozenset[str]:
        """The op_ids HQ says it holds but could not apply, from this device's own document."""
        found = self._connection.row(
            "SELECT document.body FROM replica CROSS JOIN document ON document.slice = replica.slice "
            "WHERE document.id = "
            "(SELECT 'device/' || json_extract(value, '$.device_id') FROM note WHERE name = 'device')"
        )
        return frozenset(json.loads(found[0]).get("parked") or ()) if found else frozenset()

    def last_receipt(self) -> Receipt | None:
        """The newest sound receipt."""
        found = self._connection.row("SELECT value FROM note WHERE name = ?", (_LAST_RECEIPT,))
        return Receipt.model_validate_json(found[0]) if found else None

    def forget_acked(self, before_at: str) -> int:
        """Drop acknowledged ops answered before a time; they stay counted."""
        with self._connection.atomic():
            dropped = self._connection.write("DELETE FROM op WHERE state = 'acked' AND acked_at < ?", (before_at,))
            self._connection.write("UPDATE install SET forgotten = forgotten + ? WHERE is_current", (dropped,))
        return dropped

    def _entries(self, tail: str, parameters: Sequence[Any]) -> tuple[JournalEntry, ...]:
        return tuple(_entry(row) for row in self._connection.rows(f"SELECT {_ENTRY} FROM op {tail}", parameters))


def forget_shopper(connection: Connection, profile_id: str, identifiers: Iterable[tuple[str, str]]) -> None:
    """An erased shopper: blank acknowledged bodies about them now, unsent ones once HQ has answered (identity.md)."""
    about = _about_parameters(profile_id, identifiers)
    connection.write(f"UPDATE op SET must_blank = 1 WHERE {_ABOUT}", about)
    _blank(connection, f"must_blank AND acked_at IS NOT NULL AND {_ABOUT}", about)


def forget_ops(connection: Connection, op_ids: list[str]) -> None:
    """The same for ops HQ names one by one; those that are to be sent again are blanked once they are answered."""
    listed = "op_id IN (SELECT value FROM json_each(?)) AND body IS NOT NULL"
    if connection.write(f"UPDATE op SET must_blank = 1 WHERE {listed}", (json.dumps(op_ids),)):
        _blank(connection, f"acked_at IS NOT NULL AND {listed}", (json.dumps(op_ids),))


def settle_parked(connection: Connection, applied: list[str], position: int) -> None:
    """HQ could apply what it had parked: what its document lists no longer is in the documents by now."""
    connection.write(
        "UPDATE op SET state = 'acked', code = NULL, detail = NULL WHERE state = 'parked' AND visible_at <= ? "
        "AND op_id IN (SELECT value FROM json_each(?))",
        (position, json.dumps(applied)),
    )


def _blank(connection: Connection, where: str, parameters: Sequence[Any]) -> None:
    connection.write(
        "UPDATE op SET body = NULL, stand_in = ?, shopper_type = NULL, shopper_value = NULL, profile_id = NULL, "
        f"detail = NULL, must_blank = 0 WHERE {where}",
        (ERASED, *parameters),
    )
    connection.must_tidy = True


def _prepare(new: NewOp) -> tuple[NewOp, str, bytes]:
    """Freeze a body. Raises Malformed for one HQ would never take: that is a bug, and it is loud before it is saved."""
    check_body(new.body if isinstance(new.body, dict) else dict(new.body))
    body = canonical(dict(new.body))
    if len(body) > Limits().max_op_bytes:
        raise Malformed(f"a {new.kind} of {len(body)} bytes is larger than HQ takes")
    return new, sha256(body).hexdigest(), body


def _new_op(new: NewOp, seq: int, sha: str) -> Op:
    return Op(
        seq=seq,
        op_id=new.op_id,
        kind=new.kind,
        schema=SCHEMA,
        scope=new.scope,
        associate_id=new.associate_id,
        occurred_at=new.occurred_at,
        amends=new.amends,
        sha=sha,
        body=dict(new.body),
    )


def _shopper_of(new: NewOp) -> tuple[str | None, str | None]:
    if new.kind == "shopper_enrolled":
        return "loyalty_id", str(new.body.get("loyalty_id", "")).strip()
    shopper = new.body.get("shopper")
    if not isinstance(shopper, dict):
        return None, None
    return str(shopper.get("type")), str(shopper.get("value", "")).strip()


def _about_parameters(profile_id: str | None, identifiers: Iterable[tuple[str, str]]) -> tuple[str, str]:
    pairs = [[type_, value] for type_, value in identifiers]
    ids = [value for type_, value in pairs if type_ == "profile_id"]
    return json.dumps([profile_id, *ids] if profile_id else ids), json.dumps(pairs)


def _state_after(result: OpResult, stand_in: str | None) -> OpState:
    verdict = (result.was or "accepted") if result.verdict == "duplicate" else result.verdict
    if verdict == "rejected":
        return "rejected"
    if verdict == "parked":
        return "withheld" if stand_in == WITHHELD else "parked"
    return "acked"


def _is_ahead(entry: JournalEntry, at: dict[str, int], parked_by_hq: frozenset[str]) -> bool:
    """Say whether an op's effect is not in the replica yet, so that the card must add it itself."""
    if entry.state in ("pending", "withheld"):
        return True
    if entry.state == "rejected":
        return False
    is_behind = entry.visible_at is None or entry.visible_at > at.get(entry.op.scope, 0)
    return is_behind or (entry.state == "parked" and entry.op.op_id in parked_by_hq)


def _op(row: Sequence[Any]) -> Op:
    seq, op_id, kind, schema, scope, associate_id, occurred_at, amends, sha, body = row
    told = {} if body is None else load_json(body)
    return Op(seq, op_id, kind, schema, scope, associate_id, occurred_at, amends, sha, told)


def _to_send(row: Sequence[Any], stand_in: str | None) -> Op:
    op = _op(row)
    if stand_in is None:
        return op
    body = {"bytes": len(row[-1])} if stand_in == WITHHELD else {}
    return replace(op, kind=stand_in, body=body)


def _entry(row: Sequence[Any]) -> JournalEntry:
    chain, state, code, detail, visible_at, acked_at, profile_id, _ = row[10:]
    return JournalEntry(_op(row[:10]), chain, state, code, detail, visible_at, acked_at, profile_id)
