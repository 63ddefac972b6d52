"""Who's working: the store's associates as tiles, then a PIN pad. Works without a network; touches no record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import AssociateFace
from associate_app.ui.hooks import keyed, use_live, use_task, use_value
from associate_app.ui.parts.avatar import avatar
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.closing import leaving
from associate_app.ui.parts.language_switch import language_switch
from associate_app.ui.parts.logo import logo
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.pinpad import PIN_DIGITS_MAX, PIN_DIGITS_MIN, pin_dots, pin_pad
from associate_app.ui.parts.pressable import Look, Spoken, pressable
from associate_app.ui.parts.shell import edge_of, pill_of_session, to_the_right
from associate_app.ui.parts.text import heading, say
from associate_app.ui.state import Desk, Frame, SignInAnswer, use_desk, use_reading
from associate_app.ui.text_scale import scaled
from associate_app.ui.theme import Ink

_NOBODY: Final[AssociateFace | None] = None
_MINUTES_FROM_S: Final = 90
_TILES_WIDTH: Final = {Frame.PHONE: 358, Frame.PORTRAIT: 560, Frame.LANDSCAPE: 940}


@screen
def sign_in_screen(locked: AssociateFace | None = None) -> ft.Control:
    """The screen; over a locked one it asks for the PIN of whose it is, or for somebody else."""
    desk = use_desk()
    chosen, choose = use_value(locked)
    associates, _ = use_reading(desk.floor.associates)
    if chosen:
        is_back = locked is not None and chosen.associate_id == locked.associate_id
        inside = keyed(chosen.associate_id, _pin_entry, chosen, partial(choose, _NOBODY), is_back=is_back)
    else:
        inside = _tiles(desk, associates, choose)
    edge = edge_of(desk.whereabouts.frame)
    return ft.Container(
        ft.Column(
            [
                to_the_right(pill_of_session(desk.light)),
                ft.Container(inside, expand=True, alignment=ft.Alignment.CENTER),
                *([] if chosen else [ft.Row([language_switch(desk)], alignment=ft.MainAxisAlignment.CENTER)]),
            ],
            expand=True,
        ),
        padding=edge,
        expand=True,
    )


def _tiles(
    desk: Desk, associates: tuple[AssociateFace, ...] | None, choose: Callable[[AssociateFace], None]
) -> ft.Control:
    words = desk.speaker
    pairing = desk.shift.pairing
    if associates is None:
        return ft.Container()
    tiles = [_tile(associate, choose) for associate in associates]
    told = [
        logo(64),
        ft.Container(height=theme.S),
        heading(words("who.title"), theme.HERO, align=ft.TextAlign.CENTER),
        say(pairing.store_name or "" if pairing else "", theme.BODY, Ink.QUIET),
    ]
    return ft.Column(
        [
            *told,
            ft.Container(height=theme.L),
            ft.Row(
                tiles or [empty(words("who.none"))],
                wrap=True,
                spacing=theme.L,
                run_spacing=theme.L,
                alignment=ft.MainAxisAlignment.CENTER,
                width=_TILES_WIDTH[desk.whereabouts.frame],
            ),
        ],
        spacing=theme.XS,
        scroll=ft.ScrollMode.AUTO,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        alignment=ft.MainAxisAlignment.CENTER,
    )


def _tile(associate: AssociateFace, choose: Callable[[AssociateFace], None]) -> ft.Control:
    drawn = ft.Column(
        [
            avatar(associate.initials, 72),
            ft.Container(height=theme.S),
            say(associate.name, theme.HEADING, align=ft.TextAlign.CENTER, lines=1),
            say(associate.role, theme.TINY, Ink.QUIET),
        ],
        spacing=2,
        alignment=ft.MainAxisAlignment.CENTER,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
    )
    look = Look(
        theme.M,
        theme.ROUND_L,
        line=ft.Colors.OUTLINE_VARIANT,
        width=scaled(170),
        height=scaled(112) + 72,
        is_centred=True,
    )
    choosing = partial(choose, associate)
    return pressable(associate.name, choosing, drawn, look, Spoken(hint=associate.role), key=associate.associate_id)


@dataclass(frozen=True, slots=True)
class _Try:
    """How entering a PIN stands."""

    typed: str = ""
    answer: SignInAnswer | None = None
    is_checking: bool = False
    wait_s: int = 0

    @property
    def may_type(self) -> bool:
        """Whether digits are taken now."""
        return not self.is_checking and self.wait_s == 0

    @property
    def may_enter(self) -> bool:
        """Whether there are enough digits to check."""
        return self.may_type and len(self.typed) >= PIN_DIGITS_MIN


@screen
def _pin_entry(associate: AssociateFace, leave: Callable[[], None], *, is_back: bool) -> ft.Control:
    desk = use_desk()
    live = use_live(_Try)
    now = live.value

    async def enter() -> None:
        pin = live.value.typed
        if not live.value.may_enter:
            return
        live.put(replace(live.value, is_checking=True))
        answer = await desk.ask_slowly(desk.floor.sign_in, associate.associate_id, pin)
        if answer.associate is not None:
            desk.sign_in(answer.associate)
        else:
            live.put(_Try(answer=answer, wait_s=answer.wait_s))

    async def count_down() -> None:
        while live.value.wait_s > 0:
            await asyncio.sleep(1)
            live.put(replace(live.value, wait_s=live.value.wait_s - 1))

    def press(digit: str) -> None:
        if live.value.may_type and len(live.value.typed) < PIN_DIGITS_MAX:
            live.put(replace(live.value, typed=live.value.typed + digit))

    use_task(count_down, [now.answer])
    words = desk.speaker
    pad = pin_pad(
        press,
        lambda: live.put(replace(live.value, typed=live.value.typed[:-1])),
        enter,
        words,
        is_ready=now.may_enter,
        is_resting=now.wait_s > 0,
    )
    return ft.Column(
        [
            avatar(associate.initials, 64),
            heading(words("pin.title", name=associate.name.split()[0]), theme.NAME),
            *([say(desk.speaker("lock.text"), theme.SMALL, Ink.QUIET, align=ft.TextAlign.CENTER)] if is_back else []),
            _sentence(desk, now),
            pin_dots(len(now.typed), words.count("pin.spoken", len(now.typed))),
            pad,
            leaving(words("pin.someone_else"), leave),
        ],
        spacing=theme.M,
        scroll=ft.ScrollMode.AUTO,
        alignment=ft.MainAxisAlignment.CENTER,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
    )


def _sentence(desk: Desk, now: _Try) -> ft.Control:
    told, ink = _told(desk, now)
    return ft.Semantics(
        live_region=True,
        content=ft.Container(
            say(told, theme.BODY, ink, align=ft.TextAlign.CENTER), width=scaled(420), height=scaled(48)
        ),
    )


def _told(desk: Desk, now: _Try) -> tuple[str, Ink]:
    words = desk.speaker
    if now.is_checking:
        return words("pin.checking"), Ink.QUIET
    if now.wait_s > _MINUTES_FROM_S:
        return words.count("pin.wait_minutes", -(-now.wait_s // 60)), Ink.LOOK
    if now.wait_s > 0:
        return words.count("pin.wait", now.wait_s), Ink.LOOK
    if now.answer is not None and now.answer.sentence and not now.typed:
        return now.answer.sentence, Ink.LOOK
    return words("pin.lead"), Ink.QUIET
