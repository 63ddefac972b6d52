"""The scanner test on Settings: shows a code, listens to the hand scanner, and says what is wrong with it, or nothing.

Only while it runs are scans taken for the test; a card scanned before or after it opens as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import keyed, use_listening, use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import line_button
from associate_app.ui.parts.notice import banner
from associate_app.ui.parts.qr import qr_png
from associate_app.ui.parts.text import say, section
from associate_app.ui.scanner_check import TEST_CODE, ScannerVerdict, judge_scan
from associate_app.ui.state import Desk, Frame, use_desk
from associate_app.ui.theme import Ink
from associate_app.ui.words import Speaker

_SIDE: Final = 148
_NOTHING: Final[ScannerVerdict | None] = None
_drawn = lru_cache(maxsize=1)(qr_png)


@part
def scanner_test() -> ft.Control:
    """Folded until it is asked for."""
    desk = use_desk()
    words = desk.speaker
    is_open, set_open = use_value(False)
    flip = partial(set_open, not is_open)
    button = line_button(words("scanner.stop" if is_open else "scanner.start"), flip, icon=ft.Icons.BARCODE_READER)
    inside = [keyed("running", _running)] if is_open else [say(words("scanner.lead"), theme.BODY, Ink.QUIET)]
    return ft.Column([section(words("scanner.title")), *inside, ft.Row([button])], spacing=theme.S)


@part
def _running() -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    verdict, judge = use_value(_NOTHING)
    use_listening(partial(_listen, desk, judge))
    picture = ft.Container(
        ft.Image(src=_drawn(TEST_CODE), width=_SIDE, height=_SIDE, semantics_label=words("scanner.qr")),
        bgcolor=ft.Colors.WHITE,
        border_radius=theme.ROUND_M,
        padding=theme.XS,
    )
    told = ft.Column(
        [say(words("scanner.scan_this"), theme.BODY), *_told(verdict, words)],
        spacing=theme.M,
        expand=desk.whereabouts.frame is not Frame.PHONE,
    )
    if desk.whereabouts.frame is Frame.PHONE:
        return ft.Column([picture, told], spacing=theme.M)
    return ft.Row([picture, told], spacing=theme.XL, vertical_alignment=ft.CrossAxisAlignment.START)


def _listen(desk: Desk, judge: Callable[[ScannerVerdict | None], None]) -> Callable[[], None]:
    """Take the scans while the test is on the screen."""

    def take(typed: str, has_enter: bool) -> None:
        judge(judge_scan(typed, has_enter=has_enter))

    desk.take_test_scan = take
    return partial(setattr, desk, "take_test_scan", None)


def _told(verdict: ScannerVerdict | None, words: Speaker) -> list[ft.Control]:
    if verdict is None:
        return [say(words("scanner.waiting"), theme.BODY, Ink.QUIET)]
    named = dict(verdict.named)
    for which in ("scanner", "tablet"):
        if which in named:
            named[which] = words(f"scanner.layout.{named[which]}")
    text = words(f"scanner.told.{verdict.told}", **named)
    icon = ft.Icons.CHECK_CIRCLE_OUTLINE if verdict.is_good else ft.Icons.ERROR_OUTLINE
    return [ft.Semantics(live_region=True, content=banner(text, icon, is_amber=not verdict.is_good))]
