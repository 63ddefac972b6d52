"""Whom plays would meet now: asks for piece after piece while the screen stands, and draws how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import use_task, use_value
from associate_app.ui.manager_faces import MatchesFace, MatchFace
from associate_app.ui.parts.buttons import quiet_button
from associate_app.ui.parts.rows import shopper_row
from associate_app.ui.parts.text import say
from associate_app.ui.state import Desk, use_desk
from associate_app.ui.text_scale import is_text_large
from associate_app.ui.theme import Ink
from shared.errors import Refused

_NONE: Final[MatchesFace | None] = None
_BREATH_S: Final = 0.02
"""Between two pieces, so that whatever else the floor is asked comes first."""
_DRAWN_EVERY: Final = 8


def use_matches(key: object) -> tuple[MatchesFace | None, Callable[[], Awaitable[None]]]:
    """(what the look found so far, a way to look again). It begins anew when `key` changes; leaving the screen ends
    the asking, and coming back goes on where it was."""
    desk = use_desk()
    face, show = use_value(_NONE)

    async def look(*, is_afresh: bool = False) -> None:
        count = 0
        while (told := await desk.ask(partial(_ask, desk, is_afresh=is_afresh))) is not None:
            is_afresh = False
            if told.is_done or count % _DRAWN_EVERY == 0:
                show(told)
            if told.is_done:
                return
            count += 1
            await asyncio.sleep(_BREATH_S)

    use_task(look, [key])
    return face, partial(look, is_afresh=True)


def _ask(desk: Desk, *, is_afresh: bool) -> MatchesFace | None:
    if desk.shift.associate is None:
        return None
    try:
        return desk.floor.office.matches(desk.associate_id, is_afresh=is_afresh)
    except Refused:
        return None


def look_line(face: MatchesFace | None, again: Callable[[], Awaitable[None]]) -> ft.Control:
    """How far the look is, and once it is done when it was and a way to look again."""
    words = use_desk().speaker
    if face is None:
        return say(words("match.begins"), theme.TINY, Ink.QUIET)
    told: list[ft.Control] = [say(face.progress, theme.TINY, Ink.QUIET, expand=True)]
    if face.is_done:
        way = quiet_button(words("match.again"), again, icon=ft.Icons.REFRESH, horizontal=8)
        if is_text_large():
            return ft.Column([ft.Row(told), ft.Row([way])], spacing=0)
        return ft.Row([*told, way], vertical_alignment=ft.CrossAxisAlignment.CENTER)
    bar = ft.ProgressBar(value=face.share, height=4, border_radius=2)
    return ft.Column([ft.Row(told), ft.Semantics(label=face.progress, content=bar)], spacing=theme.XS)


def matches_of(play_id: str, face: MatchesFace | None) -> MatchFace | None:
    """What was found of one play; None while the look is on its way and has found nobody yet."""
    if face is None:
        return None
    return face.by_play.get(play_id) or (face.nobody if face.is_done else None)


def match_list(match: MatchFace | None) -> list[ft.Control]:
    """Whom a play would meet, in sentences and by name, each name one tap from the card."""
    desk = use_desk()
    if match is None:
        return []
    told: list[ft.Control] = [
        say(one, theme.BODY if not place else theme.SMALL) for place, one in enumerate(match.told)
    ]
    told += [shopper_row(row, partial(desk.open_row, row)) for row in match.names]
    if match.more:
        told.append(say(match.more, theme.TINY, Ink.QUIET))
    return told
