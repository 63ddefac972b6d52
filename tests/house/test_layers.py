"""Each import direction, broken once on purpose in a copy of the packages: its contract must say so by name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, ROOT, pyproject

# Contract id -> a module of the copy, and the import that must not be there.
BREACHES = {
    "shared-knows-no-app": ("shared/planted.py", "import sync_server"),
    "apps-apart": ("associate_app/services/planted.py", "import sync_server.services"),
    "tablet-layers": ("associate_app/services/planted.py", "import associate_app.ui"),
    "server-layers": ("sync_server/services/planted.py", "import sync_server.api"),
    "screens-know-no-adapter": ("associate_app/ui/planted.py", "import associate_app.adapters"),
    "routes-know-no-adapter": ("sync_server/api/planted.py", "import sync_server.adapters"),
    "flet-in-ui-only": ("associate_app/services/planted.py", "import flet"),
    "core-is-pure": ("shared/planted.py", "import time"),
    "tablet-runs-no-server": ("associate_app/adapters/planted.py", "import sqlalchemy"),
}
CONTRACTS = {contract["id"]: contract["name"] for contract in pyproject()["tool"]["importlinter"]["contracts"]}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The three packages and their contracts, to break without harm."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def judge(place: Path, contract_id: str) -> subprocess.CompletedProcess[str]:
    """Run one contract over the packages in a folder."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--contract", contract_id]
    return subprocess.run(
        command, cwd=place, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(place)}
    )


def test_every_contract_has_a_breach_here():
    """A new contract comes with the import that breaks it."""
    assert BREACHES.keys() == CONTRACTS.keys()


@pytest.mark.parametrize("contract_id", BREACHES)
def test_a_planted_import_breaks_its_contract_by_name(copy, contract_id):
    """A contract that cannot break protects nothing."""
    file_name, line = BREACHES[contract_id]
    (copy / file_name).write_text(f'"""Planted."""\n\n{line}\n', encoding="utf-8")
    judged = judge(copy, contract_id)
    assert judged.returncode == 1, judged.stdout + judged.stderr
    assert f"{CONTRACTS[contract_id]} BROKEN" in judged.stdout
    assert "planted" in judged.stdout
