"""Rows of lists that lead somewhere: a shopper, a line of news."""

from __future__ import annotations

from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import Kind, LinkFace, NewsRow, ShopperRow
from associate_app.ui.parts.avatar import avatar
from associate_app.ui.parts.buttons import Press
from associate_app.ui.parts.chips import chip
from associate_app.ui.parts.picture import picture
from associate_app.ui.parts.pressable import Look, pressable
from associate_app.ui.parts.text import say
from associate_app.ui.state import Desk
from associate_app.ui.theme import Ink


def shopper_row(row: ShopperRow, press: Press) -> ft.Control:
    """A shopper in a list, one tap from the card."""
    hint = [say(row.hint, theme.TINY, Ink.QUIET, lines=1)] if row.hint else []
    told = ft.Column([say(row.name, theme.LABEL, lines=1), *hint], spacing=0, expand=True)
    tier = [chip(row.tier)] if row.tier else []
    drawn = ft.Row([avatar(row.initials, 40), told, *tier], spacing=theme.M)
    spoken = ", ".join(part for part in (row.name, row.hint, row.tier) if part)
    return pressable(spoken, press, drawn, Look(theme.S), key=row.key)


def shopper_way(desk: Desk, row: ShopperRow) -> ft.Control:
    """A shopper in a list that leads to the card."""
    return shopper_row(row, partial(desk.open_row, row))


def link_row(link: LinkFace, press: Press, icon: ft.IconData | None = None) -> ft.Control:
    """A product, an offer or a play in a list, one tap from its screen: its picture, or the drawing of its kind."""
    mark = ft.Icon(icon, size=22, color=ft.Colors.PRIMARY) if icon else picture(Kind.PRODUCT, link.picture, 44)
    hint = [say(link.hint, theme.TINY, Ink.QUIET, lines=2)] if link.hint else []
    told = ft.Column([say(link.title, theme.LABEL, lines=2), *hint], spacing=0, expand=True)
    drawn = ft.Row(
        [mark, told, ft.Icon(ft.Icons.CHEVRON_RIGHT, size=20, color=ft.Colors.OUTLINE)],
        spacing=theme.M,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )
    spoken = ", ".join(part for part in (link.title, link.hint) if part)
    look = Look(ft.Padding.symmetric(vertical=theme.M, horizontal=theme.S))
    return pressable(spoken, press, drawn, look, key=link.key)


def news_row(row: NewsRow, icon: ft.IconData) -> ft.Control:
    """A line of news with its drawing."""
    told = ft.Column(
        [say(row.title, theme.LABEL, lines=2), say(row.hint, theme.TINY, Ink.QUIET, lines=2)], spacing=0, expand=True
    )
    return ft.Container(
        ft.Row(
            [ft.Icon(icon, size=20, color=ft.Colors.PRIMARY), told],
            spacing=theme.M,
            vertical_alignment=ft.CrossAxisAlignment.START,
        ),
        key=row.key,
        padding=ft.Padding.symmetric(vertical=6),
    )
