"""Commands that run and keep the server: serve, status, migrate, backup, restore."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from shared.errors import Refused
from sync_server.bootstrap import back_up, begin_anew, open_database, restore, upgrade
from sync_server.command_line.common import DEFAULT, Common, headquarters, people, say, say_json, settings_of
from sync_server.services.alarms import status_of
from sync_server.services.chain import NAME_NOTE, ensure_epoch
from sync_server.services.upkeep import keep

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
    from sync_server.command_line import serving  # the web framework, which no other command needs

    with headquarters(common, host=host, port=port) as hq:
        ensure_epoch(hq)
        listening = serving.listen(hq.settings.host, hq.settings.port)
        with hq.database.read() as reader:
            name = reader.note(NAME_NOTE) or "An empty chain"
        address = serving.address_of(hq.settings.host, listening)
        if common.json:
            say_json({"url": address, "pid": os.getpid()})
        else:
            people().print(
                f"{name} is served at {address} (its API: {address}/docs). Stop with Ctrl+C.", soft_wrap=True
            )
            sys.stdout.flush()
        serving.run_until_stopped(hq, listening)


def status(*, common: Common = DEFAULT) -> None:
    """Say how HQ stands, and what waits for somebody, with what to do."""
    with headquarters(common) as hq:
        told = status_of(hq)
    if common.json:
        say_json(told)
        return
    out = people()
    out.print(f"{told['profiles']} shoppers of {told['stores']} stores; {told['merged_today']} were merged today.")
    for sentence in told["alarms"]:
        out.print(f"ALARM: {sentence}", soft_wrap=True)
    for sentence in told["to_do"] or ["Nothing waits for a person."]:
        out.print(sentence, soft_wrap=True)


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


def keep_command(*, common: Common = DEFAULT) -> None:
    """Do now what `serve` does every night: value bands, slices, old deletions, and what is too old to be kept."""
    with headquarters(common) as hq:
        told = keep(hq)
    aged = f"{told['events']} events, {told['hook_delivery']} webhooks, {told['dead_letter']} faulty messages"
    say(common, told, f"Kept: {told['documents']} documents changed; {aged} were too old and let go.")


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
