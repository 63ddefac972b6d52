"""A follow-up in a list: for whom, what and when; and, opened, what can be done with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import FollowUpRow, FollowUpsFace
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import Press, line_button, main_button, quiet_button
from associate_app.ui.parts.day_choice import day_choice
from associate_app.ui.parts.pressable import Look, pressable
from associate_app.ui.parts.text import say
from associate_app.ui.state import FollowUpChange, use_desk
from associate_app.ui.theme import Ink

Do = Callable[[str, FollowUpChange], Awaitable[None]]
_ASKING: Final = {"moved": "follow_ups.move", "handed_over": "follow_ups.hand_over", "dropped": "follow_ups.drop"}
_REASONS_COUNT: Final = 4
_ICONS: Final = {"overdue": ft.Icons.EVENT_BUSY, "today": ft.Icons.TODAY, "upcoming": ft.Icons.EVENT_AVAILABLE}


def follow_up_line(row: FollowUpRow, press: Press) -> ft.Control:
    """The row; a tap leads on."""
    ink = ft.Colors.TERTIARY if row.when == "overdue" else ft.Colors.PRIMARY
    told = ft.Column(
        [say(row.title, theme.LABEL, lines=1), say(row.hint, theme.TINY, Ink.QUIET, lines=2)], spacing=0, expand=True
    )
    drawn = ft.Row([ft.Icon(_ICONS[row.when], size=20, color=ink), told], spacing=theme.M)
    look = Look(ft.Padding.symmetric(vertical=theme.S))
    return pressable(f"{row.title}, {row.hint}", press, drawn, look, key=row.key)


@part
def follow_up_actions(row: FollowUpRow, face: FollowUpsFace, do: Do) -> ft.Control:
    """What can be done: done at once, the others after one more choice; and the way to the card."""
    desk = use_desk()
    words = desk.speaker
    asks, ask = use_value("")
    buttons: list[ft.Control] = [main_button(words("follow_ups.done"), partial(do, row.key, FollowUpChange("done")))]
    buttons += [line_button(words(key), partial(ask, "" if asks == deed else deed)) for deed, key in _ASKING.items()]
    if row.shopper is not None:
        buttons.append(quiet_button(words("follow_ups.open"), partial(desk.open_row, row.shopper)))
    blocks: list[ft.Control] = [ft.Row(buttons, wrap=True, spacing=theme.S, run_spacing=theme.S)]
    if asks:
        blocks.append(say(words(f"follow_ups.asks.{asks}"), theme.SMALL, Ink.QUIET))
        blocks.append(keyed(asks, _choice, asks, row.key, face, do))
    return ft.Container(ft.Column(blocks, spacing=theme.S), padding=ft.Padding.only(left=theme.XXL, bottom=theme.M))


@part
def _choice(deed: str, key: str, face: FollowUpsFace, do: Do) -> ft.Control:
    words = use_desk().speaker
    if deed == "moved":
        return keyed("day", day_choice, face.days, "", lambda day: do(key, FollowUpChange(deed, day=day)))
    if deed == "handed_over":
        told = [(name, FollowUpChange(deed, to=id_)) for id_, name in face.colleagues]
    else:
        reasons = [words(f"follow_ups.reason.{n}") for n in range(1, _REASONS_COUNT + 1)]
        told = [(reason, FollowUpChange(deed, reason=reason)) for reason in reasons]
    buttons: list[ft.Control] = [line_button(name, partial(do, key, change)) for name, change in told]
    return ft.Row(buttons, wrap=True, spacing=theme.S, run_spacing=theme.S)
