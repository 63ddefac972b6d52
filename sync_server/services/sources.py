"""Sources: the systems that may send events, each with its write key. Keys are stored as SHA-256 only."""

from __future__ import annotations

import re
from typing import Final

from shared.errors import Refused
from sync_server.services.enrolment import sha256_hex
from sync_server.services.headquarters import Headquarters

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z")


def create_key(hq: Headquarters, source: str, *, replace: bool = False) -> str:
    """A write key for a source, shown this once; `replace` makes a known source's old key stop working."""
    if not _NAME.match(source):
        raise Refused(f"A source's name is letters, digits, dots and hyphens such as web-shop, not {source!r:.60}.")
    write_key = hq.secret_text(192)
    row = {
        "name": source,
        "write_key_hash": sha256_hex(write_key),
        "created_at": hq.now_at(),
        "disabled_at": None,
    }
    with hq.database.write() as tx:
        if replace:
            tx.put_row("source", row)
        elif not tx.add_row("source", row):
            raise Refused(f"The source {source} already has a write key. Use --replace to give it a new one.")
        hq.note_audit(tx, "command line", "made a write key", source)
    return write_key


def source_of_key(hq: Headquarters, write_key: str | None) -> str | None:
    """The source a write key belongs to; None for an unknown or disabled one."""
    if not write_key:
        return None
    with hq.database.read() as reader:
        rows = reader.rows("source", write_key_hash=sha256_hex(write_key), disabled_at=None)
    return str(rows[0]["name"]) if rows else None
