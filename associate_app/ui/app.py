"""Starts a session: dresses the page, builds its desk, joins it to the heart and the hand scanner, draws the shell.

`run_session` is what `stage.py` gives to Flet for every page. Nothing here blocks the loop: the floor is
asked on its own thread, and what comes from other threads is posted to this session's loop in its own context.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import Any, Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import AssociateFace
from associate_app.ui.hooks import keyed, redraw
from associate_app.ui.language import BROWSER_LANGUAGE
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.buttons import guard_taps
from associate_app.ui.parts.notice import speak_on
from associate_app.ui.parts.shell import bottom_bar, rail
from associate_app.ui.scanner import Key, ScannerKeys
from associate_app.ui.screens.connect import connect_screen
from associate_app.ui.screens.find import find_screen
from associate_app.ui.screens.follow_ups import follow_ups_screen
from associate_app.ui.screens.holds import holds_screen
from associate_app.ui.screens.new_shopper import new_shopper_screen
from associate_app.ui.screens.plays import plays_screen
from associate_app.ui.screens.scan import scan_screen
from associate_app.ui.screens.shopper import shopper_screen
from associate_app.ui.screens.sign_in import sign_in_screen
from associate_app.ui.screens.store import store_screen
from associate_app.ui.screens.sync import sync_screen
from associate_app.ui.screens.tell import tell_screen
from associate_app.ui.screens.today import today_screen
from associate_app.ui.state import Desk, DeskContext, Floor, Frame, Heart, Place, Shift, Shifts, Whereabouts, use_desk
from associate_app.ui.text_scale import text_probe
from shared.cards import SignedCard, parse_card

_LOG = logging.getLogger("associate_app.ui")
_BLINK_S: Final = 0.03
_ON_SHIFT: Final = "on_shift"
_PHONE_BAR: Final = ("today", "scan", "find", "plays", "tell", "sync", "new", "follow_ups", "holds", "store")


async def run_session(floor: Floor, worker: Executor, heart: Heart, shifts: Shifts, page: ft.Page) -> None:
    """Draw the app on a page; Flet calls it once a session."""
    theme.dress(page)
    desk = Desk(page, floor.for_reader_of(BROWSER_LANGUAGE.get()), heart, worker)
    _calm_errors(desk)
    _calm_answers(page)
    await _Session(shifts, desk).begin()
    page.render_views(_app, desk)


class _Session:
    """The wiring between one page and its desk."""

    def __init__(self, shifts: Shifts, desk: Desk) -> None:
        self._shifts = shifts
        self._desk = desk
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._keys = ScannerKeys(_is_whole)
        self._silence: asyncio.TimerHandle | None = None
        self._memory = ft.SharedPreferences()
        self._token: str | None = None
        self._is_beat_due = False

    async def begin(self) -> None:
        """Read what the first paint needs, and listen."""
        desk, page = self._desk, self._desk.page
        desk.whereabouts.place = Place.from_route(page.route)
        self._fit(page.width)
        desk.shift.pairing = await desk.ask(desk.floor.pairing)
        desk.light.face = await desk.ask(desk.floor.pill)
        desk.on_sign_in, desk.on_sign_out = self._sign_in, self._sign_out
        page.title = desk.speaker("app.name")
        page.on_route_change = self._route_changed
        page.on_resize = lambda e: self._fit(e.width)
        page.on_keyboard_event = self._key_pressed
        page.on_connect = self._reconnected
        page.on_app_lifecycle_state_change = self._woken
        speak_on(page, lambda: desk.speaker)
        guard_taps(page, lambda: self._keys.is_typing(self._loop.time()))
        unsubscribe = desk.heart.subscribe(self._post_beat)
        page.on_close = lambda _: unsubscribe()
        await self._resume()

    def _fit(self, width: float | None) -> None:
        where = self._desk.whereabouts
        where.frame = Frame.of(width, where.text_scale)

    async def _resume(self) -> None:
        """Find out who works here when the socket was lost and this is a new session of the same browser."""
        try:
            kept = await asyncio.wait_for(self._memory.get(_ON_SHIFT), 2)
            self._token = kept if isinstance(kept, str) else None
        except (RuntimeError, TimeoutError):
            _LOG.info("this page keeps no memory; asking for the PIN")
        self._desk.shift.associate = self._shifts.find(self._token)

    def _sign_in(self, associate: AssociateFace) -> None:
        self._token = self._shifts.begin(associate)
        self._desk.shift.associate = associate
        self._desk.page.run_task(self._memory.set, _ON_SHIFT, self._token)

    def _sign_out(self) -> None:
        self._shifts.end(self._token)
        self._desk.shift.associate = None
        self._desk.whereabouts.place = Place()
        self._desk.page.run_task(self._memory.remove, _ON_SHIFT)

    def _post_beat(self) -> None:
        """From any thread: re-read in this session, on its loop and in its context."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._gather_beat, context=self._context)

    def _gather_beat(self) -> None:
        """Several beats within a blink are one."""
        if not self._is_beat_due:
            self._is_beat_due = True
            self._loop.call_later(_BLINK_S, self._beat)

    def _beat(self) -> None:
        self._is_beat_due = False
        self._desk.pulse.beat()
        self._light_task = self._loop.create_task(self._relight())

    async def _relight(self) -> None:
        desk = self._desk
        desk.light.face = await desk.ask(desk.floor.pill)
        held, now = desk.shift.pairing, await desk.ask(desk.floor.pairing)
        if held is not None and held.speaker != now.speaker:
            desk.shift.pairing = replace(held, speaker=now.speaker)

    def _route_changed(self, e: ft.RouteChangeEvent) -> None:
        self._desk.go(Place.from_route(e.route))

    def _reconnected(self, _: object) -> None:
        """Updates made while the socket was gone were dropped: draw everything again from what is true now."""
        desk = self._desk
        desk.whereabouts.epoch += 1
        redraw(desk.shift)
        self._beat()

    async def _woken(self, e: ft.AppLifecycleStateChangeEvent) -> None:
        """A phone that slept may have missed a lot, and nothing runs while it sleeps: sync at once."""
        if e.state is ft.AppLifecycleState.RESUME:
            await self._desk.ask(self._desk.floor.send_now)

    def _key_pressed(self, e: ft.KeyboardEvent) -> None:
        """A key on any screen: perhaps a hand scanner typing."""
        if self._desk.fields_in_focus:
            self._keys.drop()
            return
        scan = self._keys.press(Key(e.key, e.shift, e.ctrl or e.alt or e.meta), self._loop.time())
        if self._silence:
            self._silence.cancel()
        if scan:
            self._follow(scan)
        elif (wait_s := self._keys.wait_s()) is not None:
            self._silence = self._loop.call_later(wait_s, self._settle)

    def _settle(self) -> None:
        if scan := self._keys.settle(self._loop.time()):
            self._follow(scan)

    def _follow(self, scan: str) -> None:
        desk = self._desk
        is_connected = desk.shift.pairing is not None and desk.shift.pairing.store_name is not None
        if desk.whereabouts.is_handed_over or (is_connected and desk.shift.associate is None):
            return
        desk.page.run_task(desk.scan, scan)


def _calm_errors(desk: Desk) -> None:
    """A tap that breaks is logged and said in a sentence; Flet alone would put its crash page over everything."""
    page = desk.page

    def tell(message: str) -> None:
        _LOG.error("a tap or an effect failed: %s", message)
        if page.session.connection is not None:
            page.show_dialog(ft.SnackBar(ft.Text(desk.speaker("broken.tap")), show_close_icon=True))

    page.session.error = tell  # type: ignore[method-assign]


def _calm_answers(page: ft.Page) -> None:
    """An answer for a control that has left the screen (a picture of a camera, say) is dropped; Flet alone would end
    the socket for it."""
    session = page.session
    take_answer = session.handle_invoke_method_results

    def take(control_id: int, call_id: str, result: Any, error: str | None) -> None:
        if control_id in session.index:
            take_answer(control_id, call_id, result, error)

    session.handle_invoke_method_results = take  # type: ignore[method-assign]


def _is_whole(text: str) -> bool:
    return isinstance(parse_card(text), SignedCard)


@ft.component
def _app(desk: Desk) -> list[ft.View]:
    return DeskContext(desk, lambda: [_view(desk.whereabouts, desk.shift)])


def _view(whereabouts: Whereabouts, shift: Shift) -> ft.View:
    layers = ft.Stack(
        [_root(whereabouts, shift), text_probe(partial(_measured, whereabouts))], fit=ft.StackFit.EXPAND, expand=True
    )
    return ft.View(route="/", can_pop=False, padding=0, spacing=0, controls=[layers])


def _measured(where: Whereabouts, scale: float) -> None:
    """Text is larger than was thought: there is less room."""
    where.text_scale = scale
    where.frame = Frame.of(ft.context.page.width, scale)


@screen
def _root(whereabouts: Whereabouts, shift: Shift) -> ft.Control:
    """Everything on the page: not connected, nobody signed in, or the shell with a screen."""
    desk = use_desk()
    if shift.pairing is None or shift.pairing.store_name is None:
        return ft.SafeArea(connect_screen(), expand=True)
    if shift.associate is None:
        return ft.SafeArea(sign_in_screen(), expand=True)
    inside = ft.Container(_screen_at(whereabouts.place), expand=True)
    go = partial(_go, desk)
    place = whereabouts.place.screen
    is_phone = whereabouts.frame is Frame.PHONE
    rooms = bottom_bar(place, shift.associate, go) if is_phone else rail(place, shift.associate, go, desk.sign_out)
    # Hidden, not left out: the screen keeps what was typed on it.
    rooms.visible = not whereabouts.is_handed_over and (not is_phone or place in _PHONE_BAR)
    if is_phone:
        return ft.SafeArea(ft.Column([inside, rooms], spacing=0, expand=True), expand=True)
    return ft.SafeArea(ft.Row([rooms, inside], spacing=0, expand=True), expand=True)


def _go(desk: Desk, name: str) -> None:
    desk.go(Place(name))


def _screen_at(place: Place) -> ft.Control:
    key = place.route
    if place.screen == "shopper":
        return keyed(key, shopper_screen, place.token or "")
    if place.screen == "tell":
        return keyed(key, tell_screen, place.token)
    screens = {
        "follow_ups": follow_ups_screen,
        "holds": holds_screen,
        "scan": scan_screen,
        "find": find_screen,
        "plays": plays_screen,
        "sync": sync_screen,
        "new": new_shopper_screen,
        "store": store_screen,
    }
    return keyed(key, screens.get(place.screen, today_screen))
