"""Follow-ups: what was promised in this store, overdue first, and what becomes of it, by whose it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import FollowUpRow, FollowUpsFace
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.follow_up_row import Do, follow_up_actions, follow_up_line
from associate_app.ui.parts.follow_up_sheet import chips
from associate_app.ui.parts.notice import banner, empty
from associate_app.ui.parts.outcomes import use_outcomes
from associate_app.ui.parts.paged import paged
from associate_app.ui.parts.saved_bar import saved_line, told_line
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import section
from associate_app.ui.promising import WHEN
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import Desk, FollowUpChange, use_desk, use_reading
from associate_app.ui.words import Speaker
from shared.errors import Refused

_WHOSE: Final = ("mine", "store", "others")


@screen
def follow_ups_screen() -> ft.Control:
    """The screen."""
    desk = use_desk()
    words, associate = desk.speaker, desk.shift.associate
    whose, show_whose = use_value("mine")
    opened, open_row = use_value("")
    no, say_no = use_value("")
    kept = use_outcomes("")
    face, _ = use_reading(lambda: desk.floor.follow_ups(associate.associate_id) if associate else None, [associate])

    async def do(key: str, change: FollowUpChange) -> None:
        try:
            saved = await desk.commit(desk.floor.change_follow_up, key, change, desk.associate_id)
        except Refused as refusal:
            say_no(no_of(refusal, desk.speaker))
            return
        say_no("")
        kept.show(saved)

    if face is None:
        return ft.Container(expand=True)
    line = saved_line(kept.saved, words, kept.undo) if kept.saved else told_line(kept.told) if kept.told else None
    problem = ft.Semantics(live_region=True, content=banner(no, ft.Icons.INFO_OUTLINE)) if no else None
    counts = {name: sum(row.whose == name for row in face.rows) for name in _WHOSE}
    named = [(name, f"{words(f'follow_ups.{name}')} ({counts[name]})") for name in _WHOSE]
    shown = [row for row in face.rows if row.whose == whose]
    above = [one for one in (line, problem) if one is not None]
    body = [*above, chips(named, whose, show_whose), *_sections(shown, face, words, opened, open_row, do)]
    return page_of(words("follow_ups.title"), ft.Column(body, spacing=theme.L), lead=words("follow_ups.lead"))


def _sections(
    rows: list[FollowUpRow], face: FollowUpsFace, words: Speaker, opened: str, open_row: Callable[[str], None], do: Do
) -> list[ft.Control]:
    drawn: list[ft.Control] = []
    for when in WHEN:
        found, title = [row for row in rows if row.when == when], words(f"follow_ups.when.{when}")
        if found:
            line = partial(_line, face, opened, open_row, do)
            drawn += [section(title), keyed(when, paged, title, found, line, spacing=theme.L)]
    return drawn or [empty(words("follow_ups.none"))]


def _line(
    face: FollowUpsFace, opened: str, open_row: Callable[[str], None], do: Do, _: Desk, row: FollowUpRow
) -> ft.Control:
    """The row and, opened, what can be done with it."""
    is_open = row.key == opened
    line = follow_up_line(row, partial(open_row, "" if is_open else row.key))
    if not is_open:
        return line
    return ft.Column([line, keyed("open", follow_up_actions, row, face, do)], spacing=theme.L)
