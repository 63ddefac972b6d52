"""Store today, for store managers: three numbers to act on, a bar per play, what associates said, the tablets."""

from __future__ import annotations

from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import StoreFace
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.buttons import choice_chip, quiet_button
from associate_app.ui.parts.figures import figure, legend, play_bar
from associate_app.ui.parts.notice import banner, empty
from associate_app.ui.parts.rows import news_row
from associate_app.ui.parts.said_row import said_row
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say, section
from associate_app.ui.state import Desk, Frame, Place, use_desk, use_reading
from associate_app.ui.theme import Ink
from shared.errors import Refused

_WAYS_ON: Final = (
    ("reviews", ft.Icons.RULE),
    ("approvals", ft.Icons.APPROVAL_OUTLINED),
    ("pins", ft.Icons.PIN_OUTLINED),
    ("tablets", ft.Icons.TABLET_OUTLINED),
)


@screen
def store_screen() -> ft.Control:
    """The screen. Who is no manager is told so, and nothing is read."""
    desk = use_desk()
    words = desk.speaker
    is_week, set_week = use_value(False)
    face, is_in = use_reading(lambda: _read(desk, is_week=is_week), [is_week, desk.shift.associate])
    if face is None:
        told = empty(words("store.managers"), ft.Icons.LOCK_OUTLINE) if is_in else ft.Container()
        return page_of(words("store.title"), told)
    spans: list[ft.Control] = [
        choice_chip(words("store.span.today"), lambda: set_week(False), is_chosen=not is_week),
        choice_chip(words("store.span.week"), lambda: set_week(True), is_chosen=is_week),
    ]
    head = ft.Row([*spans, _ways_on(desk)], wrap=True, spacing=theme.S, run_spacing=theme.S)
    blocks = [head, _source(face), _numbers(desk, face), _below(desk, face, is_week=is_week)]
    return page_of(words("store.title"), ft.Column(blocks, spacing=theme.XL))


def _ways_on(desk: Desk) -> ft.Control:
    """To what a manager does besides reading: each a screen of its own."""
    ways: list[ft.Control] = [
        quiet_button(desk.speaker(f"{name}.title"), partial(desk.go, Place(name)), icon=icon) for name, icon in _WAYS_ON
    ]
    return ft.Row(ways, wrap=True, spacing=theme.XS, run_spacing=theme.XS)


def _read(desk: Desk, *, is_week: bool) -> StoreFace | None:
    """None for who is no manager, or no longer one while the screen is open."""
    if desk.shift.associate is None or not desk.shift.associate.is_manager:
        return None
    try:
        return desk.floor.store_today(is_week, desk.associate_id)
    except Refused:
        return None


def _source(face: StoreFace) -> ft.Control:
    """What is from where, before any number."""
    if face.is_stale:
        return banner(face.source, ft.Icons.HISTORY, is_amber=True)
    return say(face.source, theme.SMALL, Ink.QUIET)


def _numbers(desk: Desk, face: StoreFace) -> ft.Control:
    tiles: list[ft.Control] = [keyed(one.key, figure, one) for one in face.figures]
    if desk.whereabouts.frame is Frame.PHONE:
        return ft.Column(tiles, spacing=theme.M, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    held: list[ft.Control] = [ft.Container(tile, expand=True) for tile in tiles]
    row = ft.Row(held, spacing=theme.L, vertical_alignment=ft.CrossAxisAlignment.STRETCH)
    row.intrinsic_height = True  # as high as the highest, each of them
    return row


def _below(desk: Desk, face: StoreFace, *, is_week: bool) -> ft.Control:
    plays = ft.Column(_plays(desk, face, is_week=is_week), spacing=theme.S)
    plays.horizontal_alignment = ft.CrossAxisAlignment.STRETCH
    rest = ft.Column([_said(desk, face), _tablets(desk, face)], spacing=theme.XL)
    if desk.whereabouts.frame is not Frame.LANDSCAPE:
        stacked: list[ft.Control] = [plays, rest]
        return ft.Column(stacked, spacing=theme.XL, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    plays.expand, rest.expand = 3, 2
    return ft.Row([plays, rest], spacing=theme.XXL, vertical_alignment=ft.CrossAxisAlignment.START)


def _plays(desk: Desk, face: StoreFace, *, is_week: bool) -> list[ft.Control]:
    words = desk.speaker
    if not face.bars:
        nothing = words("store.none.week" if is_week else "store.none.today")
        return [section(words("store.plays")), empty(nothing)]
    told: list[ft.Control] = [section(words("store.plays")), legend()]
    told += [keyed(bar.play_id, play_bar, bar) for bar in face.bars]
    if face.more:
        told.append(say(face.more, theme.TINY, Ink.QUIET))
    if face.days:
        from associate_app.ui.parts.week_chart import week_chart

        told += [ft.Container(height=theme.M), section(words("store.days")), week_chart(face.days, face.days_told)]
    return told


def _said(desk: Desk, face: StoreFace) -> ft.Control:
    words = desk.speaker
    rows: list[ft.Control] = [said_row(one) for one in face.said]
    every = quiet_button(words("feedback.all"), partial(desk.go, Place("feedback")), horizontal=8)
    told = [*(rows or [empty(words("store.said.none"))]), ft.Row([every])]
    return ft.Column([section(words("store.said")), *told], spacing=theme.S)


def _tablets(desk: Desk, face: StoreFace) -> ft.Control:
    rows: list[ft.Control] = [news_row(row, ft.Icons.TABLET) for row in face.tablets]
    return ft.Column([section(desk.speaker("store.tablets")), *rows], spacing=0)
