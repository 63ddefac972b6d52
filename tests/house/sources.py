"""The project's files as the house tests read them: what git knows or would take, and their syntax trees."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("shared", "associate_app", "sync_server")


@cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project, relative to the top: tracked, or new and not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(sorted(Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()))


def modules(*folders: str) -> list[Path]:
    """The Python files below these top-level folders, relative to the top."""
    return [path for path in project_files() if path.suffix == ".py" and path.parts[0] in folders]


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of one module."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module, nested ones too."""
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def pyproject() -> dict[str, Any]:
    """The project's own description."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@cache
def provided_by() -> Mapping[str, list[str]]:
    """Module -> distributions, read once: every file list of every installed package is opened for it."""
    return packages_distributions()
