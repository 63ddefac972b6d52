"""Tablets, for store managers: each one's last contact, what it had unsent, its version, and what needs a look."""

from __future__ import annotations

import flet as ft

from associate_app.ui import theme
from associate_app.ui.manager_faces import TabletFace
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.chips import chip
from associate_app.ui.parts.manager_page import not_here, use_managers, way_back
from associate_app.ui.parts.notice import banner
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say
from associate_app.ui.state import Desk, use_desk
from associate_app.ui.theme import Ink


@screen
def tablets_screen() -> ft.Control:
    """The screen."""
    desk = use_desk()
    words = desk.speaker
    face, is_in = use_managers(desk.floor.office.tablets)
    if face is None:
        return not_here(words("tablets.title"), is_in)
    source = say(face.source, theme.SMALL, Ink.QUIET)
    first = banner(face.source, ft.Icons.HISTORY, is_amber=True) if face.is_stale else source
    body: list[ft.Control] = [way_back("store", words("store.title")), first]
    body += [_tablet(desk, one) for one in face.rows]
    column = ft.Column(body, spacing=theme.M, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    return page_of(words("tablets.title"), column, has_width_limit=True)


def _tablet(desk: Desk, one: TabletFace) -> ft.Control:
    head: list[ft.Control] = [ft.Icon(ft.Icons.TABLET, size=20, color=ft.Colors.PRIMARY), say(one.name, theme.HEADING)]
    if one.is_this:
        head.append(chip(desk.speaker("tablets.this"), is_strong=True))
    told: list[ft.Control] = [ft.Row(head, wrap=True, spacing=theme.S, run_spacing=theme.XS)]
    told += [say(line, theme.SMALL, Ink.QUIET) for line in one.lines]
    if one.look:
        told.append(say(one.look, theme.SMALL, Ink.LOOK))
    return ft.Container(
        ft.Column(told, spacing=theme.XS),
        key=one.key,
        padding=ft.Padding.symmetric(vertical=theme.M, horizontal=theme.L),
        border_radius=theme.ROUND_M,
        border=ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
    )
