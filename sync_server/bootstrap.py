"""Puts the server together: settings -> database, keys, clock, chance -> `Headquarters` -> app. Nothing else does.

Opening brings an empty or older database up to date, refuses a newer one and one whose keys are missing, and looks
whether the database lost what the guard remembers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from shared.errors import Damaged, Problem, Refused
from shared.ids import Uuid7
from sync_server.adapters.backup import check_database, copy_database, file_of, replace_database
from sync_server.adapters.database import CONNECTIONS, SqlDatabase
from sync_server.adapters.erasure_list import FileErasureList
from sync_server.adapters.guard import FileGuard
from sync_server.adapters.keys import FileKeyFolder
from sync_server.adapters.media import FolderMediaShelf
from sync_server.adapters.migrations import bring_up_to_date
from sync_server.adapters.sender import HttpSender
from sync_server.adapters.system import SystemChance, SystemClock
from sync_server.adapters.target_secrets import FileTargetSecrets
from sync_server.ports import Chance, Clock, Mark
from sync_server.services.custody import check_keys, known_keys
from sync_server.services.guard import erasures_known, mark_of, watch_history
from sync_server.services.headquarters import Headquarters
from sync_server.services.operations import begin_new_epoch
from sync_server.services.privacy import apply_list, check_list, clear_files
from sync_server.services.trait_targets import Outlet
from sync_server.services.who_is_who import has_unread_ledger, rebuild
from sync_server.settings import Settings


def _tell(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


@contextmanager
def open_headquarters(
    settings: Settings,
    *,
    clock: Clock | None = None,
    chance: Chance | None = None,
    tell: Callable[[str], None] = _tell,
) -> Iterator[Headquarters]:
    """The server's parts, closed again at the end. `tell` is told when a new epoch began because the database is older
    than the guard. Raises Refused or Damaged with one sentence."""
    _make_folder(settings.data_dir)
    database = open_database(settings.database, _connections(settings))
    try:
        before, _ = upgrade(database)
        if before is None:
            _make_private(settings.database)
        hq = _put_together(settings, database, clock or SystemClock(), chance or SystemChance())
        if lost := watch_history(hq):
            tell(lost)
        with database.read() as reader:
            is_unread = has_unread_ledger(reader)
        if is_unread:
            rebuild(hq)
        apply_list(hq)
        clear_files(hq)
        try:
            yield hq
        finally:
            with suppress(Exception):  # a guard that was not brought up to date only lags
                watch_history(hq)
    finally:
        database.close()


def _put_together(settings: Settings, database: SqlDatabase, clock: Clock, chance: Chance) -> Headquarters:
    keys = FileKeyFolder(settings.keys_dir)
    database.erasures = FileErasureList(settings.keys_dir, lambda: keys.hmac_key("erasure"))
    guard = FileGuard(settings.guard_file)
    kept = guard.read()
    with database.read() as reader:
        check_keys(known_keys(reader), keys.inventory(), str(settings.keys_dir))
        check_list(reader, database.erasures, erasures_known(reader, kept))
    make_id = Uuid7(clock.now, chance.bits)
    media = FolderMediaShelf(settings.media_dir)
    return Headquarters(database, keys, clock, chance, settings, make_id, media, guard=guard)


def trait_outlet(settings: Settings) -> Outlet:
    """What sends summaries to other systems."""
    return Outlet(FileTargetSecrets(settings.keys_dir), HttpSender(), time.sleep)


def _connections(settings: Settings) -> int:
    """Snapshots hold theirs while they are sent; without four more a request would wait for one behind them."""
    return max(settings.database_connections, settings.snapshots_max + 4)


def open_database(url: str, connections: int = CONNECTIONS) -> SqlDatabase:
    """The central database by URL; `postgresql://` means the driver this project ships. Raises Refused."""
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise Refused("The database is SQLite or PostgreSQL: give a URL such as postgresql://name@host/floorside.")
        return SqlDatabase(parsed.render_as_string(hide_password=False), connections)
    except (ArgumentError, NoSuchModuleError) as problem:
        raise Refused(f"The database URL cannot be read ({problem}). Example: sqlite:////var/floorside.db") from None


def upgrade(database: SqlDatabase) -> tuple[str | None, str]:
    """Bring the schema up to date: (version before, version now). Raises Refused for a newer or unreachable one."""
    try:
        return bring_up_to_date(database.engine)
    except SQLAlchemyError as problem:
        told = str(getattr(problem, "orig", None) or problem).strip().splitlines()[0]
        if "not a database" in told or "malformed" in told:
            raise Damaged(f"The database file is damaged ({told}). Restore the last backup.") from None
        raise Refused(f"The database {database.engine.url!r} cannot be opened ({told}).") from None


def back_up(settings: Settings, path: Path) -> Path:
    """Copy the database into `path` (a file, or a folder to put one into) while the server may be running."""
    source = file_of(settings.database)
    if not source.is_file():
        raise Refused(f"There is no database {source} to back up.")
    target = path / f"{source.stem}-backup.db" if path.is_dir() else path
    copy_database(source, target)
    return target


def restore(settings: Settings, path: Path) -> dict[str, object]:
    """Make the database what the backup holds, under a new epoch. Everything is checked on a copy before anything
    of the present database changes."""
    target = file_of(settings.database)
    check_database(path)
    _make_folder(settings.data_dir)
    _check_present_erasures(settings, target)
    trial = settings.data_dir / "restoring.db"
    _drop_trial(trial)
    try:
        copy_database(path, trial)
        told, mark = _begin_anew(settings, f"sqlite:///{trial}")
        replace_database(trial, target)
    finally:
        _drop_trial(trial)
    FileGuard(settings.guard_file).write(mark)
    return {"restored_from": str(path), **told}


def _check_present_erasures(settings: Settings, target: Path) -> None:
    """A backup may be from before an erasure that the database it replaces knows: the list must know it then. A present
    database that cannot be read is no reason to refuse, for it is why one restores."""
    keys = FileKeyFolder(settings.keys_dir)
    if not target.is_file():
        return
    database = open_database(settings.database)
    try:
        with suppress(Problem, SQLAlchemyError), database.read() as reader:
            check_list(reader, FileErasureList(settings.keys_dir, lambda: keys.hmac_key("erasure")))
    finally:
        database.close()


def begin_anew(settings: Settings) -> dict[str, object]:
    """A new epoch for a database that was restored with other tools (PostgreSQL)."""
    told, mark = _begin_anew(settings, settings.database)
    FileGuard(settings.guard_file).write(mark)
    return told


def _begin_anew(settings: Settings, url: str) -> tuple[dict[str, object], Mark]:
    """A new epoch, later than the one the guard knows; and how far the history in it has come, for the guard."""
    database = open_database(url)
    try:
        upgrade(database)
        hq = _put_together(settings, database, SystemClock(), SystemChance())
        told = begin_new_epoch(hq)
        erased = apply_list(hq)
        clear_files(hq)
        with database.read() as reader:
            mark = mark_of(reader)
        assert mark is not None, "begin_new_epoch refuses a database without one"
        return {**told, "erasures_applied": erased}, mark
    finally:
        database.close()


def _drop_trial(trial: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        trial.with_name(trial.name + suffix).unlink(missing_ok=True)


def _make_private(url: str) -> None:
    """A fresh SQLite file is for this account alone, whatever the folder allows: it holds personal words."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        for suffix in ("", "-wal", "-shm"):
            path = Path(parsed.database + suffix)
            if path.exists():
                path.chmod(0o600)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as problem:
        raise Refused(
            f"The data folder {folder} cannot be made ({problem.strerror}). Give another --data-dir."
        ) from None
