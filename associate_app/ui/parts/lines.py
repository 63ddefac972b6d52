"""Lines of the card's left column: what the shopper did online, what they bought, what colleagues noted."""

from __future__ import annotations

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import LineFace, NoteFace
from associate_app.ui.parts.buttons import Press
from associate_app.ui.parts.chips import new_mark
from associate_app.ui.parts.picture import picture
from associate_app.ui.parts.pressable import Look, pressable
from associate_app.ui.parts.text import say
from associate_app.ui.state import Desk
from associate_app.ui.theme import Ink, Type


def online_line(line: LineFace, new_words: str, press: Press | None = None) -> ft.Control:
    """One line with its picture: title, what happened and when, and whether it is in this store. With `press` it leads
    somewhere, and is spoken as what does."""
    drawn = _drawn(line, new_words)
    if press is None:
        return ft.Container(drawn, key=line.key, padding=ft.Padding.symmetric(vertical=6))
    told = (line.title, line.what, line.when, line.stock, new_words if line.is_new else None)
    spoken = ", ".join(part for part in told if part)
    return pressable(spoken, press, drawn, Look(ft.Padding.symmetric(vertical=6), theme.ROUND_S), key=line.key)


def _drawn(line: LineFace, new_words: str) -> ft.Control:
    title = ft.Row(
        [
            say(line.title, theme.LABEL, lines=1, expand=True),
            *([new_mark(new_words)] if line.is_new else []),
        ],
        spacing=theme.S,
    )
    told = " · ".join(part for part in (line.what, line.when) if part)
    return ft.Row(
        [
            picture(line.kind, line.picture, 52),
            ft.Column(
                [
                    title,
                    say(told, theme.TINY, Ink.QUIET, lines=1),
                    *([stock_mark(line.stock, line.is_here)] if line.stock else []),
                ],
                spacing=1,
                expand=True,
                alignment=ft.MainAxisAlignment.CENTER,
            ),
        ],
        spacing=theme.M,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )


def stock_mark(told: str, is_here: bool, step: Type = theme.TINY) -> ft.Control:
    """Whether something is in this store, and where."""
    icon = ft.Icons.CHECK_CIRCLE if is_here else ft.Icons.REMOVE_CIRCLE_OUTLINE
    mark = ft.Icon(icon, size=15, color=ft.Colors.PRIMARY if is_here else ft.Colors.OUTLINE)
    return ft.Row([mark, say(told, step, Ink.BRAND if is_here else Ink.QUIET, lines=2, expand=True)], spacing=theme.XS)


def noted_line(_: Desk, note: NoteFace) -> ft.Control:
    """A note: what was said, and small who said it when."""
    return ft.Container(
        ft.Column([say(note.text), say(note.source, theme.TINY, Ink.QUIET)], spacing=0),
        key=note.key,
        padding=ft.Padding.symmetric(vertical=theme.XS),
    )
