"""Floorside's mark. Decoration: the name stands beside it or nowhere."""

from __future__ import annotations

import flet as ft


def logo(side: int) -> ft.Control:
    """The mark as a square of `side` pixels."""
    return ft.Image(
        src="logo/floorside-mark.svg", width=side, height=side, fit=ft.BoxFit.CONTAIN, exclude_from_semantics=True
    )
