"""The cards to practise with, on Today of the practice store: a QR to scan, or to tap where no scanner is at hand."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import choice_chip, main_button
from associate_app.ui.parts.qr import qr_png
from associate_app.ui.parts.text import heading, say
from associate_app.ui.state import Frame, use_desk, use_reading
from associate_app.ui.theme import Ink

_SIDE: Final = 196
_drawn = lru_cache(maxsize=8)(qr_png)


@part
def practice_cards() -> ft.Control:
    """The chosen card, and the others to choose from."""
    desk = use_desk()
    cards, _ = use_reading(desk.floor.practice_cards)
    chosen, choose = use_value(0)
    if not cards:
        return ft.Container()
    words, card = desk.speaker, cards[min(chosen, len(cards) - 1)]
    is_phone = desk.whereabouts.frame is Frame.PHONE
    spoken = words("practice.qr", name=card.name)
    picture = ft.Container(
        ft.Image(src=_drawn(card.text), width=_SIDE, height=_SIDE, semantics_label=spoken),
        bgcolor=ft.Colors.WHITE,
        border_radius=theme.ROUND_M,
        padding=theme.XS,
    )
    chips: list[ft.Control] = [
        choice_chip(one.name, partial(choose, number), is_chosen=one is card) for number, one in enumerate(cards)
    ]
    told = ft.Column(
        [
            heading(words("practice.cards")),
            say(words("practice.cards_hint"), theme.BODY, Ink.QUIET),
            ft.Row(chips, wrap=True, spacing=theme.S, run_spacing=theme.S),
            say(card.say, theme.BODY),
            ft.Row([main_button(words("practice.scan_it"), partial(desk.scan, card.text), icon=ft.Icons.QR_CODE)]),
        ],
        spacing=theme.M,
        expand=not is_phone,
    )
    if is_phone:
        return ft.Column([told, ft.Row([picture], alignment=ft.MainAxisAlignment.CENTER)], spacing=theme.M)
    return ft.Row([picture, told], spacing=theme.XL, vertical_alignment=ft.CrossAxisAlignment.START)
