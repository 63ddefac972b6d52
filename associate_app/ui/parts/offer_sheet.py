"""The offer for the till: what it gives, and its code as a QR and in plain letters."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import OfferFace
from associate_app.ui.parts.closing import leaving
from associate_app.ui.parts.qr import qr_png
from associate_app.ui.parts.text import say
from associate_app.ui.theme import Ink
from associate_app.ui.words import Speaker


def offer_sheet(offer: OfferFace, words: Speaker, close: Callable[[], None]) -> ft.AlertDialog:
    """A dialog with the offer's code for the till."""
    lines: list[ft.Control] = []
    if offer.code:
        told = offer.told or offer.code
        lines += [
            ft.Image(src=qr_png(offer.code), width=240, height=240, semantics_label=told),
            say(told, theme.HEADING, align=ft.TextAlign.CENTER),
        ]
    if offer.until:
        lines.append(say(words("plays.until", when=offer.until), theme.SMALL, Ink.QUIET))
    return ft.AlertDialog(
        title=say(offer.title, theme.TITLE),
        content=ft.Column(
            lines, tight=True, spacing=theme.S, horizontal_alignment=ft.CrossAxisAlignment.CENTER, width=300
        ),
        actions=[leaving(words("close"), close)],
        on_dismiss=close,
    )
