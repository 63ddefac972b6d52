"""Plays: the playbook without a shopper: this week's first, then by situation; searchable, offline, new until read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import BookPlay
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.boundary import part, screen
from associate_app.ui.parts.buttons import Press, line_button
from associate_app.ui.parts.chips import chip, new_mark
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.fold_head import fold_head
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.paged import paged
from associate_app.ui.parts.play_card import talking_points
from associate_app.ui.parts.plays_switch import plays_switch
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say, section
from associate_app.ui.state import Desk, Frame, Place, use_desk, use_reading
from associate_app.ui.theme import Ink
from associate_app.ui.week import SITUATIONS
from associate_app.ui.words import Speaker, mentions


@screen
def plays_screen() -> ft.Control:
    """The screen."""
    desk = use_desk()
    words = desk.speaker
    wanted, set_wanted = use_value("")
    plays, _ = use_reading(lambda: desk.floor.playbook(desk.associate_id))
    field = text_field("plays", Field(words("book.field"), icon=ft.Icons.SEARCH), set_wanted)
    if plays is None:
        return ft.Container(expand=True)
    found = [play for play in plays if _mentions(play, wanted)]
    blocks: list[ft.Control] = [
        ft.Column(
            [section(title), keyed(name, paged, title, some, _row, spacing=theme.S)],
            spacing=theme.S,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        )
        for name, title, some in _by_situation(found, words)
    ]
    nothing = words("book.nothing", text=wanted) if plays else words("book.none")
    tell = line_button(words("tell.title"), partial(desk.go, Place("tell")), icon=ft.Icons.CAMPAIGN_OUTLINED)
    is_phone = desk.whereabouts.frame is Frame.PHONE  # whose foot has no room for it
    body = ft.Column(
        [
            plays_switch(desk, "plays"),
            *([ft.Row([tell])] if is_phone else []),
            *([field] if plays else []),
            *(blocks or [empty(nothing)]),
        ],
        spacing=theme.XL,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
    return page_of(words("book.title"), body, lead=words("book.lead"), has_width_limit=True)


def _by_situation(plays: Sequence[BookPlay], words: Speaker) -> Iterator[tuple[str, str, list[BookPlay]]]:
    """This week's plays, then the others by what they are for; each play once."""
    for name in ("week", *SITUATIONS):
        some = [play for play in plays if name == ("week" if play.is_this_week else play.situation)]
        if some:
            yield name, words(f"book.for.{name}"), some


def _mentions(play: BookPlay, wanted: str) -> bool:
    return mentions((play.title, play.opener, *play.bullets), wanted)


@part
def _row(desk: Desk, play: BookPlay) -> ft.Control:
    is_open, set_open = use_value(False)

    async def toggle() -> None:
        set_open(not is_open)
        if play.is_new and not is_open:
            await desk.commit(desk.floor.note_read, play.play_id, desk.associate_id)

    return _drawn(desk, play, is_open, toggle)


def _drawn(desk: Desk, play: BookPlay, is_open: bool, toggle: Press) -> ft.Control:
    words = desk.speaker
    is_narrow = desk.whereabouts.frame is Frame.PHONE
    told: list[ft.Control] = [
        ft.Column(
            [say(play.title, theme.HEADING, lines=2), say(play.opener, theme.TINY, Ink.QUIET, lines=2)],
            spacing=2,
            expand=True,
        ),
        *([new_mark(words("new_mark"))] if play.is_new else []),
        *([chip(play.offer.title, is_strong=True)] if play.offer and not is_narrow else []),
    ]
    spoken = [play.title, *([words("new_mark")] if play.is_new else []), *([play.offer.title] if play.offer else [])]
    head = fold_head(", ".join(spoken), told, toggle, is_open=is_open, edge=theme.L)
    inside: list[ft.Control] = []
    if play.offer and is_narrow:
        inside.append(ft.Row([chip(play.offer.title, is_strong=True)]))
    if is_open:
        inside.append(talking_points(play.opener, play.bullets, play.objection, play.avoid, words))
        if play.until:
            inside.append(say(words("plays.until", when=play.until), theme.TINY, Ink.QUIET))
        inside.append(
            ft.Row(
                [
                    line_button(
                        words("tell.about_play"),
                        lambda: desk.go(Place("tell", play.play_id)),
                        icon=ft.Icons.CAMPAIGN_OUTLINED,
                    )
                ]
            )
        )
    shown = ft.Container(
        ft.Column(inside, spacing=theme.M), padding=ft.Padding.only(left=theme.L, right=theme.L, bottom=theme.L)
    )
    return ft.Container(
        ft.Column([head, *([shown] if inside else [])], spacing=0),
        border_radius=theme.ROUND_M,
        border=ft.Border.all(1, ft.Colors.PRIMARY if is_open else ft.Colors.OUTLINE_VARIANT),
    )
