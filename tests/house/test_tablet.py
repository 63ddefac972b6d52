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

LACKED = ("uvicorn", "sqlalchemy", "cyclopts", "zxingcpp", "sync_server")
HELD = ("flet", "httpx", "sqlite_utils", "pydantic", "cryptography", "argon2", "babel")

# Runs in its own interpreter: refuses every top-level module that no part of the tablet's list provides.
# What is asked for after the first is only tried, and a line says what came of each.
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
first, *others = sys.argv[1].split(",")
importlib.import_module(first)
for name in others:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as missing:
        print(f"{name}: {missing}")
    else:
        print(f"{name}: there")
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


@cache
def start(*names: str) -> subprocess.CompletedProcess[str]:
    """Import modules in an interpreter that has only what a tablet has; the first must be there."""
    command = [sys.executable, "-c", STARTER, ",".join(names), ",".join(sorted(tablet_modules()))]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=50)


def test_the_tablet_s_entry_starts_with_the_base_dependencies_alone():
    """Nothing of the hub, the server, the measures or the tests is imported on a tablet."""
    if not (ROOT / "associate_app" / "main.py").exists():
        pytest.skip("associate_app/main.py does not exist yet")
    started = start("associate_app.main")
    assert started.returncode == 0, started.stderr[-3000:]


def test_what_a_tablet_lacks_is_refused():
    """The door above can close: as an entry it ends the start, and each of the others is missed by name."""
    started = start(LACKED[0])
    assert started.returncode == 1
    assert f"{LACKED[0]} does not exist on a tablet" in started.stderr
    tried = start("shared", *LACKED)
    assert tried.stdout.splitlines() == [f"{name}: {name} does not exist on a tablet" for name in LACKED]


def test_what_a_tablet_has_is_let_in():
    """The door above can open."""
    tried = start("shared", *HELD)
    assert tried.stdout.splitlines() == [f"{name}: there" for name in HELD]
