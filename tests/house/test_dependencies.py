"""Every import is declared where it is used: a tablet's parts in the base, the others in their extras."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.sources import modules, provided_by, pyproject, tree_of

OWN = {"shared", "associate_app", "sync_server", "assets", "tests"}
CORE_PARTS = {"pydantic", "cryptography", "phonenumbers", "idna"}

# Named by what they come with: pydantic's core and types are pydantic, starlette is FastAPI, and so on.
COMES_WITH = {
    "numpy": "scipy",
    "pydantic-core": "pydantic",
    "annotated-types": "pydantic",
    "typing-extensions": "pydantic",
    "starlette": "fastapi",
    "httpcore": "httpx",
    "packaging": "pytest",
    "importlib-metadata": "pytest",
    "msgpack": "flet",
    "anyio": "httpx",
    "psycopg-binary": "psycopg",
}
# Not in any extra: `flet build` adds them to the packaged app of a platform ([tool.flet.android] and the like).
PLATFORM_PARTS = {"pyzbar"}


def declared(extra: str | None = None) -> set[str]:
    """The names one group declares, with what `floorside[...]` in it stands for."""
    project = pyproject()["project"]
    lines = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    names: set[str] = set()
    for requirement in map(Requirement, lines):
        if requirement.name == project["name"]:
            names |= {name for inner in requirement.extras for name in declared(inner)}
        else:
            names.add(canonicalize_name(requirement.name))
    return names


def modules_imported(path: Path) -> Iterator[str]:
    """The top-level modules a file imports, wherever in it the import stands."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0]


def parts_imported(path: Path) -> set[str]:
    """The distributions a file imports from; a module nobody provides stands for itself."""
    foreign = {name for name in modules_imported(path) if name not in sys.stdlib_module_names and name not in OWN}
    parts = {canonicalize_name(provided_by().get(name, [name])[0]) for name in foreign}
    return {COMES_WITH.get(part, part) for part in parts}


def undeclared(folder: str, allowed: set[str]) -> list[str]:
    """`file: part` of every import below a folder that its groups do not declare."""
    return [f"{path}: {part}" for path in modules(folder) for part in sorted(parts_imported(path) - allowed)]


def test_the_core_needs_only_what_every_side_has():
    """The core computes with pydantic, cryptography, phonenumbers and idna, and with nothing else."""
    assert undeclared("shared", CORE_PARTS) == []
    assert declared() >= CORE_PARTS


def test_the_tablet_imports_only_what_it_declares():
    """From the base or the hub's extra; that the base alone starts the app is proven beside this file."""
    assert undeclared("associate_app", declared() | declared("hub") | PLATFORM_PARTS) == []


def test_the_server_imports_only_what_it_declares():
    """From the base, and the extras of HQ."""
    assert undeclared("sync_server", declared() | declared("server") | declared("measures") | declared("dedupe")) == []


def test_the_tests_import_only_what_they_declare():
    """A fresh machine gets them by `.[test]` alone."""
    assert undeclared("tests", declared() | declared("test")) == []


def test_flet_and_its_companions_are_pinned_alike():
    """The web client, the camera and the charts speak flet's own wire format, and the component tests its internals."""
    lines = pyproject()["project"]["dependencies"] + pyproject()["project"]["optional-dependencies"]["hub"]
    flet = [Requirement(line) for line in lines if line.startswith("flet")]
    assert len(flet) == 4
    assert {str(requirement.specifier) for requirement in flet} == {"==1.0.5"}
