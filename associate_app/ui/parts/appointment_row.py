"""An appointment in a list: when, for whom, what, and what it clashes with; and, opened, what can be done with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.appointment_faces import AppointmentChange, AppointmentRow, AppointmentsFace
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import Press, line_button, main_button, quiet_button
from associate_app.ui.parts.day_choice import day_choice
from associate_app.ui.parts.pressable import Look, pressable
from associate_app.ui.parts.slot_choice import slot_choice
from associate_app.ui.parts.text import say
from associate_app.ui.state import use_desk, use_reading
from associate_app.ui.theme import Ink
from associate_app.ui.words import Speaker

Do = Callable[[str, AppointmentChange], Awaitable[None]]
_ASKING: Final = {"moved": "follow_ups.move", "handed_over": "follow_ups.hand_over", "cancelled": "appointments.cancel"}
_REASONS_COUNT: Final = 3
_TIME_WIDTH: Final = 108


def appointment_line(row: AppointmentRow, press: Press, *, is_narrow: bool = False) -> ft.Control:
    """The row; a tap opens it. In a narrow column the time stands over the name."""
    ink = Ink.QUIET if row.ended else Ink.NORMAL
    when = say(row.time, theme.SMALL_STRONG if is_narrow else theme.LABEL, ink)
    told: list[ft.Control] = [
        say(row.title, theme.SMALL if is_narrow else theme.LABEL, ink, lines=2),
        say(row.hint, theme.TINY, Ink.QUIET, lines=3),
    ]
    if row.ended:
        told.append(say(row.ended, theme.TINY, Ink.QUIET))
    if row.clash:
        told.append(_mark(row.clash, is_narrow=is_narrow))
    drawn: ft.Control = ft.Column([when, *told], spacing=0)
    if not is_narrow:
        said = ft.Column(told, spacing=0, expand=True)
        held = ft.Container(when, width=_TIME_WIDTH)
        drawn = ft.Row([held, said], spacing=theme.M, vertical_alignment=ft.CrossAxisAlignment.START)
    look = Look(
        ft.Padding.symmetric(vertical=theme.M, horizontal=theme.S if is_narrow else 0),
        theme.ROUND_S if is_narrow else theme.ROUND_M,
        fill=ft.Colors.SURFACE_CONTAINER_LOW if is_narrow else None,
    )
    spoken = ", ".join(part for part in (row.time, row.title, row.hint, row.ended, row.clash) if part)
    return pressable(spoken, press, drawn, look, key=row.key)


def _mark(clash: str, *, is_narrow: bool) -> ft.Control:
    """What it clashes with, amber: people have to settle it."""
    icon = ft.Icon(ft.Icons.EVENT_BUSY, size=16, color=ft.Colors.TERTIARY)
    if is_narrow:
        return icon
    told = say(clash, theme.SMALL, Ink.LOOK, expand=True)
    return ft.Row([icon, told], spacing=theme.S, vertical_alignment=ft.CrossAxisAlignment.START)


@part
def appointment_actions(row: AppointmentRow, face: AppointmentsFace, do: Do, show_pass: Press) -> ft.Control:
    """What can be done: they came, or did not, at once; the others after one more choice; the file, the card."""
    desk = use_desk()
    words = desk.speaker
    asks, ask = use_value("")
    buttons: list[ft.Control] = []
    if row.ended is None:
        buttons.append(main_button(words("appointments.kept"), partial(do, row.key, AppointmentChange("kept"))))
        if row.has_begun:
            buttons.append(line_button(words("appointments.missed"), partial(do, row.key, AppointmentChange("missed"))))
        buttons += [
            line_button(words(key), partial(ask, "" if asks == deed else deed)) for deed, key in _ASKING.items()
        ]
        buttons.append(quiet_button(words("appointments.pass"), show_pass, icon=ft.Icons.QR_CODE_2))
    if row.shopper is not None:
        buttons.append(quiet_button(words("follow_ups.open"), partial(desk.open_row, row.shopper)))
    blocks: list[ft.Control] = [ft.Row(buttons, wrap=True, spacing=theme.S, run_spacing=theme.S)]
    if asks and row.ended is None:
        blocks.append(say(words(f"appointments.asks.{asks}"), theme.SMALL, Ink.QUIET))
        blocks.append(keyed(asks, _choice, asks, row, face, do))
    return ft.Container(ft.Column(blocks, spacing=theme.S), padding=ft.Padding.only(bottom=theme.M))


@part
def _choice(deed: str, row: AppointmentRow, face: AppointmentsFace, do: Do) -> ft.Control:
    words = use_desk().speaker
    if deed == "moved":
        return keyed("move", _move, row, face, do)
    if deed == "handed_over":
        told = [(name, AppointmentChange(deed, to=id_)) for id_, name in face.colleagues if id_ != row.owner]
    else:
        told = [
            (words(f"appointments.reason.{n}"), AppointmentChange(deed, reason=Speaker()(f"appointments.reason.{n}")))
            for n in range(1, _REASONS_COUNT + 1)
        ]
    buttons: list[ft.Control] = [line_button(name, partial(do, row.key, change)) for name, change in told]
    return ft.Row(buttons, wrap=True, spacing=theme.S, run_spacing=theme.S)


@part
def _move(row: AppointmentRow, face: AppointmentsFace, do: Do) -> ft.Control:
    """Which day, and then a time of it, which moves it at once."""
    desk = use_desk()
    day, choose = use_value(row.day)
    read = partial(desk.floor.appointments.slots, day, row.minutes, row.owner, row.key)
    slots, _ = use_reading(read, [day, row.minutes, row.owner])
    times = keyed(day, slot_choice, slots, None, lambda at: do(row.key, AppointmentChange("moved", day=day, at=at)))
    return ft.Column([keyed("day", day_choice, face.bookable, day, choose), times], spacing=theme.M)
