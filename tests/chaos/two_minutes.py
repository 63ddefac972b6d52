"""Two minutes of chaos on each database, for `python -m tests full` only: pytest does not collect this by itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import RecordFigure


@pytest.mark.parametrize("words", [(), ("--postgresql",)], ids=["sqlite", "postgresql"])
def test_two_minutes_of_chaos_lose_and_double_nothing(words: tuple[str, ...], record_figure: RecordFigure) -> None:
    """The command of the README, as the full run proves it."""
    command = [sys.executable, "-m", "tests.chaos", "--minutes", "2", "--tablets", "4", *words]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    print(said.stdout)
    figures = next(line for line in said.stdout.splitlines() if line.startswith("recorded / at HQ"))
    where = "PostgreSQL, two servers" if words else "SQLite"
    record_figure(f"chaos for two minutes, {where}: recorded / at HQ / lost / doubled", figures.rpartition(": ")[2], "")
    assert said.returncode == 0, said.stdout[-2000:] + said.stderr[-2000:]
