"""The sync pill, top right on every screen: what is saved where, in words, and the way to the Sync screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import PillFace, PillTone
from associate_app.ui.parts.pressable import Look, Spoken, pressable
from associate_app.ui.parts.text import say
from associate_app.ui.theme import Ink

_LOOKS: Final = {
    PillTone.SAVED: (ft.Icons.CLOUD_DONE_OUTLINED, Ink.QUIET, None),
    PillTone.WAITING: (ft.Icons.SAVE_OUTLINED, Ink.QUIET, ft.Colors.SURFACE_CONTAINER),
    PillTone.LOOK: (ft.Icons.ERROR_OUTLINE, Ink.ON_LOOK, ft.Colors.TERTIARY_CONTAINER),
}


def sync_pill(face: PillFace, spoken: str, open_sync: Callable[[], None]) -> ft.Control:
    """The pill as a live region: a screen reader hears every change."""
    icon, ink, filled = _LOOKS[face.tone]
    # A finger hits more than is drawn: the pill is quiet, its target is not small.
    look = Look(ft.Padding.symmetric(vertical=theme.XS), theme.PILL)
    live = Spoken(identifier="sync-pill", is_live=True)
    return pressable(spoken, open_sync, _drawn(face.text, icon, ink, filled), look, live)


def _drawn(told: str, icon: ft.IconData, ink: Ink, filled: ft.Colors | None) -> ft.Control:
    words = say(told, theme.SMALL, ink, lines=1, expand=True)
    words.expand_loose = True
    return ft.Container(
        ft.Row([ft.Icon(icon, size=18, color=ink.value), words], spacing=theme.S, tight=True),
        padding=ft.Padding.symmetric(vertical=11, horizontal=14),
        border_radius=theme.PILL,
        bgcolor=filled,
        border=None if filled else ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
    )
