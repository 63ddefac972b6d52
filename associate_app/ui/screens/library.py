"""Library: message templates, care and size guides, event texts; searchable, offline, with *copy text*."""

from __future__ import annotations

from functools import partial
from typing import Final

import flet as ft

from associate_app.services.library import KINDS
from associate_app.ui import theme
from associate_app.ui.hooks import keyed, use_cell, use_value
from associate_app.ui.parts.boundary import part, screen
from associate_app.ui.parts.buttons import line_button
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.fold_head import fold_head
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.paged import paged
from associate_app.ui.parts.plays_switch import plays_switch
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say, section
from associate_app.ui.state import Desk, use_desk, use_reading
from associate_app.ui.theme import Ink
from associate_app.ui.today_faces import TextFace
from associate_app.ui.words import mentions

_ICONS: Final = {
    "template": ft.Icons.MAIL_OUTLINED,
    "care": ft.Icons.DRY_CLEANING_OUTLINED,
    "size": ft.Icons.STRAIGHTEN,
    "event": ft.Icons.EVENT_OUTLINED,
}


@screen
def library_screen() -> ft.Control:
    """The screen."""
    desk = use_desk()
    words = desk.speaker
    wanted, set_wanted = use_value("")
    texts, _ = use_reading(lambda: desk.floor.library(desk.associate_id))
    field = text_field("library", Field(words("library.look_for"), icon=ft.Icons.SEARCH), set_wanted)
    if texts is None:
        return ft.Container(expand=True)
    found = [text for text in texts if _mentions(text, wanted)]
    blocks: list[ft.Control] = []
    for kind in KINDS:
        some, title = [text for text in found if text.kind == kind], words(f"library.kind.{kind}")
        if some:
            rows = keyed(kind, paged, title, some, _row, spacing=theme.S)
            blocks.append(ft.Column([section(title), rows], spacing=theme.S))
    nothing = words("book.nothing", text=wanted) if texts else words("library.none")
    body = ft.Column(
        [plays_switch(desk, "library"), *([field] if texts else []), *(blocks or [empty(nothing)])],
        spacing=theme.XL,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
    return page_of(words("library.title"), body, lead=words("library.lead"), has_width_limit=True)


def _mentions(text: TextFace, wanted: str) -> bool:
    return mentions((text.title, text.text), wanted)


@part
def _row(_: Desk, text: TextFace) -> ft.Control:
    is_open, set_open = use_value(False)
    told = ft.Column(
        [say(text.title, theme.LABEL, lines=2), say(text.hint, theme.TINY, Ink.QUIET, lines=1)], spacing=0, expand=True
    )
    drawn = [ft.Icon(_ICONS[text.kind], size=20, color=ft.Colors.PRIMARY), told]
    spoken = f"{text.title}, {text.hint}"
    head = fold_head(spoken, drawn, lambda: set_open(not is_open), is_open=is_open, edge=theme.L)
    inside: list[ft.Control] = [head]
    if is_open:
        shown = ft.Column([say(text.text), keyed("copy", _copy, text.copied)], spacing=theme.L)
        inside.append(
            ft.Container(shown, padding=ft.Padding.only(left=theme.L, right=theme.L, top=theme.S, bottom=theme.L))
        )
    return ft.Container(
        ft.Column(inside, spacing=0),
        border_radius=theme.ROUND_M,
        border=ft.Border.all(1, ft.Colors.PRIMARY if is_open else ft.Colors.OUTLINE_VARIANT),
        clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
    )


@part
def _copy(copied: str) -> ft.Control:
    """*Copy text*, and whether it worked: a browser without a secure page has no clipboard."""
    words = use_desk().speaker
    said, say_so = use_value("")
    clipboard = use_cell(ft.Clipboard)

    async def copy() -> None:
        try:
            await clipboard.value.set(copied)
        except Exception:  # noqa: BLE001  (whatever the platform raises: the text is there to be typed)
            say_so(words("library.not_copied"))
        else:
            say_so(words("library.copied"))

    button = line_button(words("library.copy"), partial(copy), icon=ft.Icons.CONTENT_COPY)
    told = [ft.Semantics(live_region=True, content=say(said, theme.SMALL, Ink.QUIET))] if said else []
    return ft.Row([button, *told], spacing=theme.M, wrap=True)
