"""New shopper: few fields, consent by the shopper's own tap, and the loyalty QR for their phone. Works offline."""

from __future__ import annotations

import flet as ft

from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.shell import page_of
from associate_app.ui.state import use_desk


@screen
def new_shopper_screen() -> ft.Control:
    """The screen."""
    words = use_desk().speaker
    return page_of(words("new.title"), empty(words("new.not_here")), lead=words("new.lead"), has_width_limit=True)
