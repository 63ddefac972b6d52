"""An offer: what it gives, on which terms and until when, where it runs, whether this shopper may use it and why not,
and the code for the till. Every code that marketing sent ends here, so that nobody at the counter is unaware of it.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import OfferFace
from associate_app.ui.goods_faces import OfferScreenFace
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.bending import bending_of
from associate_app.ui.parts.boundary import part, screen
from associate_app.ui.parts.joining import joining, unknown
from associate_app.ui.parts.notice import waiting
from associate_app.ui.parts.offer_sheet import offer_sheet
from associate_app.ui.parts.qr import qr_png
from associate_app.ui.parts.rows import link_row
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say, section
from associate_app.ui.state import Desk, Frame, Place, use_desk, use_reading
from associate_app.ui.theme import Ink

_QR_SIDE: Final = 240
_NO_OFFER: Final[OfferFace | None] = None
_MARKS: Final = {
    "yes": (ft.Icons.CHECK_CIRCLE, ft.Colors.PRIMARY_CONTAINER, Ink.ON_BRAND_SOFT),
    "look": (ft.Icons.INFO_OUTLINE, ft.Colors.TERTIARY_CONTAINER, Ink.ON_LOOK),
    "no": (ft.Icons.DO_NOT_DISTURB_ON_OUTLINED, ft.Colors.SURFACE_CONTAINER_HIGH, Ink.NORMAL),
}


@screen
def offer_screen(name: str, card: str | None) -> ft.Control:
    """The screen of an offer by its id or code, for the shopper of a card where one was open."""
    desk = use_desk()
    face, is_ready = use_reading(lambda: desk.floor.offer(name, card), [name, card or ""])
    if not is_ready:
        return waiting(desk.speaker("loading"))
    if face is None:
        return unknown(desk, desk.speaker("offer.unknown_title"), desk.speaker("offer.unknown"))
    return keyed(f"{name}/{card}", _offer, face)


@part
def _offer(face: OfferScreenFace) -> ft.Control:
    desk = use_desk()
    till, show_till = use_value(_NO_OFFER)
    ft.use_dialog(offer_sheet(till, desk.speaker, partial(show_till, None)) if till else None)
    told: list[ft.Control] = [_answer(face), _terms(desk, face)]
    if face.shopper is not None:
        bend = [keyed("bend", bending_of, face.shopper.token, face.offer_id, show_till)] if face.may_bend else []
        told.append(joining(desk, face.shopper, bend))
    if face.products:
        rows = [
            link_row(one, partial(desk.go, Place("product", one.key, face.shopper.token if face.shopper else None)))
            for one in face.products
        ]
        told.append(ft.Column([section(desk.speaker("offer.products")), *rows], spacing=0))
    if desk.whereabouts.frame is Frame.LANDSCAPE:
        inside: ft.Control = ft.Row(
            [ft.Column(told, spacing=theme.XL, expand=True), _till(desk, face)],
            spacing=theme.XXL,
            vertical_alignment=ft.CrossAxisAlignment.START,
        )
    else:
        middle = ft.MainAxisAlignment.CENTER if face.code else ft.MainAxisAlignment.START
        inside = ft.Column([told[0], ft.Row([_till(desk, face)], alignment=middle), *told[1:]], spacing=theme.XL)
    return page_of(face.title, ft.Container(inside, padding=ft.Padding.only(bottom=theme.XXL)), lead=face.span)


def _answer(face: OfferScreenFace) -> ft.Control:
    icon, fill, ink = _MARKS[face.mark]
    why = [say(line, theme.SMALL, ink) for line in face.why]
    told = ft.Column([say(face.answer, theme.HEADING, ink), *why], spacing=theme.XS, expand=True)
    row = ft.Row(
        [ft.Icon(icon, size=26, color=ink.value), told],
        spacing=theme.M,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
    box = ft.Container(row, padding=ft.Padding.all(theme.L), border_radius=theme.ROUND_L, bgcolor=fill)
    return ft.Semantics(live_region=True, content=box)


def _terms(desk: Desk, face: OfferScreenFace) -> ft.Control:
    words = desk.speaker
    return ft.Column(
        [
            section(words("offer.gives")),
            say(face.gives, theme.STRONG),
            say(face.terms),
            ft.Container(height=theme.S),
            section(words("offer.where")),
            say(face.channels),
        ],
        spacing=theme.XS,
    )


def _till(desk: Desk, face: OfferScreenFace) -> ft.Control:
    """The code for the till; where there is none, why."""
    words = desk.speaker
    if face.code is None:
        told = say(face.code_told or "", theme.SMALL, Ink.QUIET)
        if desk.whereabouts.frame is Frame.LANDSCAPE:
            return ft.Container(told, width=_QR_SIDE + 2 * theme.L)
        return ft.Container(told, expand=True)
    code = ft.Container(
        ft.Image(src=qr_png(face.code), width=_QR_SIDE, height=_QR_SIDE, semantics_label=face.code),
        border_radius=theme.ROUND_M,
        clip_behavior=ft.ClipBehavior.HARD_EDGE,
    )
    return ft.Column(
        [section(words("offer.till")), code, say(face.code, theme.HEADING, align=ft.TextAlign.CENTER)],
        spacing=theme.S,
        width=_QR_SIDE + 2 * theme.L,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
    )
