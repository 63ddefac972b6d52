"""The first minutes: the practice card offered, and three tips, each beside what it tells of and never before it.

A tip is read aloud once, goes by being done or read, and is never in the way: everything under it works.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.first_steps import OUTCOME_TIP, SCAN_TIP, WORDS_TIP
from associate_app.ui.parts.buttons import main_button, quiet_button, soft_button
from associate_app.ui.parts.text import heading, say
from associate_app.ui.state import Desk, Frame
from associate_app.ui.theme import Ink

_ARROWS: Final = {
    SCAN_TIP: ft.Icons.ARROW_DOWNWARD,
    WORDS_TIP: ft.Icons.ARROW_DOWNWARD,
    OUTCOME_TIP: ft.Icons.ARROW_UPWARD,
}


def practice_offer(desk: Desk) -> list[ft.Control]:
    """The practice card, offered once to everyone; nothing for those who answered."""
    if not desk.coach.steps.is_offered or desk.is_practice:
        return []
    words = desk.speaker

    async def practise() -> None:
        await desk.practise(True)
        desk.coach.answer_offer()

    told = ft.Column(
        [heading(words("practice.offer.title")), say(words("practice.offer.text"), theme.BODY, Ink.QUIET)],
        spacing=theme.XS,
        expand=True,
    )
    buttons: list[ft.Control] = [
        quiet_button(words("practice.offer.no"), desk.coach.answer_offer),
        main_button(words("practice.go"), practise, icon=ft.Icons.SCHOOL_OUTLINED),
    ]
    return [_box(ft.Icons.SCHOOL_OUTLINED, told, buttons, is_narrow=desk.whereabouts.frame is Frame.PHONE)]


def tip(desk: Desk, number: int) -> list[ft.Control]:
    """A tip, if it is its turn."""
    steps = desk.coach.steps
    if steps.tip != number or (steps.is_offered and not desk.is_practice):
        return []
    words = desk.speaker
    count, text = words("tip.count", n=number), words(f"tip.{number}")
    told = ft.Semantics(
        label=f"{count}: {text}",
        live_region=True,
        container=True,
        exclude_semantics=True,
        expand=True,
        content=ft.Column([say(count, theme.SECTION, Ink.ON_BRAND_SOFT), say(text, theme.BODY)], spacing=2),
    )
    buttons: list[ft.Control] = [
        *([] if number == OUTCOME_TIP else [quiet_button(words("tip.skip"), desk.coach.skip)]),
        soft_button(words("tip.done"), partial(desk.coach.did, number)),
    ]
    frame = desk.whereabouts.frame
    is_in_column = frame is Frame.LANDSCAPE and number != SCAN_TIP  # beside the plays a card has half of the screen
    return [_box(_ARROWS[number], told, buttons, is_narrow=is_in_column or frame is Frame.PHONE)]


def _box(icon: ft.IconData, told: ft.Control, buttons: list[ft.Control], *, is_narrow: bool) -> ft.Control:
    """What is told beside its buttons, or above them where both have no room side by side."""
    mark = ft.Icon(icon, size=28, color=ft.Colors.PRIMARY)
    row = ft.Row(buttons, spacing=theme.S, alignment=ft.MainAxisAlignment.END, wrap=True)
    if is_narrow:
        inside: ft.Control = ft.Column(
            [ft.Row([mark, told], spacing=theme.M, vertical_alignment=ft.CrossAxisAlignment.START), row],
            spacing=theme.S,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        )
    else:
        row.wrap = False
        inside = ft.Row([mark, told, row], spacing=theme.L, vertical_alignment=ft.CrossAxisAlignment.CENTER)
    return ft.Container(
        inside,
        padding=ft.Padding.symmetric(vertical=theme.M, horizontal=theme.L),
        border_radius=theme.ROUND_M,
        border=ft.Border.all(2, ft.Colors.PRIMARY),
        bgcolor=ft.Colors.SURFACE,
    )
