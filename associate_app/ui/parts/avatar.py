"""Initials in a circle: a shopper or an associate where there is no picture of them."""

from __future__ import annotations

import flet as ft

from associate_app.ui import theme
from associate_app.ui.parts.text import say
from associate_app.ui.text_scale import text_scale
from associate_app.ui.theme import Ink, Type


def avatar(initials: str, side: int = 52) -> ft.Container:
    """A circle of `side` pixels with initials; decoration only, so it is not spoken."""
    # The name stands beside it: letters that grew out of the circle would say nothing more.
    step = Type(round(side * 0.36) / text_scale(), ft.FontWeight.W_600, 1.0)
    return ft.Container(
        ft.Semantics(exclude_semantics=True, content=say(initials, step, Ink.ON_BRAND_SOFT)),
        width=side,
        height=side,
        alignment=ft.Alignment.CENTER,
        border_radius=theme.PILL,
        bgcolor=ft.Colors.PRIMARY_CONTAINER,
    )
