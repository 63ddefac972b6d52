"""New shopper: few fields, consent by the shopper's own tap, and the loyalty QR for their phone. Works offline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import ShopperRow
from associate_app.ui.hooks import Live, keyed, use_live, use_value
from associate_app.ui.language import LANGUAGES
from associate_app.ui.parts.boundary import part, screen
from associate_app.ui.parts.buttons import line_button, main_button
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.follow_up_sheet import chips
from associate_app.ui.parts.notice import banner
from associate_app.ui.parts.pressable import Look, Spoken, pressable
from associate_app.ui.parts.qr import qr_png
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import heading, say
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import Desk, Enrolled, Frame, NewShopper, Place, Wording, use_desk, use_reading
from associate_app.ui.theme import Ink
from associate_app.ui.words import Speaker
from shared.errors import Refused

_FIELDS: Final = ("given", "family", "email", "phone", "postcode")


@dataclass(frozen=True, slots=True)
class _Joining:
    """How far joining is."""

    shopper: NewShopper = field(default_factory=NewShopper)
    is_handed_over: bool = False
    language: str = ""
    """The language the shopper chose to be asked in; the tablet's own where they chose none."""
    granted: frozenset[str] = frozenset()
    told: str = ""
    known: ShopperRow | None = None
    enrolled: Enrolled | None = None


@screen
def new_shopper_screen() -> ft.Control:
    """The screen: what they give, what they agree to, their card."""
    live = use_live(_Joining)
    if live.value.enrolled is not None:
        return keyed("card", _card, live.value.shopper, live.value.enrolled, live.value.language)
    if live.value.is_handed_over:
        return keyed("consent", _consent, live)
    return keyed("form", _form, live)


@part
def _form(live: Live[_Joining]) -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    now = live.value

    def keep(name: str, text: str) -> None:
        live.value = replace(live.value, shopper=replace(live.value.shopper, **{name: text}))

    async def hand_over() -> None:
        shopper = live.value.shopper
        check = await desk.ask(desk.floor.check_new, shopper)
        is_fine = check.sentence is None and check.known is None
        told = check.sentence or ""
        live.put(replace(live.value, told=told, known=check.known, is_handed_over=is_fine, shopper=shopper))
        desk.whereabouts.is_handed_over = is_fine

    fields = [
        text_field(name, Field(words(f"new.{name}"), has_focus=name == "given"), partial(keep, name))
        for name in _FIELDS
    ]
    blocks: list[ft.Control] = [*_in_rows(desk, fields), *_told(desk, live, now)]
    blocks.append(ft.Row([main_button(words("new.hand_over"), hand_over, icon=ft.Icons.SCREEN_ROTATION, height=56)]))
    body = ft.Column(blocks, spacing=theme.L, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    return page_of(words("new.title"), body, lead=words("new.lead"), has_width_limit=True)


def _in_rows(desk: Desk, fields: list[ft.Control]) -> list[ft.Control]:
    """Two fields side by side where there is room."""
    if desk.whereabouts.frame is Frame.PHONE:
        return fields
    halves: list[ft.Control] = [ft.Container(one, expand=True) for one in (*fields, None)]
    pairs = [halves[0:2], halves[2:4], halves[4:6]]
    return [ft.Row(pair, spacing=theme.L) for pair in pairs]


def _told(desk: Desk, live: Live[_Joining], now: _Joining) -> list[ft.Control]:
    words = desk.speaker
    if now.known is not None:
        name = now.known.name
        buttons = ft.Row(
            [
                main_button(words("new.open_known", name=name), partial(desk.open_row, now.known)),
                line_button(words("new.anyway"), partial(_go_on, desk, live), height=52),
            ],
            wrap=True,
            spacing=theme.M,
        )
        told = banner(words("new.known", name=name), ft.Icons.PEOPLE_OUTLINE)
        return [ft.Semantics(live_region=True, content=told), buttons]
    if now.told:
        return [ft.Semantics(live_region=True, content=banner(now.told, ft.Icons.EDIT_OUTLINED))]
    return []


def _go_on(desk: Desk, live: Live[_Joining]) -> None:
    live.put(replace(live.value, known=None, is_handed_over=True))
    desk.whereabouts.is_handed_over = True


def _take_back(desk: Desk, live: Live[_Joining]) -> None:
    live.put(replace(live.value, is_handed_over=False))
    desk.whereabouts.is_handed_over = False


@part
def _consent(live: Live[_Joining]) -> ft.Control:
    desk = use_desk()
    words = _speaker_of(desk, live.value.language)
    wordings, _ = use_reading(partial(desk.floor.wordings, words.language), [words.language])
    told, tell = use_value("")

    def flip(purpose: str) -> None:
        live.put(replace(live.value, granted=live.value.granted ^ {purpose}))

    async def join() -> None:
        granted = tuple(one for one in wordings or () if one.purpose in live.value.granted)
        try:
            done = await desk.commit(desk.floor.enrol_shopper, live.value.shopper, granted, desk.associate_id)
        except Refused as no:
            tell(no_of(no, words))
            return
        live.put(replace(live.value, enrolled=done))

    rows: list[ft.Control] = [
        _wording(one, one.purpose in live.value.granted, partial(flip, one.purpose)) for one in wordings or ()
    ]
    notice = [ft.Semantics(live_region=True, content=banner(told, ft.Icons.INFO_OUTLINE))] if told else []
    back = partial(_take_back, desk, live)
    foot = ft.Row(
        [main_button(words("new.done_button"), join, height=56), line_button(words("back"), back, height=56)],
        spacing=theme.M,
    )
    blocks: list[ft.Control] = [_languages(words, live), *_in_columns(desk, rows), *notice, foot]
    body = ft.Column(blocks, spacing=theme.M, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    title = words("new.consent_title", name=live.value.shopper.given.strip())
    is_wide = desk.whereabouts.frame is Frame.LANDSCAPE
    return page_of(title, body, lead=words("new.consent_lead"), has_width_limit=not is_wide, has_pill=False)


def _in_columns(desk: Desk, rows: list[ft.Control]) -> list[ft.Control]:
    """Two columns where there is room: *Done* is then seen without scrolling. Read down, then across."""
    if desk.whereabouts.frame is not Frame.LANDSCAPE:
        return rows
    half = -(-len(rows) // 2)
    stretch = ft.CrossAxisAlignment.STRETCH
    columns: list[ft.Control] = [
        ft.Column(column, spacing=theme.M, expand=True, horizontal_alignment=stretch)
        for column in (rows[:half], rows[half:])
    ]
    return [ft.Row(columns, spacing=theme.L, vertical_alignment=ft.CrossAxisAlignment.START)]


def _speaker_of(desk: Desk, language: str) -> Speaker:
    """Speaks to the shopper: the tablet itself goes on speaking its own language."""
    return replace(desk.speaker, language=language) if language else desk.speaker


def _languages(words: Speaker, live: Live[_Joining]) -> ft.Control:
    """Each language under its own name, as who reads it looks for it."""
    named = [(language, words(f"language.{language}")) for language in LANGUAGES]
    return chips(named, words.language, lambda language: live.put(replace(live.value, language=language)))


def _wording(wording: Wording, is_granted: bool, flip: Callable[[], None]) -> ft.Control:
    """One purpose with its exact wording; the whole card is the switch."""
    icon = ft.Icons.CHECK_CIRCLE if is_granted else ft.Icons.RADIO_BUTTON_UNCHECKED
    told = ft.Column(
        [say(wording.title, theme.HEADING), say(wording.text, theme.SMALL, Ink.QUIET)], spacing=2, expand=True
    )
    mark = ft.Icon(icon, size=30, color=ft.Colors.PRIMARY if is_granted else ft.Colors.OUTLINE)
    look = Look(
        theme.L,
        fill=ft.Colors.SECONDARY_CONTAINER if is_granted else None,
        line=ft.Colors.PRIMARY if is_granted else ft.Colors.OUTLINE_VARIANT,
    )
    drawn = ft.Row([mark, told], spacing=theme.L, vertical_alignment=ft.CrossAxisAlignment.START)
    spoken = f"{wording.title}. {wording.text}"
    return pressable(spoken, flip, drawn, look, Spoken(checked=is_granted), key=wording.purpose)


@part
def _card(shopper: NewShopper, enrolled: Enrolled, language: str) -> ft.Control:
    desk = use_desk()
    words = _speaker_of(desk, language)
    picture = ft.Container(
        ft.Image(src=qr_png(enrolled.card), width=300, height=300, semantics_label=words("new.qr")),
        padding=theme.M,
        bgcolor=ft.Colors.WHITE,
        border_radius=theme.ROUND_L,
        border=ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
    )
    centred = ft.CrossAxisAlignment.CENTER
    return ft.Container(
        ft.Column(
            [
                heading(words("new.done", name=shopper.given.strip()), theme.HERO),
                say(words("new.done_text"), theme.BODY, Ink.QUIET, align=ft.TextAlign.CENTER),
                picture,
                main_button(words("new.open"), partial(desk.go, Place("shopper", enrolled.token)), height=56),
            ],
            spacing=theme.XL,
            alignment=ft.MainAxisAlignment.CENTER,
            horizontal_alignment=centred,
            scroll=ft.ScrollMode.AUTO,
        ),
        alignment=ft.Alignment.CENTER,
        padding=theme.XL,
        expand=True,
    )
