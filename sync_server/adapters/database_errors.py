"""The database's own errors, told apart by what can be done: refuse the row, run the transaction again, wait, or mend.

PostgreSQL is judged by SQLSTATE, SQLite by its words. Only what the row itself holds is `RowRefused`: that two writers
met is no fault of an op, so a unique violation on PostgreSQL, a deadlock and a failed serialization are `Conflict`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import exc
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError

from shared.errors import Damaged, FloorsideError, Problem, StorageFull
from sync_server.ports import Conflict, RowRefused

RETRY_AFTER_S: Final = 2
_MET: Final = frozenset({"23505", "40001", "40P01"})
"""unique_violation (the other writer's row, for all of ours are looked up first), serialization_failure, deadlock."""
_WAITED: Final = frozenset({"55P03", "57014", "25P03", "25P04"})
"""lock_not_available, query_canceled, and the time-outs of idle and long transactions."""
_AWAY: Final = ("08", "53", "57P")
"""Connections refused or broken, resources used up, the server stopping or starting."""
_FULL: Final = "53100"


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Raises RowRefused, Conflict, Problem `busy`, StorageFull or Damaged for what the database raises inside."""
    try:
        yield
    except FloorsideError:
        raise
    except exc.TimeoutError as problem:
        raise _busy("All of this server's connections to the database are in use.") from problem
    except DBAPIError as problem:
        found = _judged(problem)
        if found is None:
            raise
        raise found from problem


def _judged(problem: DBAPIError) -> FloorsideError | None:
    told, state = str(problem.orig or problem), str(getattr(problem.orig, "sqlstate", None) or "")
    if "disk is full" in told or "No space left" in told or state == _FULL:
        return StorageFull("HQ's disk is full. Nothing was half-written: make room and try again.")
    if state in _MET:
        return Conflict()
    if isinstance(problem, IntegrityError | DataError):
        return RowRefused(told[:200])
    if state in _WAITED or "database is locked" in told:
        return _busy("Another program writes to HQ's database.")
    if "malformed" in told or "not a database" in told:
        return Damaged(f"HQ's database file is damaged ({told}). Restore the last backup.")
    return _busy("HQ's database does not answer.") if _is_away(problem, state) else None


def _is_away(problem: DBAPIError, state: str) -> bool:
    """Is the connection gone? psycopg gives no SQLSTATE where it could not connect or was cut off."""
    is_networked = hasattr(problem.orig, "sqlstate")
    is_cut = isinstance(problem, OperationalError | InterfaceError) and not state
    return is_networked and (problem.connection_invalidated or is_cut or state.startswith(_AWAY))


def _busy(sentence: str) -> Problem:
    return Problem("busy", sentence, status=503, retry_after_s=RETRY_AFTER_S)
