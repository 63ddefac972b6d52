"""Appointments: a day or a week of the store, and what becomes of each. What clashes is said above and in its row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.appointment_faces import AppointmentChange, AppointmentRow, AppointmentsFace, DayFace, PassFace
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.appointment_pass import pass_sheet
from associate_app.ui.parts.appointment_row import Do, appointment_actions, appointment_line
from associate_app.ui.parts.boundary import part, screen
from associate_app.ui.parts.buttons import choice_chip, quiet_button
from associate_app.ui.parts.notice import banner, empty
from associate_app.ui.parts.outcomes import OutcomeKeeper, use_outcomes
from associate_app.ui.parts.paged import paged
from associate_app.ui.parts.saved_bar import saved_line, told_line
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import heading, say
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import Desk, Frame, Place, use_desk, use_reading
from associate_app.ui.theme import Ink
from associate_app.ui.words import Speaker
from shared.errors import Refused

_NO_PASS: Final[PassFace | None] = None
Open = Callable[[str], None]
ShowPass = Callable[[str], Awaitable[None]]


@screen
def appointments_screen(span: str | None) -> ft.Control:
    """The screen; `span` is a day or a week as `Place.token` has it."""
    desk = use_desk()
    words = desk.speaker
    opened, open_row = use_value("")
    no, say_no = use_value("")
    shown, show_pass = use_value(_NO_PASS)
    kept = use_outcomes("")
    face, _ = use_reading(lambda: desk.floor.appointments.shown(span), [span])
    ft.use_dialog(pass_sheet(shown, words, partial(show_pass, None)) if shown else None)

    async def do(key: str, change: AppointmentChange) -> None:
        try:
            saved = await desk.commit(desk.floor.appointments.change, key, change, desk.associate_id)
        except Refused as refusal:
            say_no(no_of(refusal, desk.speaker))
            return
        say_no("")
        open_row("")
        kept.show(saved)

    async def open_pass(key: str) -> None:
        show_pass(await desk.ask(desk.floor.appointments.pass_of, key))

    if face is None:
        return ft.Container(expand=True)
    body = [_way(desk, face), *_told(kept, no, words)]
    body += [_elsewhere(desk, day, told) for day, told in face.elsewhere]
    if face.is_week:
        body.append(_week(desk, face, open_row))
    else:
        body.append(keyed(face.days[0].on, _day, face, opened, open_row, do, open_pass))
    return page_of(words("appointments.title"), ft.Column(body, spacing=theme.L), lead=words("appointments.lead"))


def _told(kept: OutcomeKeeper, no: str, words: Speaker) -> list[ft.Control]:
    """What was just saved, with its undo, and why something was not."""
    line = saved_line(kept.saved, words, kept.undo) if kept.saved else told_line(kept.told) if kept.told else None
    problem = ft.Semantics(live_region=True, content=banner(no, ft.Icons.INFO_OUTLINE)) if no else None
    return [one for one in (line, problem) if one is not None]


def _way(desk: Desk, face: AppointmentsFace) -> ft.Control:
    """Which span, and the ways to the others."""
    words = desk.speaker

    def to(span: str) -> Callable[[], None]:
        return partial(desk.go, Place("appointments", span))

    views = ft.Row(
        [
            choice_chip(words("appointments.day"), to(face.as_day), is_chosen=not face.is_week),
            choice_chip(words("appointments.week"), to(face.as_week), is_chosen=face.is_week),
        ],
        spacing=theme.S,
        tight=True,
    )
    steps = ft.Row(
        [
            quiet_button(words("appointments.before"), to(face.before), icon=ft.Icons.CHEVRON_LEFT),
            quiet_button(words("appointments.now"), to(face.now)),
            quiet_button(words("appointments.after"), to(face.after), icon=ft.Icons.CHEVRON_RIGHT),
        ],
        spacing=0,
        run_spacing=0,
        wrap=True,
    )
    title = ft.Semantics(live_region=True, content=heading(face.title, theme.TITLE))
    return ft.Column([ft.Row([views, steps], wrap=True, spacing=theme.L, run_spacing=theme.S), title], spacing=theme.M)


def _elsewhere(desk: Desk, day: str, told: str) -> ft.Control:
    """A clash on a day that is not shown, one tap from it."""
    button = quiet_button(desk.speaker("appointments.look"), partial(desk.go, Place("appointments", day)))
    return ft.Column([banner(told, ft.Icons.EVENT_BUSY, is_amber=True), ft.Row([button])], spacing=0)


@part
def _day(face: AppointmentsFace, opened: str, open_row: Open, do: Do, show_pass: ShowPass) -> ft.Control:
    words = use_desk().speaker
    [day] = face.days
    drawn: list[ft.Control] = [say(day.hours, theme.SMALL, Ink.QUIET)]

    def line(_: Desk, row: AppointmentRow) -> ft.Control:
        is_open = row.key == opened
        told = appointment_line(row, partial(open_row, "" if is_open else row.key))
        if not is_open:
            return told
        actions = keyed("do", appointment_actions, row, face, do, partial(show_pass, row.key))
        return ft.Column([told, actions], spacing=theme.XS)

    rows = keyed("rows", paged, day.title, day.rows, line, spacing=theme.XS)
    return ft.Column([*drawn, rows if day.rows else empty(words("appointments.nothing"))], spacing=theme.XS)


def _week(desk: Desk, face: AppointmentsFace, open_row: Open) -> ft.Control:
    """Seven columns where there is room, else a day under the other; a tap leads to the day, opened there."""

    def open_at(day: str, key: str = "") -> None:
        open_row(key)
        desk.go(Place("appointments", day))

    is_wide = desk.whereabouts.frame is Frame.LANDSCAPE
    days: list[ft.Control] = [_column(desk, day, open_at, is_wide=is_wide) for day in face.days]
    if not is_wide:
        return ft.Column(days, spacing=theme.L)
    for one in days:
        one.expand = 1
    return ft.Row(days, spacing=theme.S, vertical_alignment=ft.CrossAxisAlignment.START)


def _column(desk: Desk, day: DayFace, open_at: Callable[..., None], *, is_wide: bool) -> ft.Control:
    head: list[ft.Control] = [
        heading(day.title, theme.SMALL_STRONG if is_wide else theme.HEADING, Ink.BRAND if day.is_today else Ink.NORMAL),
        say(day.hours, theme.TINY, Ink.QUIET),
    ]
    rows = [appointment_line(row, partial(open_at, day.on, row.key), is_narrow=is_wide) for row in day.rows]
    nothing = [] if rows or not day.is_open else [say(desk.speaker("appointments.free"), theme.TINY, Ink.QUIET)]
    return ft.Column(
        [*head, *rows, *nothing],
        spacing=theme.S if is_wide else theme.XS,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
