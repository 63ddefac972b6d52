"""Tell HQ: a line if one likes, and one tap on what it is about saves it; below, what HQ answered this store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import FeedbackFace, SaidFace
from associate_app.ui.hooks import keyed, use_cell, use_task, use_value
from associate_app.ui.parts.boundary import part, screen
from associate_app.ui.parts.buttons import line_button, quiet_button
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.notice import banner, empty
from associate_app.ui.parts.outcomes import OutcomeKeeper, use_outcomes
from associate_app.ui.parts.said_row import said_row
from associate_app.ui.parts.saved_bar import saved_line, told_line
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say, section
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import Desk, Frame, Place, use_desk, use_reading
from associate_app.ui.theme import Ink
from shared.errors import Refused

ABOUT: Final = (
    "worked",
    "confusing",
    "out_of_stock",
    "wrong_price",
    "shopper_reaction",
    "traffic_or_staffing",
    "friction",
    "script_idea",
    "other",
)
_SHOWN: Final = 8
Send = Callable[[str], Awaitable[None]]


@screen
def tell_screen(play_id: str | None) -> ft.Control:
    """The screen; with a play it is about that play, and what it is about needs no line."""
    desk = use_desk()
    words = desk.speaker
    form, answers = keyed("form", _form, play_id), keyed("answers", _answers)
    if desk.whereabouts.frame is Frame.LANDSCAPE:
        sides: list[ft.Control] = [ft.Container(form, expand=6), ft.Container(answers, expand=5)]
        body: ft.Control = ft.Row(sides, spacing=theme.XXL, vertical_alignment=ft.CrossAxisAlignment.START)
    else:
        stretch = ft.CrossAxisAlignment.STRETCH
        body = ft.Column([form, answers], spacing=theme.XXL, horizontal_alignment=stretch)
    return page_of(words("tell.title"), body, lead=words("tell.lead"))


@part
def _form(play_id: str | None) -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    no, say_no = use_value("")
    round_, set_round = use_value(0)
    text = use_cell(str)
    kept = use_outcomes("")
    plays, _ = use_reading(lambda: desk.floor.playbook(desk.associate_id))
    title = next((play.title for play in plays or () if play.play_id == play_id), None)

    async def send(about: str) -> None:
        try:
            saved = await desk.commit(desk.floor.tell, about, text.value, play_id, desk.associate_id)
        except Refused as refusal:
            say_no(no_of(refusal, desk.speaker))
            return
        text.value = ""
        say_no("")
        set_round(round_ + 1)
        kept.show(saved)

    label = words("tell.field_free" if play_id else "tell.field")
    field = text_field(f"tell{round_}", Field(label, lines=3, length_max=2000), partial(setattr, text, "value"))
    blocks = [*_about_play(desk, title), field, keyed("about", _subjects, send), *_told(desk, kept, no)]
    return ft.Column(blocks, spacing=theme.L, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _about_play(desk: Desk, title: str | None) -> list[ft.Control]:
    """Which play it is about, and the way back to the card it was on."""
    words, before = desk.speaker, desk.before
    told: list[ft.Control] = []
    if before is not None and before.screen == "shopper":
        back = quiet_button(words("tell.back"), partial(desk.go, before), icon=ft.Icons.ARROW_BACK, horizontal=8)
        told.append(ft.Row([back]))
    if title:
        told.append(say(words("tell.play", title=title), theme.STRONG, Ink.BRAND))
    return told


@part
def _subjects(send: Send) -> ft.Control:
    words = use_desk().speaker
    buttons: list[ft.Control] = [line_button(words(f"tell.{name}"), partial(send, name)) for name in ABOUT]
    row = ft.Row(buttons, wrap=True, spacing=theme.S, run_spacing=theme.S)
    return ft.Column([section(words("tell.about")), row], spacing=theme.S)


def _told(desk: Desk, kept: OutcomeKeeper, no: str) -> list[ft.Control]:
    if no:
        return [ft.Semantics(live_region=True, content=banner(no, ft.Icons.EDIT_OUTLINED))]
    if kept.saved:
        return [saved_line(kept.saved, desk.speaker, kept.undo)]
    return [told_line(kept.told)] if kept.told else []


@part
def _answers() -> ft.Control:
    """The store's newest messages. An answer stays marked as new while the screen is open, and is read by then."""
    desk = use_desk()
    words, associate = desk.speaker, desk.shift.associate
    face, _ = use_reading(lambda: desk.floor.feedback(associate.associate_id) if associate else None, [associate])
    marked = use_cell(set[str])
    fresh = _fresh(face)
    marked.value |= fresh

    async def read() -> None:
        if fresh and associate is not None:
            await desk.commit(desk.floor.read_answers, fresh, associate.associate_id)

    use_task(read, [fresh])
    if face is None:
        return ft.Container()
    rows: list[ft.Control] = [
        said_row(one, words("feedback.new") if one.key in marked.value else "") for one in _first(face, marked.value)
    ]
    foot: list[ft.Control] = []
    if associate is not None and associate.is_manager:
        foot = [ft.Row([quiet_button(words("feedback.all"), partial(desk.go, Place("feedback")), horizontal=8)])]
    told = [section(words("tell.answers")), *(rows or [empty(words("tell.no_answers"))]), *foot]
    return ft.Column(told, spacing=theme.S)


def _fresh(face: FeedbackFace | None) -> frozenset[str]:
    return frozenset(one.key for one in face.rows if one.is_new) if face else frozenset()


def _first(face: FeedbackFace, marked: set[str]) -> list[SaidFace]:
    """New answers first, whenever their question was asked; then the newest."""
    new = [one for one in face.rows if one.key in marked]
    return [*new, *(one for one in face.rows if one.key not in marked)][: max(_SHOWN, len(new))]
