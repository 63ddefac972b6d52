"""The way to the appointments from Today: how many there are today, and the next clash, which cannot be overlooked."""

from __future__ import annotations

from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import quiet_button
from associate_app.ui.parts.notice import banner
from associate_app.ui.state import Place, use_desk, use_reading


@part
def appointments_way(ways: list[ft.Control]) -> ft.Control:
    """A button after the other ways into lists, and under the row the clash with its own."""
    desk = use_desk()
    words = desk.speaker
    face, _ = use_reading(desk.floor.appointments.outlook)
    told = face.told if face is not None else words("appointments.title")
    way = quiet_button(told, partial(desk.go, Place("appointments")), horizontal=8)
    row = ft.Row([*ways, way], spacing=theme.XS, run_spacing=0, wrap=True)
    if face is None or face.clash is None:
        return row
    clash = banner(face.clash, ft.Icons.EVENT_BUSY, is_amber=True)
    look = quiet_button(
        words("appointments.look"), partial(desk.go, Place("appointments", face.clash_on)), horizontal=8
    )
    return ft.Column([row, clash, look], spacing=theme.XS)
