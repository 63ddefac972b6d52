"""The light beside a camera's lens: whether there is one, on, off. Beside `eye.py`, which tells it the camera.

A driver without a light complains about any light mode, so the first thing asked of every camera is to keep it off:
the answer says whether there is one, and no flash fires at a shopper's phone with each picture.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import flet_camera as fc  # type: ignore[import-untyped]

_ANSWER_S: Final = 2
_LOG = logging.getLogger("associate_app.ui.camera")


class Lamp:
    """The light of the camera that looks now. `is_lit` is None where there is none, or none is known yet."""

    def __init__(self) -> None:
        self.is_lit: bool | None = None
        self._camera: Callable[[], fc.Camera] | None = None

    async def belong_to(self, camera: Callable[[], fc.Camera]) -> None:
        """Find out whether a camera that has just started has a light; it is off then."""
        self._camera = camera
        await self._shine(False)

    async def switch(self) -> None:
        """On when off, off when on; a light that refuses counts as none. Raises nothing."""
        if self.is_lit is not None:
            await self._shine(not self.is_lit)

    async def _shine(self, is_on: bool) -> None:
        mode = fc.FlashMode.TORCH if is_on else fc.FlashMode.OFF
        try:
            if self._camera is None:
                raise RuntimeError("no camera looks")
            await asyncio.wait_for(self._camera().set_flash_mode(mode), _ANSWER_S)
        except Exception as problem:  # noqa: BLE001  (drivers complain in every way; each means: no light)
            _LOG.info("light: %s", problem)
            self.is_lit = None
        else:
            self.is_lit = is_on
