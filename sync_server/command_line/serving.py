"""Listening and serving: a socket with its troubles in words, and uvicorn on it until a signal."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import Final

import uvicorn

from shared.errors import FloorsideError, Refused
from sync_server.adapters.write_queue import ThreadedQueue
from sync_server.api.app import make_app
from sync_server.bootstrap import trait_outlet
from sync_server.command_line.common import complain, spare_the_collector
from sync_server.services.alarms import Lookout
from sync_server.services.chain import has_chain, read_chain
from sync_server.services.courier import Courier
from sync_server.services.guard import watch_history
from sync_server.services.headquarters import Headquarters
from sync_server.services.hooks.deliveries import map_left_over
from sync_server.services.parity import compare_waiting
from sync_server.services.upkeep import keep, seconds_until_night

KEEP_ALIVE_S: Final = 75
"""Longer than a tablet's poll, so that a connection is kept from one poll to the next."""
LAST_WORDS_S: Final = 5
POSTGRESQL_WRITERS: Final = 4
LOOK_OUT_S: Final = 60
PARITY_S: Final = 60
GUARD_S: Final = 0.5
"""So the guard is never older than a second, writing included."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises Refused in words for a port in use, a foreign address, or a port not allowed."""
    try:
        [family, kind, protocol, _, address] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as problem:
        raise Refused(f"The address {host!r:.80} cannot be listened on ({problem.strerror}).") from None
    try:
        if os.name != "nt":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as problem:
        listening.close()
        raise Refused(_port_words(host, port, problem)) from None
    return listening


def _port_words(host: str, port: int, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use: another program, perhaps another Floorside, listens there. "
            "Stop it or give another --port."
        )
    if problem.errno == errno.EACCES:
        return f"This account may not listen on port {port}. Give a --port above 1023."
    return f"Port {port} on {host} cannot be listened on ({problem.strerror})."


def address_of(host: str, listening: socket.socket) -> str:
    """The address a socket is reached at, with the port it was given."""
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"


def run_until_stopped(hq: Headquarters, listening: socket.socket) -> None:
    """Serve until a signal; then let waiting tablets go at once and finish what is under way."""
    threading.Thread(target=_keep_up, args=(hq,), name="floorside upkeep", daemon=True).start()
    threading.Thread(target=_compare, args=(hq,), name="floorside parity", daemon=True).start()
    threading.Thread(target=_catch_up, args=(hq,), name="floorside hooks", daemon=True).start()
    stopped = threading.Event()
    watch = threading.Thread(target=_stand_guard, args=(hq, stopped), name="floorside guard", daemon=True)
    watch.start()
    threading.Thread(target=_look_out, args=(hq, stopped), name="floorside look-out", daemon=True).start()
    courier = _start_courier(hq, stopped)
    queue = ThreadedQueue(hq.chance, places=hq.settings.writes_max, writers=_writers(hq.settings.database))
    server = _Server(_config(make_app(replace(hq, queue=queue))), hq)
    spare_the_collector()
    try:
        server.run(sockets=[listening])
    finally:
        queue.close()
        stopped.set()
        hq.doorbell.ring()
        watch.join()
        courier.join()


def _start_courier(hq: Headquarters, stopped: threading.Event) -> threading.Thread:
    """What other systems are told goes out from here; one attempt at a time, since the courier comes back by itself."""
    outlet = replace(trait_outlet(hq.settings), attempts=1, stopped=stopped)
    thread = threading.Thread(target=Courier(hq, outlet, complain).run, name="floorside courier", daemon=True)
    thread.start()
    return thread


def _writers(database: str) -> int:
    """SQLite takes one writer at a time; PostgreSQL several, who wait for its answers and not for each other."""
    return 1 if database.startswith("sqlite") else POSTGRESQL_WRITERS


def _stand_guard(hq: Headquarters, stopped: threading.Event) -> None:
    """Twice a second: remember how far the history has come; say so once if it went back under this server's feet."""
    while not stopped.wait(GUARD_S):
        try:
            lost = watch_history(hq)
        except Exception:  # noqa: BLE001, S112 - a database that is away now is looked at again in a moment
            continue
        if lost:
            complain(lost)
            hq.doorbell.ring()


def _look_out(hq: Headquarters, stopped: threading.Event) -> None:
    """Every minute: say an alarm once a day, when it is new."""
    lookout = Lookout(hq)
    while not stopped.wait(LOOK_OUT_S):
        with suppress(Exception):  # a database that is away now is looked at again in a minute
            if alarm := lookout.look():
                complain(f"ALARM: {alarm}")


def _catch_up(hq: Headquarters) -> None:
    """Map the webhooks that a stop or a kill left stored and not mapped. The doorbell finds the changes."""
    try:
        map_left_over(hq)
    except FloorsideError as problem:
        complain(f"Webhooks stored before this start are mapped with the next that comes: {problem}")


def _keep_up(hq: Headquarters) -> None:
    """Every night: what upkeep.py says. The doorbell finds the changes."""
    while True:
        time.sleep(seconds_until_night(hq.clock, _timezone(hq)))
        try:
            keep(hq)
        except FloorsideError as problem:
            complain(f"The nightly upkeep did not come through and is tried again tomorrow: {problem}")


def _compare(hq: Headquarters) -> None:
    """Every minute: run again what tablets evaluated, and say so where HQ decides otherwise."""
    while True:
        time.sleep(PARITY_S)
        try:
            different = compare_waiting(hq.database, hq.clock)
        except FloorsideError:
            continue  # the database is away for a moment: what waits is compared in the next round
        if different:
            complain(f"{different} cards were decided otherwise on a tablet than here: see `sync-server play parity`.")


def _timezone(hq: Headquarters) -> str:
    try:
        with hq.database.read() as reader:
            return read_chain(reader).timezone if has_chain(reader) else "UTC"
    except FloorsideError:
        return "UTC"  # the database is away for a moment: some night is better than none


def _config(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=LAST_WORDS_S,
    )


class _Server(uvicorn.Server):
    """uvicorn that lets waiting tablets go at once when it stops."""

    def __init__(self, config: uvicorn.Config, hq: Headquarters) -> None:
        super().__init__(config)
        self._hq = hq
        self._stopped = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and hear of commits by other processes."""
        await super().startup(sockets)
        loop = asyncio.get_running_loop()

        def ring() -> None:
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(self._hq.doorbell.ring)

        follow = self._hq.database.follow_heads
        threading.Thread(target=follow, args=(ring, self._stopped), name="floorside ear", daemon=True).start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer everybody who waits, then stop."""
        self._stopped.set()
        self._hq.doorbell.close()
        await super().shutdown(sockets)
