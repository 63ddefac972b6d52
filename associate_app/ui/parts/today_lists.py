"""Today's lists of shoppers: who is here now, one's own, and who is worth a word, one tap from a follow-up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import keyed
from associate_app.ui.parts.avatar import avatar
from associate_app.ui.parts.buttons import said_as, soft_button
from associate_app.ui.parts.folding import folding
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.pressable import Look, pressable
from associate_app.ui.parts.rows import shopper_row
from associate_app.ui.parts.text import say, section
from associate_app.ui.state import Desk, Frame
from associate_app.ui.theme import Ink
from associate_app.ui.today_faces import TodayLists, WordRow

_MINE_SHOWN: Final = 4
_WORDS_SHOWN: Final = 3

TakeUp = Callable[[str], Awaitable[None]]


def here_block(desk: Desk, lists: TodayLists) -> list[ft.Control]:
    """Who is in the store now; nothing at all where nobody is known to be."""
    if not lists.here:
        return []
    rows: list[ft.Control] = [shopper_row(row, partial(desk.open_row, row)) for row in lists.here]
    told = [section(desk.speaker("today.here")), keyed("here", folding, rows, _MINE_SHOWN)]
    return [ft.Column(told, spacing=theme.XS)]


def mine_block(desk: Desk, lists: TodayLists) -> ft.Control:
    """One's own shoppers: pinned, or served within a year."""
    words = desk.speaker
    rows: list[ft.Control] = [shopper_row(row, partial(desk.open_row, row)) for row in lists.mine]
    told = keyed("mine", folding, rows, _MINE_SHOWN) if rows else empty(words("today.mine_none"))
    return ft.Column([section(words("today.mine")), told], spacing=theme.XS)


def words_block(desk: Desk, lists: TodayLists, take_up: TakeUp) -> ft.Control:
    """Who is worth a word, each with its why and one tap to a follow-up."""
    words = desk.speaker
    nothing = words("today.words_looking" if lists.is_looking else "today.words_none")
    rows: list[ft.Control] = [_word(desk, row, take_up) for row in lists.words]
    told = keyed("words", folding, rows, _WORDS_SHOWN) if rows else empty(nothing)
    return ft.Column([section(words("today.words")), told], spacing=theme.XS)


def _word(desk: Desk, row: WordRow, take_up: TakeUp) -> ft.Control:
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
