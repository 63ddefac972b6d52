"""The library as its screen shows it: templates with what is known filled in and the rest marked. Beside `floor.py`."""

from __future__ import annotations

import re
from typing import Final

from associate_app.ports import TabletDatabase
from associate_app.services.library import TEMPLATE, Shelved, filled, read_library
from associate_app.services.store_book import StoreBook
from associate_app.ui.today_faces import TextFace
from associate_app.ui.words import Speaker

_FIELD: Final = re.compile(r"\{([a-z_]+)\}")


def library_told(database: TabletDatabase, book: StoreBook, words: Speaker, associate: str) -> tuple[TextFace, ...]:
    """Everything in the library; `associate` signs."""
    known = {"store": book.store_name, "associate": associate}
    return tuple(_text(one, known, words) for one in read_library(database, words.language))


def _text(one: Shelved, known: dict[str, str], words: Speaker) -> TextFace:
    if one.kind != TEMPLATE:
        return TextFace(one.id, one.kind, one.title, one.text.split("\n")[0], one.text, one.text)
    text = _marked(filled(one.text, known), words)
    subject = _marked(filled(one.subject, known), words) if one.subject else None
    shown = f"{words('library.subject', text=subject)}\n\n{text}" if subject else text
    return TextFace(one.id, one.kind, one.title, words(f"library.{one.channel}"), shown, text)


def _marked(text: str, words: Speaker) -> str:
    """What is to be filled in by hand, so that nobody sends it unseen: `[first name]`."""

    def named(found: re.Match[str]) -> str:
        key = f"library.field.{found[1]}"
        return f"[{words(key) if words.has(key) else found[1].replace('_', ' ')}]"

    return _FIELD.sub(named, text)
