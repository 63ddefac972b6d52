"""The mark of the practice store on every screen: a band above it that says so, and a frame round it all."""

from __future__ import annotations

from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.parts.buttons import tapped
from associate_app.ui.parts.text import say
from associate_app.ui.state import Desk, Frame
from associate_app.ui.text_scale import is_text_large
from associate_app.ui.theme import Ink

_EDGE = 5


def in_practice(desk: Desk, shell: ft.Control) -> ft.Control:
    """A screen of the practice store with its mark."""
    shell.expand = True
    side = ft.BorderSide(_EDGE, ft.Colors.INVERSE_SURFACE)
    framed = ft.Container(shell, border=ft.Border(left=side, right=side, bottom=side), expand=True)
    return ft.Column([_band(desk), framed], spacing=0, expand=True)


def _band(desk: Desk) -> ft.Control:
    words = desk.speaker
    is_phone = desk.whereabouts.frame is Frame.PHONE
    told = words("practice.band_short") if is_phone else words("practice.band")
    spoken = ft.Semantics(
        label=words("practice.band"),
        live_region=True,
        container=True,
        exclude_semantics=True,
        expand=True,
        content=say(told, theme.SMALL_STRONG, Ink.ON_DARK),
    )
    leave = ft.TextButton(
        words("practice.leave"),
        on_click=tapped(partial(desk.practise, False)),
        style=theme.button_style(ft.Colors.ON_INVERSE_SURFACE, None, ft.Colors.ON_INVERSE_SURFACE, horizontal=16),
    )
    icon = ft.Icon(ft.Icons.SCHOOL, size=22, color=ft.Colors.ON_INVERSE_SURFACE)
    row = ft.Row([icon, spoken], spacing=theme.M, vertical_alignment=ft.CrossAxisAlignment.CENTER)
    band: ft.Control = row
    if is_phone and is_text_large():
        band = ft.Column([row, ft.Row([leave])], spacing=theme.XS)
    else:
        row.controls.append(leave)
    return ft.Container(
        band,
        padding=ft.Padding.symmetric(vertical=theme.XS, horizontal=theme.L),
        bgcolor=ft.Colors.INVERSE_SURFACE,
    )
