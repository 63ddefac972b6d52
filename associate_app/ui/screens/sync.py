"""Sync: a sentence first, then each record and where it is, then HQ's last receipt."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import PillTone, RecordRow, SyncFace
from associate_app.ui.hooks import keyed, use_observed, use_value
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.buttons import is_tapped_by_scanner, line_button, main_button
from associate_app.ui.parts.notice import banner, empty
from associate_app.ui.parts.paged import PAGE, paged
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say, section
from associate_app.ui.state import Desk, Frame, Place, use_desk, use_reading
from associate_app.ui.text_scale import is_text_large, scaled
from associate_app.ui.theme import Ink

_CUT_WIDTH: Final = 130

_MARKS: Final = {
    PillTone.SAVED: (ft.Icons.CLOUD_DONE_OUTLINED, ft.Colors.PRIMARY),
    PillTone.WAITING: (ft.Icons.SAVE_OUTLINED, ft.Colors.ON_SURFACE_VARIANT),
    PillTone.LOOK: (ft.Icons.ERROR_OUTLINE, ft.Colors.TERTIARY),
}


@screen
def sync_screen() -> ft.Control:
    """The screen."""
    desk = use_desk()
    words = desk.speaker
    light = use_observed(desk.light)
    wanted, want = use_value(PAGE)
    face, _ = use_reading(partial(desk.floor.sync, wanted), [light.face, wanted])
    if face is None:
        return ft.Container(expand=True)
    blocks: list[ft.Control] = [_sentence(desk, face), *_notices(face), *_cut(desk, face)]
    blocks += [_settings(desk), _records(desk, face, want)]
    return page_of(words("sync.title"), ft.Column(blocks, spacing=theme.XL), has_width_limit=True)


def _sentence(desk: Desk, face: SyncFace) -> ft.Control:
    words = desk.speaker
    icon, colour = _MARKS[face.tone]

    async def send() -> None:
        await desk.ask(desk.floor.send_now)

    told = ft.Column(
        [
            ft.Semantics(live_region=True, content=say(face.sentence, theme.TITLE)),
            *[say(line, theme.SMALL, Ink.QUIET) for line in (*face.lines, face.receipt)],
        ],
        spacing=2,
        expand=True,
    )
    button = main_button(words("sync.send"), send, icon=ft.Icons.SYNC)
    sentence: list[ft.Control] = [ft.Icon(icon, size=44, color=colour), told]
    if desk.whereabouts.frame is Frame.PHONE:
        rows: list[ft.Control] = [ft.Row(sentence, spacing=theme.L), button]
        return ft.Column(rows, spacing=theme.L, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    return ft.Row([*sentence, button], spacing=theme.L, vertical_alignment=ft.CrossAxisAlignment.CENTER)


def _notices(face: SyncFace) -> list[ft.Control]:
    told: list[ft.Control] = [
        ft.Semantics(
            live_region=True,
            content=banner(text, ft.Icons.ERROR_OUTLINE if is_amber else ft.Icons.INFO_OUTLINE, is_amber=is_amber),
        )
        for text, is_amber in face.notices
    ]
    return [ft.Column(told, spacing=theme.S)] if told else []


def _cut(desk: Desk, face: SyncFace) -> list[ft.Control]:
    if face.is_cut is None:
        return []
    words = desk.speaker

    async def flip(e: ft.Event[ft.Switch]) -> None:
        if is_tapped_by_scanner():
            return
        await desk.commit(desk.floor.cut_network, bool(e.control.value))

    told = words("sync.cut")
    switch = ft.Switch(
        # Words alone do not wrap: of large ones the end would be lost.
        label=ft.Container(say(told, theme.LABEL), width=scaled(_CUT_WIDTH)) if is_text_large() else told,
        value=face.is_cut,
        on_change=flip,
        label_text_style=theme.style(theme.LABEL),
        inactive_track_color=ft.Colors.SURFACE_CONTAINER_HIGHEST,
    )
    hint = say(words("sync.cut_hint"), theme.TINY, Ink.QUIET)
    is_cut = [banner(words("sync.is_cut"), ft.Icons.WIFI_OFF)] if face.is_cut else []
    return [ft.Column([ft.Row([switch]), hint, *is_cut], spacing=theme.S)]


def _settings(desk: Desk) -> ft.Control:
    go = partial(desk.go, Place("settings"))
    return ft.Row([line_button(desk.speaker("settings.title"), go, icon=ft.Icons.SETTINGS_OUTLINED)])


def _records(desk: Desk, face: SyncFace, want: Callable[[int], None]) -> ft.Control:
    title = desk.speaker("sync.records")

    async def turned(_: int, end: int) -> None:
        want(end)

    rows = keyed("records", paged, title, face.records, _record, count=face.records_count, turned=turned)
    return ft.Column([section(title), rows if face.records else empty(desk.speaker("sync.none"))], spacing=0)


def _record(desk: Desk, row: RecordRow) -> ft.Control:
    is_phone = desk.whereabouts.frame is Frame.PHONE
    icon, colour = _MARKS[row.tone]
    told: list[ft.Control] = [say(row.what, theme.LABEL, lines=2)]
    if is_phone:
        told.append(say(f"{row.when} · {row.state}", theme.TINY, Ink.QUIET))
    if row.detail:
        told.append(say(row.detail, theme.TINY, Ink.LOOK, lines=2))
    return ft.Container(
        ft.Row(
            [
                *([] if is_phone else [ft.Container(say(row.when, theme.TINY, Ink.QUIET), width=92)]),
                ft.Column(told, spacing=0, expand=True),
                *([] if is_phone else [_state(row)]),
                ft.Icon(icon, size=18, color=colour),
            ],
            spacing=theme.M,
            vertical_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        key=row.key,
        padding=ft.Padding.symmetric(vertical=10),
        border=ft.Border.only(bottom=ft.BorderSide(1, ft.Colors.OUTLINE_VARIANT)),
    )


def _state(row: RecordRow) -> ft.Control:
    return say(row.state, theme.TINY, Ink.LOOK if row.tone is PillTone.LOOK else Ink.QUIET)
