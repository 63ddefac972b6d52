"""Deutsch or English: each language in its own words, so that whoever reads only the other one finds it."""

from __future__ import annotations

from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.language import LANGUAGES
from associate_app.ui.parts.buttons import choice_chip
from associate_app.ui.state import Desk


def language_switch(desk: Desk) -> ft.Control:
    """The choices side by side; a tap holds for this tablet and shows at once in every session of it."""
    words = desk.speaker

    async def speak(language: str) -> None:
        await desk.commit(desk.floor.speak, language)

    chips = [
        choice_chip(words(f"language.{one}"), partial(speak, one), is_chosen=one == words.language) for one in LANGUAGES
    ]
    return ft.Semantics(
        label=words("language.title"), container=True, content=ft.Row(chips, spacing=theme.S, tight=True)
    )
