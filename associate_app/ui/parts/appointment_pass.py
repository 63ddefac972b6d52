"""An appointment for the shopper's own calendar: a QR for her phone, which needs no network, and the file itself.

The file is handed to the browser, or to the tablet's own dialog, by Flet; nothing of it lies at any address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.appointment_faces import PassFace
from associate_app.ui.parts.buttons import line_button
from associate_app.ui.parts.closing import leaving
from associate_app.ui.parts.qr import qr_png
from associate_app.ui.parts.text import say
from associate_app.ui.theme import Ink
from associate_app.ui.words import Speaker

QR_OCTETS_MAX: Final = 700
"""What is longer makes squares too small for an older phone at arm's length."""
_SIDE: Final = 300


def pass_sheet(face: PassFace, words: Speaker, close: Callable[[], None]) -> ft.AlertDialog:
    """A dialog with the appointment as a QR, and the file."""

    async def save() -> None:
        await ft.FilePicker().save_file(file_name=face.file_name, src_bytes=face.text.encode())

    lines: list[ft.Control] = [say(line, theme.SMALL, Ink.QUIET, align=ft.TextAlign.CENTER) for line in face.lines]
    if len(face.text.encode()) <= QR_OCTETS_MAX:
        told = words("appointments.pass.qr")
        lines.append(ft.Image(src=qr_png(face.text), width=_SIDE, height=_SIDE, semantics_label=told))
        lines.append(say(told, theme.SMALL, align=ft.TextAlign.CENTER))
    return ft.AlertDialog(
        title=say(face.title, theme.TITLE),
        scrollable=True,
        content=ft.Column(
            lines,
            tight=True,
            spacing=theme.S,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
            width=_SIDE + 20,
        ),
        actions=[
            line_button(words("appointments.pass.save"), save, icon=ft.Icons.DOWNLOAD),
            leaving(words("close"), close),
        ],
        on_dismiss=close,
    )
