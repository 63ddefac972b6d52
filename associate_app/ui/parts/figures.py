"""Numbers and bars of Store today: a number that opens how it is counted, and a play's bar.

Whatever is drawn is said in words too: a screen reader, and who cannot tell the colours, gets the same numbers.
"""

from __future__ import annotations

from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import BarFace, FigureFace
from associate_app.ui.hooks import use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import Press
from associate_app.ui.parts.pressable import Look, Spoken, pressable
from associate_app.ui.parts.text import say
from associate_app.ui.state import use_desk
from associate_app.ui.theme import Ink

_BAR_HEIGHT: Final = 14
_PARTS: Final = ("bought", "used", "shown", "held")


def _fill(part_name: str) -> tuple[str | None, ft.Border | None]:
    """How a part of a bar is drawn: three greens from strong to pale; the holdout's mark is an empty frame."""
    if part_name == "held":
        return None, ft.Border.all(1, ft.Colors.OUTLINE)
    colours = {"bought": ft.Colors.PRIMARY, "used": ft.Colors.INVERSE_PRIMARY, "shown": ft.Colors.PRIMARY_CONTAINER}
    return colours[part_name], ft.Border.all(1, ft.Colors.PRIMARY) if part_name == "used" else None


@part
def figure(face: FigureFace) -> ft.Control:
    """A number; a tap opens its formula, window and count."""
    is_open, set_open = use_value(False)
    told: list[ft.Control] = [
        say(face.title, theme.SMALL, Ink.QUIET),
        # Only a number is as large as that: *Not enough yet* is no result.
        say(face.number, theme.HERO if any(map(str.isdigit, face.number)) else theme.TITLE),
        say(face.note, theme.SMALL, Ink.QUIET),
    ]
    if is_open:
        told.append(say(face.how, theme.SMALL))
    return _opening(
        f"{face.title}: {face.number}, {face.note}",
        face.how if is_open else None,
        ft.Column(told, spacing=2, tight=True),
        lambda: set_open(not is_open),
    )


@part
def play_bar(face: BarFace) -> ft.Control:
    """A play's bar with its numbers in words; a tap opens lift, formula, window and count."""
    is_open, set_open = use_value(False)
    told: list[ft.Control] = [say(face.title, theme.LABEL, lines=2), _bar(face), say(face.told, theme.TINY, Ink.QUIET)]
    opened = " ".join(text for text in (face.lift, face.how) if text)
    if is_open:
        told.append(say(opened, theme.SMALL))
    return _opening(
        f"{face.title}: {face.told}",
        opened if is_open else None,
        ft.Column(told, spacing=theme.XS, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH),
        lambda: set_open(not is_open),
    )


def _opening(label: str, opened: str | None, content: ft.Control, toggle: Press) -> ft.Control:
    line = ft.Colors.PRIMARY if opened else ft.Colors.OUTLINE_VARIANT
    look = Look(ft.Padding.symmetric(vertical=theme.M, horizontal=theme.L), line=line)
    spoken = f"{label}. {opened}" if opened else label
    return pressable(spoken, toggle, content, look, Spoken(expanded=opened is not None))


def _bar(face: BarFace) -> ft.Control:
    pieces: list[ft.Control] = []
    for name, n in zip(_PARTS, face.parts, strict=True):
        fill, border = _fill(name)
        if n:
            pieces.append(ft.Container(expand=n, height=_BAR_HEIGHT, bgcolor=fill, border=border, border_radius=3))
    return ft.Row(pieces, spacing=2)


def legend() -> ft.Control:
    """What the parts of a bar are."""
    words = use_desk().speaker
    told: list[ft.Control] = []
    for name in _PARTS:
        fill, border = _fill(name)
        swatch = ft.Container(width=_BAR_HEIGHT, height=_BAR_HEIGHT, bgcolor=fill, border=border, border_radius=3)
        told.append(ft.Row([swatch, say(words(f"store.legend.{name}"), theme.TINY, Ink.QUIET)], spacing=6, tight=True))
    return ft.Row(told, spacing=theme.L, wrap=True)
