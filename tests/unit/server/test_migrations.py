"""The schema's versions: scripts and tables say the same, older is brought up, newer is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from shared.errors import Damaged, Refused
from sync_server.adapters.database import SqlDatabase
from sync_server.adapters.migrations import REVISIONS, SCRIPTS, bring_up_to_date
from sync_server.adapters.schema import metadata
from sync_server.bootstrap import open_database, upgrade


@pytest.fixture
def database(tmp_path: Path):
    """An empty SQLite database."""
    made = SqlDatabase(f"sqlite:///{tmp_path / 'central.db'}")
    yield made
    made.close()


def test_an_empty_database_gets_exactly_the_tables_of_the_schema(database: SqlDatabase) -> None:
    """What the scripts make and what the code expects may not drift apart."""
    assert bring_up_to_date(database.engine) == (None, REVISIONS[-1])
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert bring_up_to_date(database.engine) == (REVISIONS[-1], REVISIONS[-1])


def test_the_list_of_versions_is_that_of_the_scripts() -> None:
    """The list lets a start-up skip Alembic; it must never lag behind the scripts."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert [script.revision for script in reversed(list(scripts.walk_revisions()))] == list(REVISIONS)


def test_a_newer_database_is_refused_in_words_and_left_alone(database: SqlDatabase) -> None:
    """A downgrade must not touch what a newer version wrote."""
    bring_up_to_date(database.engine)
    with database.engine.connect() as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="schema 9999, which a newer Floorside made"):
        upgrade(database)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def test_a_database_of_something_else_is_refused(database: SqlDatabase) -> None:
    """Tables are never added beside a stranger's."""
    with database.engine.connect() as connection, connection.begin():
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
    with pytest.raises(Refused, match="invoices"):
        upgrade(database)


def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    """One sentence and the way out: the last backup."""
    (tmp_path / "central.db").write_bytes(b"this is a shopping list\n" * 100)
    database = open_database(f"sqlite:///{tmp_path / 'central.db'}")
    with pytest.raises(Damaged, match="Restore the last backup"):
        upgrade(database)
    database.close()


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://a@b/c", "sqlite+odd:///x"])
def test_a_database_url_that_cannot_be_is_refused(url: str) -> None:
    """Only SQLite and PostgreSQL are spoken here."""
    with pytest.raises(Refused):
        upgrade(open_database(url))


def test_a_database_that_cannot_be_reached_is_refused(tmp_path: Path) -> None:
    """A folder that is not there, a server that does not answer."""
    database = open_database(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    with pytest.raises(Refused, match="cannot be opened"):
        upgrade(database)
    database.close()
