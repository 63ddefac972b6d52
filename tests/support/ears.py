"""A process beside the one that commits: it hears of it by the database's word alone, for its clock never looks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

from sync_server.adapters.database import SqlDatabase
from sync_server.services.doorbell import Doorbell, wait_for_change
from sync_server.services.headquarters import Headquarters
from tests.support.world import PatientClock


def hear(first: Headquarters, scope: str, deed: Callable[[], object]) -> tuple[int, int]:
    """(head before, head that the waiter was told) of a scope, where `deed` commits while somebody waits at a second
    server of the same database. Never returns where nobody rings."""
    second = replace(first, database=SqlDatabase(first.settings.database), doorbell=Doorbell())
    try:
        return asyncio.run(_wait(second, scope, deed))
    finally:
        second.database.close()


async def _wait(second: Headquarters, scope: str, deed: Callable[[], object]) -> tuple[int, int]:
    loop, listening, stopped = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def ring() -> None:
        loop.call_soon_threadsafe(listening.set)
        loop.call_soon_threadsafe(second.doorbell.ring)

    ear = threading.Thread(target=second.database.follow_heads, args=(ring, stopped))
    ear.start()
    try:
        await listening.wait()
        with second.database.read() as reader:
            known = reader.heads([scope])
        waiting = wait_for_change(second.doorbell, second.database, PatientClock(), known, 25)
        waiter = asyncio.ensure_future(waiting)
        await asyncio.sleep(0)
        await asyncio.to_thread(deed)
        _, heads = await waiter
        return known[scope], heads[scope]
    finally:
        stopped.set()
        await asyncio.to_thread(ear.join)
