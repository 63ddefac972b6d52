"""A product's picture, or a calm drawing of its kind where there is none or it does not load."""

from __future__ import annotations

from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import Kind

_DRAWINGS: Final[dict[Kind, ft.IconData]] = {
    Kind.PRODUCT: ft.Icons.CHECKROOM,
    Kind.SEARCH: ft.Icons.SEARCH,
    Kind.CATEGORY: ft.Icons.GRID_VIEW,
    Kind.EMAIL: ft.Icons.MAIL_OUTLINE,
    Kind.CAMPAIGN: ft.Icons.CAMPAIGN_OUTLINED,
    Kind.SUPPORT: ft.Icons.SUPPORT_AGENT,
    Kind.STORE: ft.Icons.STOREFRONT,
    Kind.APP: ft.Icons.PHONE_IPHONE,
    Kind.ORDER: ft.Icons.SHOPPING_BAG_OUTLINED,
}


def picture(kind: Kind, src: str | None, side: int = 56) -> ft.Control:
    """A square of `side` pixels. Decoration: the line beside it says what it is."""
    if src is None:
        return _drawing(kind, side)
    return ft.Image(
        src=src,
        width=side,
        height=side,
        fit=ft.BoxFit.COVER,
        border_radius=theme.ROUND_S,
        cache_width=side * 2,
        exclude_from_semantics=True,
        gapless_playback=True,
        error_content=_drawing(kind, side),
    )


def _drawing(kind: Kind, side: int) -> ft.Control:
    return ft.Container(
        ft.Icon(_DRAWINGS[kind], size=side * 0.46, color=ft.Colors.ON_SECONDARY_CONTAINER),
        width=side,
        height=side,
        alignment=ft.Alignment.CENTER,
        border_radius=theme.ROUND_S,
        bgcolor=ft.Colors.SURFACE_CONTAINER,
    )
