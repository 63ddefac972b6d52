"""The head of something that unfolds: spoken as one button that says what it is and whether it is open."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from associate_app.ui import theme
from associate_app.ui.parts.buttons import Press
from associate_app.ui.parts.pressable import Look, Spoken, pressable


def fold_head(spoken: str, told: Sequence[ft.Control], press: Press, *, is_open: bool, edge: int = 0) -> ft.Control:
    """What it says in a row, with the mark of a fold behind it; `edge` is kept free on both sides."""
    fold = ft.Icon(ft.Icons.EXPAND_LESS if is_open else ft.Icons.EXPAND_MORE, color=ft.Colors.ON_SURFACE_VARIANT)
    look = Look(ft.Padding.symmetric(vertical=theme.M if edge else theme.S, horizontal=edge))
    return pressable(spoken, press, ft.Row([*told, fold], spacing=theme.M), look, Spoken(expanded=is_open))
