"""Today's lists of shoppers: who is here now, one's own, and who is worth a word, one tap from a follow-up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import ShopperRow
from associate_app.ui.hooks import keyed
from associate_app.ui.parts.avatar import avatar
from associate_app.ui.parts.buttons import said_as, soft_button
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.paged import paged
from associate_app.ui.parts.pressable import Look, pressable
from associate_app.ui.parts.rows import shopper_way
from associate_app.ui.parts.text import say, section
from associate_app.ui.state import Desk, Frame
from associate_app.ui.theme import Ink
from associate_app.ui.today_faces import TodayLists, WordRow

_MINE_SHOWN: Final = 4
_WORDS_SHOWN: Final = 3

TakeUp = Callable[[str], Awaitable[None]]


def here_block(desk: Desk, lists: TodayLists) -> list[ft.Control]:
    """Who is in the store now; nothing at all where nobody is known to be."""
    return [_block(desk.speaker("today.here"), "here", lists.here)] if lists.here else []


def mine_block(desk: Desk, lists: TodayLists) -> ft.Control:
    """One's own shoppers: pinned, or served within a year."""
    return _block(desk.speaker("today.mine"), "mine", lists.mine, desk.speaker("today.mine_none"))


def _block(title: str, key: str, rows: tuple[ShopperRow, ...], nothing: str = "") -> ft.Control:
    told = keyed(key, paged, title, rows, shopper_way, _MINE_SHOWN) if rows else empty(nothing)
    return ft.Column([section(title), told], spacing=theme.XS)


def words_block(desk: Desk, lists: TodayLists, take_up: TakeUp) -> ft.Control:
    """Who is worth a word, each with its why and one tap to a follow-up."""
    words, title = desk.speaker, desk.speaker("today.words")
    nothing = words("today.words_looking" if lists.is_looking else "today.words_none")
    drawn = partial(_word, take_up)
    told = keyed("words", paged, title, lists.words, drawn, _WORDS_SHOWN) if lists.words else empty(nothing)
    return ft.Column([section(title), told], spacing=theme.XS)


def _word(take_up: TakeUp, desk: Desk, row: WordRow) -> ft.Control:
    words = desk.speaker
    shopper = row.shopper
    is_narrow = desk.whereabouts.frame is Frame.PHONE
    told = ft.Column(
        [
            say(shopper.name, theme.LABEL, lines=1),
            say(row.title, theme.SMALL, lines=2),
            say(row.why, theme.TINY, Ink.QUIET, lines=3),
        ],
        spacing=0,
        expand=True,
    )
    go = partial(desk.open_row, shopper)
    drawn = ft.Row([avatar(shopper.initials, 40), told], spacing=theme.M)
    spoken = ", ".join((shopper.name, row.title, row.why))
    lead = pressable(spoken, go, drawn, Look(padding=theme.S), expand=True)
    is_call = row.what == "call"
    icon = ft.Icons.CALL_OUTLINED if is_call else ft.Icons.MAIL_OUTLINED
    press = partial(take_up, shopper.key)
    button = said_as(
        words("today.take_up_spoken", name=shopper.name),
        soft_button(words("today.take_up"), press, icon=None if is_narrow else icon),
    )
    return ft.Container(ft.Row([lead, button], spacing=theme.S), key=shopper.key)
