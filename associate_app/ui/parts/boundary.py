"""The error boundary every screen and part is wrapped in, and hooks shared by screens.

Without it one exception while drawing ends every later update of that person's session. What broke is logged in full;
the person reads a sentence, never a traceback.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, cast

import flet as ft

P = ParamSpec("P")
_LOG = logging.getLogger("associate_app.ui")


def part(draw: Callable[P, ft.Control]) -> Callable[P, ft.Control]:
    """A component whose failure shows an empty space instead of stopping the whole screen."""
    return _guarded(draw, lambda: ft.Container())


def screen(draw: Callable[P, ft.Control]) -> Callable[P, ft.Control]:
    """A component that fills the screen; its failure shows a sentence and the way home."""
    from associate_app.ui.parts.notice import draw_broken

    return _guarded(draw, draw_broken)


def _guarded(draw: Callable[P, ft.Control], fallback: Callable[[], ft.Control]) -> Callable[P, ft.Control]:
    @functools.wraps(draw)
    def safe(*args: P.args, **kwargs: P.kwargs) -> ft.Control:
        try:
            return draw(*args, **kwargs)
        except Exception:  # noqa: BLE001  (the boundary: whatever it was, the rest of the app goes on)
            _LOG.exception("drawing %s failed", draw.__name__)
            return fallback()

    return cast("Callable[P, ft.Control]", ft.component(safe))
