"""Correcting data from the card: which field, what it is now, what is right; or that it is wrong, and no more is known.

*Saved* is said at the foot of the card, after the commit; a no is said in the sheet. HQ's answers stand above.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.correcting import languages_offered
from associate_app.ui.faces import CorrectFace
from associate_app.ui.hooks import keyed, use_cell, use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import line_button, main_button
from associate_app.ui.parts.closing import leaving
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.follow_up_sheet import chips
from associate_app.ui.parts.text import say, section
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import Saved, use_desk, use_reading
from associate_app.ui.theme import Ink
from shared.errors import Refused


@part
def correct_sheet(token: str, show: Callable[[Saved], None], close: Callable[[], None]) -> ft.Control:
    """Which field is wrong; read when it is opened."""
    desk = use_desk()
    words = desk.speaker
    chosen, choose = use_value("")
    fields, _ = use_reading(lambda: desk.floor.correctable(token), [token])
    if fields is None:
        return ft.Container()
    blocks: list[ft.Control] = [section(words("correct.which"))]
    blocks.append(chips([(one.key, one.title) for one in fields], chosen, choose))
    field = next((one for one in fields if one.key == chosen), None)
    if field is None:
        blocks.append(ft.Row([leaving(words("close"), close)]))
    else:
        blocks.append(keyed(chosen, _form, token, field, show, close))
    return ft.Column(blocks, spacing=theme.S, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


@part
def _form(token: str, field: CorrectFace, show: Callable[[Saved], None], close: Callable[[], None]) -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    typed = use_cell(str)
    no, say_no = use_value("")

    async def record(deed: Callable[..., Saved]) -> None:
        try:
            saved = await desk.commit(deed, token, field.key, typed.value, desk.associate_id)
        except Refused as refusal:
            say_no(no_of(refusal, desk.speaker))
            return
        close()
        show(saved)

    now = words("correct.now", value=field.now) if field.now else words("correct.nothing_now")
    blocks: list[ft.Control] = [say(now, theme.SMALL, Ink.QUIET), keyed("value", _value, field.key, typed.__setattr__)]
    if no:
        blocks.append(ft.Semantics(live_region=True, content=say(no, theme.SMALL_STRONG)))
    buttons: list[ft.Control] = [main_button(words("correct.save"), partial(record, desk.floor.correct))]
    if field.now:
        buttons.append(line_button(words("correct.flag"), partial(record, desk.floor.flag)))
    buttons.append(leaving(words("close"), close))
    blocks.append(ft.Row(buttons, wrap=True, spacing=theme.S, run_spacing=theme.S))
    return ft.Column(blocks, spacing=theme.S, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


@part
def _value(key: str, keep: Callable[[str, str], None]) -> ft.Control:
    words = use_desk().speaker
    language, set_language = use_value("")
    if key != "language":
        look = Field(words("correct.right"), length_max=80, has_focus=True)
        return text_field(f"correct-{key}", look, partial(keep, "value"))

    def choose(code: str) -> None:
        set_language(code)
        keep("value", code)

    return chips(languages_offered(words), language, choose)
