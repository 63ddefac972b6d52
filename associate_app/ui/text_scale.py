"""How large a person wants text: measured on the page itself, because Flet tells no setting of it.

A text of one known size stands unseen beside the screens; what it measures is the scale of the device's or browser's
setting. Frames are chosen by it (twice the text is half the room), and the few parts that have fixed sides grow by it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import flet as ft

_SCALE: Final = "text_scale"
_PROBE_SIZE: Final = 20
_STEP: Final = 20
"""Steps of a twentieth: fonts round, and a redraw must be worth it."""
LARGE_FROM: Final = 1.3
SCALE_MAX: Final = 3.0


def text_scale() -> float:
    """The scale of the page being drawn; 1 until measured, and where nothing is being drawn."""
    try:
        held = ft.context.page.session.store.get(_SCALE)
    except RuntimeError:
        return 1.0
    return held if isinstance(held, float) else 1.0


def lines_for(lines: int | None) -> int | None:
    """How many lines a text may take that is cut after so many: large text is not cut, or words would be lost."""
    return None if is_text_large() else lines


def is_text_large() -> bool:
    """Whether what stands side by side should stand one under the other."""
    return text_scale() > LARGE_FROM


def scaled(side: float) -> float:
    """A side that must grow with the text it holds."""
    return side * text_scale()


def scale_of(height: float) -> float:
    """The scale that gave the measured text its height; never below 1, because smaller text fits anyway."""
    return min(max(round(height / _PROBE_SIZE * _STEP) / _STEP, 1.0), SCALE_MAX)


def text_probe(measured: Callable[[float], None]) -> ft.Control:
    """The unseen text; `measured(scale)` is called when the scale is another than before."""

    def resized(e: ft.LayoutSizeChangeEvent[ft.LayoutControl]) -> None:
        store, scale = ft.context.page.session.store, scale_of(e.height)
        if scale != text_scale():
            store.set(_SCALE, scale)
            measured(scale)

    text = ft.Text("0", style=ft.TextStyle(size=_PROBE_SIZE, height=1), on_size_change=resized)
    unseen = ft.Semantics(exclude_semantics=True, content=text)
    return ft.Container(unseen, left=0, top=-_PROBE_SIZE * 10, opacity=0)
