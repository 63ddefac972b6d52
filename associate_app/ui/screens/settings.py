"""Settings: the practice store, the scanner test, how this screen looks and speaks, and what this tablet is."""

from __future__ import annotations

from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.browser_memory import THEMES
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.boundary import part, screen
from associate_app.ui.parts.buttons import choice_chip, line_button, main_button
from associate_app.ui.parts.language_switch import language_switch
from associate_app.ui.parts.scanner_test import scanner_test
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say, section
from associate_app.ui.state import Desk, use_desk, use_reading
from associate_app.ui.theme import Ink


@screen
def settings_screen() -> ft.Control:
    """The screen. In the practice store it has only what is the same there."""
    desk = use_desk()
    blocks = [_practice(desk), keyed("scanner", scanner_test)]
    if not desk.is_practice:
        blocks += [keyed("theme", _theme), _language(desk), keyed("about", _about)]
    return page_of(desk.speaker("settings.title"), ft.Column(blocks, spacing=theme.XL), has_width_limit=True)


def _practice(desk: Desk) -> ft.Control:
    words = desk.speaker
    if desk.is_practice:
        button: ft.Control = main_button(words("practice.leave"), partial(desk.practise, False))
    else:
        button = main_button(words("practice.go"), partial(desk.practise, True), icon=ft.Icons.SCHOOL_OUTLINED)
    again = line_button(words("tip.again"), desk.coach.again, icon=ft.Icons.LIGHTBULB_OUTLINE)
    return ft.Column(
        [
            section(words("practice.title")),
            say(words("practice.lead"), theme.BODY, Ink.QUIET),
            ft.Row([button, again], spacing=theme.M, run_spacing=theme.S, wrap=True),
        ],
        spacing=theme.S,
    )


@part
def _theme() -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    chosen, choose = use_value(desk.theme_name())

    def wear(name: str) -> None:
        choose(name)
        desk.choose_theme(name)

    chips: list[ft.Control] = [
        choice_chip(words(f"theme.{name}"), partial(wear, name), is_chosen=name == chosen) for name in THEMES
    ]
    row = ft.Row(chips, spacing=theme.S, run_spacing=theme.S, wrap=True)
    hint = say(words("theme.hint"), theme.TINY, Ink.QUIET)
    return ft.Column(
        [section(words("theme.title")), ft.Semantics(label=words("theme.title"), container=True, content=row), hint],
        spacing=theme.S,
    )


def _language(desk: Desk) -> ft.Control:
    words = desk.speaker
    return ft.Column(
        [
            section(words("language.title")),
            ft.Row([language_switch(desk)]),
            say(words("language.hint"), theme.TINY, Ink.QUIET),
        ],
        spacing=theme.S,
    )


@part
def _about() -> ft.Control:
    desk = use_desk()
    face, _ = use_reading(desk.floor.about)
    lines: list[ft.Control] = [
        ft.Row(
            [ft.Container(say(what, theme.SMALL, Ink.QUIET), width=170), say(told, theme.SMALL, expand=True)],
            vertical_alignment=ft.CrossAxisAlignment.START,
        )
        for what, told in (face.lines if face else ())
    ]
    return ft.Column([section(desk.speaker("about.title")), *lines], spacing=theme.XS)
