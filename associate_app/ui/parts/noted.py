"""Notes of a card, and what was done for its shopper: the newest come with the card, the others when somebody asks."""

from __future__ import annotations

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import Noted, NotedFace
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.lines import noted_line
from associate_app.ui.parts.paged import paged
from associate_app.ui.parts.text import section
from associate_app.ui.state import use_desk, use_reading


@part
def noted(token: str, what: Noted, title: str, face: NotedFace) -> ft.Control:
    """The list under its title. What was asked for is read anew with the card, so that both tell the same."""
    desk = use_desk()
    wanted, want = use_value(0)
    asked, _ = use_reading(lambda: desk.floor.noted(token, what, wanted) if wanted else None, [wanted])

    async def turned(_: int, end: int) -> None:
        want(end if end > len(face.lines) else 0)

    lines = asked or face.lines
    told = keyed(what, paged, title, lines, noted_line, len(face.lines), theme.XS, face.count, turned)
    return ft.Column([section(title), told], spacing=theme.XS)
