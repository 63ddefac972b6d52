"""Find: a shopper by name, phone, e-mail or number, as one types; and products by name or number."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import LinkFace, ShopperRow
from associate_app.ui.hooks import use_task, use_value
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.rows import link_row, shopper_row
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say, section
from associate_app.ui.state import Desk, Place, use_desk, use_reading
from associate_app.ui.theme import Ink

_PAUSE_S = 0.12
_LETTERS_MIN = 2
_ROWS_MAX = 20


@dataclass(frozen=True, slots=True)
class Found:
    """What was sought and who was found."""

    wanted: str
    rows: tuple[ShopperRow, ...]
    products: tuple[LinkFace, ...] = ()


_NOBODY_SOUGHT: Final = Found("", ())


@screen
def find_screen() -> ft.Control:
    """The screen."""
    desk = use_desk()
    words = desk.speaker
    text, set_text = use_value("")
    found, set_found = use_value(_NOBODY_SOUGHT)

    async def look() -> None:
        wanted = text.strip()
        if len(wanted) < _LETTERS_MIN:
            set_found(_NOBODY_SOUGHT)
            return
        await asyncio.sleep(_PAUSE_S)
        rows = await desk.ask(desk.floor.find, wanted)
        set_found(Found(wanted, rows, await desk.ask(desk.floor.find_products, wanted)))

    use_task(look, [text])
    associate = desk.shift.associate
    today, _ = use_reading(lambda: desk.floor.today(associate) if associate else None, [associate])
    look_of_field = Field(words("find.field"), icon=ft.Icons.SEARCH, text_size=20, has_focus=True)
    field = text_field("find", look_of_field, set_text)
    return page_of(
        words("find.title"),
        ft.Column(
            [field, _found(desk, found, today.seen if today else ())],
            spacing=theme.L,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        has_width_limit=True,
    )


def _found(desk: Desk, found: Found, seen: tuple[ShopperRow, ...]) -> ft.Control:
    words = desk.speaker
    wanted, rows = found.wanted, found.rows
    if not wanted:
        lead = say(words("find.lead"), theme.BODY, Ink.QUIET)
        here: list[ft.Control] = [shopper_row(row, partial(desk.open_row, row)) for row in seen]
        shown = [ft.Column([section(words("today.seen")), *here], spacing=theme.XS)] if here else []
        return ft.Column([lead, *shown], spacing=theme.XL)
    if not rows and found.products:
        return _products(desk, found)
    if not rows:
        return empty(words("find.none", text=wanted), ft.Icons.PERSON_SEARCH_OUTLINED)
    count = words("find.many", n=len(rows)) if len(rows) >= _ROWS_MAX else words.count("find.found", len(rows))
    drawn: list[ft.Control] = [shopper_row(row, partial(desk.open_row, row)) for row in rows]
    told = ft.Semantics(live_region=True, content=say(count, theme.SMALL, Ink.QUIET))
    more = [_products(desk, found)] if found.products else []
    return ft.Column([told, *drawn, *more], spacing=theme.XS)


def _products(desk: Desk, found: Found) -> ft.Control:
    """Products the text names too, for the shopper whose card was open before."""
    rows = [link_row(one, partial(desk.go, Place("product", one.key, desk.card_in_hand))) for one in found.products]
    top = ft.Container(section(desk.speaker("find.products")), padding=ft.Padding.only(top=theme.L))
    return ft.Column([top, *rows], spacing=0)
