"""Text in the steps of the type scale. Every visible word on a screen goes through here."""

from __future__ import annotations

import flet as ft

from associate_app.ui import theme
from associate_app.ui.text_scale import lines_for
from associate_app.ui.theme import Ink, Type


def say(
    words: str,
    step: Type = theme.BODY,
    ink: Ink = Ink.NORMAL,
    *,
    lines: int | None = None,
    align: ft.TextAlign = ft.TextAlign.START,
    expand: bool | int | None = None,
) -> ft.Text:
    """A text of one step of the scale; `lines` cuts it with an ellipsis, unless somebody needs large text."""
    lines = lines_for(lines)
    return ft.Text(
        words,
        style=theme.style(step),
        color=ink.value,
        max_lines=lines,
        overflow=ft.TextOverflow.ELLIPSIS if lines else ft.TextOverflow.CLIP,
        text_align=align,
        expand=expand,
    )


def heading(
    words: str, step: Type = theme.TITLE, ink: Ink = Ink.NORMAL, *, align: ft.TextAlign = ft.TextAlign.START
) -> ft.Semantics:
    """A heading: spoken as one, so that a screen reader can jump to it."""
    return ft.Semantics(header=True, content=say(words, step, ink, align=align))


def section(words: str) -> ft.Semantics:
    """The small quiet heading over a list."""
    return ft.Semantics(
        header=True,
        content=ft.Container(say(words, theme.SECTION, Ink.QUIET), padding=ft.Padding.only(bottom=theme.XS)),
    )
