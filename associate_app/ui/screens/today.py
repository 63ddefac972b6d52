"""Today: the big way in (scan), the two other ways, and what matters this shift."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import TodayFace
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.buttons import quiet_button, tapped
from associate_app.ui.parts.follow_up_row import follow_up_line
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.rows import news_row, shopper_row
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say, section
from associate_app.ui.state import Desk, Frame, Place, use_desk, use_reading
from associate_app.ui.text_scale import scaled
from associate_app.ui.theme import Ink


@screen
def today_screen() -> ft.Control:
    """The screen."""
    desk = use_desk()
    associate = desk.shift.associate
    face, _ = use_reading(lambda: desk.floor.today(associate) if associate else None, [associate])
    if face is None:
        return ft.Container(expand=True)
    body = ft.Column([_ways_in(desk), _below(desk, face)], spacing=theme.XXL)
    return page_of(face.greeting, body, lead=face.place)


def _ways_in(desk: Desk) -> ft.Control:
    words = desk.speaker
    scan = _tile(
        words("today.scan"),
        words("today.scan_hint"),
        ft.Icons.QR_CODE_SCANNER,
        lambda: desk.go(Place("scan")),
        is_main=True,
    )
    is_phone = desk.whereabouts.frame is Frame.PHONE
    search = _tile(
        words("today.search"),
        words("today.search_hint"),
        ft.Icons.SEARCH,
        lambda: desk.go(Place("find")),
        is_narrow=is_phone,
    )
    new = _tile(
        words("today.new"),
        words("today.new_hint"),
        ft.Icons.PERSON_ADD_ALT,
        lambda: desk.go(Place("new")),
        is_narrow=is_phone,
    )
    if is_phone:
        ways: list[ft.Control] = [scan, ft.Row([search, new], spacing=theme.M)]
        return ft.Column(ways, spacing=theme.M, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    side = ft.Column([search, new], spacing=theme.L, expand=4)
    scan.expand = 5
    return ft.Row([scan, side], spacing=theme.L, vertical_alignment=ft.CrossAxisAlignment.STRETCH, height=scaled(264))


def _tile(
    told: str,
    hint: str,
    icon: ft.IconData,
    press: Callable[[], None],
    *,
    is_main: bool = False,
    is_narrow: bool = False,
) -> ft.Semantics:
    """A large button; its name is its title alone."""
    ink, quiet = (Ink.ON_BRAND, Ink.ON_BRAND) if is_main else (Ink.NORMAL, Ink.QUIET)
    drawn = ft.Icon(icon, size=64 if is_main else 28, color=ft.Colors.ON_PRIMARY if is_main else ft.Colors.PRIMARY)
    step = theme.NAME if is_main else theme.HEADING if is_narrow else theme.TITLE
    words = ft.Column(
        [say(told, step, ink), say(hint, theme.TINY if is_narrow else theme.SMALL, quiet)],
        spacing=2,
        tight=True,
    )
    content = (
        ft.Column([drawn, words], alignment=ft.MainAxisAlignment.SPACE_BETWEEN, spacing=theme.M)
        if is_main or is_narrow
        else ft.Row([drawn, words], spacing=theme.L, vertical_alignment=ft.CrossAxisAlignment.CENTER)
    )
    return ft.Semantics(
        label=told,
        hint_text=hint,
        button=True,
        container=True,
        exclude_semantics=True,
        expand=True,
        on_tap=tapped(press),
        content=ft.Container(
            content,
            padding=theme.L if is_narrow else theme.XL,
            border_radius=theme.ROUND_L,
            bgcolor=ft.Colors.PRIMARY if is_main else None,
            border=None if is_main else ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
            on_click=tapped(press),
            ink=True,
            expand=True,
        ),
    )


def _below(desk: Desk, face: TodayFace) -> ft.Control:
    if desk.whereabouts.frame is Frame.PHONE:
        return ft.Column(
            [_follow_ups(desk, face), _seen(desk, face), _plays(desk, face), _week(desk, face)], spacing=theme.XL
        )
    blocks: list[ft.Control] = [ft.Column([_follow_ups(desk, face), _seen(desk, face)], spacing=theme.XL)]
    if desk.whereabouts.frame is Frame.PORTRAIT:
        blocks.append(ft.Column([_plays(desk, face), _week(desk, face)], spacing=theme.XL))
    else:
        blocks += [_plays(desk, face), _week(desk, face)]
    for block in blocks:
        block.expand = True
    return ft.Row(blocks, spacing=theme.XXL, vertical_alignment=ft.CrossAxisAlignment.START)


def _follow_ups(desk: Desk, face: TodayFace) -> ft.Column:
    words = desk.speaker
    counted = zip(("today.overdue", "today.due", "today.upcoming"), face.due_counts, strict=True)
    numbers: list[ft.Control] = [_number(words(key), n) for key, n in counted]
    go = partial(desk.go, Place("follow_ups"))
    rows: list[ft.Control] = [follow_up_line(row, go) for row in face.due]
    told = rows or [empty(words("today.no_follow_ups"))]
    shown = [ft.Row(numbers, spacing=theme.XL, run_spacing=theme.XS, wrap=True)] if any(face.due_counts) else []
    ways = [quiet_button(words("follow_ups.all"), go, horizontal=8)]
    if face.on_hold:
        ways.append(quiet_button(words("holds.all", n=face.on_hold), partial(desk.go, Place("holds")), horizontal=8))
    blocks = [section(words("today.follow_ups")), *shown, *told, ft.Row([*ways], wrap=True)]
    return ft.Column(blocks, spacing=theme.S)


def _number(told: str, n: int) -> ft.Control:
    ink = Ink.NORMAL if n else Ink.QUIET
    return ft.Row(
        [say(str(n), theme.TITLE, ink), say(told, theme.SMALL, Ink.QUIET)],
        spacing=6,
        tight=True,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )


def _seen(desk: Desk, face: TodayFace) -> ft.Column:
    words = desk.speaker
    rows: list[ft.Control] = [shopper_row(row, partial(desk.open_row, row)) for row in face.seen]
    return ft.Column([section(words("today.seen")), *(rows or [empty(words("today.seen_none"))])], spacing=theme.XS)


def _plays(desk: Desk, face: TodayFace) -> ft.Column:
    words = desk.speaker
    rows: list[ft.Control] = [news_row(row, ft.Icons.AUTO_STORIES_OUTLINED) for row in face.plays]
    return ft.Column([section(words("today.new_plays")), *(rows or [empty(words("today.no_new_plays"))])], spacing=0)


def _week(desk: Desk, face: TodayFace) -> ft.Column:
    words = desk.speaker
    rows: list[ft.Control] = [news_row(row, ft.Icons.CALENDAR_TODAY) for row in face.week]
    return ft.Column([section(words("today.week")), *(rows or [empty(words("today.no_week"))])], spacing=0)
