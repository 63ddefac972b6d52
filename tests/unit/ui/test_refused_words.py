"""A rule's no in the tablet's language: no sentence of the floor's services is left in English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import associate_app
from associate_app.ui.faces import AssociateFace
from associate_app.ui.refused_words import is_told, no_of
from associate_app.ui.state import Invitation
from associate_app.ui.words import Speaker
from shared.errors import Refused
from tests.unit.ui.conftest import Store

ROOT = Path(associate_app.__file__).parents[1]
MAY_REFUSE = ("associate_app/services", "associate_app/sync", "associate_app/adapters", "associate_app/ui", "shared")
"""Where what a tap may meet is refused. How the app starts and its command line speak before there is a screen."""
KINDS = {"Refused", "Damaged", "StorageFull"}
NEVER_ON_A_SCREEN = {
    "associate_app/adapters/key_store.py": "keys are read before the first screen",
    "associate_app/services/parting.py": "only the command line deletes or disconnects",
    "associate_app/services/salvage.py": "only the command line hands records in",
    "shared/cards.py": "cards are made at HQ; a tablet reads them",
    "shared/code_patterns.py": "a tablet skips a pattern it cannot read",
    "shared/salvage_file.py": "only the command line and HQ seal a journal",
    "shared/scan_code.py": "enrolment codes are made at HQ",
}
"""Modules none of whose refusals reach a colleague, and why."""
FOR_PROGRAMS = {
    "{} is no outcome. There are: {}.": "the buttons know the outcomes",
    "This enrolment code is damaged. Ask HQ to show it again, or type the address and the code.": "the command line",
    "There is no code. Type the enrolment code HQ gave you.": "the command line",
    "A typed code needs HQ's address as well, such as https://hq.example.com.": "the command line",
    "This tablet is not connected to HQ. Connect it with an enrolment code.": "sync tells its troubles itself",
    "The records of this tablet ({}) are encrypted or damaged, and the part that opens encrypted ones is missing: "
    "install sqlcipher3, then start again.": "at start",
}
"""Single sentences that no colleague meets, and why."""
IN_THE_LANGUAGE = re.compile(r"words\[|words\(|_WORDS\[spoken\(|_MANAGERS_PIN\[spoken\(")
"""How a sentence is made that its service says in the tablet's language already."""
IN_THE_LANGUAGE_TOO = {
    "answer.sentence": "signing in was asked in the tablet's language",
    "given.why_not": "the list was asked in the tablet's language",
    "problem": "the rule was asked in the tablet's language",
    "_weather_sentence(invitation, weather, words)": "made of the words of the tablet's language",
    "view.card.sentence": "a card that leads to nobody shows nothing to tap",
}


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    """Every module in which a tap may be refused."""
    paths = [path for folder in MAY_REFUSE for path in sorted((ROOT / folder).rglob("*.py"))]
    return tuple((path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))) for path in paths)


def reasons(tree: ast.AST) -> Iterator[ast.expr]:
    """The part of every `Refused(...)` that says why, also of one kept under a name: each of two that may be meant."""
    named = {
        node.target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
            yield from _each(node.args[0], named)


def _each(node: ast.expr, named: dict[str, ast.expr]) -> Iterator[ast.expr]:
    match node:
        case ast.Name(id=name) if name in named:
            yield from _each(named[name], named)
        case ast.IfExp(body=one, orelse=other) | ast.BoolOp(values=[one, other]):
            yield from _each(one, named)
            yield from _each(other, named)
        case _:
            yield node


def sentence_of(node: ast.expr) -> str | None:
    """What is written there, `{}` for what is filled in; None where the sentence comes from elsewhere."""
    match node:
        case ast.Constant(value=str(sentence)):
            return sentence
        case ast.JoinedStr(values=parts) if not IN_THE_LANGUAGE.search(ast.unparse(node)):
            return "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in parts)
    return None


def test_no_refusal_reaches_a_german_screen_in_english() -> None:
    """A new refusal needs its German words, or a line here that says why no colleague meets it."""
    written = {module: [*reasons(tree)] for module, tree in modules()}
    told = {sentence_of(one) for module, found in written.items() for one in found if module not in NEVER_ON_A_SCREEN}
    assert {sentence for sentence in told if sentence and not is_told(sentence)} == set(FOR_PROGRAMS)
    assert set(NEVER_ON_A_SCREEN) <= {module for module, found in written.items() if found}


def test_a_refusal_from_elsewhere_is_in_the_tablets_language() -> None:
    """What a service does not write out in English it takes from its words, or from who was asked in the language."""
    found = [ast.unparse(one) for _, tree in modules() for one in reasons(tree) if sentence_of(one) is None]
    assert {told for told in found if not IN_THE_LANGUAGE.search(told)} == set(IN_THE_LANGUAGE_TOO)


def test_every_screen_says_no_in_its_language() -> None:
    """Only `refused_words` takes a refusal's English: everywhere else it goes through there."""
    for module, tree in modules():
        if module.startswith("associate_app/ui/") and not module.endswith("/refused_words.py"):
            caught = {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and _is_no(node)}
            spelt = {_spelt(node) for node in ast.walk(tree) if isinstance(node, ast.Call | ast.FormattedValue)}
            assert not caught & spelt, module


def _is_no(handler: ast.ExceptHandler) -> bool:
    return isinstance(handler.type, ast.Name) and handler.type.id in KINDS and handler.name is not None


def _spelt(node: ast.Call | ast.FormattedValue) -> str | None:
    """The name of what becomes text here."""
    match node:
        case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id=name)]) | ast.FormattedValue(value=ast.Name(id=name)):
            return name
    return None


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
        (
            "'hq' is not an address. HQ's looks like https://hq.example.com.",
            "'hq' ist keine Adresse. Die der Zentrale sieht aus wie https://hq.example.com.",
        ),
        ("Nobody has put this into words.", "Nobody has put this into words."),
    ],
)
def test_what_was_filled_in_is_kept(english: str, german: str) -> None:
    """Numbers pass through; English stays as it was; a sentence without words is told rather than none."""
    assert no_of(Refused(english), Speaker("de")) == german
    assert no_of(Refused(english), Speaker("en")) == english


def test_connecting_is_refused_in_german(store: Store) -> None:
    """The first thing a tablet may say no to, here in the practice store, which nobody can connect."""
    store.floor.speak("de")
    practice = store.floor.practise(AssociateFace("a0001", "Jonas Weber", "JW", "associate"))
    told = practice.connect(Invitation("https://hq.example.com", "CODE", None), "Tablet 3")
    assert told.sentence == "Das ist der Übungsladen."
