"""On hold: what is kept for shoppers in this store, for whoever stands at the till: sold, or free again."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Protocol

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import HoldRow
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.buttons import line_button, main_button, quiet_button
from associate_app.ui.parts.notice import banner, empty
from associate_app.ui.parts.outcomes import use_outcomes
from associate_app.ui.parts.paged import paged
from associate_app.ui.parts.saved_bar import saved_line, told_line
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import Desk, use_desk, use_reading
from associate_app.ui.theme import Ink
from shared.errors import Refused


class End(Protocol):
    """Records that something on hold was sold, or is free again."""

    def __call__(self, key: str, *, is_sold: bool) -> Awaitable[None]: ...


@screen
def holds_screen() -> ft.Control:
    """The screen."""
    desk = use_desk()
    words = desk.speaker
    no, say_no = use_value("")
    kept = use_outcomes("")
    rows, _ = use_reading(desk.floor.holds)

    async def end(key: str, *, is_sold: bool) -> None:
        deed = partial(desk.floor.end_hold, key, is_sold=is_sold, associate_id=desk.associate_id)
        try:
            saved = await desk.commit(deed)
        except Refused as refusal:
            say_no(no_of(refusal, desk.speaker))
            return
        say_no("")
        kept.show(saved)

    if rows is None:
        return ft.Container(expand=True)
    body: list[ft.Control] = []
    if kept.saved:
        body.append(saved_line(kept.saved, words, kept.undo))
    elif kept.told:
        body.append(told_line(kept.told))
    if no:
        body.append(ft.Semantics(live_region=True, content=banner(no, ft.Icons.INFO_OUTLINE)))
    title = words("holds.title")
    lines = keyed("lines", paged, title, rows, partial(_row, end), spacing=theme.L)
    body.append(lines if rows else empty(words("holds.none")))
    return page_of(title, ft.Column(body, spacing=theme.L), lead=words("holds.lead"))


def _row(end: End, desk: Desk, row: HoldRow) -> ft.Control:
    words = desk.speaker
    sell, release = partial(end, row.key, is_sold=True), partial(end, row.key, is_sold=False)
    told = ft.Column([say(row.title, theme.LABEL), say(row.hint, theme.TINY, Ink.QUIET)], spacing=0)
    buttons: list[ft.Control] = [main_button(words("holds.sold"), sell), line_button(words("holds.release"), release)]
    if row.shopper is not None:
        buttons.append(quiet_button(words("follow_ups.open"), partial(desk.open_row, row.shopper)))
    foot = ft.Row(buttons, wrap=True, spacing=theme.S, run_spacing=theme.S)
    return ft.Container(ft.Column([told, foot], spacing=theme.S), key=row.key)
