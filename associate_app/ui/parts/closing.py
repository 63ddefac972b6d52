"""The way out of what was opened on a screen: a quiet button, and Escape for whoever works by keyboard.

Dialogs close by themselves; this is for sheets that stand within a screen. Escape leaves the one opened last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import flet as ft

from associate_app.ui.hooks import use_cell, use_listening
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import quiet_button

_WAYS_OUT: Final = "ways_out"
Leave = Callable[[], Any]


@part
def leaving(told: str, leave: Leave, horizontal: int = 14) -> ft.Control:
    """A button that leaves; while it is on the screen, Escape leaves too."""
    newest = use_cell(lambda: leave)
    newest.value = leave

    def listen() -> Callable[[], None]:
        ways, way = _ways_of(ft.context.page), newest
        ways.append(way)
        return lambda: ways.remove(way)

    use_listening(listen)
    return quiet_button(told, leave, horizontal=horizontal)


def leave_newest(page: ft.Page) -> None:
    """Leave what was opened last and is still open, if anything is."""
    ways = _ways_of(page)
    if ways:
        ways[-1].value()


def _ways_of(page: ft.Page) -> list[Any]:
    store = page.session.store
    if not store.contains_key(_WAYS_OUT):
        store.set(_WAYS_OUT, [])
    held = store.get(_WAYS_OUT)
    return held if isinstance(held, list) else []
