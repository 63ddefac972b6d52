"""Appointments on the card: those of its shopper, and booking one: what for, which day, when, how long, with whom.

The soonest free time is chosen already. A time that is taken may be booked all the same: then the sheet says so before
and both appointments say so after. *Saved* is said at the foot of the card, a no in the sheet, in the rule's words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.appointment_faces import AppointmentRow, AppointmentWish, BookingFace, PassFace, SlotFace
from associate_app.ui.hooks import keyed, use_live, use_value
from associate_app.ui.parts.appointment_pass import pass_sheet
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import Press, main_button, quiet_button
from associate_app.ui.parts.closing import leaving
from associate_app.ui.parts.day_choice import day_choice
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.follow_up_sheet import chips
from associate_app.ui.parts.notice import banner, empty
from associate_app.ui.parts.slot_choice import chosen_slot, slot_choice
from associate_app.ui.parts.text import say, section
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import Desk, Saved, use_desk, use_reading
from associate_app.ui.theme import Ink
from shared.errors import Refused
from shared.promises import STORE

_NO_PASS: Final[PassFace | None] = None


@part
def appointments_of(token: str) -> ft.Control:
    """What is booked for the shopper of a card, with the way to their own calendar; nothing where nothing is."""
    desk = use_desk()
    words = desk.speaker
    shown, show_pass = use_value(_NO_PASS)
    rows, _ = use_reading(lambda: desk.floor.appointments.of_shopper(token), [token])
    ft.use_dialog(pass_sheet(shown, words, partial(show_pass, None)) if shown else None)

    async def open_pass(key: str) -> None:
        show_pass(await desk.ask(desk.floor.appointments.pass_of, key))

    if not rows:
        return ft.Container()
    lines = [_line(row, words("appointments.pass"), partial(open_pass, row.key)) for row in rows]
    block = ft.Column([section(words("appointments.title")), *lines], spacing=theme.XS)
    return ft.Container(block, padding=ft.Padding.only(bottom=theme.XL))


def _line(row: AppointmentRow, told: str, press: Press) -> ft.Control:
    clash = [say(row.clash, theme.TINY, Ink.LOOK)] if row.clash else []
    said = ft.Column([say(row.title), say(row.hint, theme.TINY, Ink.QUIET), *clash], spacing=0, expand=True)
    return ft.Row([said, quiet_button(told, press, icon=ft.Icons.QR_CODE_2)], key=row.key, spacing=theme.S)


@part
def appointment_sheet(token: str, show: Callable[[Saved], None], close: Callable[[], None]) -> ft.Control:
    """What may be booked for the shopper of a card; read when it is opened."""
    desk = use_desk()
    words = desk.speaker
    face, _ = use_reading(desk.floor.appointments.bookable)
    if face is None:
        return ft.Container()
    if not face.days.named:
        return ft.Column([empty(words("appointments.never_open")), leaving(words("close"), close)])
    return keyed("form", _form, token, face, show, close)


@part
def _form(token: str, face: BookingFace, show: Callable[[Saved], None], close: Callable[[], None]) -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    wish = use_live(lambda: AppointmentWish(face.topics[0][0], face.days.named[0][0]))
    no, say_no = use_value("")
    asked = wish.value
    slots, _ = use_reading(partial(_slots, desk, asked), [asked.day, asked.minutes, asked.is_mine])
    slot = chosen_slot(slots or (), asked.at)

    def put(**told: object) -> None:
        wish.put(replace(wish.value, **told))  # type: ignore[arg-type]

    async def save() -> None:
        # What was tapped last counts, drawn or not: a quick finger must not book the time before it.
        now = wish.value
        free = chosen_slot(await desk.ask(_slots, desk, now), now.at)
        booked = replace(now, at=free.at if free else "")
        try:
            saved = await desk.commit(desk.floor.appointments.book, token, booked, desk.associate_id)
        except Refused as refusal:
            say_no(no_of(refusal, desk.speaker))
            return
        close()
        show(saved)

    blocks = [*_choices(face, asked, put), section(words("appointments.time"))]
    blocks.append(keyed("time", slot_choice, slots, slot, lambda at: put(at=at)))
    blocks += _length_and_whose(face, asked, put)
    blocks.append(keyed("text", _text, lambda text: put(text=text)))
    blocks += _foot(slot, no, save, close)
    return ft.Column(blocks, spacing=theme.S, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _slots(desk: Desk, asked: AppointmentWish) -> tuple[SlotFace, ...]:
    """The times of the day asked for; blocks."""
    owner = desk.associate_id if asked.is_mine else STORE
    return desk.floor.appointments.slots(asked.day, asked.minutes, owner)


def _foot(slot: SlotFace | None, no: str, save: Press, close: Callable[[], None]) -> list[ft.Control]:
    """Said before it is booked: that the time is taken. Said after it was refused: why."""
    words, blocks, key = use_desk().speaker, [], "appointments.save"
    if slot and slot.taken:
        told, key = words("appointments.taken", at=slot.at, who=slot.taken), "appointments.save_anyway"
        blocks.append(ft.Semantics(live_region=True, content=banner(told, ft.Icons.EVENT_BUSY, is_amber=True)))
    if no:
        blocks.append(ft.Semantics(live_region=True, content=say(no, theme.SMALL_STRONG)))
    foot: list[ft.Control] = [main_button(words(key), save, is_off=slot is None), leaving(words("close"), close)]
    return [*blocks, ft.Row(foot, wrap=True, spacing=theme.S)]


def _choices(face: BookingFace, asked: AppointmentWish, put: Callable[..., None]) -> list[ft.Control]:
    words = use_desk().speaker
    blocks: list[ft.Control] = [
        section(words("appointments.topic")),
        chips(face.topics, asked.topic, lambda topic: put(topic=topic)),
        section(words("appointments.day")),
        keyed("day", day_choice, face.days, asked.day, lambda day: put(day=day)),
    ]
    return [*blocks, say(face.hours, theme.TINY, Ink.QUIET)] if face.hours else blocks


def _length_and_whose(face: BookingFace, asked: AppointmentWish, put: Callable[..., None]) -> list[ft.Control]:
    words = use_desk().speaker
    whose = [("mine", words("appointments.mine")), ("store", words("appointments.anyone"))]
    return [
        section(words("appointments.length")),
        chips(face.lengths, str(asked.minutes), lambda n: put(minutes=int(n))),
        section(words("appointments.with")),
        chips(whose, "mine" if asked.is_mine else "store", lambda one: put(is_mine=one == "mine")),
    ]


@part
def _text(keep: Callable[[str], None]) -> ft.Control:
    return text_field("appointment", Field(use_desk().speaker("appointments.text"), length_max=200), keep)
