"""A packaged tablet has the base dependencies and nothing else: the Flet entry must start with those alone."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.sources import ROOT, provided_by, pyproject

# Runs in its own interpreter: refuses every top-level module that no part of the tablet's list provides.
STARTER = """
import importlib, sys
allowed = set(sys.argv[2].split(","))

class TabletOnly:
    def find_spec(self, name, path=None, target=None):
        is_own = name in allowed or name in sys.stdlib_module_names or name.startswith("_sysconfigdata")
        if "." not in name and not is_own:
            raise ModuleNotFoundError(f"{name} does not exist on a tablet", name=name)
        return None

sys.meta_path.insert(0, TabletOnly())
importlib.import_module(sys.argv[1])
"""


def closure(names: list[str]) -> set[str]:
    """The distributions these requirements bring, at any depth, on this platform."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        requirement = waiting.pop()
        extras = requirement.extras or {""}
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            continue
        name = canonicalize_name(requirement.name)
        if name in found and not requirement.extras:
            continue
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        found.add(name)
        waiting += [need for need in map(Requirement, needs) if is_wanted(need, extras)]
    return found


def is_wanted(need: Requirement, extras: set[str]) -> bool:
    """Whether a requirement of a distribution applies here, with the extras it was asked for."""
    return need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras)


@cache
def tablet_modules() -> set[str]:
    """The top-level modules a tablet has besides the standard library."""
    parts = closure(pyproject()["project"]["dependencies"])
    provided = {
        module for module, names in provided_by().items() if {canonicalize_name(name) for name in names} & parts
    }
    return provided | {"associate_app", "shared", "assets"}


def start(module: str) -> subprocess.CompletedProcess[str]:
    """Import a module in an interpreter that has only what a tablet has."""
    command = [sys.executable, "-c", STARTER, module, ",".join(sorted(tablet_modules()))]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=50)


def test_the_tablet_s_entry_starts_with_the_base_dependencies_alone():
    """Nothing of the hub, the server, the measures or the tests is imported on a tablet."""
    if not (ROOT / "associate_app" / "main.py").exists():
        pytest.skip("associate_app/main.py does not exist yet")
    started = start("associate_app.main")
    assert started.returncode == 0, started.stderr[-3000:]


@pytest.mark.parametrize("module", ["uvicorn", "sqlalchemy", "cyclopts", "zxingcpp", "sync_server"])
def test_what_a_tablet_lacks_is_refused(module):
    """The door above can close."""
    started = start(module)
    assert started.returncode == 1
    assert f"{module} does not exist on a tablet" in started.stderr


@pytest.mark.parametrize("module", ["flet", "httpx", "sqlite_utils", "pydantic", "cryptography", "argon2", "babel"])
def test_what_a_tablet_has_is_let_in(module):
    """The door above can open."""
    assert start(module).returncode == 0
