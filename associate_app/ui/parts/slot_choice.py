"""Choosing a time of a day: the first free ones at once, all of them, also the taken ones, behind one more tap."""

from __future__ import annotations

from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.appointment_faces import SlotFace
from associate_app.ui.hooks import use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import choice_chip, quiet_button
from associate_app.ui.parts.day_choice import PickDay
from associate_app.ui.parts.notice import empty
from associate_app.ui.state import use_desk

_SHOWN: Final = 4


def chosen_slot(slots: tuple[SlotFace, ...], at: str) -> SlotFace | None:
    """The time that was chosen, if the day has it; else the first free one, else the first."""
    found = next((slot for slot in slots if slot.at == at), None)
    return found or next((slot for slot in slots if not slot.taken), None) or next(iter(slots), None)


@part
def slot_choice(slots: tuple[SlotFace, ...] | None, chosen: SlotFace | None, pick: PickDay) -> ft.Control:
    """Chips of times; what is taken says so and can be chosen all the same. None while they are read."""
    words = use_desk().speaker
    is_open, set_open = use_value(False)
    if slots is not None and not slots:
        return empty(words("appointments.no_time"))
    free = [one for one in slots or () if not one.taken][:_SHOWN]
    shown = [one for one in slots or () if is_open or one in free or one == chosen]
    chips: list[ft.Control] = [
        choice_chip(
            words("appointments.slot_taken", at=one.at) if one.taken else one.at,
            partial(pick, one.at),
            is_chosen=one == chosen,
        )
        for one in shown
    ]
    if len(shown) < len(slots or ()):
        chips.append(quiet_button(words("appointments.times"), partial(set_open, True)))
    return ft.Row(chips, wrap=True, spacing=theme.S, run_spacing=theme.S)
