"""A rule's no in the tablet's language: no sentence of the floor's services is left in English."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from associate_app.services import appointments as appointing
from associate_app.services import follow_ups, holds, own_shoppers, promises, record
from associate_app.ui.refused_words import is_told, no_of
from associate_app.ui.words import Speaker
from shared.errors import Refused

SPOKEN = (appointing, follow_ups, holds, own_shoppers, promises, record)
"""The services whose refusals a colleague meets on a screen."""


def sentences(tree: ast.AST) -> Iterator[str]:
    """Every sentence in a `Refused(...)`, also one kept under a name; `{}` stands for what is filled in."""
    named = {
        node.target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused":
            yield from _said(node.args[0], named)


def _said(node: ast.AST, named: dict[str, ast.expr]) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(sentence)):
            yield sentence
        case ast.JoinedStr(values=parts):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in parts)
        case ast.Name(id=name) if name in named:
            yield from _said(named[name], named)
        case ast.IfExp(body=one, orelse=other) | ast.BoolOp(values=[one, other]):
            yield from _said(one, named)
            yield from _said(other, named)


@pytest.mark.parametrize("service", SPOKEN, ids=lambda service: service.__name__.rpartition(".")[2])
def test_every_no_of_the_floor_has_its_german_words(service: object) -> None:
    """A new refusal in one of these services needs its words here."""
    tree = ast.parse(Path(str(service.__file__)).read_text("utf-8"))  # type: ignore[attr-defined]
    found = set(sentences(tree))
    assert found
    assert {sentence for sentence in found if not is_told(sentence)} <= FOR_PROGRAMS


FOR_PROGRAMS = {"{} is no outcome. There are: {}."}
"""Only a program can be told these."""


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "Only 2 free here. Hold fewer, or look what is on hold.",
            "Hier sind nur noch 2 frei. Leg weniger zurück, oder schau nach, was zurückgelegt ist.",
        ),
        (
            "The note takes at most 2000 characters; this has 2001. Shorten it.",
            "Hier passen höchstens 2000 Zeichen hin; das sind 2001. Kürz es etwas.",
        ),
        ("Nobody has put this into words.", "Nobody has put this into words."),
    ],
)
def test_what_was_filled_in_is_kept(english: str, german: str) -> None:
    """Numbers pass through; English stays as it was; a sentence without words is told rather than none."""
    assert no_of(Refused(english), Speaker("de")) == german
    assert no_of(Refused(english), Speaker("en")) == english
