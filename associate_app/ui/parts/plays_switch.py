"""From the plays to the library and back: the two are one room of the rail."""

from __future__ import annotations

from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.parts.buttons import choice_chip
from associate_app.ui.state import Desk, Place


def plays_switch(desk: Desk, here: str) -> ft.Control:
    """Both words, the present one marked."""
    words = desk.speaker
    told = (("plays", words("book.title")), ("library", words("library.title")))
    chips: list[ft.Control] = [
        choice_chip(title, partial(desk.go, Place(screen)), is_chosen=screen == here) for screen, title in told
    ]
    return ft.Row(chips, spacing=theme.S)
