"""The library: message templates and texts to look something up in, as HQ published them. Reads only, offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from pydantic import ValidationError

from associate_app.ports import TabletDatabase
from shared.plays.files import FilePart, LibraryText, MessageTemplate, in_language

P = TypeVar("P", bound=FilePart)
TEMPLATE: Final = "template"
KINDS: Final = (TEMPLATE, "care", "size", "event")


@dataclass(frozen=True, slots=True)
class Shelved:
    """A text in one language. `channel` and `subject` are a template's, whose fields stand in braces."""

    id: str
    kind: str
    title: str
    text: str
    channel: str | None = None
    subject: str | None = None


def read_library(database: TabletDatabase, language: str) -> tuple[Shelved, ...]:
    """Everything, templates first, then by title; what a newer HQ wrote in another form is left out."""
    texts = [_template(one, language) for one in _read(database, TEMPLATE, MessageTemplate)]
    texts += [
        Shelved(one.id, one.kind, in_language(one.title, language), in_language(one.text, language).strip())
        for one in _read(database, "library", LibraryText)
    ]
    return tuple(sorted(texts, key=lambda one: (KINDS.index(one.kind), one.title.casefold(), one.id)))


def _template(one: MessageTemplate, language: str) -> Shelved:
    subject = in_language(one.subject, language) if one.subject else None
    title, text = in_language(one.title, language), in_language(one.body, language).strip()
    return Shelved(one.id, TEMPLATE, title, text, one.channel, subject)


def _read(database: TabletDatabase, kind: str, model: type[P]) -> list[P]:
    found = []
    for stored in database.documents(kind):
        try:
            found.append(model.model_validate(stored.body))
        except ValidationError:
            continue
    return found


def filled(text: str, known: Mapping[str, str]) -> str:
    """A template's text with the fields that are known; the others stay in braces."""
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", value)
    return text
