"""Promising a follow-up from the card: what, how, when and whose. What they did not agree to is not among the choices.

*Saved* is said at the foot of the card, after the commit; a no is said in the sheet, in the rule's words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import PromiseFace
from associate_app.ui.hooks import keyed, use_live, use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import choice_chip, main_button
from associate_app.ui.parts.closing import leaving
from associate_app.ui.parts.day_choice import day_choice
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.text import say, section
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import FollowUpWish, Saved, use_desk, use_reading
from associate_app.ui.theme import Ink
from shared.errors import Refused


@part
def follow_up_sheet(token: str, show: Callable[[Saved], None], close: Callable[[], None]) -> ft.Control:
    """What may be promised to the shopper of a card; read when it is opened."""
    desk = use_desk()
    face, _ = use_reading(lambda: desk.floor.promisable(token), [token])
    return keyed("form", _form, token, face, show, close) if face is not None else ft.Container()


@part
def _form(token: str, face: PromiseFace, show: Callable[[Saved], None], close: Callable[[], None]) -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    wish = use_live(lambda: FollowUpWish(*face.ways[0], face.days.named[0][0]))
    no, say_no = use_value("")

    def put(**told: object) -> None:
        wish.put(replace(wish.value, **told))  # type: ignore[arg-type]

    async def save() -> None:
        try:
            saved = await desk.commit(desk.floor.promise, token, wish.value, desk.associate_id)
        except Refused as refusal:
            say_no(no_of(refusal, desk.speaker))
            return
        close()
        show(saved)

    blocks = [*_choices(face, wish.value, put), keyed("text", _text, lambda text: put(text=text))]
    if no:
        blocks.append(ft.Semantics(live_region=True, content=say(no, theme.SMALL_STRONG)))
    blocks.append(ft.Row([main_button(words("follow_ups.save"), save), leaving(words("close"), close)]))
    return ft.Column(blocks, spacing=theme.S, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _choices(face: PromiseFace, asked: FollowUpWish, put: Callable[..., None]) -> list[ft.Control]:
    words = use_desk().speaker

    def put_what(what: str) -> None:
        put(what=what, channel=next(channel for one, channel in face.ways if one == what))

    whats = [(what, words(f"follow_up.{what}")) for what in dict(face.ways)]
    ways = [
        (channel, words(f"follow_ups.way.{channel}")) for what, channel in face.ways if what == asked.what == "message"
    ]
    whose = [("mine", words("follow_ups.mine")), ("store", words("follow_ups.store"))]
    blocks: list[ft.Control] = [section(words("follow_ups.what")), chips(whats, asked.what, put_what)]
    if face.is_partly:
        blocks.append(say(words("follow_ups.agreed"), theme.TINY, Ink.QUIET))
    if ways:
        blocks += [section(words("follow_ups.way")), chips(ways, asked.channel, lambda way: put(channel=way))]
    blocks += [
        section(words("follow_ups.day")),
        keyed("day", day_choice, face.days, asked.day, lambda day: put(day=day)),
    ]
    is_whose = "mine" if asked.is_mine else "store"
    blocks += [section(words("follow_ups.whose")), chips(whose, is_whose, lambda one: put(is_mine=one == "mine"))]
    return blocks


@part
def _text(keep: Callable[[str], None]) -> ft.Control:
    look = Field(use_desk().speaker("follow_ups.text"), length_max=200)
    return text_field("follow-up", look, keep)


def chips(among: Iterable[tuple[str, str]], chosen: str, choose: Callable[[str], None]) -> ft.Control:
    """A row of words of which one is chosen."""
    drawn: list[ft.Control] = [
        choice_chip(told, partial(choose, value), is_chosen=value == chosen) for value, told in among
    ]
    return ft.Row(drawn, wrap=True, spacing=theme.S, run_spacing=theme.S)
