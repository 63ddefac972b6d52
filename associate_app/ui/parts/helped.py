"""How digital helped this store in the last days: one sentence on Today, with how it was counted behind a tap."""

from __future__ import annotations

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import quiet_button
from associate_app.ui.parts.text import say, section
from associate_app.ui.state import use_desk, use_reading
from associate_app.ui.theme import Ink


@part
def helped_block() -> ft.Control:
    """The section."""
    desk = use_desk()
    words = desk.speaker
    is_open, set_open = use_value(False)
    face, _ = use_reading(desk.floor.helped)
    if face is None:
        return ft.Container()
    told: list[ft.Control] = [section(words("today.helped")), say(face.told, theme.BODY)]
    told.append(say(face.note, theme.TINY, Ink.QUIET))
    if is_open:
        told.append(say(words("today.helped_how"), theme.SMALL, Ink.QUIET))
    fold = words("today.helped_less") if is_open else words("today.helped_more")
    told.append(ft.Row([quiet_button(fold, lambda: set_open(not is_open), horizontal=8)]))
    return ft.Column(told, spacing=theme.XS)
