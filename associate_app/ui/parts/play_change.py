"""What a store manager changes about a play, on its review and under *Every play and why*: a pause, the lever, words of
the store's own, and a proposal to HQ where the guardrails end. In force here as soon as it is saved."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import ChangeFace
from associate_app.ui.hooks import Live, keyed, use_cell, use_live, use_value
from associate_app.ui.manager_faces import WordLine
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import line_button, main_button, quiet_button
from associate_app.ui.parts.closing import leaving
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.text import say
from associate_app.ui.parts.word_diff import word_diff
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import PlayChange, use_desk
from associate_app.ui.theme import Ink
from associate_app.ui.words import Speaker
from shared.errors import Refused
from shared.plays.word_changes import changed_lines

_STEP: Final = 10


@part
def play_changes(change: ChangeFace) -> ft.Control:
    """The row of what may be changed, the form that is open, and what came of the last tap."""
    desk = use_desk()
    words = desk.speaker
    form, open_form = use_value("")
    told, tell = use_value("")

    async def save(said: PlayChange) -> None:
        try:
            await desk.commit(desk.floor.change_play, change.play_id, said, desk.associate_id)
        except Refused as no:
            tell(no_of(no, words))
            return
        open_form("")
        tell(words("change.proposed" if said.proposal else "change.saved"))

    buttons: list[ft.Control] = []
    if change.may_pause:
        pause = words("change.resume" if change.is_paused else "change.pause")
        buttons.append(line_button(pause, partial(save, PlayChange(paused=not change.is_paused))))
    if change.lever_min < change.lever_max:
        lower, higher = max(change.lever - _STEP, change.lever_min), min(change.lever + _STEP, change.lever_max)
        for key, lever in (("change.lower", lower), ("change.higher", higher)):
            if lever != change.lever:
                buttons.append(line_button(words(key, lever=f"{lever:+d} %"), partial(save, PlayChange(lever=lever))))
    if change.may_write:
        buttons.append(line_button(words("change.write"), partial(open_form, "words")))
        if change.is_own:
            buttons.append(line_button(words("change.unwrite"), partial(save, PlayChange(opener=""))))
    buttons.append(quiet_button(words("change.propose"), partial(open_form, "proposal")))
    forms: dict[str, Callable[..., Any]] = {"words": _words_form, "proposal": _proposal_form}
    opened = [keyed(form, forms[form], change, save, partial(open_form, ""))] if form else []
    said = [ft.Semantics(live_region=True, content=say(told, theme.TINY, Ink.QUIET))] if told else []
    row = ft.Row(buttons, wrap=True, spacing=theme.S, run_spacing=theme.S)
    return ft.Column([row, *opened, *said], spacing=theme.S)


Points = tuple[str, tuple[str, ...]]
"""What to say first, and the points after it."""


def _use_words(change: ChangeFace) -> Live[Points]:
    """What stands in the fields of an open form. Where the play's words have become others meanwhile the fields begin
    anew with those, and so does this: what is sent is what can be read."""
    words = (change.opener, change.bullets)
    begun, live = use_cell(lambda: words), use_live(lambda: words)
    if begun.value != words:
        begun.value = live.value = words
    return live


def _word_fields(
    form: str, change: ChangeFace, words: Speaker, live: Live[Points], *, has_focus: bool = False
) -> list[ft.Control]:
    """What to say first and the points, each of which leaves the other as it was typed last."""
    opener = Field(words("change.opener"), value=change.opener, lines=2, has_focus=has_focus)
    points = Field(words("change.bullets"), words("change.bullets_hint"), value="\n".join(change.bullets), lines=3)
    return [
        text_field(f"{form}-opener", opener, lambda typed: live.put((typed.strip(), live.value[1]))),
        text_field(f"{form}-bullets", points, lambda typed: live.put((live.value[0], _lines_of(typed)))),
    ]


@part
def _words_form(change: ChangeFace, save: Callable[[PlayChange], Any], close: Callable[[], None]) -> ft.Control:
    words = use_desk().speaker
    live = _use_words(change)

    async def keep() -> None:
        opener, bullets = live.value
        await save(PlayChange(opener=opener, bullets=bullets))

    fields = _word_fields("own", change, words, live, has_focus=True)
    return _form(fields, words("change.keep"), keep, words("close"), close)


@part
def _proposal_form(change: ChangeFace, save: Callable[[PlayChange], Any], close: Callable[[], None]) -> ft.Control:
    words = use_desk().speaker
    text = use_cell(str)
    live = _use_words(change)

    async def send() -> None:
        opener, bullets = live.value
        await save(PlayChange(proposal=text.value or " ", opener=opener, bullets=bullets))

    look = Field(words("change.proposal"), lines=2, length_max=500, has_focus=True)
    fields = [
        *_word_fields("proposal", change, words, live),
        *_would_change(change, words, *live.value),
        text_field("proposal", look, partial(setattr, text, "value")),
    ]
    return _form(fields, words("change.send"), send, words("close"), close)


def _would_change(change: ChangeFace, words: Speaker, opener: str, bullets: tuple[str, ...]) -> list[ft.Control]:
    """What of HQ's words the proposal would change, while it is written."""
    before = {"opener": change.hq_opener, "bullets": change.hq_bullets}
    lines = changed_lines(before, {"opener": opener, "bullets": bullets})
    if all(line.mark == "same" for line in lines):
        return [say(words("change.same_words"), theme.TINY, Ink.QUIET)]
    told = say(words("change.would_change"), theme.TINY, Ink.QUIET)
    return [told, word_diff([WordLine(line.mark, line.text) for line in lines], words)]


def _lines_of(typed: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in typed.splitlines() if line.strip())


def _form(
    fields: list[ft.Control], told: str, press: Callable[[], Any], away: str, close: Callable[[], None]
) -> ft.Control:
    buttons = ft.Row([main_button(told, press), leaving(away, close)])
    return ft.Column([*fields, buttons], spacing=theme.S, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
