"""Runs the app's screens without a browser: a page whose client is this file. Finds what is drawn, taps it, types.

It leans on Flet's internals (a session, its connection, its patches), which is why Flet is pinned and why all of it is
in this one file. What it cannot see is how things look: that is for the journeys and for eyes.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

import flet as ft
import msgpack  # type: ignore[import-untyped]
import pytest
from flet.controls.base_control import BaseControl
from flet.controls.context import _context_page, context
from flet.messaging.connection import Connection
from flet.messaging.protocol import (
    Message,
    MessageAction,
    RegisterClientResponseBody,
    configure_encode_object_for_msgpack,
)
from flet.messaging.session import Session
from flet.pubsub.pubsub_hub import PubSubHub

C = TypeVar("C", bound=BaseControl)
Replies = Mapping[str, object]


class Client(Connection):
    """The other end of the socket: keeps what was sent and answers what the page asks of the device.

    `replies` maps a control's method (`take_picture`, `get`) to its answer or to a function of the arguments; an
    exception as answer is told as the device's complaint.
    """

    def __init__(self, replies: Replies) -> None:
        super().__init__()
        self.loop = asyncio.get_running_loop()
        self.executor = ThreadPoolExecutor(2)
        self.pubsubhub = PubSubHub(loop=self.loop, executor=self.executor)
        self.page_url = "http://test"
        self.sent: list[tuple[MessageAction, Any]] = []
        self.invoked: list[tuple[str, Any]] = []
        self.replies = dict(replies)
        self.session: Session | None = None

    def send_message(self, message: Message) -> None:
        """Keep a message as it would travel; answer a method call as the device would."""
        raw = msgpack.packb([message.action, message.body], default=configure_encode_object_for_msgpack(BaseControl))
        self.sent.append((message.action, msgpack.unpackb(raw, strict_map_key=False, ext_hook=lambda _, held: held)))
        if message.action == MessageAction.INVOKE_METHOD:
            self._answer(message.body)

    def _answer(self, call: Any) -> None:
        assert self.session is not None
        self.invoked.append((call.name, call.args))
        reply: Any = self.replies.get(call.name)
        reply = reply(call.args) if callable(reply) else reply
        if call.name == "push_route":
            route = call.args["route"]
            self.session.apply_page_patch({"route": route})
            self.loop.call_soon(self._dispatch_route, route)
        complaint = str(reply) if isinstance(reply, Exception) else None
        answer = None if complaint else reply
        self.loop.call_soon(self.session.handle_invoke_method_results, call.control_id, call.call_id, answer, complaint)

    def _dispatch_route(self, route: str) -> None:
        assert self.session is not None
        self._route_task = self.loop.create_task(self.session.dispatch_event(1, "route_change", {"route": route}))


class Screen:
    """`async with Screen(run_session) as screen:` draws the app; then find, tap, type, and look again."""

    def __init__(
        self,
        main: Callable[[ft.Page], Awaitable[None] | None],
        *,
        route: str = "/",
        width: int = 1180,
        height: int = 820,
        replies: Replies | None = None,
    ) -> None:
        self._main = main
        self._first = {"route": route, "width": width, "height": height, "web": True, "platform": "linux"}
        self._replies = replies or {}

    async def __aenter__(self) -> Self:
        """Register the client, run the session's entry, draw."""
        self.client = Client(self._replies)
        self.session = Session(self.client)
        self.client.session = self.session
        self.page = self.session.page
        _context_page.set(self.page)
        context.reset_auto_update()
        self.session.apply_page_patch(dict(self._first))
        # Serialising the page takes the snapshots that later differences are computed from.
        body = RegisterClientResponseBody(self.session.id, self.session.get_page_patch(), "")
        self.client.send_message(Message(MessageAction.REGISTER_CLIENT, body))
        begun = self._main(self.page)
        if inspect.isawaitable(begun):
            await begun
        await self.session.after_event(self.page)
        await self.settle()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """End the session as an expiry would."""
        self.session.close()
        await self.settle(5)
        self.client.executor.shutdown(wait=False)

    async def settle(self, turns: int = 30) -> None:
        """Let everything that is ready run."""
        for _ in range(turns):
            await asyncio.sleep(0)

    async def until(self, is_so: Callable[[], bool], *, tries: int = 6000) -> None:
        """Wait for what another thread brings; fails with what is on the screen."""
        for _ in range(tries):
            if is_so():
                await self.settle()
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"it did not come; the screen says: {self.texts()}")

    async def see(self, words: str) -> None:
        """Wait until words are on the screen."""
        await self.until(lambda: self.shows(words))

    def walk(self, node: Any = None) -> Iterator[BaseControl]:
        """Every control that is drawn, outer before inner."""
        stack, seen = [self.page if node is None else node], set[int]()
        while stack:
            one = stack.pop(0)
            if isinstance(one, list | tuple):
                stack[:0] = list(one)
            elif isinstance(one, dict):
                stack[:0] = list(one.values())
            elif isinstance(one, BaseControl) and id(one) not in seen:
                seen.add(id(one))
                yield one
                stack[:0] = _parts_of(one)

    def texts(self) -> list[str]:
        """All visible texts and spoken labels, in order."""
        return [told for one in self.walk() for told in _told(one)]

    def shows(self, words: str) -> bool:
        """Say whether words are on the screen or spoken."""
        return any(words in told for told in self.texts())

    def find(self, kind: type[C], told: str | None = None, **properties: object) -> C:
        """The first control of a class, by what it says and by its properties."""
        for one in self.walk():
            is_it = isinstance(one, kind) and all(getattr(one, name, None) == v for name, v in properties.items())
            if is_it and (told is None or told in _told(one)):
                return one  # type: ignore[return-value]
        raise LookupError(f"no {kind.__name__} says {told!r} {properties}; the screen says: {self.texts()}")

    def button(self, told: str) -> BaseControl:
        """What a screen reader would call a button of that name: whatever it is made of, a name within is its name."""
        if found := self._buttons(told):
            return found[0]
        raise LookupError(f"no button says {told!r}; the screen says: {self.texts()}")

    def _buttons(self, told: str) -> list[BaseControl]:
        found: list[BaseControl] = []
        for one in self.walk():
            if isinstance(one, ft.FilledButton | ft.OutlinedButton | ft.TextButton | ft.IconButton):
                inside = getattr(one, "content", None)
                if told in _told(inside if isinstance(inside, ft.Semantics) else one):
                    found.append(one)
        return found

    async def press(self, told: str) -> None:
        """Tap a button by its name once it has come; no finger is as quick as a hand scanner's Enter."""
        guard = self.session.store.get("is_scanner_typing")
        await self.until(lambda: not (guard and guard()) and bool(self._buttons(told)))
        await self.event(self.button(told), "click")

    async def write(self, label: str, text: str, *, is_sent: bool = False) -> None:
        """Type into a field; with `is_sent` end with Enter."""
        field = self.find(ft.TextField, label=label)
        await self.event(field, "focus")
        await self.event(field, "change", text, value=text)
        if is_sent:
            await self.event(field, "submit", text, value=text)

    async def type_keys(self, text: str, *, enter: bool = False) -> None:
        """Type as a hand scanner does, with no field in focus.

        The loop's clock stands still meanwhile: a scanner leaves no gaps, however busy the machine is.
        """
        loop = asyncio.get_running_loop()
        struck_at = loop.time()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "time", lambda: struck_at, raising=False)
            for letter in text:
                await self._key(letter.upper(), shift=letter.isupper())
            if enter:
                await self._key("Enter", shift=False)
        await self.settle()

    async def _key(self, label: str, *, shift: bool) -> None:
        pressed = {"key": label, "shift": shift, "ctrl": False, "alt": False, "meta": False}
        await self.session.dispatch_event(1, "keyboard_event", pressed)

    async def event(self, control: BaseControl, name: str, told: object = None, **properties: object) -> None:
        """Dispatch an event of a control, after the properties the client would have set."""
        if properties:
            self.session.apply_patch(control._i, properties)
        await self.session.dispatch_event(control._i, name, told)
        await self.settle()

    async def cut(self) -> None:
        """Lose the socket."""
        await self.session.disconnect(600)
        await self.settle()

    async def come_back(self) -> None:
        """Open the next socket of the same browser."""
        self.client = Client(self._replies)
        self.client.session = self.session
        await self.session.connect(self.client)
        await self.settle()

    def crashes(self) -> list[Any]:
        """What Flet would have told as a crash; empty when all is well."""
        return [body for action, body in self.client.sent if action == MessageAction.SESSION_CRASHED]


def _parts_of(one: BaseControl) -> list[Any]:
    held = []
    for field in dataclasses.fields(one):
        value = None if field.metadata.get("skip") or field.name == "_parent" else getattr(one, field.name, None)
        if isinstance(value, BaseControl | list | tuple | dict):
            held.append(value)
    return held


def _told(one: BaseControl) -> list[str]:
    """What a control says itself: its text, its label, the spans of a text."""
    names = ("value", "label", "content", "tooltip", "semantics_label", "error", "helper")
    told = [said for name in names if isinstance(said := getattr(one, name, None), str) and said]
    if isinstance(one, ft.Text) and one.spans:
        told.append("".join(span.text or "" for span in one.spans))
    return told
