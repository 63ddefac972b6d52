"""The calendar's week on Today: what runs, what it is about, and the store's tasks to tick."""

from __future__ import annotations

from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import Press
from associate_app.ui.parts.fold_head import fold_head
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.pressable import Look, Spoken, pressable
from associate_app.ui.parts.text import say, section
from associate_app.ui.state import use_desk, use_reading
from associate_app.ui.theme import Ink
from associate_app.ui.today_faces import EntryFace, TaskFace
from associate_app.ui.words import Speaker


@part
def week_block() -> ft.Control:
    """The section."""
    desk = use_desk()
    words = desk.speaker
    entries, is_read = use_reading(desk.floor.week)
    rows: list[ft.Control] = [keyed(entry.key, _entry, entry) for entry in entries or ()]
    nothing = [empty(words("today.no_week"))] if is_read else []
    return ft.Column([section(words("today.week")), *(rows or nothing)], spacing=0)


@part
def _entry(entry: EntryFace) -> ft.Control:
    words = use_desk().speaker
    is_open, set_open = use_value(False)
    inside: list[ft.Control] = [_head(entry, words, is_open=is_open, toggle=lambda: set_open(not is_open))]
    if is_open:
        told: list[ft.Control] = [say(entry.text, theme.SMALL)]
        told += [keyed(task.task, _task, entry.key, task) for task in entry.tasks]
        inside.append(ft.Container(ft.Column(told, spacing=theme.XS), padding=ft.Padding.only(left=40, bottom=theme.S)))
    return ft.Column(inside, spacing=0)


def _head(entry: EntryFace, words: Speaker, *, is_open: bool, toggle: Press) -> ft.Control:
    done = sum(task.is_done for task in entry.tasks)
    tasks = words("today.tasks", done=done, n=len(entry.tasks)) if entry.tasks else None
    hint = " · ".join(part for part in (entry.hint, tasks) if part)
    is_finished = bool(entry.tasks) and done == len(entry.tasks)
    icon = ft.Icons.EVENT_AVAILABLE if is_finished else ft.Icons.CALENDAR_TODAY
    told = ft.Column(
        [say(entry.title, theme.LABEL, lines=2), say(hint, theme.TINY, Ink.QUIET, lines=2)], spacing=0, expand=True
    )
    drawn = [ft.Icon(icon, size=20, color=ft.Colors.PRIMARY), told]
    return fold_head(f"{entry.title}, {hint}", drawn, toggle, is_open=is_open)


@part
def _task(entry: str, task: TaskFace) -> ft.Control:
    desk = use_desk()

    async def flip() -> None:
        await desk.commit(partial(desk.floor.tick, entry, task.task, desk.associate_id, is_done=not task.is_done))

    box = ft.Icon(
        ft.Icons.CHECK_BOX if task.is_done else ft.Icons.CHECK_BOX_OUTLINE_BLANK,
        size=24,
        color=ft.Colors.PRIMARY if task.is_done else ft.Colors.ON_SURFACE_VARIANT,
    )
    hint = [say(task.hint, theme.TINY, Ink.QUIET)] if task.hint else []
    told = ft.Column([say(task.title, theme.SMALL), *hint], spacing=0, expand=True)
    look = Look(ft.Padding.symmetric(vertical=theme.M, horizontal=theme.XS), theme.ROUND_S)
    spoken = ", ".join(part for part in (task.title, task.hint) if part)
    return pressable(spoken, flip, ft.Row([box, told], spacing=theme.M), look, Spoken(checked=task.is_done))
