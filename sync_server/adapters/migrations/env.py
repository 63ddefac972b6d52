"""Alembic's entry: runs the version scripts on the connection it is given, inside its transaction. Reads no file."""

from __future__ import annotations

from alembic import context

from sync_server.adapters.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
