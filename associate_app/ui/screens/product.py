"""A product: its picture, price, what is free of it here and where, who else has it, and what speaks of it.

With a card open it joins it: *Bought*, *Hold* and *Wishlist* record for that shopper with one tap and lead back there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import Kind
from associate_app.ui.goods import BOUGHT, HOLD, WISHED
from associate_app.ui.goods_faces import ProductFace
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.boundary import part, screen
from associate_app.ui.parts.buttons import line_button, main_button, soft_button
from associate_app.ui.parts.joining import joining, unknown
from associate_app.ui.parts.lines import stock_mark
from associate_app.ui.parts.notice import banner, empty, waiting
from associate_app.ui.parts.picture import picture
from associate_app.ui.parts.rows import link_row
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say, section
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import Desk, Frame, Place, use_desk, use_reading
from associate_app.ui.theme import Ink
from shared.errors import Refused

_PICTURE: Final = {Frame.LANDSCAPE: 320, Frame.PORTRAIT: 240, Frame.PHONE: 132}
_SIDE_WIDTH: Final = 340


@screen
def product_screen(sku: str, card: str | None) -> ft.Control:
    """The screen of a product, for the shopper of a card where one was open."""
    desk = use_desk()
    face, is_ready = use_reading(lambda: desk.floor.product(sku, card), [sku, card or ""])
    if not is_ready:
        return waiting(desk.speaker("loading"))
    if face is None:
        return unknown(desk, desk.speaker("product.unknown_title"), desk.speaker("product.unknown"))
    return keyed(f"{sku}/{card}", _product, face)


@part
def _product(face: ProductFace) -> ft.Control:
    desk = use_desk()
    frame = desk.whereabouts.frame
    blocks = [keyed("joins", _joins, face), _elsewhere(desk, face), *_mentions(desk, face)]
    shown = picture(Kind.PRODUCT, face.picture, _PICTURE[frame])
    if frame is Frame.LANDSCAPE:
        side = ft.Column([shown, _facts(face)], spacing=theme.L, width=_SIDE_WIDTH)
        inside: ft.Control = ft.Row(
            [side, ft.Column(blocks, spacing=theme.XL, expand=True)],
            spacing=theme.XXL,
            vertical_alignment=ft.CrossAxisAlignment.START,
        )
    else:
        top = ft.Row([shown, ft.Column([_facts(face)], expand=True)], spacing=theme.L)
        inside = ft.Column([top, *blocks], spacing=theme.XL)
    return page_of(face.title, ft.Container(inside, padding=ft.Padding.only(bottom=theme.XXL)), lead=face.hint)


def _facts(face: ProductFace) -> ft.Control:
    price = [say(face.price, theme.NAME)] if face.price else []
    age = [say(face.age, theme.TINY, Ink.QUIET)] if face.age else []
    return ft.Column([*price, stock_mark(face.stock, face.is_here, theme.BODY), *age], spacing=theme.XS)


@part
def _joins(face: ProductFace) -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    no, say_no = use_value("")
    shopper = face.shopper
    if shopper is None:
        return banner(words("product.no_card"), ft.Icons.PERSON_OUTLINE)

    async def record(deed: str) -> None:
        try:
            saved = await desk.commit(desk.floor.record_product, shopper.token, face.sku, deed, desk.associate_id)
        except Refused as refusal:
            say_no(no_of(refusal, desk.speaker))
            return
        desk.back_to_card(shopper.token, saved)

    return joining(desk, shopper, [_deeds(desk, record), *_hints(desk, face, no)])


def _deeds(desk: Desk, record: Callable[[str], Awaitable[None]]) -> ft.Control:
    words = desk.speaker
    return ft.Row(
        [
            main_button(words("outcome.bought"), partial(record, BOUGHT), icon=ft.Icons.SHOPPING_BAG_OUTLINED),
            soft_button(words("product.hold"), partial(record, HOLD), icon=ft.Icons.BOOKMARK_BORDER, height=52),
            line_button(words("product.wish"), partial(record, WISHED), icon=ft.Icons.FAVORITE_BORDER, height=52),
        ],
        wrap=True,
        spacing=theme.S,
        run_spacing=theme.S,
    )


def _hints(desk: Desk, face: ProductFace, no: str) -> list[ft.Control]:
    words = desk.speaker
    told = [words("product.play", title=face.play)] if face.play else []
    told.append(words("product.hold_hint"))
    lines: list[ft.Control] = [say(" ".join(told), theme.TINY, Ink.QUIET)]
    if no:
        lines.insert(0, ft.Semantics(live_region=True, content=banner(no, ft.Icons.INFO_OUTLINE)))
    return lines


def _elsewhere(desk: Desk, face: ProductFace) -> ft.Control:
    words = desk.speaker
    rows: list[ft.Control] = [
        ft.Row(
            [
                ft.Icon(ft.Icons.STOREFRONT_OUTLINED, size=20, color=ft.Colors.PRIMARY),
                say(name, theme.LABEL, expand=True),
                say(far, theme.SMALL, Ink.QUIET),
            ],
            spacing=theme.M,
            height=36,
        )
        for name, far in face.near
    ]
    if face.near_told:
        rows.append(empty(face.near_told))
    return ft.Column([section(words("product.near")), *rows], spacing=theme.XS)


def _mentions(desk: Desk, face: ProductFace) -> list[ft.Control]:
    words, card = desk.speaker, face.shopper.token if face.shopper else None
    lists: list[ft.Control] = []
    if face.offers:
        rows = [
            link_row(one, partial(desk.go, Place("offer", one.key, card)), ft.Icons.LOCAL_OFFER_OUTLINED)
            for one in face.offers
        ]
        lists.append(ft.Column([section(words("product.offers")), *rows], spacing=0))
    if face.plays:
        rows = [link_row(one, partial(desk.go, Place("plays")), ft.Icons.AUTO_STORIES_OUTLINED) for one in face.plays]
        lists.append(ft.Column([section(words("product.plays")), *rows], spacing=0))
    return lists
