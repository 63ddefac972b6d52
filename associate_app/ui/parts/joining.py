"""What the Product and the Offer screen share: for whom something was scanned (the shopper whose card was open) with
the way back and the way out, and what is shown of a thing this tablet does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.goods_faces import ForFace
from associate_app.ui.parts.avatar import avatar
from associate_app.ui.parts.buttons import main_button, quiet_button
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say
from associate_app.ui.state import Desk, Place


def joining(desk: Desk, shopper: ForFace, controls: Sequence[ft.Control] = ()) -> ft.Control:
    """The shopper by name, and under it what can be done for them."""
    words = desk.speaker
    who = ft.Row(
        [avatar(shopper.initials, 40), say(words("product.for", name=shopper.name), theme.HEADING, expand=True)],
        spacing=theme.M,
    )
    back = quiet_button(
        words("product.card"), partial(desk.go, Place("shopper", shopper.token)), icon=ft.Icons.ARROW_BACK
    )
    # The same place without the card: what is scanned next is nobody's until a card is open again.
    leave = partial(desk.go, replace(desk.whereabouts.place, card=None))
    ways = ft.Row(
        [back, quiet_button(words("product.not_for", name=shopper.called), leave)],
        wrap=True,
        spacing=theme.S,
        run_spacing=0,
    )
    return ft.Container(
        ft.Column([who, *controls, ways], spacing=theme.M),
        padding=ft.Padding.all(theme.L + 2),
        border_radius=theme.ROUND_L,
        border=ft.Border.all(1.5, ft.Colors.PRIMARY),
    )


def unknown(desk: Desk, title: str, told: str) -> ft.Control:
    """A thing this tablet does not know, or not any more: one sentence, one next step."""
    again = main_button(desk.speaker("scan.again"), partial(desk.go, Place("scan")), icon=ft.Icons.QR_CODE_SCANNER)
    return page_of(title, ft.Column([empty(told), ft.Row([again])], spacing=theme.L))
