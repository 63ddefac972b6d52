"""Scan: the camera, a number, a picture. A hit opens the card at once; all else is a sentence with one next step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, cast

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import ResultFace
from associate_app.ui.hooks import keyed, use_cell, use_live, use_observed
from associate_app.ui.parts.boundary import part, screen
from associate_app.ui.parts.buttons import line_button, main_button, quiet_button
from associate_app.ui.parts.eye import camera_eye
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.lamp import Lamp
from associate_app.ui.parts.shell import edge_of, pill_of_session
from associate_app.ui.parts.text import heading, say
from associate_app.ui.state import Desk, Place, use_desk
from associate_app.ui.theme import Ink

_TROUBLE: Final = ("scan.no_camera", "scan.refused", "scan.insecure", "scan.busy", "scan.broken")
_SEEING: Final = ("scan.point", "scan.brighter")
_LIGHT: Final = {
    False: ("scan.light_on", ft.Icons.FLASHLIGHT_ON_OUTLINED),
    True: ("scan.light_off", ft.Icons.FLASHLIGHT_OFF_OUTLINED),
}
"""What the light's button offers, by whether it is lit."""


@dataclass(frozen=True, slots=True)
class _Eye:
    """How the screen looks for a code: by camera or number, which lens, which try, its light, and what it says."""

    is_camera: bool
    told: str
    lens: int = 0
    turn: int = 0
    is_lit: bool | None = None
    is_hit: bool = False


def _fresh(desk: Desk, *, lens: int = 0, turn: int = 0) -> _Eye:
    return _Eye(desk.has_camera, "scan.starting" if desk.has_camera else "scan.no_camera", lens, turn)


@screen
def scan_screen() -> ft.Control:
    """The screen."""
    desk = use_desk()
    last = use_observed(desk.last_scan)
    live = use_live(partial(_fresh, desk))
    eye, set_eye = live.value, live.put
    picker, lamp, bump = use_cell(ft.FilePicker), use_cell(Lamp).value, use_cell(ft.HapticFeedback)

    def again() -> None:
        last.result = None
        set_eye(_fresh(desk, lens=eye.lens, turn=eye.turn + 1))

    def switch() -> None:
        last.result = None
        set_eye(_fresh(desk, turn=eye.turn + 1) if not eye.is_camera else _Eye(False, eye.told, turn=eye.turn))

    def tell(told: str) -> None:
        set_eye(replace(live.value, told=told, is_lit=lamp.is_lit))

    async def found(text: str) -> bool:
        set_eye(replace(live.value, is_hit=True))
        await asyncio.gather(_bump(bump.value), desk.scan(text))
        return True

    async def light() -> None:
        await lamp.switch()
        set_eye(replace(live.value, is_lit=lamp.is_lit))

    if last.result is not None:
        inside = _result(desk, last.result, again)
    elif not eye.is_camera:
        inside = keyed("number", _number, eye.turn)
    else:
        inside = _camera(desk, eye, partial(camera_eye, found=found, tell=tell, lamp=lamp), again)
    flip = partial(set_eye, _fresh(desk, lens=eye.lens + 1, turn=eye.turn + 1))
    ways = _ways(desk, eye, switch, partial(_pick, desk, picker.value), flip, light)
    return _laid_out(desk, inside, ways)


def _laid_out(desk: Desk, inside: ft.Control, ways: ft.Control) -> ft.Control:
    edge = edge_of(desk.whereabouts.frame)
    title, pill = heading(desk.speaker("scan.title"), theme.NAME), pill_of_session(desk.light)
    return ft.Container(
        ft.Column(
            [
                ft.Row([title, ft.Container(pill, expand=True, alignment=ft.Alignment.CENTER_RIGHT)], spacing=theme.L),
                ft.Container(inside, expand=True, alignment=ft.Alignment.CENTER),
                ways,
            ],
            spacing=theme.L,
            expand=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        padding=ft.Padding.only(left=edge, right=edge, top=theme.XL, bottom=theme.XL),
        expand=True,
    )


async def _pick(desk: Desk, picker: ft.FilePicker) -> None:
    """Read a picture from this device; its bytes come with the answer, nothing is uploaded to anywhere else."""
    chosen = await picker.pick_files(with_data=True, file_type=ft.FilePickerFileType.IMAGE)
    picture = chosen[0].bytes if chosen else None
    if not picture:
        return
    text = await desk.read_picture(picture)
    if text:
        await desk.scan(text)
    else:
        desk.last_scan.result = ResultFace(desk.speaker("scan.nothing_in_picture"), "", may_search=False)


async def _bump(bump: ft.HapticFeedback) -> None:
    """Let the hand feel the hit; in a browser the hub's page sounds as well. One that can do neither scans as well."""
    with suppress(RuntimeError, TimeoutError):
        await cast("Callable[[], Awaitable[None]]", bump.heavy_impact)()


def _camera(desk: Desk, eye: _Eye, see: Callable[..., ft.Control], again: Callable[[], None]) -> ft.Control:
    if eye.told in _TROUBLE:
        return _trouble(desk, eye.told, again)
    if eye.told == "scan.rest":
        return _rest(desk, again)
    picture = see(f"eye{eye.turn}", eye.lens)
    line = say(desk.speaker(eye.told), theme.HEADING, Ink.NORMAL, align=ft.TextAlign.CENTER)
    return ft.Column(
        [
            ft.Stack([_filling(picture), _filling(_frame(eye.is_hit))], expand=True),
            ft.Semantics(live_region=True, content=line),
        ],
        spacing=theme.L,
        expand=True,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
    )


def _frame(is_hit: bool) -> ft.Control:
    """The quiet frame to aim with; it flashes at a hit."""
    white = ft.Colors.with_opacity(0.85, ft.Colors.WHITE)
    square = ft.Container(
        width=260,
        height=260,
        border_radius=theme.ROUND_L,
        border=ft.Border.all(8, ft.Colors.PRIMARY_CONTAINER) if is_hit else ft.Border.all(3, white),
    )
    return ft.TransparentPointer(ft.Container(square, alignment=ft.Alignment.CENTER))


def _filling(layer: ft.Control) -> ft.Control:
    """A layer as large as the stack it lies in."""
    return ft.Container(layer, left=0, right=0, top=0, bottom=0)


@part
def _number(turn: int) -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    text = use_cell(str)

    async def look() -> None:
        if typed := text.value.strip():
            await desk.scan(typed)

    look_of_field = Field(words("scan.field"), hint=words("scan.field_hint"), text_size=24, has_focus=True)
    number = text_field(f"number{turn}", look_of_field, partial(setattr, text, "value"), look)
    return ft.Container(
        ft.Column(
            [number, main_button(words("scan.open"), look, height=56)],
            spacing=theme.L,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        width=460,
    )


def _result(desk: Desk, result: ResultFace, again: Callable[[], None]) -> ft.Control:
    words = desk.speaker
    buttons: list[ft.Control] = [main_button(words("scan.again"), again, icon=ft.Icons.QR_CODE_SCANNER)]
    if result.may_search:
        by_name = partial(desk.go, Place("find"))
        buttons.append(line_button(words("result.by_name"), by_name, icon=ft.Icons.SEARCH, height=52))
    return _sentence(result.title, result.text, ft.Icons.QR_CODE_2, buttons)


def _trouble(desk: Desk, told: str, again: Callable[[], None]) -> ft.Control:
    words = desk.speaker
    may_retry = told not in ("scan.no_camera", "scan.insecure")
    retry: list[ft.Control] = [line_button(words("retry"), again)] if may_retry else []
    return _sentence(words(told), words("scan.hand"), ft.Icons.NO_PHOTOGRAPHY_OUTLINED, retry)


def _rest(desk: Desk, again: Callable[[], None]) -> ft.Control:
    words = desk.speaker
    wake = main_button(words("scan.wake"), again)
    return _sentence(words("scan.rest"), words("scan.hand"), ft.Icons.BEDTIME_OUTLINED, [wake])


def _sentence(title: str, text: str, icon: ft.IconData, buttons: list[ft.Control]) -> ft.Control:
    told: list[ft.Control] = [heading(title, theme.TITLE, align=ft.TextAlign.CENTER)]
    if text:
        told.append(say(text, theme.BODY, Ink.QUIET, align=ft.TextAlign.CENTER))
    centred = ft.CrossAxisAlignment.CENTER
    words = ft.Column(told, spacing=theme.S, tight=True, horizontal_alignment=centred)
    row = ft.Row(buttons, spacing=theme.M, run_spacing=theme.M, alignment=ft.MainAxisAlignment.CENTER, wrap=True)
    return ft.Container(
        ft.Column(
            [_badge(icon), ft.Semantics(live_region=True, content=words), row],
            spacing=theme.XL,
            tight=True,
            scroll=ft.ScrollMode.AUTO,
            horizontal_alignment=centred,
        ),
        width=520,
    )


def _badge(icon: ft.IconData) -> ft.Control:
    return ft.Container(
        ft.Icon(icon, size=40, color=ft.Colors.ON_PRIMARY_CONTAINER),
        width=88,
        height=88,
        alignment=ft.Alignment.CENTER,
        border_radius=theme.PILL,
        bgcolor=ft.Colors.PRIMARY_CONTAINER,
    )


def _ways(
    desk: Desk,
    eye: _Eye,
    switch: Callable[[], None],
    pick: Callable[[], Awaitable[None]],
    flip: Callable[[], None],
    light: Callable[[], Awaitable[None]],
) -> ft.Control:
    words = desk.speaker
    other = line_button(
        words("scan.number") if eye.is_camera else words("scan.camera"),
        switch,
        icon=ft.Icons.DIALPAD if eye.is_camera else ft.Icons.PHOTO_CAMERA_OUTLINED,
        height=52,
    )
    ways: list[ft.Control] = [other] if desk.has_camera else []
    ways.append(quiet_button(words("scan.picture"), pick, icon=ft.Icons.IMAGE_OUTLINED))
    if eye.is_camera and eye.told in _SEEING:
        ways.append(quiet_button(words("scan.flip"), flip, icon=ft.Icons.CAMERASWITCH_OUTLINED))
        if eye.is_lit is not None:
            told, icon = _LIGHT[eye.is_lit]
            ways.append(quiet_button(words(told), light, icon=icon))
    return ft.Row(ways, alignment=ft.MainAxisAlignment.CENTER, spacing=theme.M, wrap=True)
