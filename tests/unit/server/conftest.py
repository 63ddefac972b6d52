"""Unit tests of the server run on a real SQLite file with a clock that tests set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_server.services.headquarters import Headquarters
from tests.support.world import make_headquarters


@pytest.fixture
def hq(tmp_path: Path) -> Iterator[Headquarters]:
    """A chain with two stores."""
    made = make_headquarters(f"sqlite:///{tmp_path / 'central.db'}", tmp_path)
    yield made
    made.database.close()
