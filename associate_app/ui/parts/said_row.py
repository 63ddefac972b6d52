"""A message to HQ in a list, with how it stands; and the quiet line that says HQ has answered."""

from __future__ import annotations

from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import SaidFace
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import quiet_button
from associate_app.ui.parts.chips import new_mark
from associate_app.ui.parts.text import say
from associate_app.ui.state import Place, use_desk, use_reading
from associate_app.ui.theme import Ink


def said_row(one: SaidFace, new_words: str = "") -> ft.Control:
    """What about, the words, and under them HQ's; `new_words` marks an answer as unread."""
    answer = say(one.answer, theme.SMALL, Ink.LOOK if one.is_amber else Ink.BRAND)
    told: list[ft.Control] = [say(one.about, theme.TINY, Ink.QUIET)]
    if one.text:
        told.append(say(one.text, theme.BODY))
    if new_words:
        told.append(ft.Row([new_mark(new_words)]))
    told.append(answer)
    return ft.Container(ft.Column(told, spacing=2), key=one.key, padding=ft.Padding.symmetric(vertical=6))


@part
def answers_line() -> ft.Control:
    """*HQ has answered*, one tap from the answer; takes no room where nothing is new."""
    desk = use_desk()
    associate = desk.shift.associate
    news, _ = use_reading(lambda: desk.floor.news(associate.associate_id) if associate else 0, [associate])
    if not news:
        return ft.Container(visible=False)
    told = desk.speaker.count("feedback.news", news)
    go = partial(desk.go, Place("tell"))
    way = ft.Row([quiet_button(told, go, icon=ft.Icons.MARK_CHAT_UNREAD_OUTLINED, horizontal=8)])
    return ft.Container(way, padding=ft.Padding.only(bottom=theme.L))
