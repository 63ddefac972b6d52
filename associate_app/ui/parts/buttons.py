"""Buttons in three strengths: the one thing to do, the other things to do, and the quiet ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import flet as ft

from associate_app.ui import theme

_GUARD: Final = "is_scanner_typing"
Press = Callable[[], Awaitable[None]] | Callable[[], None]


def main_button(
    words: str, press: Press, *, icon: ft.IconData | None = None, height: int = 52, is_off: bool = False
) -> ft.FilledButton:
    """The one thing to do here."""
    return ft.FilledButton(
        words,
        icon=icon,
        disabled=is_off,
        on_click=tapped(press),
        style=theme.button_style(ft.Colors.ON_PRIMARY, ft.Colors.PRIMARY, height=height),
    )


def soft_button(
    words: str, press: Press, *, icon: ft.IconData | None = None, height: int = 48, horizontal: int = 18
) -> ft.FilledButton:
    """A likely thing to do, softly filled."""
    return ft.FilledButton(
        words,
        icon=icon,
        on_click=tapped(press),
        style=theme.button_style(
            ft.Colors.ON_PRIMARY_CONTAINER, ft.Colors.PRIMARY_CONTAINER, height=height, horizontal=horizontal
        ),
    )


def line_button(
    words: str, press: Press, *, icon: ft.IconData | None = None, height: int = 48, horizontal: int = 18
) -> ft.OutlinedButton:
    """Another thing to do."""
    return ft.OutlinedButton(
        words,
        icon=icon,
        on_click=tapped(press),
        style=theme.button_style(
            ft.Colors.ON_SURFACE,
            None,
            ft.Colors.with_opacity(0.55, ft.Colors.OUTLINE),
            height=height,
            horizontal=horizontal,
        ),
    )


def quiet_button(
    words: str,
    press: Press,
    *,
    icon: ft.IconData | None = None,
    ink: str = ft.Colors.PRIMARY,
    horizontal: int = 14,
) -> ft.TextButton:
    """A thing one may do."""
    return ft.TextButton(
        words,
        icon=icon,
        on_click=tapped(press),
        style=theme.button_style(ink, horizontal=horizontal),
    )


def icon_button(icon: ft.IconData, told: str, press: Press) -> ft.Control:
    """A thing one may do, drawn as a sign everybody knows; a tooltip alone would name the space around it."""
    ring = {ft.ControlState.FOCUSED: theme.ring(ft.Colors.ON_SURFACE)}
    button = ft.IconButton(icon, tooltip=told, on_click=tapped(press), style=ft.ButtonStyle(padding=12, side=ring))
    return ft.MergeSemantics(button)


def said_as(spoken: str, button: ft.FilledButton | ft.OutlinedButton | ft.TextButton) -> ft.Control:
    """A button whose words are clear beside what it belongs to, with the spoken name of who hears it alone."""
    button.content = ft.Semantics(label=spoken, exclude_semantics=True, content=ft.Text(str(button.content)))
    return ft.MergeSemantics(button)


def choice_chip(words: str, press: Press, *, is_chosen: bool) -> ft.Control:
    """One of several words to choose from."""
    button = soft_button(words, press) if is_chosen else line_button(words, press)
    return ft.MergeSemantics(ft.Semantics(selected=is_chosen, content=button))


def guard_taps(page: ft.Page, is_scanner_typing: Callable[[], bool]) -> None:
    """Let no button of a page be pressed by a hand scanner's Enter, which goes to whatever button has the focus."""
    page.session.store.set(_GUARD, is_scanner_typing)


def is_tapped_by_scanner() -> bool:
    """Whether the event being told comes from a hand scanner and from nobody's finger."""
    is_typing = ft.context.page.session.store.get(_GUARD)
    return bool(is_typing and is_typing())


def tapped(press: Press) -> Callable[[Any], Awaitable[None]]:
    """What Flet calls for a tap: the event is dropped, and so are taps that are no taps, and the second of a double tap
    while what the first began is not done: it would be recorded twice."""
    is_busy = False

    async def handler(_: Any) -> None:
        nonlocal is_busy
        if is_busy or is_tapped_by_scanner():
            return
        waiting = press()
        if waiting is not None:
            is_busy = True
            try:
                await waiting
            finally:
                is_busy = False

    return handler
