"""Starts a session: dresses the page, builds its desk, joins it to the heart and the hand scanner, draws the shell.

`run_session` is what `stage.py` gives to Flet for every page. Nothing here blocks the loop: the floor is
asked on its own thread, and what comes from other threads is posted to this session's loop in its own context.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import Any, Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.browser_memory import BrowserMemory
from associate_app.ui.faces import AssociateFace
from associate_app.ui.first_steps import FirstSteps
from associate_app.ui.front import Front, tell_touches
from associate_app.ui.hooks import keyed, redraw
from associate_app.ui.language import BROWSER_LANGUAGE
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.buttons import guard_taps
from associate_app.ui.parts.closing import leave_newest
from associate_app.ui.parts.in_order import in_order
from associate_app.ui.parts.notice import speak_on
from associate_app.ui.parts.practice_band import in_practice
from associate_app.ui.parts.shell import bottom_bar, rail
from associate_app.ui.refused_words import no_of
from associate_app.ui.scanner import Key, ScannerKeys
from associate_app.ui.screens.appointments import appointments_screen
from associate_app.ui.screens.approvals import approvals_screen
from associate_app.ui.screens.connect import connect_screen
from associate_app.ui.screens.feedback import feedback_screen
from associate_app.ui.screens.find import find_screen
from associate_app.ui.screens.follow_ups import follow_ups_screen
from associate_app.ui.screens.holds import holds_screen
from associate_app.ui.screens.library import library_screen
from associate_app.ui.screens.new_shopper import new_shopper_screen
from associate_app.ui.screens.offer import offer_screen
from associate_app.ui.screens.pins import pins_screen
from associate_app.ui.screens.plays import plays_screen
from associate_app.ui.screens.product import product_screen
from associate_app.ui.screens.review import review_screen
from associate_app.ui.screens.reviews import reviews_screen
from associate_app.ui.screens.scan import scan_screen
from associate_app.ui.screens.settings import settings_screen
from associate_app.ui.screens.shopper import shopper_screen
from associate_app.ui.screens.sign_in import sign_in_screen
from associate_app.ui.screens.store import store_screen
from associate_app.ui.screens.sync import sync_screen
from associate_app.ui.screens.tablets import tablets_screen
from associate_app.ui.screens.tell import tell_screen
from associate_app.ui.screens.today import today_screen
from associate_app.ui.shifts import MINUTE_S, Shifts
from associate_app.ui.state import Desk, DeskContext, Floor, Frame, Heart, Place, Shift, Whereabouts, use_desk
from associate_app.ui.text_scale import text_probe
from associate_app.ui.words import Speaker
from shared.errors import Refused, StorageFull
from shared.scan_code import EnrolmentCode, LoyaltyCard, ScanRules, read_code

_LOG = logging.getLogger("associate_app.ui")
_BLINK_S: Final = 0.03
_ON_SHIFT: Final = "on_shift"
_BARE_ON_PHONES: Final = ("shopper",)
"""Screens that need a phone's whole height."""


async def run_session(floor: Floor, worker: Executor, heart: Heart, shifts: Shifts, page: ft.Page) -> None:
    """Draw the app on a page; Flet calls it once a session."""
    theme.dress(page)
    desk = Desk(page, floor.for_reader_of(BROWSER_LANGUAGE.get()), heart, worker)
    session = _Session(shifts, desk)
    _calm_errors(page, lambda: session.front.shown.speaker)
    _calm_answers(page)
    await session.begin()
    page.render_views(_app, session.front)


class _Session:
    """The wiring between one page and the desks on it, one after the other."""

    def __init__(self, shifts: Shifts, desk: Desk) -> None:
        self.front = Front(desk)
        self._shifts = shifts
        self._page = desk.page
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._keys = ScannerKeys(_is_whole)
        self._silence: asyncio.TimerHandle | None = None
        self._idling: asyncio.TimerHandle | None = None
        self._memory = BrowserMemory(desk.page)
        self._token: str | None = None
        self._is_beat_due = False

    async def begin(self) -> None:
        """Read what the first paint needs, and listen."""
        desk, page = self.front.desk, self._page
        desk.whereabouts.place = Place.from_route(page.route)
        _fit(self.front, page.width)
        desk.shift.pairing = await desk.ask(desk.floor.pairing)
        desk.light.face = await desk.ask(desk.floor.pill)
        self._wire(desk)
        page.title = desk.speaker("app.name")
        page.on_route_change = self._route_changed
        page.on_resize = self._resized
        page.on_keyboard_event = self._key_pressed
        page.on_connect = self._reconnected
        page.on_app_lifecycle_state_change = self._woken
        speak_on(page, lambda: self.front.shown.speaker)
        guard_taps(page, lambda: self._keys.is_typing(self._loop.time()))
        tell_touches(page, self._touched)
        unsubscribe = desk.heart.subscribe(self._post_beat)
        page.on_close = lambda _: self._close(unsubscribe)
        await self._resume()

    def _wire(self, desk: Desk) -> None:
        desk.on_sign_in, desk.on_sign_out, desk.on_practise = self._sign_in, self._sign_out, self._practise
        desk.choose_theme, desk.theme_name = self._memory.choose_theme, self._memory.theme_name

    async def _resume(self) -> None:
        """Dress as this browser chose, and find out who works here when the socket was lost and this is a new session
        of the same browser."""
        await self._memory.read()
        self._memory.wear_theme()
        self._memory.keep_language(self.front.desk.speaker.language)
        desk, found = self.front.desk, self._shifts.find(self._memory.token)
        self._token = self._memory.token if found else None
        desk.shift.associate = found
        if desk.shift.associate is not None:
            await self._read_first_steps(desk, desk.shift.associate)
        self._look_idle()

    async def _read_first_steps(self, desk: Desk, associate: AssociateFace) -> None:
        who = associate.associate_id

        def keep(steps: FirstSteps) -> None:
            self._page.run_task(desk.ask, desk.floor.note_first_steps, who, steps)

        desk.coach.begin(await desk.ask(desk.floor.first_steps, who), keep)

    # shifts -----------------------------------------------------------------------------------------------------------

    def _sign_in(self, associate: AssociateFace) -> None:
        held = self._shifts.find(self._token)
        if self.front.is_locked and held is not None and held.associate_id == associate.associate_id:
            self._shifts.unlock(self._token)
            self.front.is_locked = False
            self._look_idle()
            return
        self._begin_shift(associate)

    def _begin_shift(self, associate: AssociateFace) -> None:
        """A fresh desk at Today: nothing of whoever was here before is on it."""
        self._shifts.end(self._token)
        is_first = self.front.desk.shift.associate is None
        self._token = self._shifts.begin(associate)
        self._memory.keep_token(self._token)
        desk = self.front.desk if is_first else self._fresh_desk()
        desk.shift.associate = associate
        self.front.is_locked = False
        if desk is not self.front.desk:
            self._put(desk)
        self._page.run_task(self._read_first_steps, desk, associate)
        self._look_idle()

    def _sign_out(self) -> None:
        self._shifts.end(self._token)
        self._token = None
        self._memory.keep_token(None)
        self._put(self._fresh_desk())

    def _fresh_desk(self) -> Desk:
        held = self.front.desk
        desk = Desk(held.page, held.floor, held.heart, held.worker, light=held.light)
        _same_room(desk.whereabouts, held.whereabouts)
        desk.shift.pairing = held.shift.pairing
        self._wire(desk)
        return desk

    def _put(self, desk: Desk) -> None:
        self._close_dialogs()
        self.front.put(desk)
        if self._page.route != desk.whereabouts.place.route:
            self._page.navigate(desk.whereabouts.place.route)

    # the practice store -----------------------------------------------------------------------------------------------

    async def _practise(self, is_wanted: bool) -> None:
        """Put a practice store of its own in front, or go back to the shift as it was left."""
        desk, associate = self.front.desk, self.front.desk.shift.associate
        if not is_wanted or associate is None:
            self.front.practise(None)
            return
        floor = await desk.ask_slowly(desk.floor.practise, associate)
        practice = Desk(desk.page, floor, Heart(), desk.worker, coach=desk.coach, is_practice=True)
        practice.heart.subscribe(practice.pulse.beat)
        _same_room(practice.whereabouts, desk.whereabouts)
        practice.shift.pairing = await practice.ask(floor.pairing)
        practice.light.face = await practice.ask(floor.pill)
        practice.shift.associate = associate
        self._wire(practice)
        self.front.practise(practice)

    # idleness ---------------------------------------------------------------------------------------------------------

    def _touched(self) -> None:
        self._shifts.touch(self._token)

    def _look_idle(self) -> None:
        """Lock the screen if nobody touched it for too long, else look again when that could be so."""
        pairing = self.front.desk.shift.pairing
        if self._idling:
            self._idling.cancel()
        if self._token is None or pairing is None or self.front.is_locked:
            return
        is_over = self._shifts.find(self._token) is None
        if is_over or self._shifts.is_locked(self._token, pairing.lock_after_min):
            self._lock()
            return
        left_s = pairing.lock_after_min * MINUTE_S - self._shifts.idle_s(self._token)
        self._idling = self._loop.call_later(max(left_s, 1.0), self._look_idle, context=self._context)

    def _lock(self) -> None:
        self._close_dialogs()
        self._keys.drop()
        self.front.is_locked = True

    def _close_dialogs(self) -> None:
        """Sheets and messages lie above every screen, and may name a shopper."""
        while self._page.pop_dialog() is not None:
            pass

    def _close(self, unsubscribe: Callable[[], None]) -> None:
        unsubscribe()
        if self._idling:
            self._idling.cancel()

    # what the page and other threads report ---------------------------------------------------------------------------

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
        self.front.desk.pulse.beat()
        self._look_idle()
        self._light_task = self._loop.create_task(self._relight())

    async def _relight(self) -> None:
        desk = self.front.desk
        desk.light.face = await desk.ask(desk.floor.pill)
        held, now = desk.shift.pairing, await desk.ask(desk.floor.pairing)
        if held is not None and (held.speaker, held.lock_after_min) != (now.speaker, now.lock_after_min):
            desk.shift.pairing = replace(held, speaker=now.speaker, lock_after_min=now.lock_after_min)
            self._memory.keep_language(now.speaker.language)

    def _route_changed(self, e: ft.RouteChangeEvent) -> None:
        if not self.front.is_locked:
            self.front.shown.go(Place.from_route(e.route))

    def _resized(self, e: ft.PageResizeEvent) -> None:
        _fit(self.front, e.width)

    def _reconnected(self, _: object) -> None:
        """Updates made while the socket was gone were dropped: draw everything again from what is true now."""
        self.front.desk.whereabouts.epoch += 1
        redraw(self.front)
        redraw(self.front.shown.shift)
        self._beat()

    async def _woken(self, e: ft.AppLifecycleStateChangeEvent) -> None:
        """A phone that slept may have missed a lot, and nothing runs while it sleeps: sync at once."""
        if e.state is ft.AppLifecycleState.RESUME:
            self._look_idle()
            await self.front.desk.ask(self.front.desk.floor.send_now)

    def _key_pressed(self, e: ft.KeyboardEvent) -> None:
        """A key on any screen: Escape leaves what is open; others are perhaps a hand scanner typing."""
        if e.key == "Escape" and not self.front.is_locked:
            leave_newest(self._page)
            return
        if self.front.shown.fields_in_focus or self.front.is_locked:
            self._keys.drop()
            return
        scan = self._keys.press(Key(e.key, e.shift, e.ctrl or e.alt or e.meta), self._loop.time())
        if self._silence:
            self._silence.cancel()
        if scan:
            self._follow(scan, has_enter=True)
        else:
            self._await_silence()

    def _await_silence(self) -> None:
        if (wait_s := self._keys.wait_s()) is not None:
            self._silence = self._loop.call_later(wait_s, self._settle)

    def _settle(self) -> None:
        if scan := self._keys.settle(self._loop.time()):
            self._follow(scan, has_enter=False)
        else:
            self._await_silence()

    def _follow(self, scan: str, *, has_enter: bool) -> None:
        desk = self.front.shown
        is_connected = desk.shift.pairing is not None and desk.shift.pairing.store_name is not None
        if desk.whereabouts.is_handed_over or (is_connected and desk.shift.associate is None):
            return
        if desk.take_test_scan is not None:
            desk.take_test_scan(scan, has_enter)
        else:
            desk.page.run_task(self._scanned, desk, scan)

    async def _scanned(self, desk: Desk, scan: str) -> None:
        try:
            await desk.scan(scan)
        except Exception as problem:  # noqa: BLE001  (told as of a tap: a scan that nothing comes of is made again)
            self._page.session.error(str(problem))


def _calm_errors(page: ft.Page, speaker: Callable[[], Speaker]) -> None:
    """A tap that breaks is logged and said in a sentence; Flet alone would put its crash page over everything."""

    def tell(message: str) -> None:
        problem = sys.exc_info()[1]
        _LOG.error("a tap or an effect failed: %s", message)
        if page.session.connection is not None:
            page.show_dialog(ft.SnackBar(ft.Text(_sentence_of(problem, speaker())), show_close_icon=True))

    page.session.error = tell  # type: ignore[method-assign]


def _sentence_of(problem: BaseException | None, words: Speaker) -> str:
    """A rule's own sentence, or that nothing was saved for want of room, or that it did not work."""
    if isinstance(problem, StorageFull):
        return words("broken.full")
    return no_of(problem, words) if isinstance(problem, Refused) else words("broken.tap")


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
    return isinstance(read_code(text, ScanRules()), LoyaltyCard | EnrolmentCode)


@ft.component
def _app(front: Front) -> list[ft.View]:
    return [ft.View(route="/", can_pop=False, padding=0, spacing=0, controls=[_touchable(front)])]


@screen
def _touchable(front: Front) -> ft.Control:
    """Everything on the page. What is locked is hidden, not left out: it keeps what was typed on it."""
    inside = ft.Container(keyed(f"desk-{front.number}", _at, front.shown), expand=True, visible=not front.is_locked)
    locked = [keyed("lock", _lock_at, front.desk)] if front.is_locked else []
    # Nothing is done with the finger: that it came is told to `tell_touches`.
    touched = ft.GestureDetector(
        ft.Column([inside, *locked], spacing=0, expand=True),
        on_pan_down=lambda _: None,
        exclude_from_semantics=True,
        expand=True,
    )
    return ft.Stack([touched, text_probe(partial(_measured, front))], fit=ft.StackFit.EXPAND, expand=True)


def _measured(front: Front, scale: float) -> None:
    """Text is larger than was thought: there is less room."""
    for desk in _desks_of(front):
        desk.whereabouts.text_scale = scale
    _fit(front, ft.context.page.width)


def _fit(front: Front, width: float | None) -> None:
    for desk in _desks_of(front):
        desk.whereabouts.frame = Frame.of(width, desk.whereabouts.text_scale)


def _same_room(where: Whereabouts, as_at: Whereabouts) -> None:
    where.frame, where.text_scale = as_at.frame, as_at.text_scale


def _desks_of(front: Front) -> Iterable[Desk]:
    """The desk, and that of the practice store where it is shown."""
    return {id(one): one for one in (front.desk, front.shown)}.values()


@ft.component
def _at(desk: Desk) -> ft.Control:
    return DeskContext(desk, lambda: _root(desk.whereabouts, desk.shift))


@ft.component
def _lock_at(desk: Desk) -> ft.Control:
    return DeskContext(desk, lambda: ft.SafeArea(sign_in_screen(desk.shift.associate), expand=True))


@screen
def _root(whereabouts: Whereabouts, shift: Shift) -> ft.Control:
    """One desk: not connected, nobody signed in, or the shell with a screen."""
    desk = use_desk()
    if shift.pairing is None or shift.pairing.store_name is None:
        return ft.SafeArea(connect_screen(), expand=True)
    if shift.associate is None:
        return ft.SafeArea(sign_in_screen(), expand=True)
    inside = in_order(ft.Container(_screen_at(whereabouts.place)), expand=True)
    go = partial(_go, desk)
    place = "plays" if whereabouts.place.screen == "library" else whereabouts.place.screen
    is_phone = whereabouts.frame is Frame.PHONE
    rooms = bottom_bar(place, shift.associate, go) if is_phone else rail(place, shift.associate, go, desk.sign_out)
    # Hidden, not left out: the screen keeps what was typed on it.
    rooms.visible = not whereabouts.is_handed_over and (not is_phone or place not in _BARE_ON_PHONES)
    if is_phone:
        shell: ft.Control = ft.Column([inside, rooms], spacing=0, expand=True)
    else:
        shell = ft.Row([rooms, inside], spacing=0, expand=True)
    return ft.SafeArea(in_practice(desk, shell) if desk.is_practice else shell, expand=True)


def _go(desk: Desk, name: str) -> None:
    desk.go(Place(name))


def _screen_at(place: Place) -> ft.Control:
    key = place.route
    if place.screen == "shopper":
        return keyed(key, shopper_screen, place.token or "")
    if place.screen == "product":
        return keyed(key, product_screen, place.token or "", place.card)
    if place.screen == "offer":
        return keyed(key, offer_screen, place.token or "", place.card)
    if place.screen == "tell":
        return keyed(key, tell_screen, place.token)
    if place.screen == "appointments":
        return keyed(place.screen, appointments_screen, place.token)
    if place.screen == "review":
        return keyed(key, review_screen, place.token or "")
    screens = {
        "feedback": feedback_screen,
        "follow_ups": follow_ups_screen,
        "library": library_screen,
        "holds": holds_screen,
        "scan": scan_screen,
        "find": find_screen,
        "plays": plays_screen,
        "reviews": reviews_screen,
        "pins": pins_screen,
        "approvals": approvals_screen,
        "tablets": tablets_screen,
        "sync": sync_screen,
        "new": new_shopper_screen,
        "store": store_screen,
        "settings": settings_screen,
    }
    return keyed(key, screens.get(place.screen, today_screen))
