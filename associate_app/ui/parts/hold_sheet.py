"""Holding an item for the shopper of a card: which product, how many, until when.

*Saved* is said at the foot of the card, after the commit; a no is said in the sheet, in the rule's words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import HoldChoiceFace
from associate_app.ui.hooks import keyed, use_cell, use_live, use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import main_button
from associate_app.ui.parts.closing import leaving
from associate_app.ui.parts.day_choice import day_choice
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.follow_up_sheet import chips
from associate_app.ui.parts.text import say, section
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import HoldWished, Saved, use_desk, use_reading
from shared.errors import Refused

_QUANTITIES: Final = ("1", "2", "3")


@part
def hold_sheet(token: str, show: Callable[[Saved], None], close: Callable[[], None]) -> ft.Control:
    """What may be held for the shopper of a card; read when it is opened."""
    desk = use_desk()
    face, _ = use_reading(lambda: desk.floor.holdable(token), [token])
    return keyed("form", _form, token, face, show, close) if face is not None else ft.Container()


@part
def _form(token: str, face: HoldChoiceFace, show: Callable[[Saved], None], close: Callable[[], None]) -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    wish = use_live(lambda: HoldWished(next((sku for sku, _ in face.products), ""), face.days.named[0][0]))
    typed = use_cell(str)
    no, say_no = use_value("")

    def put(**told: object) -> None:
        wish.put(replace(wish.value, **told))  # type: ignore[arg-type]

    async def save() -> None:
        asked = replace(wish.value, product=typed.value.strip() or wish.value.product)
        if not asked.product:
            say_no(words("holds.wants_product"))
            return
        try:
            saved = await desk.commit(desk.floor.hold, token, asked, desk.associate_id)
        except Refused as refusal:
            say_no(no_of(refusal, desk.speaker))
            return
        close()
        show(saved)

    blocks: list[ft.Control] = [keyed("choices", _choices, face, wish.value, put)]
    blocks.append(keyed("number", _number, partial(setattr, typed, "value")))
    if no:
        blocks.append(ft.Semantics(live_region=True, content=say(no, theme.SMALL_STRONG)))
    blocks.append(ft.Row([main_button(words("holds.save"), save), leaving(words("close"), close)]))
    return ft.Column(blocks, spacing=theme.S, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


@part
def _choices(face: HoldChoiceFace, asked: HoldWished, put: Callable[..., None]) -> ft.Control:
    words = use_desk().speaker
    quantities = [(n, n) for n in _QUANTITIES]
    blocks: list[ft.Control] = [section(words("holds.product"))]
    if face.products:
        blocks.append(chips(face.products, asked.product, lambda sku: put(product=sku)))
    blocks += [
        section(words("holds.quantity")),
        chips(quantities, str(asked.quantity), lambda n: put(quantity=int(n))),
        section(words("holds.until")),
        keyed("day", day_choice, face.days, asked.until, lambda day: put(until=day)),
    ]
    return ft.Column(blocks, spacing=theme.S)


@part
def _number(keep: Callable[[str], None]) -> ft.Control:
    return text_field("hold-number", Field(use_desk().speaker("holds.number"), length_max=64), keep)
