"""The head of something that unfolds: spoken as one button that says what it is and whether it is open."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from associate_app.ui import theme
from associate_app.ui.parts.buttons import Press, tapped


def fold_head(spoken: str, told: Sequence[ft.Control], press: Press, *, is_open: bool, edge: int = 0) -> ft.Control:
    """What it says in a row, with the mark of a fold behind it; `edge` is kept free on both sides."""
    fold = ft.Icon(ft.Icons.EXPAND_LESS if is_open else ft.Icons.EXPAND_MORE, color=ft.Colors.ON_SURFACE_VARIANT)
    return ft.Semantics(
        label=spoken,
        button=True,
        expanded=is_open,
        container=True,
        exclude_semantics=True,
        on_tap=tapped(press),
        content=ft.Container(
            ft.Row([*told, fold], spacing=theme.M),
            padding=ft.Padding.symmetric(vertical=theme.M if edge else theme.S, horizontal=edge),
            border_radius=theme.ROUND_M,
            on_click=tapped(press),
            ink=True,
        ),
    )
