"""Keeps the shopper of a card among one's own: one tap, and one to let go again."""

from __future__ import annotations

from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import CardFace
from associate_app.ui.parts.pressable import Look, pressable
from associate_app.ui.parts.text import say
from associate_app.ui.state import Desk
from associate_app.ui.theme import Ink


def pin_button(desk: Desk, face: CardFace) -> ft.Control:
    """The button; its words say how it stands, its spoken name what a tap does."""
    words = desk.speaker
    is_pinned = desk.shift.associate is not None and desk.associate_id in face.pinned_by

    async def flip() -> None:
        await desk.commit(partial(desk.floor.pin, face.token, desk.associate_id, is_pinned=not is_pinned))

    icon = ft.Icons.PUSH_PIN if is_pinned else ft.Icons.PUSH_PIN_OUTLINED
    told = words("card.pinned" if is_pinned else "card.pin")
    drawn = ft.Row(
        [ft.Icon(icon, size=18, color=ft.Colors.PRIMARY), say(told, theme.SMALL, Ink.QUIET)], spacing=6, tight=True
    )
    spoken = words("card.unpin_spoken" if is_pinned else "card.pin_spoken", name=face.name)
    return pressable(spoken, flip, drawn, Look(ft.Padding.symmetric(horizontal=theme.S), height=theme.TARGET))
