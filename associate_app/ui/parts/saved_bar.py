"""The foot of a card: what was just saved, ten seconds to take it back, the reason if one more tap is due."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.parts.buttons import line_button, quiet_button
from associate_app.ui.parts.closing import leaving
from associate_app.ui.parts.text import say
from associate_app.ui.state import Saved
from associate_app.ui.theme import Ink
from associate_app.ui.words import Speaker

UNDO_S: Final = 10
REASONED: Final = ("not_today", "not_interested")
_REASONS_COUNT: Final = 5


def saved_line(saved: Saved, words: Speaker, undo: Callable[[], Awaitable[None]]) -> ft.Control:
    """*Saved* with what was saved, and *Undo*; shown only after the commit."""
    told = saved.title
    if saved.outcome:
        told = words("saved.what", outcome=words(f"outcome.{saved.outcome}"), play=saved.title)
    return ft.Container(
        ft.Row(
            [
                ft.Icon(ft.Icons.CHECK_CIRCLE, size=22, color=ft.Colors.INVERSE_PRIMARY),
                ft.Semantics(
                    live_region=True,
                    label=f"{words('saved.title')}: {told}",
                    container=True,
                    exclude_semantics=True,
                    expand=True,
                    content=_said(words("saved.title"), told),
                ),
                quiet_button(words("saved.undo"), undo, ink=ft.Colors.INVERSE_PRIMARY, horizontal=18),
            ],
            spacing=theme.M,
        ),
        padding=ft.Padding.only(left=theme.L, right=theme.XS, top=theme.XS, bottom=theme.XS),
        border_radius=theme.ROUND_L,
        bgcolor=ft.Colors.INVERSE_SURFACE,
    )


def _said(title: str, told: str) -> ft.Control:
    """Side by side where there is room, else one under the other: what was saved is never cut to its first word."""
    words: list[ft.Control] = [
        say(title, theme.STRONG, Ink.ON_DARK),
        say(told, theme.SMALL, Ink.ON_DARK, lines=2),
    ]
    return ft.Row(words, wrap=True, spacing=theme.M, run_spacing=0, vertical_alignment=ft.CrossAxisAlignment.CENTER)


def reason_sheet(
    outcome: str, words: Speaker, give: Callable[[str], Awaitable[None]], skip: Callable[[], None]
) -> ft.Control:
    """One more tap for *not today* and *not interested*; the outcome is saved already, so it may be skipped."""
    reasons = [f"reason.{outcome}.{n}" for n in range(1, _REASONS_COUNT + 1)]
    return ft.Container(
        ft.Column(
            [
                ft.Row(
                    [
                        say(words(f"reason.title.{outcome}"), theme.STRONG, expand=True),
                        leaving(words("reason.skip"), skip),
                    ]
                ),
                ft.Row([_reason(key, words, give) for key in reasons], wrap=True, spacing=theme.S, run_spacing=theme.S),
            ],
            spacing=theme.XS,
            tight=True,
        ),
        padding=ft.Padding.only(left=theme.L, right=theme.S, top=theme.S, bottom=theme.L),
        border_radius=theme.ROUND_L,
        bgcolor=ft.Colors.SURFACE,
        border=ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
        shadow=ft.BoxShadow(blur_radius=28, color=ft.Colors.with_opacity(0.14, ft.Colors.SHADOW), offset=(0, 6)),
    )


def _reason(key: str, words: Speaker, give: Callable[[str], Awaitable[None]]) -> ft.Control:
    """A reason is recorded in English whatever was tapped: HQ counts the same answer of all stores together."""

    async def chosen() -> None:
        await give(Speaker()(key))

    return line_button(words(key), chosen)


def told_line(told: str) -> ft.Control:
    """A sentence where *Saved* stands: taken back, or not saved and why."""
    return ft.Semantics(
        live_region=True,
        content=ft.Container(
            say(told, theme.SMALL, Ink.ON_DARK, lines=2),
            padding=ft.Padding.symmetric(vertical=18, horizontal=theme.L),
            border_radius=theme.ROUND_L,
            bgcolor=ft.Colors.INVERSE_SURFACE,
        ),
    )
