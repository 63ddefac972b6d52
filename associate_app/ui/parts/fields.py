"""Text fields. While one has the focus, typed keys are for it and not for the hand scanner."""

from __future__ import annotations

from typing import Any

import flet as ft

from associate_app.ui import theme
from associate_app.ui.state import Desk


def text_field(desk: Desk, name: str, **properties: Any) -> ft.TextField:
    """An uncontrolled field: what is typed lives in the browser, so that fast typing loses nothing.

    `name` is its key on this screen; a new name gives an empty field.
    """
    settings: dict[str, Any] = {
        "key": name,
        "border_radius": theme.ROUND_M,
        "border_color": ft.Colors.OUTLINE,
        "focused_border_color": ft.Colors.PRIMARY,
        "content_padding": ft.Padding.symmetric(vertical=18, horizontal=18),
        "on_focus": lambda _: desk.fields_in_focus.add(name),
        "on_blur": lambda _: desk.fields_in_focus.discard(name),
        **properties,
    }
    return ft.TextField(**settings)
