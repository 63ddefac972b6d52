"""Commands that run and keep the server: serve, migrate, backup, restore."""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path

import uvicorn
from cyclopts import App

from shared.errors import Refused
from sync_server.api.app import make_app
from sync_server.bootstrap import back_up, begin_anew, open_database, restore, upgrade
from sync_server.command_line.common import DEFAULT, Common, headquarters, people, say, say_json, settings_of
from sync_server.services.chain import NAME_NOTE, ensure_epoch
from sync_server.services.doorbell import Doorbell

KEEP_ALIVE_S = 75
"""Longer than a tablet's poll, so that a connection is kept from one poll to the next."""
LAST_WORDS_S = 5


def add_commands(cli: App) -> None:
    """Add this page's commands."""
    cli.command(serve)
    cli.command(migrate)
    cli.command(backup)
    cli.command(restore_command, name="restore")


# serve ----------------------------------------------------------------------------------------------------------------


def serve(*, host: str | None = None, port: int | None = None, common: Common = DEFAULT) -> None:
    """Serve tablets and the tracking API until stopped.

    Parameters
    ----------
    host
        Address to listen on; default 127.0.0.1, this machine only.
    port
        Port to listen on; default 8321, 0 takes a free one.
    """
    with headquarters(common, host=host, port=port) as hq:
        ensure_epoch(hq)
        listening = listen(hq.settings.host, hq.settings.port)
        with hq.database.read() as reader:
            name = reader.note(NAME_NOTE) or "An empty chain"
        address = f"http://{_spell(hq.settings.host)}:{listening.getsockname()[1]}"
        if common.json:
            say_json({"url": address, "pid": os.getpid()})
        else:
            people().print(
                f"{name} is served at {address} (its API: {address}/docs). Stop with Ctrl+C.", soft_wrap=True
            )
            sys.stdout.flush()
        _Server(_config(make_app(hq)), hq.doorbell).run(sockets=[listening])


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


def _spell(host: str) -> str:
    return f"[{host}]" if ":" in host else host


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

    def __init__(self, config: uvicorn.Config, doorbell: Doorbell) -> None:
        super().__init__(config)
        self._doorbell = doorbell

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer everybody who waits, then stop."""
        self._doorbell.close()
        await super().shutdown(sockets)


# keeping --------------------------------------------------------------------------------------------------------------


def migrate(*, common: Common = DEFAULT) -> None:
    """Bring the database's schema up to date; opening it does the same."""
    settings = settings_of(common)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database)
    try:
        before, now = upgrade(database)
    finally:
        database.close()
    changed = "is up to date" if before == now else f"was brought from {before or 'nothing'} up to date"
    say(common, {"before": before, "now": now}, f"The database {changed}: schema {now}.")


def backup(path: Path, *, common: Common = DEFAULT) -> None:
    """Copy the database to PATH while the server may be running.

    Parameters
    ----------
    path
        A file that is not there yet, or a folder to put it into.
    """
    settings = settings_of(common)
    written = back_up(settings, path)
    keep_also = [str(settings.keys_dir), str(settings.media_dir)]
    sentence = (
        f"The backup is {written}. It holds no private key: keep a copy of {settings.keys_dir} apart from it, in a "
        f"safe place, because a restore needs it; imported pictures are in {settings.media_dir}."
    )
    say(common, {"path": str(written), "bytes": written.stat().st_size, "keep_also": keep_also}, sentence)


def restore_command(path: Path | None = None, *, new_epoch: bool = False, common: Common = DEFAULT) -> None:
    """Make the database what a backup holds, and begin a new epoch, so that tablets send again what it lacks.

    Parameters
    ----------
    path
        The file `backup` made.
    new_epoch
        Only begin a new epoch: the database was restored with other tools.
    """
    settings = settings_of(common)
    if new_epoch is (path is not None):
        raise Refused("Give the backup's file, or --new-epoch for a database that was restored with other tools.")
    told = begin_anew(settings) if path is None else restore(settings, path)
    sentence = f"Restored, under the new epoch {told['epoch']}. Tablets send again what it lacks at their next contact."
    say(common, told, sentence)
