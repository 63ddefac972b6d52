"""M3 on PostgreSQL: `sync-server` with feed positions from a sequence, drawn when the transaction begins to write.

Started by `naive_sequence.py` in place of `sync_server`. Nothing of this is in the product: the patch is made here, in
the process that serves. The head only ever rises to the highest position written, as `max(updated_at)` would.
"""

from __future__ import annotations

import sys

from sync_server.adapters.database import SqlWriter
from sync_server.ports import DocWrite, Install

BLOCK = 1_000
_real_lock_install = SqlWriter.lock_install
_real_publish_scope = SqlWriter._publish_scope


def _draw(writer: SqlWriter) -> int:
    return int(writer._ask("SELECT nextval('naive_position')").scalar_one()) * BLOCK


def lock_install(self: SqlWriter, install_id: str, device_id: str) -> Install:
    """The positions of everything this transaction will publish are drawn here, long before its COMMIT."""
    self.drawn = _draw(self)  # type: ignore[attr-defined]
    return _real_lock_install(self, install_id, device_id)


def publish_scope(self: SqlWriter, scope: str, writes: list[DocWrite], written_at: str) -> int:
    """Publish as always, then move what was written to the positions drawn before."""
    before = self._lock_head(scope).n
    after = _real_publish_scope(self, scope, writes, written_at)
    first = getattr(self, "drawn", None) or _draw(self)
    self._ask("UPDATE doc SET s = ? + s - ? WHERE scope = ? AND s > ?", first, before, scope, before)
    self._ask("UPDATE scope_head SET n = greatest(?, ?) WHERE scope = ?", before, first + after - before, scope)
    return max(before, first + after - before)


def main() -> None:
    """Patch, then be the server."""
    from sync_server.command_line.app import run

    SqlWriter.lock_install = lock_install  # type: ignore[method-assign]
    SqlWriter._publish_scope = publish_scope  # type: ignore[method-assign]
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
