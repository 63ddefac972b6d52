"""LISTEN on PostgreSQL: says in this process that a transaction of any process moved a feed's head.

Every transaction that moves a head notifies `CHANNEL` (adapters/database.py), so the word arrives with its COMMIT. A
lost connection is opened again; until then the doorbell's own look at the heads finds changes, so only time is lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

CHANNEL: Final = "floorside_heads"
LOOK_UP_S: Final = 1.0
"""How often a quiet listener looks whether it should stop."""
RECONNECT_S: Final = 1.0


def follow_heads(engine: Engine, ring: Callable[[], None], stopped: threading.Event) -> None:
    """Call `ring` whenever a head moved, until `stopped` is set; also once after each connecting, for what was missed.

    Runs on a thread of its own. Raises nothing: a broken connection is made anew every `RECONNECT_S`.
    """
    import psycopg

    while not stopped.is_set():
        try:
            _follow(engine, ring, stopped)
        except (SQLAlchemyError, psycopg.Error, OSError):
            stopped.wait(RECONNECT_S)


def _follow(engine: Engine, ring: Callable[[], None], stopped: threading.Event) -> None:
    connection = _own_connection(engine)
    try:
        connection.execute(f"LISTEN {CHANNEL}")
        ring()
        while not stopped.is_set():
            for _ in connection.notifies(timeout=LOOK_UP_S, stop_after=1):
                ring()
    finally:
        connection.close()


def _own_connection(engine: Engine) -> Any:
    """A connection taken out of the pool: listening holds it for as long as the process lives."""
    pooled = engine.raw_connection()
    own: Any = pooled.driver_connection
    pooled.detach()
    own.autocommit = True
    return own
