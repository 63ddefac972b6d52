"""Every play and why: for a store manager, what was decided of each play, its three factors and its trace."""

from __future__ import annotations

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import VerdictFace
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import quiet_button
from associate_app.ui.parts.play_change import play_changes
from associate_app.ui.parts.pressable import Look, Spoken, pressable
from associate_app.ui.parts.text import say
from associate_app.ui.state import use_desk, use_reading
from associate_app.ui.theme import Ink


@part
def verdicts(token: str) -> ft.Control:
    """A fold under the plays; nothing is read until it is opened. It tells what triggered a held-out play too, so that
    is recorded as behind *more*."""
    desk = use_desk()
    is_open, set_open = use_value(False)

    async def flip() -> None:
        set_open(not is_open)
        if not is_open:
            await desk.commit(desk.floor.note_more_opened, token, desk.associate_id)

    icon = ft.Icons.EXPAND_LESS if is_open else ft.Icons.EXPAND_MORE
    ink = ft.Colors.ON_SURFACE_VARIANT
    head = quiet_button(desk.speaker("verdicts.open"), flip, icon=icon, ink=ink, horizontal=8)
    return ft.Column([head, *([keyed("opened", _opened, token)] if is_open else [])], spacing=theme.S)


@part
def _opened(token: str) -> ft.Control:
    desk = use_desk()
    told, _ = use_reading(lambda: desk.floor.verdicts(token, desk.associate_id), [token])
    return ft.Column([keyed(one.play_id, _verdict, one) for one in told or ()], spacing=theme.S)


@part
def _verdict(one: VerdictFace) -> ft.Control:
    is_open, set_open = use_value(False)
    lines: list[ft.Control] = [say(one.title, theme.LABEL), say(one.sentence, theme.TINY, Ink.QUIET)]
    if one.factors:
        lines.append(say(one.factors, theme.TINY, Ink.QUIET))
    head = pressable(
        ", ".join(part for part in (one.title, one.sentence, one.factors) if part),
        lambda: set_open(not is_open),
        ft.Column(lines, spacing=2),
        Look(ft.Padding.symmetric(vertical=theme.S, horizontal=theme.L)),
        Spoken(expanded=is_open),
    )
    if not is_open:
        return head
    trace = ft.Column([_line(depth, is_met, rule) for depth, is_met, rule in one.trace], spacing=2)
    blocks: list[ft.Control] = [head, ft.Container(trace, padding=ft.Padding.symmetric(horizontal=theme.L))]
    if one.change is not None:
        blocks.append(ft.Container(keyed("change", play_changes, one.change), padding=ft.Padding.only(left=theme.L)))
    return ft.Column(blocks, spacing=theme.XS, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _line(depth: int, is_met: bool, rule: str) -> ft.Control:
    words = use_desk().speaker
    icon = ft.Icons.CHECK if is_met else ft.Icons.CLOSE
    mark = ft.Icon(icon, size=16, color=ft.Colors.PRIMARY if is_met else ft.Colors.OUTLINE)
    mark.tooltip = words("verdicts.met" if is_met else "verdicts.not_met")
    return ft.Row(
        [ft.Container(width=depth * theme.L), mark, say(rule, theme.TINY, expand=True)],
        spacing=theme.S,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
