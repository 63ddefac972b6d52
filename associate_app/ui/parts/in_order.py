"""Where Tab stays until it has been everywhere: the rooms, a column, the foot of a card.

Without it Flutter goes over a whole screen line by line, from the rooms to the middle of one column and back. Of all
that Flet offers only a radio group keeps Tab within itself; one without radios does nothing else. It would be spoken as
a radio group: the hub's page tells browsers that it is a group. Text fields and Space work in it as anywhere.
"""

from __future__ import annotations

import flet as ft


def in_order(content: ft.Control, *, expand: bool | int | None = None) -> ft.Control:
    """`content`, gone through as a whole before Tab goes on."""
    # Flet lays a radio group out at its own size, whatever it is told of expanding.
    return ft.Container(ft.RadioGroup(content), expand=expand)
