"""On PostgreSQL what every push and pull asks takes steps of an index: with walks made dear, none is left in a plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from sync_server.adapters.database import SqlDatabase
from sync_server.services.feed import Cursor, read_page, seal_cursor
from tests.support.postgresql import PostgresServer
from tests.support.world import make_headquarters, make_journalist

LARGE = {"fact", "journal_entry", "doc", "profile", "identifier", "redirect", "install", "device", "scope_head"}


def walked(connection: Connection, statement: str, values: Any) -> set[str]:
    """The large tables that the plan of a statement walks although it would rather not."""
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    [[plan]] = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).all()
    nodes, found = list(plan if isinstance(plan, list) else json.loads(plan)), set()
    while nodes:
        node = nodes.pop()
        node = node.get("Plan", node)
        if node["Node Type"] == "Seq Scan":
            found.add(node["Relation Name"])
        nodes += node.get("Plans", [])
    return found & LARGE


def test_a_push_and_a_pull_walk_no_table(postgresql: PostgresServer, tmp_path: Path) -> None:
    """A batch with a correction, the same again, and a page of the feed."""
    hq = make_headquarters(postgresql.fresh_url(), tmp_path)
    assert isinstance(hq.database, SqlDatabase)
    tablet, seen = make_journalist(hq), dict[str, Any]()

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, is_many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            seen.setdefault(statement, values[0] if is_many else values)

    event.listen(hq.database.engine, "before_cursor_execute", note)
    first = tablet.note("as first said")
    tablet.note("corrected", amends=first["op_id"])
    tablet.push()
    tablet.push()
    cursor = seal_cursor(Cursor.at(tablet.epoch, tablet.scope, 0), hq.keys.hmac_key("cursor"))
    assert read_page(hq.database, hq.keys, tablet.scope, cursor)["changes"]
    event.remove(hq.database.engine, "before_cursor_execute", note)
    assert len(seen) > 10
    with hq.database.engine.connect() as connection, connection.begin():
        walks = {
            statement: found for statement, values in seen.items() if (found := walked(connection, statement, values))
        }
    hq.database.close()
    assert walks == {}
