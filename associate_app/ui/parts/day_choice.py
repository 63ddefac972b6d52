"""Choosing a day: the ones with a name at once, the others behind one more tap."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import DaysFace
from associate_app.ui.hooks import use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import choice_chip, quiet_button
from associate_app.ui.state import use_desk

PickDay = Callable[[str], Awaitable[None]] | Callable[[str], None]


@part
def day_choice(days: DaysFace, chosen: str, pick: PickDay) -> ft.Control:
    """Chips of days; `chosen` and what `pick` is told are ISO dates."""
    is_open, set_open = use_value(False)
    is_other = all(day != chosen for day, _ in days.named)
    shown = [*days.named, *(one for one in days.others if is_open or (is_other and one[0] == chosen))]
    chips: list[ft.Control] = [choice_chip(told, partial(pick, day), is_chosen=day == chosen) for day, told in shown]
    if not is_open:
        chips.append(quiet_button(use_desk().speaker("follow_ups.day.pick"), partial(set_open, True)))
    return ft.Row(chips, wrap=True, spacing=theme.S, run_spacing=theme.S)
