"""The PIN pad: ten large digits, one to take back, one to sign in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.parts.buttons import Press
from associate_app.ui.parts.pressable import Look, pressable
from associate_app.ui.parts.text import say
from associate_app.ui.text_scale import scaled
from associate_app.ui.theme import Ink
from associate_app.ui.words import Speaker

PIN_DIGITS_MIN: Final = 4
PIN_DIGITS_MAX: Final = 6
_KEY_WIDTH: Final = 88
_KEY_HEIGHT: Final = 64


def pin_dots(count: int, spoken: str) -> ft.Control:
    """How many digits are in, never which."""
    dots = [_dot(i < count, i >= PIN_DIGITS_MIN) for i in range(PIN_DIGITS_MAX)]
    return ft.Semantics(
        label=spoken,
        container=True,
        exclude_semantics=True,
        live_region=True,
        content=ft.Row(dots, spacing=theme.L, tight=True, height=24),
    )


def _dot(is_full: bool, is_optional: bool) -> ft.Control:
    side = 10 if is_optional and not is_full else 14
    return ft.Container(
        width=side,
        height=side,
        border_radius=theme.PILL,
        bgcolor=ft.Colors.PRIMARY if is_full else ft.Colors.OUTLINE_VARIANT,
    )


def pin_pad(
    press: Callable[[str], None],
    take_back: Callable[[], None],
    enter: Callable[[], Awaitable[None]],
    words: Speaker,
    *,
    is_ready: bool,
    is_resting: bool,
    entering: str = "",
) -> ft.Control:
    """The pad; it rests while too many wrong tries are waited out. `entering` is what its arrow does, else sign in."""
    digits = [_digit(str(n), press) for n in range(1, 10)]
    erase = ft.Icon(ft.Icons.BACKSPACE_OUTLINED, size=24, color=ft.Colors.ON_SURFACE_VARIANT)
    back = _key(erase, words("pin.delete"), take_back)

    may_enter = is_ready and not is_resting

    async def go() -> None:
        if may_enter:
            await enter()

    ink = ft.Colors.ON_PRIMARY if may_enter else ft.Colors.OUTLINE
    sign_in = _key(
        ft.Icon(ft.Icons.ARROW_FORWARD, size=26, color=ink), entering or words("pin.enter"), go, is_main=may_enter
    )
    rows = [digits[0:3], digits[3:6], digits[6:9], [back, _digit("0", press), sign_in]]
    return ft.Container(
        ft.Column([ft.Row(row, spacing=theme.M, tight=True) for row in rows], spacing=theme.M, tight=True),
        opacity=0.35 if is_resting else 1,
    )


def _digit(digit: str, press: Callable[[str], None]) -> ft.Control:
    return _key(say(digit, theme.NAME, Ink.NORMAL), digit, partial(press, digit))


def _key(face: ft.Control, told: str, press: Press, *, is_main: bool = False) -> ft.Control:
    look = Look(
        radius=theme.ROUND_L,
        fill=ft.Colors.PRIMARY if is_main else ft.Colors.SURFACE_CONTAINER,
        width=_KEY_WIDTH,
        height=max(_KEY_HEIGHT, scaled(42)),
        is_centred=True,
    )
    return pressable(told, press, face, look)
