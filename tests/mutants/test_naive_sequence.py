"""M3 as it happens on PostgreSQL: with positions from a sequence two real processes make cursors miss rows."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.mutants.naive_sequence import MUTANT, count_missing
from tests.support.postgresql import PostgresServer


def test_a_sequence_makes_cursors_miss_rows(tmp_path: Path) -> None:
    """The real server's side of it, none missed, is tests/contract/test_two_servers.py."""
    with tempfile.TemporaryDirectory(prefix="floorside-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder))
        found = count_missing(server, tmp_path / "hq", MUTANT, batches=4, ops=100, tablets=2)
        server.close()
    assert found.missed > 0
