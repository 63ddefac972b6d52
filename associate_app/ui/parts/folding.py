"""A list that stays calm: its first rows, and the rest behind *more*."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from associate_app.ui.hooks import use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import quiet_button
from associate_app.ui.state import use_desk


@part
def folding(rows: Sequence[ft.Control], shown: int) -> ft.Control:
    """At most `shown` rows until *more* is tapped."""
    words = use_desk().speaker
    is_open, set_open = use_value(False)
    drawn = list(rows if is_open else rows[:shown])
    if len(rows) > shown:
        told = words("card.less") if is_open else words("card.more", n=len(rows) - shown)
        drawn.append(ft.Row([quiet_button(told, lambda: set_open(not is_open), horizontal=8)]))
    return ft.Column(drawn, spacing=0)
