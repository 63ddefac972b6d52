"""The camera as a scanner: pictures taken one after the other, read off the loop, until a code is found.

A browser hands out no camera stream, only still pictures, so it is a loop of `take_picture`; the same loop serves
Android and iOS. What goes wrong is told as a key of the words catalogue, never as the driver's text.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import flet as ft
import flet_camera as fc  # type: ignore[import-untyped]

from associate_app.ui import theme
from associate_app.ui.hooks import keyed, memoised, use_cell, use_task
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.lamp import Lamp
from associate_app.ui.state import use_desk

BRIGHTER_AFTER_S: Final = 4
REST_AFTER_S: Final = 60
_PAUSE_S: Final = 0.03
_clock_s = time.monotonic
_LOG = logging.getLogger("associate_app.ui.camera")

_CAUSES: Final = (
    ("denied", "scan.refused"),
    ("permission", "scan.refused"),
    ("notallowed", "scan.refused"),
    ("notfound", "scan.no_camera"),
    ("no camera", "scan.no_camera"),
    ("notreadable", "scan.busy"),
    ("trackstart", "scan.busy"),
    ("null check operator", "scan.insecure"),
    ("mediadevices", "scan.insecure"),
)


def cause_of(problem: str) -> str:
    """The words key for a camera driver's complaint."""
    folded = problem.casefold()
    return next((key for sign, key in _CAUSES if sign in folded), "scan.broken")


Found = Callable[[str], Awaitable[bool]]
Tell = Callable[[str], None]


@dataclass(slots=True)
class Watcher:
    """Who looks through the camera: `found(text)` says True when looking may stop, `tell(key)` hears how it does.

    Its `lamp` is told which camera it belongs to.
    """

    found: Found
    tell: Tell
    lamp: Lamp = field(default_factory=Lamp)


@part
def camera_eye(key: str, lens: int, found: Found, tell: Tell, lamp: Lamp | None = None) -> ft.Control:
    """The live picture under its key. It is drawn once: a drawing in the middle of a picture would lose the camera."""
    watcher = use_cell(lambda: Watcher(found, tell, lamp or Lamp())).value
    watcher.found, watcher.tell = found, tell
    return keyed(key, _eye, lens, watcher)


@part
def _drawn_eye(lens: int, watcher: Watcher) -> ft.Control:
    desk = use_desk()
    camera = use_cell(ft.Ref[fc.Camera]).value

    async def look() -> None:
        try:
            await _look(partial(_mounted, camera), lens, partial(desk.read_picture, is_frame=True), watcher)
        except asyncio.CancelledError:
            raise
        except Exception as problem:  # noqa: BLE001  (drivers complain in every way; each is a sentence)
            _LOG.info("camera: %s", problem)
            watcher.tell(cause_of(str(problem)))

    use_task(look, [lens])
    return ft.Semantics(
        label=desk.speaker("scan.preview"),
        image=True,
        container=True,
        exclude_semantics=True,
        expand=True,
        content=ft.Container(
            fc.Camera(ref=camera, expand=True),
            expand=True,
            border_radius=theme.ROUND_L,
            clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
            bgcolor=ft.Colors.BLACK,
        ),
    )


_eye = memoised(_drawn_eye)


def _mounted(camera: ft.Ref[fc.Camera]) -> fc.Camera:
    """The control as it is drawn now: each drawing makes a new one, and an old one answers no more."""
    if camera.current is None:
        raise RuntimeError("the camera's picture is not on the page")
    return camera.current


async def _look(
    camera: Callable[[], fc.Camera],
    lens: int,
    read: Callable[[bytes], Awaitable[str | None]],
    watcher: Watcher,
) -> None:
    await _start(camera, lens)
    await watcher.lamp.belong_to(camera)
    watcher.tell("scan.point")
    since, is_told, last = _clock_s(), False, None
    while _clock_s() - since < REST_AFTER_S:
        text = await read(await camera().take_picture())
        if text and text != last and await watcher.found(text):
            return
        last = text or last
        if not is_told and _clock_s() - since >= BRIGHTER_AFTER_S:
            is_told = True
            watcher.tell("scan.brighter")
        await asyncio.sleep(_PAUSE_S)
    watcher.tell("scan.rest")


async def _start(camera: Callable[[], fc.Camera], lens: int) -> None:
    cameras = await camera().get_available_cameras()
    if not cameras:
        raise RuntimeError("no camera")
    back_first = sorted(cameras, key=lambda one: one.lens_direction != fc.CameraLensDirection.BACK)
    await camera().initialize(back_first[lens % len(cameras)], fc.ResolutionPreset.MEDIUM, enable_audio=False)
