"""Says in this process that a transaction of any process moved a feed's head, on either database.

PostgreSQL tells: every transaction that moves a head notifies `CHANNEL` (adapters/database.py), so the word arrives
with its COMMIT. SQLite is asked: `PRAGMA data_version` changes with any other connection's commit, at the cost of
microseconds. A lost connection is opened again; until then the doorbell's own look at the heads finds changes, so only
time is lost.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

CHANNEL: Final = "floorside_heads"
LOOK_UP_S: Final = 1.0
"""How often a quiet listener looks whether it should stop."""
RECONNECT_S: Final = 1.0
ASK_S: Final = 0.2
"""How often SQLite is asked whether anybody committed."""


def follow_heads(engine: Engine, ring: Callable[[], None], stopped: threading.Event) -> None:
    """Call `ring` whenever a head moved, until `stopped` is set; also once after each connecting, for what was missed.

    Runs on a thread of its own. Raises nothing: a broken connection is made anew every `RECONNECT_S`.
    """
    import psycopg

    _follow_for_ever(_listen, engine, ring, stopped, psycopg.Error)


def watch_heads(engine: Engine, ring: Callable[[], None], stopped: threading.Event) -> None:
    """The same on SQLite."""
    _follow_for_ever(_watch, engine, ring, stopped, sqlite3.Error)


def _follow_for_ever(
    follow: Callable[[Engine, Callable[[], None], threading.Event], None],
    engine: Engine,
    ring: Callable[[], None],
    stopped: threading.Event,
    trouble: type[Exception],
) -> None:
    while not stopped.is_set():
        try:
            follow(engine, ring, stopped)
        except (SQLAlchemyError, trouble, OSError):
            stopped.wait(RECONNECT_S)


def _listen(engine: Engine, ring: Callable[[], None], stopped: threading.Event) -> None:
    connection = _own_connection(engine)
    try:
        connection.execute(f"LISTEN {CHANNEL}")
        ring()
        while not stopped.is_set():
            for _ in connection.notifies(timeout=LOOK_UP_S, stop_after=1):
                ring()
    finally:
        connection.close()


def _watch(engine: Engine, ring: Callable[[], None], stopped: threading.Event) -> None:
    connection = _own_connection(engine)
    try:
        seen, moved = _asked(connection, "PRAGMA data_version"), _asked(connection, _MOVED)
        ring()
        while not stopped.wait(ASK_S):
            if (now := _asked(connection, "PRAGMA data_version")) != seen:
                before, seen, moved = moved, now, _asked(connection, _MOVED)
                if moved != before:
                    ring()
    finally:
        connection.close()


_MOVED: Final = "SELECT SUM(n) FROM scope_head"
"""Heads only rise, so their sum moves with each; what is committed without moving one (an audit line) rings nobody."""


def _asked(connection: Any, query: str) -> Any:
    return connection.execute(query).fetchone()[0]


def _own_connection(engine: Engine) -> Any:
    """A connection taken out of the pool: following holds it for as long as the process lives. Each statement is a
    transaction of its own, so it never holds a writer or a checkpoint up."""
    pooled = engine.raw_connection()
    own: Any = pooled.driver_connection
    pooled.detach()
    if engine.dialect.name != "sqlite":  # those are opened so
        own.autocommit = True
    return own
