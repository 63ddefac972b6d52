"""Sentences that fill a space: nothing here yet, something to know, something that broke, something to wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.parts.buttons import main_button
from associate_app.ui.parts.text import heading, say
from associate_app.ui.theme import Ink
from associate_app.ui.words import Speaker

_SPEAKER: Final = "speaker"


def empty(words: str, icon: ft.IconData | None = None) -> ft.Control:
    """A quiet line where a list has nothing to show."""
    lead = [ft.Icon(icon, size=20, color=ft.Colors.OUTLINE)] if icon else []
    return ft.Container(
        ft.Row([*lead, say(words, theme.BODY, Ink.QUIET, expand=True)], spacing=theme.M),
        padding=ft.Padding.symmetric(vertical=theme.S),
    )


def banner(words: str, icon: ft.IconData, *, is_amber: bool = False) -> ft.Control:
    """A line that must be seen before anything else on the card."""
    ink = Ink.ON_LOOK if is_amber else Ink.ON_BRAND_SOFT
    return ft.Container(
        ft.Row(
            [ft.Icon(icon, size=20, color=ink.value), say(words, theme.SMALL, ink, expand=True)],
            spacing=theme.M,
        ),
        padding=ft.Padding.symmetric(vertical=theme.M, horizontal=theme.L),
        border_radius=theme.ROUND_M,
        bgcolor=ft.Colors.TERTIARY_CONTAINER if is_amber else ft.Colors.SECONDARY_CONTAINER,
    )


def waiting(words: str) -> ft.Control:
    """Shown where reading takes longer than a blink."""
    return ft.Container(
        ft.Row(
            [ft.ProgressRing(width=20, height=20, stroke_width=2.4), say(words, theme.BODY, Ink.QUIET)],
            spacing=theme.M,
            alignment=ft.MainAxisAlignment.CENTER,
        ),
        padding=theme.XXL,
        alignment=ft.Alignment.CENTER,
    )


def speak_on(page: ft.Page, speaker: Callable[[], Speaker]) -> None:
    """Let a page's error boundaries, which stand outside every component, speak its language."""
    page.session.store.set(_SPEAKER, speaker)


def draw_broken() -> ft.Control:
    """What an error boundary shows: a sentence and the way home."""
    page = ft.context.page
    speaker = page.session.store.get(_SPEAKER)
    words: Speaker = speaker() if speaker else Speaker()
    return ft.Container(
        ft.Column(
            [
                heading(words("broken.title")),
                say(words("broken.text"), theme.BODY, Ink.QUIET),
                main_button(words("broken.home"), lambda: page.navigate("/")),
            ],
            spacing=theme.L,
            tight=True,
        ),
        padding=theme.XXL,
        expand=True,
    )
