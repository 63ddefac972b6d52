"""How many rows cursors miss when feed positions come from a sequence: `python -m tests.mutants.naive_sequence`.

Two processes of the mutant server on one PostgreSQL, then two of the real one, under the same pushes and pulls.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sync_server.adapters.database import SqlDatabase
from sync_server.services.headquarters import Headquarters
from tests.support.postgresql import PostgresServer
from tests.support.two_servers import run_both, scope_of, two_servers

MUTANT = "tests.mutants.naive_server"
REAL = "sync_server"


@dataclass(frozen=True, slots=True)
class Missing:
    """What four cursors should have held in the end, and how much of it they do not."""

    missed: int
    documents: int


def count_missing(
    server: PostgresServer, folder: Path, program: str, *, batches: int, ops: int, tablets: int
) -> Missing:
    """Push and pull at two processes of a program and compare every cursor's replica with its scope."""
    with two_servers(server.fresh_url(), folder, program) as (hq, urls):
        _make_sequence(hq)
        replicas = run_both(hq, urls, batches=batches, ops=ops, tablets=tablets)
        scopes = [scope_of(hq, replica.scope) for replica in replicas]
        missed = sum(replica.missed(scope) for replica, scope in zip(replicas, scopes, strict=True))
        return Missing(missed, sum(map(len, scopes)))


def _make_sequence(hq: Headquarters) -> None:
    assert isinstance(hq.database, SqlDatabase)
    with hq.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE SEQUENCE IF NOT EXISTS naive_position")


def main(batches: int = 12) -> int:
    """Print both counts; status 0 only if the mutant misses rows and the real server none."""
    counts = {}
    with tempfile.TemporaryDirectory(prefix="floorside-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder) / "pg")
        for title, program in (("sequence", MUTANT), ("counter rows", REAL)):
            place = Path(folder) / program
            found = count_missing(server, place, program, batches=batches, ops=200, tablets=4)
            counts[program] = found.missed
            print(f"positions from {title}: {found.missed:,} of {found.documents:,} rows missed by four cursors")
        server.close()
    return 0 if counts[MUTANT] and not counts[REAL] else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
