"""What can be done for the shopper of a card: one row of buttons under what is known, and the sheet of the one tapped.

The row is the last thing on the card: a sheet opens above it, where the finger was, for under it nobody would see it.
One is open at a time, and nothing is read before. A note begun is still there when its sheet is opened again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import Cell, keyed, use_cell, use_value
from associate_app.ui.parts.appointment_sheet import appointment_sheet
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import line_button, main_button, soft_button
from associate_app.ui.parts.closing import leaving
from associate_app.ui.parts.correct_sheet import correct_sheet
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.follow_up_sheet import follow_up_sheet
from associate_app.ui.parts.hold_sheet import hold_sheet
from associate_app.ui.parts.text import heading
from associate_app.ui.state import Saved, use_desk

_EDGE: Final = 14
"""So narrow that all five stand in one row on a tablet in portrait."""
_NOTE: Final = "card.add_note"
_ICONS: Final = {
    "follow_ups.add": ft.Icons.EVENT_AVAILABLE,
    "holds.add": ft.Icons.SHOPPING_BAG_OUTLINED,
    "appointments.add": ft.Icons.EVENT_OUTLINED,
    _NOTE: ft.Icons.EDIT_NOTE,
    "correct.open": ft.Icons.EDIT_OUTLINED,
}
_SHEETS: Final = {
    "follow_ups.add": follow_up_sheet,
    "holds.add": hold_sheet,
    "appointments.add": appointment_sheet,
    "correct.open": correct_sheet,
}


@part
def card_deeds(token: str, show: Callable[[Saved], None]) -> ft.Control:
    """The open sheet under its name, and the row; tapping its button again closes it."""
    words = use_desk().speaker
    opened, open_ = use_value("")
    note = use_cell(str)
    close = partial(open_, "")
    buttons: list[ft.Control] = [
        soft_button(words(key), close, icon=icon, horizontal=_EDGE)
        if key == opened
        else line_button(words(key), partial(open_, key), icon=icon, horizontal=_EDGE)
        for key, icon in _ICONS.items()
    ]
    row = ft.Row(buttons, key="row", spacing=theme.S, run_spacing=theme.S, wrap=True)
    blocks: list[ft.Control] = [row]
    if opened == _NOTE:
        blocks = [heading(words(opened)), keyed(opened, _note_form, token, note, close), row]
    elif opened:
        blocks = [heading(words(opened)), keyed(opened, _SHEETS[opened], token, show, close), row]
    return ft.Column(blocks, spacing=theme.M, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


@part
def _note_form(token: str, note: Cell[str], close: Callable[[], None]) -> ft.Control:
    desk = use_desk()
    words = desk.speaker

    async def save() -> None:
        close()
        written, note.value = note.value.strip(), ""
        if written:
            await desk.commit(desk.floor.add_note, token, written, desk.associate_id)

    look = Field(words("card.note_field"), value=note.value, lines=2, length_max=2000, has_focus=True)
    field = text_field("note", look, partial(setattr, note, "value"))
    buttons = ft.Row([main_button(words("card.note_save"), save), leaving(words("close"), close)])
    return ft.Column([field, buttons], spacing=theme.S, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
