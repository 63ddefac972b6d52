"""The core computes and nothing else. Imports are judged by import-linter; what needs no import is judged here."""

from __future__ import annotations

import ast

import pytest

from tests.house.sources import modules, tree_of

# Builtins that touch the world or run text, and the methods by which an imported pure type reads the clock.
BANNED_BUILTINS = {"open", "print", "input", "eval", "exec", "compile", "__import__", "breakpoint", "hash"}
BANNED_METHODS = {"now", "utcnow", "today"}


def impure_calls(tree: ast.Module) -> list[tuple[int, str]]:
    """Line and name of every call that reads the clock, touches the world, or differs from run to run."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = [(c.lineno, c.func.id) for c in calls if isinstance(c.func, ast.Name) and c.func.id in BANNED_BUILTINS]
    return found + [
        (c.lineno, c.func.attr)
        for c in calls
        if isinstance(c.func, ast.Attribute) and c.func.attr in BANNED_METHODS and isinstance(c.func.value, ast.Name)
        and c.func.value.id in {"datetime", "date"}
    ]  # fmt: skip


def test_the_core_reads_no_clock_and_touches_nothing():
    """Same arguments, same answer, on every machine and in every process: `hash` of a text is not."""
    found = [f"{path}:{line} {name}" for path in modules("shared") for line, name in impure_calls(tree_of(path))]
    assert found == []


@pytest.mark.parametrize("text", ["open('x')", "datetime.now(UTC)", "date.today()", "hash('shopper')", "print(1)"])
def test_an_impure_call_is_found(text):
    """The search above can fail."""
    assert impure_calls(ast.parse(text))
