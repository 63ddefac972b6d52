"""Schema versions of the central database: bring an empty or older one up to date, refuse a newer one in words.

Alembic runs inside one write transaction of ours, so on both engines a version is there whole or not at all.
`REVISIONS` names them in order, so that opening a database that is up to date does not even import Alembic; a test
compares the list with the scripts, and the scripts' tables with `schema.metadata`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from shared.errors import Refused

REVISIONS: Final = (
    *("0001", "0002", "0003", "0004", "0005", "0006"),
    *("0007", "0008", "0010", "0011", "0012", "0013", "0016", "0017", "0018", "0019", "0020", "0026"),
)
SCRIPTS: Final = Path(__file__).parent
_VERSION_TABLE: Final = "alembic_version"
_LOCK: Final = 0x666C6F6F72


def revision_of(connection: Connection) -> str | None:
    """The database's schema version; None for one without tables. Raises Refused for a database of something else."""
    names = inspect(connection).get_table_names()
    if not names:
        return None
    if _VERSION_TABLE not in names:
        raise Refused(
            f"The database at {connection.engine.url!r} holds other tables ({', '.join(sorted(names)[:3])}). "
            "Give Floorside a database of its own."
        )
    return connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()  # noqa: S608 - our constant


def bring_up_to_date(engine: Engine) -> tuple[str | None, str]:
    """Create or upgrade the schema; returns (version before, version now). Raises Refused for a newer one."""
    with engine.connect() as connection, connection.begin():
        before = _checked(revision_of(connection))
    if before == REVISIONS[-1]:
        return before, before
    with engine.connect() as connection, connection.execution_options(is_floorside_write=True).begin():
        _lock(connection)
        before = _checked(revision_of(connection))
        _upgrade(connection)
    return before, REVISIONS[-1]


def _lock(connection: Connection) -> None:
    """Of several processes that start at once, one upgrades and the others wait (SQLite: the write transaction)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _checked(revision: str | None) -> str | None:
    if revision is None or revision in REVISIONS:
        return revision
    raise Refused(
        f"This database has schema {revision}, which a newer Floorside made; this one knows schemas up to "
        f"{REVISIONS[-1]}. Update this server, or restore a backup from before the update. Nothing was changed."
    )


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, REVISIONS[-1])
