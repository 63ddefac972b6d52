"""PINs, for store managers: whose is locked or missing, and a new one that they type themselves, twice, offline too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import keyed, use_live, use_value
from associate_app.ui.manager_faces import PersonFace
from associate_app.ui.manager_state import NewPin
from associate_app.ui.parts.avatar import avatar
from associate_app.ui.parts.boundary import part, screen
from associate_app.ui.parts.buttons import line_button, quiet_button, said_as
from associate_app.ui.parts.manager_page import not_here, use_managers, way_back
from associate_app.ui.parts.pinpad import PIN_DIGITS_MAX, PIN_DIGITS_MIN, pin_dots, pin_pad
from associate_app.ui.parts.saved_bar import told_line
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import heading, say
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import Desk, use_desk
from associate_app.ui.theme import Ink
from shared.errors import Refused

_NOBODY: Final[PersonFace | None] = None
Step = Literal["manager", "first", "again"]


@screen
def pins_screen() -> ft.Control:
    """The screen."""
    desk = use_desk()
    words = desk.speaker
    chosen, choose = use_value(_NOBODY)
    told, tell = use_value("")
    people, is_in = use_managers(desk.floor.office.people)

    def done(said: str) -> None:
        choose(_NOBODY)
        tell(said)

    if people is None:
        return not_here(words("pins.title"), is_in)
    if chosen is not None:
        entry = keyed(chosen.associate_id, _entry, chosen, done)
        return page_of(words("pins.title"), entry)
    rows = [_person(desk, one, partial(choose, one)) for one in people]
    body: list[ft.Control] = [way_back("store", words("store.title")), *([told_line(told)] if told else []), *rows]
    column = ft.Column(body, spacing=theme.M, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    return page_of(words("pins.title"), column, lead=words("pins.lead"), has_width_limit=True)


def _person(desk: Desk, one: PersonFace, choose: Callable[[], None]) -> ft.Control:
    """Somebody and how their PIN stands; the button says whose it is, for who hears it alone."""
    told: list[ft.Control] = [say(one.name, theme.LABEL), say(one.why_not or one.hint, theme.TINY, Ink.QUIET)]
    row: list[ft.Control] = [avatar(one.initials, 44), ft.Column(told, spacing=0, expand=True, tight=True)]
    if one.why_not is None:
        row.append(said_as(desk.speaker("pins.new_for", name=one.name), line_button(desk.speaker("pins.new"), choose)))
    return ft.Container(ft.Row(row, spacing=theme.M), key=one.associate_id, padding=ft.Padding.symmetric(vertical=6))


@dataclass(frozen=True, slots=True)
class _Entry:
    """How far it is: whose turn it is to type, what is in, and what was wrong."""

    step: Step = "manager"
    typed: str = ""
    managers: str = ""
    first: str = ""
    sentence: str = ""
    is_busy: bool = False


@part
def _entry(person: PersonFace, done: Callable[[str], None]) -> ft.Control:
    """The manager's own PIN, then the new one twice by who it is for."""
    desk = use_desk()
    live = use_live(_Entry)
    now, words = live.value, desk.speaker
    takes: dict[Step, Callable[[_Entry], Awaitable[None]]] = {
        "manager": partial(_take_manager, desk, live.put),
        "first": partial(_take_first, live.put),
        "again": partial(_take_again, desk, live.put, person, done),
    }

    async def enter() -> None:
        if len(live.value.typed) >= PIN_DIGITS_MIN and not live.value.is_busy:
            await takes[live.value.step](live.value)

    def press(digit: str) -> None:
        if not live.value.is_busy and len(live.value.typed) < PIN_DIGITS_MAX:
            live.put(replace(live.value, typed=live.value.typed + digit))

    is_ready = len(now.typed) >= PIN_DIGITS_MIN and not now.is_busy
    back = partial(_take_off, live.put, lambda: live.value)
    pad = pin_pad(press, back, enter, words, is_ready=is_ready, is_resting=False, entering=words("pins.go_on"))
    manager = desk.shift.associate.name.split()[0] if desk.shift.associate else ""
    asked = words(f"pins.ask.{now.step}", name=person.name.split()[0], manager=manager)
    sentence = now.sentence if not now.typed else ""
    lead = say(sentence or words(f"pins.lead.{now.step}"), theme.BODY, Ink.LOOK if sentence else Ink.QUIET)
    lead.text_align = ft.TextAlign.CENTER
    told: list[ft.Control] = [
        avatar(person.initials, 56),
        heading(asked, theme.NAME, align=ft.TextAlign.CENTER),
        ft.Semantics(live_region=True, content=lead),
        pin_dots(len(now.typed), words.count("pin.spoken", len(now.typed))),
        pad,
        quiet_button(words("pins.leave"), partial(done, "")),
    ]
    return ft.Column(told, spacing=theme.M, horizontal_alignment=ft.CrossAxisAlignment.CENTER)


def _take_off(put: Callable[[_Entry], None], now: Callable[[], _Entry]) -> None:
    put(replace(now(), typed=now().typed[:-1]))


async def _take_manager(desk: Desk, put: Callable[[_Entry], None], now: _Entry) -> None:
    put(replace(now, is_busy=True))
    try:
        problem = await desk.ask_slowly(desk.floor.office.confirm, now.typed, desk.associate_id)
    except Refused as no:
        problem = no_of(no, desk.speaker)
    put(_Entry(sentence=problem) if problem else _Entry("first", managers=now.typed))


async def _take_first(put: Callable[[_Entry], None], now: _Entry) -> None:
    put(replace(now, step="again", first=now.typed, typed="", sentence=""))


async def _take_again(
    desk: Desk, put: Callable[[_Entry], None], person: PersonFace, done: Callable[[str], None], now: _Entry
) -> None:
    """Two that differ are none: both are typed anew."""
    if now.typed != now.first:
        put(_Entry("first", managers=now.managers, sentence=desk.speaker("pins.differ")))
        return
    put(replace(now, is_busy=True))
    new = NewPin(person.associate_id, now.typed, now.managers)
    try:
        said = await desk.ask_slowly(desk.floor.office.set_pin, new, desk.associate_id)
    except Refused as no:
        put(_Entry(sentence=no_of(no, desk.speaker)))
        return
    desk.heart.beat()
    done(said)
