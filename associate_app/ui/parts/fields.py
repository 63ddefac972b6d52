"""Text fields. While one has the focus, typed keys are for it and not for the hand scanner.

What is typed lives in the browser: a field is drawn once and never again while it stands there, because a redraw would
write an older text over newer letters. Listeners are cells, so that the newest one is called without a redraw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import Cell, memoised, use_cell, use_listening
from associate_app.ui.state import Desk, use_desk


@dataclass(frozen=True, slots=True)
class Field:
    """How a field looks. `lines` above 1 makes it grow from that many; `length_max` shows a counter."""

    label: str
    hint: str | None = None
    icon: ft.IconData | None = None
    value: str = ""
    lines: int = 1
    length_max: int | None = None
    text_size: int = 17
    has_focus: bool = False
    is_secret: bool = False


@dataclass(slots=True)
class Heard:
    """What a field's owner wants to know: each change, and the end by Enter."""

    changed: Callable[[str], None] = lambda _: None
    entered: Callable[[], Any] = lambda: None


@dataclass(slots=True)
class _Typed:
    """What stands in a field, and what it began with: a label in another language must not bring that back."""

    given: str
    text: str


def text_field(
    name: str, look: Field, changed: Callable[[str], None], entered: Callable[[], Any] | None = None
) -> ft.Control:
    """A field under its name: the same name keeps what was typed, a new one is an empty field."""
    heard = use_cell(Heard)
    heard.value.changed = changed
    heard.value.entered = entered or (lambda: None)
    return cast("ft.Control", cast(Any, _still)(use_desk(), name, look, heard, key=name))


@ft.component
def _typed(desk: Desk, name: str, look: Field, heard: Cell[Heard]) -> ft.Control:
    def focused(_: object) -> None:
        desk.fields_in_focus.add(name)

    def left(_: object) -> None:
        desk.fields_in_focus.discard(name)

    typed = use_cell(lambda: _Typed(look.value, look.value))
    if typed.value.given != look.value:
        typed.value = _Typed(look.value, look.value)

    def changed(e: ft.Event[ft.TextField]) -> None:
        typed.value.text = e.control.value
        heard.value.changed(e.control.value)

    async def entered(e: ft.Event[ft.TextField]) -> None:
        heard.value.changed(e.control.value)
        waiting = heard.value.entered()
        if waiting is not None:
            await waiting

    # A field that leaves the screen loses the focus without saying so; the scanner must not stay deaf for it.
    use_listening(lambda: partial(desk.fields_in_focus.discard, name))
    is_long = look.lines > 1
    field = ft.TextField(
        label=look.label,
        helper=look.hint,
        # Its room beside the words is Flutter's and does not grow with them.
        prefix_icon=ft.Icon(look.icon, apply_text_scaling=False) if look.icon else None,
        value=typed.value.text,
        multiline=is_long,
        min_lines=look.lines if is_long else None,
        max_lines=look.lines * 2 if is_long else None,
        max_length=look.length_max,
        text_size=look.text_size,
        autofocus=look.has_focus,
        password=look.is_secret,
        autocorrect=is_long,
        enable_suggestions=is_long,
        border=ft.OutlineInputBorder(border_radius=theme.ROUND_M),
        content_padding=ft.Padding.symmetric(vertical=18, horizontal=18),
        on_focus=focused,
        on_blur=left,
        on_change=changed,
        on_submit=entered,
    )
    return ft.Container(field, padding=ft.Padding.only(top=theme.S))


_still = memoised(_typed)
