"""The offers a shopper has already, beside what they bought: each leads to what it gives and its till code."""

from __future__ import annotations

from functools import partial

import flet as ft

from associate_app.ui.faces import LinkFace
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.rows import link_row
from associate_app.ui.parts.text import section
from associate_app.ui.state import Place, use_desk


@part
def had_offers(token: str, had: tuple[LinkFace, ...]) -> ft.Control:
    """The list; whoever has none sees no empty one."""
    desk = use_desk()
    rows = [link_row(offer, partial(desk.go, Place("offer", offer.key, token)), ft.Icons.QR_CODE_2) for offer in had]
    return ft.Column([section(desk.speaker("offer.had")), *rows], spacing=0)
