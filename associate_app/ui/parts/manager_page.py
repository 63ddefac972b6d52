"""What all screens of a store manager share: the way in for managers alone, the way back, a block under a heading."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

import flet as ft

from associate_app.ui import theme
from associate_app.ui.parts.buttons import quiet_button
from associate_app.ui.parts.notice import empty, waiting
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import section
from associate_app.ui.state import Desk, Frame, Place, use_desk, use_reading
from shared.errors import Refused

T = TypeVar("T")


def use_managers(read: Callable[[str], T]) -> tuple[T | None, bool]:
    """Read what only managers see: (answer, whether it is in). None for anybody else, also once they are none."""
    desk = use_desk()
    return use_reading(partial(_read, desk, read), [desk.shift.associate])


def _read(desk: Desk, read: Callable[[str], T]) -> T | None:
    if desk.shift.associate is None or not desk.shift.associate.is_manager:
        return None
    try:
        return read(desk.associate_id)
    except Refused:
        return None


def not_here(title: str, is_in: bool) -> ft.Control:
    """What stands there before the answer, and for who is no manager."""
    words = use_desk().speaker
    return page_of(title, empty(words("managers.only"), ft.Icons.LOCK_OUTLINE) if is_in else waiting(words("loading")))


def way_back(screen: str, label: str) -> ft.Control:
    """The way back to where such a screen is entered from."""
    desk = use_desk()
    back = quiet_button(label, lambda: desk.go(Place(screen)), icon=ft.Icons.ARROW_BACK, horizontal=8)
    return ft.Row([back])


def block(title: str, inside: Iterable[ft.Control], *, spacing: int = theme.S) -> ft.Control:
    """Something under its heading."""
    told: list[ft.Control] = [section(title), *inside]
    return ft.Column(told, spacing=spacing, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def two_sides(left: Iterable[ft.Control], right: Iterable[ft.Control]) -> ft.Control:
    """Two columns where there is room, one under the other elsewhere."""
    stretch = ft.CrossAxisAlignment.STRETCH
    first = ft.Column(list(left), spacing=theme.XL, horizontal_alignment=stretch)
    second = ft.Column(list(right), spacing=theme.XL, horizontal_alignment=stretch)
    if use_desk().whereabouts.frame is not Frame.LANDSCAPE:
        sides: list[ft.Control] = [first, second]
        return ft.Column(sides, spacing=theme.XL, horizontal_alignment=stretch)
    first.expand, second.expand = 1, 1
    return ft.Row([first, second], spacing=theme.XXL, vertical_alignment=ft.CrossAxisAlignment.START)
