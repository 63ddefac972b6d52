"""Feedback, for store managers: everything the store told HQ, what HQ answered, and what it still owes."""

from __future__ import annotations

from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import FeedbackFace, SaidFace
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.follow_up_sheet import chips
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.paged import paged
from associate_app.ui.parts.said_row import said_row
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say
from associate_app.ui.said import GROUPS
from associate_app.ui.state import Desk, use_desk, use_reading
from associate_app.ui.theme import Ink
from associate_app.ui.words import Speaker

_EVERY: Final = "every"


@screen
def feedback_screen() -> ft.Control:
    """The screen. Who is no manager is told so, and nothing is read."""
    desk = use_desk()
    words, associate = desk.speaker, desk.shift.associate
    group, show = use_value(_EVERY)
    is_manager = associate is not None and associate.is_manager
    face, is_in = use_reading(lambda: desk.floor.feedback(desk.associate_id) if is_manager else None, [associate])
    if face is None:
        told = empty(words("feedback.managers"), ft.Icons.LOCK_OUTLINE) if is_in else ft.Container()
        return page_of(words("feedback.title"), told)
    found = [one for one in face.rows if group in (_EVERY, one.group)]
    title = words("feedback.title")
    rows = keyed(group, paged, title, found, _said, spacing=theme.S)
    blocks = [
        say(face.agreement, theme.SMALL, Ink.QUIET),
        chips(_named(face, words), group, show),
        rows if found else empty(words(f"feedback.none.{group}")),
    ]
    return page_of(title, ft.Column(blocks, spacing=theme.L), lead=words("feedback.lead"))


def _said(_: Desk, one: SaidFace) -> ft.Control:
    return said_row(one)


def _named(face: FeedbackFace, words: Speaker) -> list[tuple[str, str]]:
    counts = {group: sum(one.group == group for one in face.rows) for group in GROUPS}
    named = [(group, f"{words(f'feedback.{group}')} ({n})") for group, n in counts.items()]
    return [(_EVERY, f"{words('feedback.every')} ({len(face.rows)})"), *named]
