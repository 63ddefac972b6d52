"""One word for one thing: names in the three packages keep to the product's vocabulary."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, modules, tree_of

BANNED_WORDS = {
    *("user", "users", "customer", "customers", "client", "clients"),
    *("data", "item", "items", "helper", "helpers", "util", "utils"),
}
# As the verb a name begins with they say nothing; an operating system's process is still a process.
BANNED_VERBS = {"handle", "process"}
BANNED_CLASS_PARTS = ("Manager", "Helper", "Utils")

# Foreign words on the wire, op kinds of the protocol, and the agreed option names.
ALLOWED_NAMES = {
    *("userid", "user_id", "customer_id", "data_dir", "demo_data", "data_flagged", "dataflagged"),
    "handle_invoke_method_results",  # Flet's name for what app.py replaces
}
# The store manager is a person of the product.
ALLOWED_CLASSES = {"StoreManager"}

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words_of(name: str) -> list[str]:
    """A name's words in lower case: `OpenCartLines` and `open_cart_lines` read the same."""
    return [word.lower() for word in WORD.findall(name)]


def is_banned(name: str) -> bool:
    """Whether a name uses a word outside the vocabulary."""
    if name.strip("_").lower() in ALLOWED_NAMES or (name.startswith("__") and name.endswith("__")):
        return False
    words = words_of(name)
    return bool(BANNED_WORDS & set(words)) or (bool(words) and words[0] in BANNED_VERBS)


def names_given(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of everything a module names itself: functions, classes, arguments, variables, attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name


def class_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of every class of a module."""
    return ((node.lineno, node.name) for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def wrong_names(path: Path) -> list[str]:
    """`file:line name` of everything a module names outside the vocabulary, its own file name included."""
    tree = tree_of(path)
    wrong = {(line, name) for line, name in names_given(tree) if is_banned(name)}
    wrong |= {
        (line, name)
        for line, name in class_names(tree)
        if name not in ALLOWED_CLASSES and any(part in name for part in BANNED_CLASS_PARTS)
    }
    if is_banned(path.stem):
        wrong.add((1, path.name))
    return [f"{path}:{line} {name}" for line, name in sorted(wrong)]


def test_names_keep_to_the_vocabulary():
    """Shopper, not customer or user; device, not client; a named thing, not data or item; a verb of the domain."""
    assert [wrong for path in modules(*PACKAGES) for wrong in wrong_names(path)] == []


@pytest.mark.parametrize("name", ["user_count", "ShopData", "http_client", "handle_scan", "process", "line_items"])
def test_a_name_outside_the_vocabulary_is_found(name):
    """The search above can fail."""
    assert is_banned(name)


@pytest.mark.parametrize(
    "name", ["metadata", "data_dir", "customer_id", "__dataclass_fields__", "reused", "server_process"]
)
def test_a_name_that_only_looks_alike_is_left_alone(name):
    """A word inside a word, and the agreed foreign words, are no breach."""
    assert not is_banned(name)
