"""Tablets for these tests: a bare database file, and a connected tablet whose replica is full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from associate_app.adapters.sqlite import TabletFile
from tests.support.replica import ShopTablet, make_shop_tablet, open_file


@pytest.fixture
def database(tmp_path: Path) -> Iterator[TabletFile]:
    """A new database file."""
    opened = open_file(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopTablet]:
    """A connected tablet of berlin-1 that has synced."""
    made = make_shop_tablet(tmp_path)
    yield made
    made.close()
