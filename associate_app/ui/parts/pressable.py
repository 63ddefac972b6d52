"""Whatever is pressed and is no plain button: tiles, rows, digits, rooms. One part, so that all of them are alike.

A press comes by finger, by Enter or Space, or from a screen reader, and each finds the same node: with its spoken name,
its role, and the focus. The node is a button of Flutter's, because only such take the browser's focus; a name laid
around something that can be tapped hides it from the keyboard. What stands in it is drawn and not read.
"""

from __future__ import annotations

from dataclasses import dataclass

import flet as ft

from associate_app.ui import theme
from associate_app.ui.parts.buttons import Press, tapped


@dataclass(frozen=True, slots=True)
class Look:
    """How it is drawn: room within, corners, fill, outline; sides where they are fixed, in logical pixels."""

    padding: ft.PaddingValue = 0
    radius: float = theme.ROUND_M
    fill: ft.Colors | None = None
    line: ft.Colors | None = None
    width: float | None = None
    height: float | None = None
    is_centred: bool = False


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said of it beside its name: one of the states, where it has one, and a hint."""

    selected: bool | None = None
    expanded: bool | None = None
    checked: bool | None = None
    hint: str | None = None
    identifier: str | None = None
    is_live: bool | None = None
    """Every change of the name is read aloud."""


_PLAIN = Look()
_BUTTON = Spoken()


def pressable(
    told: str,
    press: Press,
    drawn: ft.Control,
    look: Look = _PLAIN,
    spoken: Spoken = _BUTTON,
    *,
    key: str | None = None,
    expand: bool | int | None = None,
) -> ft.MergeSemantics:
    """`drawn` as something to press, spoken as `told`."""
    named = ft.Semantics(
        label=told,
        hint_text=spoken.hint,
        selected=spoken.selected,
        expanded=spoken.expanded,
        checked=spoken.checked,
        identifier=spoken.identifier,
        live_region=spoken.is_live,
        exclude_semantics=True,
        content=drawn,
    )
    button = ft.TextButton(named, on_click=tapped(press), style=_style(look), width=look.width, height=look.height)
    return ft.MergeSemantics(button, key=key, expand=expand)


def _style(look: Look) -> ft.ButtonStyle:
    line = ft.BorderSide(1, look.line) if look.line else ft.BorderSide(0, ft.Colors.TRANSPARENT)
    return ft.ButtonStyle(
        color=ft.Colors.ON_SURFACE,
        bgcolor=look.fill or ft.Colors.TRANSPARENT,
        padding=look.padding,
        shape=ft.RoundedRectangleBorder(radius=look.radius),
        side={ft.ControlState.FOCUSED: theme.ring(ft.Colors.ON_SURFACE), ft.ControlState.DEFAULT: line},
        alignment=ft.Alignment.CENTER if look.is_centred else ft.Alignment.CENTER_LEFT,
        visual_density=ft.VisualDensity.STANDARD,
    )
