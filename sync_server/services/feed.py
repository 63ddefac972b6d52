"""The feed: pages, snapshots and heads of a scope, and the sealed cursors between them. Flow step 8.

A page is one read transaction; `check` says what a replica must hold when it has applied everything. A cursor is
opaque to the tablet and sealed: any character changed makes it unreadable, never a wrong position.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from shared.errors import Problem
from shared.wire.messages import DOCUMENT_SCHEMA
from sync_server.ports import CentralDatabase, CentralReader, DocRow, KeyFolder, ScopeHead
from sync_server.services.json_text import as_written
from sync_server.services.problems import refuse
from sync_server.services.sessions import EPOCH_NOTE

PAGE_MAX: Final = 1000
_SEAL_BYTES: Final = 13
_SUM_MASK: Final = (1 << 64) - 1
_FORM: Final = struct.Struct(">8s8sHQ")
"""Marks of epoch and scope, schema, position. With the seal 39 bytes, a multiple of 3:
base64 then leaves no spare bits that a changed character could hide in."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a scope's feed, in one epoch, for one shape of documents. Epoch and scope are only ever compared,
    so the first 8 bytes of their SHA-256 stand for them."""

    epoch_mark: bytes
    scope_mark: bytes
    position: int
    schema: int

    @classmethod
    def at(cls, epoch: str, scope: str, position: int) -> Cursor:
        """The cursor of a position."""
        return cls(mark_of(epoch), mark_of(scope), position, DOCUMENT_SCHEMA)


def mark_of(text: str) -> bytes:
    """What stands for an epoch or a scope in a cursor."""
    return hashlib.sha256(text.encode()).digest()[:8]


def seal_cursor(cursor: Cursor, key: bytes) -> str:
    """A cursor as the tablet keeps it: base64url of its form and its seal, 52 characters."""
    form = _FORM.pack(cursor.epoch_mark, cursor.scope_mark, cursor.schema, cursor.position)
    return base64.urlsafe_b64encode(_seal(form, key) + form).decode()


def _seal(form: bytes, key: bytes) -> bytes:
    return hmac.digest(key, form, "sha256")[:_SEAL_BYTES]


def open_cursor(sealed: str, key: bytes) -> Cursor | None:
    """Read a sealed cursor; None when a single character is not as it was given."""
    try:
        raw = base64.urlsafe_b64decode(sealed)
    except (ValueError, UnicodeError):
        return None
    seal, form = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
    if not hmac.compare_digest(seal, _seal(form, key)) or base64.urlsafe_b64encode(raw).decode() != sealed:
        return None
    epoch_mark, scope_mark, schema, position = _FORM.unpack(form)
    return Cursor(epoch_mark, scope_mark, position, schema)


def resync(reason: str) -> Problem:
    """410: the tablet takes a snapshot."""
    return refuse("resync", reason=reason)


def read_page(
    database: CentralDatabase, keys: KeyFolder, scope: str, sealed: str | None, limit: int = PAGE_MAX
) -> dict[str, Any]:
    """A page of a scope after a cursor, for `encode`: its documents stand in it as the text that is stored.

    Raises Problem: 422 without a cursor or with a limit below 1, 410 resync.
    """
    if not sealed:
        raise refuse("malformed_request", "cursor is missing: the first one comes from a snapshot.")
    if limit < 1:
        raise refuse("malformed_request", "limit is a whole number from 1.")
    key = keys.hmac_key("cursor")
    with database.read() as reader:
        epoch, head = reader.note(EPOCH_NOTE) or "", reader.head(scope)
        cursor = open_cursor(sealed, key)
        position = _checked(cursor, epoch, scope, head)
        rows = reader.page(scope, position, min(limit, PAGE_MAX))
    last = rows[-1].s if rows else position
    has_more = last < head.n
    page = {
        "epoch": epoch,
        "scope": scope,
        "next": seal_cursor(Cursor.at(epoch, scope, last), key),
        "head": head.n,
        "more": has_more,
        "changes": [_change(row) for row in rows],
        "end": True,
    }
    if not has_more:
        page["check"] = {"at": head.n, "count": head.count, "sum": head.sum}
    return page


def _checked(cursor: Cursor | None, epoch: str, scope: str, head: ScopeHead) -> int:
    if cursor is None:
        raise resync("unreadable")
    if cursor.epoch_mark != mark_of(epoch):
        raise resync("epoch")
    if cursor.scope_mark != mark_of(scope):
        raise resync("scope")
    if cursor.schema != DOCUMENT_SCHEMA:
        raise resync("schema")
    return _position(cursor.position, head)


def _position(position: int, head: ScopeHead) -> int:
    if position > head.n:
        raise resync("cursor_ahead")
    if position < head.floor:
        raise resync("cursor_too_old")
    return position


def _change(row: DocRow) -> dict[str, Any]:
    if row.deleted:
        return {"s": row.s, "id": row.id, "op": "del", "why": row.why}
    return {"s": row.s, "id": row.id, "op": "put", "h": row.h, "doc": as_written(row.body)}


def stream_snapshot(
    database: CentralDatabase,
    keys: KeyFolder,
    scope: str,
    *,
    after: str | None = None,
    as_of: int | None = None,
    epoch: str | None = None,
) -> Iterator[bytes]:
    """The lines of a snapshot, each ending in one newline, from one read transaction.

    With `after` it goes on behind that id and keeps the first `as_of`; newer documents come as they are now, and the
    pull from `as_of` brings what changed before. Raises Problem (410) before the first line where it cannot go on.
    """
    with database.read() as reader:
        header = _snapshot_header(reader, scope, after, as_of, epoch)
        yield _json_line(header)
        count, total = 0, 0
        for row in reader.live_docs(scope, after or ""):
            count, total = count + 1, total + int(row.h, 16)
            yield f'{{"s":{row.s},"id":{_encode_id(row.id)},"h":"{row.h}","doc":{row.body}}}\n'.encode()
        cursor = seal_cursor(Cursor.at(header["epoch"], scope, header["as_of"]), keys.hmac_key("cursor"))
        yield _json_line({"end": True, "count": count, "sum": f"{total & _SUM_MASK:016x}", "next": cursor})


def _snapshot_header(
    reader: CentralReader, scope: str, after: str | None, as_of: int | None, epoch: str | None
) -> dict[str, Any]:
    now_epoch, head = reader.note(EPOCH_NOTE) or "", reader.head(scope)
    if epoch is not None and epoch != now_epoch:
        raise resync("epoch")
    position = head.n if as_of is None else _position(as_of, head)
    count = reader.count_live(scope, after or "")
    return {"epoch": now_epoch, "scope": scope, "as_of": position, "schema": DOCUMENT_SCHEMA, "count": count}


_encode_id: Final = json.encoder.encode_basestring
"""A text as JSON without ASCII escapes; `json.dumps` makes an encoder for each call."""


def _json_line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def read_heads(database: CentralDatabase, scopes: Collection[str]) -> tuple[str, dict[str, int]]:
    """(epoch, scope -> position) for the doorbell."""
    with database.read() as reader:
        return reader.note(EPOCH_NOTE) or "", reader.heads(scopes)
