"""Tell HQ: what it is about, a line or two, saved at once and sent with the next sync."""

from __future__ import annotations

from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import use_cell, use_value
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.buttons import choice_chip, main_button
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.notice import banner
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say, section
from associate_app.ui.state import use_desk, use_reading
from associate_app.ui.theme import Ink

ABOUT: Final = (
    "worked",
    "confusing",
    "out_of_stock",
    "wrong_price",
    "shopper_reaction",
    "traffic_or_staffing",
    "friction",
    "script_idea",
    "other",
)


@screen
def tell_screen(play_id: str | None) -> ft.Control:
    """The screen; with a play it is about that play."""
    desk = use_desk()
    words = desk.speaker
    about, set_about = use_value("worked")
    told, set_told = use_value("")
    round_, set_round = use_value(0)
    text = use_cell(str)
    plays, _ = use_reading(lambda: desk.floor.playbook(desk.associate_id))
    title = next((play.title for play in plays or () if play.play_id == play_id), None)

    async def send() -> None:
        written = text.value.strip()
        if not written:
            set_told("tell.wants_text")
            return
        await desk.commit(desk.floor.tell, about, written, play_id, desk.associate_id)
        text.value = ""
        set_round(round_ + 1)
        set_told("tell.sent")

    chips: list[ft.Control] = [
        choice_chip(words(f"tell.{name}"), partial(set_about, name), is_chosen=name == about) for name in ABOUT
    ]
    look = Field(words("tell.field"), lines=4, length_max=2000)
    field = text_field(f"tell{round_}", look, partial(setattr, text, "value"))
    blocks: list[ft.Control] = []
    if title:
        blocks.append(say(words("tell.play", title=title), theme.STRONG, Ink.BRAND))
    blocks += [
        ft.Column(
            [section(words("tell.about")), ft.Row(chips, wrap=True, spacing=theme.S, run_spacing=theme.S)],
            spacing=theme.S,
        ),
        field,
        ft.Row([main_button(words("tell.send"), send, icon=ft.Icons.SEND)]),
    ]
    if told:
        notice = banner(words(told), ft.Icons.CHECK_CIRCLE_OUTLINE if told == "tell.sent" else ft.Icons.EDIT_OUTLINED)
        blocks.append(ft.Semantics(live_region=True, content=notice))
    body = ft.Column(blocks, spacing=theme.XL, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    return page_of(words("tell.title"), body, lead=words("tell.lead"), has_width_limit=True)
