"""What one browser (or the packaged app on its device) remembers: the token of the shift, its theme, its language.

Kept there and not on the hub, for a tablet by the window is another one than that in the cellar. A browser that keeps
nothing costs a PIN and no more. The hub's page reads the theme and the language from here before any screen is drawn.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import flet as ft

_LOG = logging.getLogger("associate_app.ui")
_TOKEN: Final = "on_shift"  # noqa: S105  (the name of the place, not a secret)
_THEME: Final = "theme"
_LANGUAGE: Final = "language"
_WAIT_S: Final = 2
AS_DEVICE: Final = "device"
THEMES: Final = {AS_DEVICE: ft.ThemeMode.SYSTEM, "light": ft.ThemeMode.LIGHT, "dark": ft.ThemeMode.DARK}


class BrowserMemory:
    """The memory of the browser that shows a page."""

    def __init__(self, page: ft.Page) -> None:
        self._page = page
        self._kept = ft.SharedPreferences()
        self._language: str | None = None
        self.token: str | None = None
        self._theme = AS_DEVICE

    async def read(self) -> None:
        """Read it all; what does not answer remembers nothing."""
        try:
            token = await asyncio.wait_for(self._kept.get(_TOKEN), _WAIT_S)
            theme = await asyncio.wait_for(self._kept.get(_THEME), _WAIT_S)
        except (RuntimeError, TimeoutError):
            _LOG.info("this page keeps no memory; asking for the PIN")
            return
        self.token = token if isinstance(token, str) else None
        self._theme = theme if isinstance(theme, str) and theme in THEMES else AS_DEVICE

    def keep_token(self, token: str | None) -> None:
        """Remember whose shift it is, or forget it."""
        self._write(_TOKEN, token)

    def keep_language(self, language: str) -> None:
        """Remember what is spoken, for what the page must say when the hub is gone."""
        if language != self._language:
            self._language = language
            self._write(_LANGUAGE, language)

    def theme_name(self) -> str:
        """`device`, `light` or `dark`."""
        return self._theme

    def choose_theme(self, name: str) -> None:
        """Wear a theme from now on."""
        self._theme = name
        self._write(_THEME, name)
        self.wear_theme()
        self._page.update()

    def wear_theme(self) -> None:
        """Give the page the theme that was chosen."""
        self._page.theme_mode = THEMES[self._theme]

    def _write(self, name: str, value: str | None) -> None:
        if value is None:
            self._page.run_task(self._kept.remove, name)
        else:
            self._page.run_task(self._kept.set, name, value)
