"""Every module opens with a head that says what lives there, and functions stay short."""

from __future__ import annotations

import ast
import statistics

import pytest

from tests.house.sources import PACKAGES, functions, modules, tree_of

HEAD_LINES_MAX = 6
FUNCTION_LINES_MEDIAN_MAX = 10
STATEMENTS_MAX = 30

# These open with a full theory of operation, or with the drawn tree of errors, instead.
LONG_HEADS = {"fold.py", "engine.py", "partition.py", "versions.py", "errors.py"}


def body_without_docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    """What a function does, without what it says."""
    return function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body


def count_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body."""
    body = body_without_docstring(function)
    return (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1 if body else 0


def count_statements(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Statements of a function's body at any depth."""
    return sum(isinstance(node, ast.stmt) for part in body_without_docstring(function) for node in ast.walk(part))


def test_every_module_opens_with_a_short_head():
    """One to six lines: what lives here, its place in the flow, what it must not do."""
    heads = {path: ast.get_docstring(tree_of(path)) for path in modules(*PACKAGES)}
    wrong = [
        f"{path}: {'no head' if not head else f'{len(head.splitlines())} lines'}"
        for path, head in heads.items()
        if not head or (len(head.splitlines()) > HEAD_LINES_MAX and path.name not in LONG_HEADS)
    ]
    assert wrong == []


def test_no_function_has_more_than_thirty_statements():
    """A longer one does two things."""
    long = [
        f"{path}:{function.lineno} {function.name}: {count_statements(function)} statements"
        for path in modules(*PACKAGES)
        for function in functions(path)
        if count_statements(function) > STATEMENTS_MAX
    ]
    assert long == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_median_function_of_a_package_has_at_most_ten_lines(package):
    """Small functions with names are the project's first documentation."""
    lengths = [count_lines(function) for path in modules(package) for function in functions(path)]
    assert not lengths or statistics.median(lengths) <= FUNCTION_LINES_MEDIAN_MAX


def test_every_public_function_and_class_says_what_it_is_for():
    """Methods may speak by their name; a public function or class of a module speaks by its docstring."""
    silent = [
        f"{path}:{node.lineno} {node.name}"
        for path in modules(*PACKAGES)
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []
