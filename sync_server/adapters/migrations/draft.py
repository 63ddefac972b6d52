"""For developers: `python -m sync_server.adapters.migrations.draft` prints what the scripts lack of `schema.metadata`.

Put the printed operations into the next file of `versions/`, name it in `REVISIONS`, and read them over: Alembic
guesses well but not always. Nothing is written by itself.
"""

from __future__ import annotations

import sys

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from sync_server.adapters.migrations import bring_up_to_date
from sync_server.adapters.schema import metadata


def draft() -> str:
    """The operations that take a database of the last version to the present tables, as Python."""
    engine = create_engine("sqlite://")
    bring_up_to_date(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        missing = produce_migrations(context, metadata).upgrade_ops
        assert missing is not None
        return str(render_python_code(missing, migration_context=context))


if __name__ == "__main__":
    sys.stdout.write(draft() + "\n")
