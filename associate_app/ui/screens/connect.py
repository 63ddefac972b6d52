"""Connect this tablet: HQ's invitation by scan or by hand, a name, and the first pull while one can already scan."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import keyed, use_cell, use_observed, use_task, use_value
from associate_app.ui.parts.boundary import part, screen
from associate_app.ui.parts.buttons import line_button, main_button
from associate_app.ui.parts.eye import camera_eye
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.language_switch import language_switch
from associate_app.ui.parts.logo import logo
from associate_app.ui.parts.notice import banner
from associate_app.ui.parts.shell import edge_of
from associate_app.ui.parts.text import heading, say
from associate_app.ui.state import Desk, FetchProgress, Invitation, use_desk
from associate_app.ui.theme import Ink

_PROGRESS_EVERY_S: Final = 0.4
_WIDTH: Final = 520


@dataclass(frozen=True, slots=True)
class _Step:
    """How far connecting is, and the sentence under it."""

    told: str = ""
    is_busy: bool = False
    is_scanning: bool = False
    is_connected: bool = False


@dataclass(slots=True)
class _Written:
    """What was typed."""

    address: str = ""
    code: str = ""
    name: str = field(default="")


@screen
def connect_screen() -> ft.Control:
    """The screen of the first run."""
    desk = use_desk()
    step, set_step = use_value(_Step())
    inside = keyed("fetching", _fetching) if step.is_connected else keyed("form", _form, step, set_step)
    return ft.Container(
        ft.Column(
            [ft.Container(inside, width=_WIDTH), ft.Container(height=theme.L), language_switch(desk)],
            scroll=ft.ScrollMode.AUTO,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
            alignment=ft.MainAxisAlignment.CENTER,
        ),
        padding=edge_of(desk.whereabouts.frame),
        alignment=ft.Alignment.CENTER,
        expand=True,
    )


@part
def _form(step: _Step, set_step: Callable[[_Step], None]) -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    last = use_observed(desk.last_scan)
    written = use_cell(lambda: _Written(name=words("connect.name_default"))).value

    async def connect() -> None:
        invitation = last.invitation or Invitation(written.address.strip(), written.code.strip(), None)
        if missing := _missing(desk, invitation):
            set_step(_Step(missing))
            return
        set_step(_Step(is_busy=True))
        answer = await desk.ask(desk.floor.connect, invitation, written.name.strip())
        set_step(_Step(answer.sentence or "", is_connected=answer.is_connected))

    async def found(text: str) -> bool:
        answer = await desk.ask(desk.floor.read_scan, text)
        last.invitation = answer.invitation
        is_one = answer.invitation is not None
        set_step(_Step("" if is_one else words("connect.not_an_invitation"), is_scanning=not is_one))
        return is_one

    told = [ft.Semantics(live_region=True, content=banner(step.told, ft.Icons.INFO_OUTLINE))] if step.told else []
    go = words("connect.working") if step.is_busy else words("connect.go")
    return ft.Column(
        [
            ft.Row([logo(72)]),
            heading(words("connect.title"), theme.HERO),
            say(words("connect.lead"), theme.BODY, Ink.QUIET),
            *_eye(desk, step, found, set_step),
            keyed("by_hand", _by_hand, last.invitation, written),
            *told,
            main_button(go, connect, is_off=step.is_busy, height=56),
        ],
        spacing=theme.L,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _missing(desk: Desk, invitation: Invitation) -> str | None:
    if not invitation.address:
        return desk.speaker("connect.wants_address")
    return None if invitation.code else desk.speaker("connect.wants_code")


@part
def _by_hand(scanned: Invitation | None, written: _Written) -> ft.Control:
    words = use_desk().speaker
    address = text_field("address", Field(words("connect.address")), partial(setattr, written, "address"))
    code = text_field("code", Field(words("connect.code")), partial(setattr, written, "code"))
    look = Field(words("connect.name"), hint=words("connect.name_hint"), value=words("connect.name_default"))
    name = text_field("name", look, partial(setattr, written, "name"))
    told = [banner(words("connect.scanned"), ft.Icons.QR_CODE_2)] if scanned else [address, code]
    return ft.Column([*told, name], spacing=theme.L, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _eye(
    desk: Desk, step: _Step, found: Callable[[str], Awaitable[bool]], set_step: Callable[[_Step], None]
) -> list[ft.Control]:
    if not desk.has_camera:
        return []
    if step.is_scanning:

        def tell(key: str) -> None:
            if key not in ("scan.point", "scan.brighter"):
                set_step(_Step(desk.speaker(key)))

        return [ft.Container(camera_eye("eye", 0, found, tell), height=300)]
    look = partial(set_step, replace(step, is_scanning=True, told=""))
    return [line_button(desk.speaker("connect.scan"), look, icon=ft.Icons.QR_CODE_SCANNER, height=56)]


@part
def _fetching() -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    progress, set_progress = use_value(FetchProgress(0, 0, is_complete=False))

    async def watch() -> None:
        while True:
            now = await desk.ask(desk.floor.fetch_progress)
            set_progress(now)
            if now.is_complete:
                return
            await asyncio.sleep(_PROGRESS_EVERY_S)

    async def start() -> None:
        desk.shift.pairing = await desk.ask(desk.floor.pairing)

    use_task(watch, [])
    ratio = progress.done / progress.total if progress.total else None
    told = _how_far(desk, progress)
    bar = ft.ProgressBar(
        value=1 if progress.is_complete else ratio, bar_height=8, border_radius=theme.PILL, semantics_label=told
    )
    return ft.Column(
        [
            ft.Row([logo(72)]),
            heading(words("connect.ready"), theme.HERO),
            say(words("connect.fetching"), theme.BODY, Ink.QUIET),
            bar,
            say(_how_far(desk, progress), theme.SMALL, Ink.QUIET),
            main_button(words("connect.start"), start, height=56),
        ],
        spacing=theme.L,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _how_far(desk: Desk, progress: FetchProgress) -> str:
    words = desk.speaker
    if progress.is_complete:
        return words("connect.all_here")
    if not progress.total:
        return words("connect.working")
    return words("connect.fetched", done=words.number(progress.done), total=words.number(progress.total))
