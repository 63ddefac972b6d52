"""The Scan screen's camera: its tip, its rest, its lenses, its light, and what a hit does. The clock is the test's."""

from __future__ import annotations

from functools import partial
from typing import Any

import flet_camera as fc  # type: ignore[import-untyped]
import pytest

from associate_app.ports import FoundCode
from associate_app.ui.parts import eye
from tests.support.flet_harness import Screen
from tests.support.replica import card_for
from tests.unit.ui.conftest import Store, played, sign_in

TIP = "Ask to turn up the screen’s brightness"
REST = "The camera is resting."
LENSES = ({"name": "front", "lens_direction": "front"}, {"name": "back", "lens_direction": "back"})


class Booth:
    """A camera whose every picture takes `step_s` of the test's clock, and what was asked of it."""

    def __init__(self, step_s: float = 0.5) -> None:
        self.now_s, self.step_s, self.pictures, self.holds_at = 0.0, step_s, 0, 1e9
        self.has_light = True
        self.started: list[str] = []
        self.lights: list[str] = []

    @property
    def replies(self) -> dict[str, object]:
        """How the device answers."""
        return {
            "get_available_cameras": [{**lens, "sensor_orientation": 0, "lens_type": "unknown"} for lens in LENSES],
            "initialize": self._start,
            "set_flash_mode": self._light,
            "take_picture": self._picture,
        }

    def _start(self, asked: Any) -> None:
        self.started.append(asked["description"].name)

    def _light(self, asked: Any) -> object:
        self.lights.append(asked["mode"].value)
        return None if self.has_light else RuntimeError("CameraException(torchModeNotSupported, none)")

    def _picture(self, _: Any) -> bytes:
        self.pictures += 1
        if self.now_s < self.holds_at:
            self.now_s += self.step_s
        return b"picture"


@pytest.fixture
def booth(monkeypatch: pytest.MonkeyPatch) -> Booth:
    """The camera, and the app's clock for looking."""
    booth = Booth()
    monkeypatch.setattr(eye, "_clock_s", lambda: booth.now_s)
    monkeypatch.setattr(eye, "_PAUSE_S", 0)
    return booth


async def look(screen: Screen) -> None:
    """Go to the camera."""
    await sign_in(screen)
    await screen.press("Scan loyalty QR")


def test_the_tip_comes_after_four_seconds_and_not_before(store: Store, booth: Booth) -> None:
    """Most codes are read by then; a screen that is too dark is what keeps the others."""

    async def play() -> None:
        booth.holds_at = 3.5
        async with store.open(replies=booth.replies) as screen:
            await look(screen)
            await screen.until(lambda: booth.pictures > 10)
            assert booth.now_s == 3.5
            assert screen.shows("Point the camera at the shopper’s loyalty QR")
            assert not screen.shows(TIP)
            booth.holds_at = 4.0
            await screen.see(TIP)

    played(play)


def test_the_camera_rests_after_a_minute_and_one_tap_wakes_it(store: Store, booth: Booth) -> None:
    """A camera left on would empty the battery; no picture is taken while it rests."""

    async def play() -> None:
        async with store.open(replies=booth.replies) as screen:
            await look(screen)
            await screen.see(REST)
            assert booth.now_s == 60
            taken = booth.pictures
            await screen.settle(50)
            assert booth.pictures == taken
            assert not any(isinstance(one, fc.Camera) for one in screen.walk())
            await screen.press("Wake the camera")
            await screen.until(lambda: booth.pictures > taken)
            assert booth.started == ["back", "back"]

    played(play)


def test_the_back_lens_looks_first_and_the_other_one_a_tap_later(store: Store, booth: Booth) -> None:
    """Flip, and flip back."""

    async def play() -> None:
        def started(lenses: list[str]) -> bool:
            return booth.started == lenses

        booth.holds_at = 1
        async with store.open(replies=booth.replies) as screen:
            await look(screen)
            for lenses in (["back", "front"], ["back", "front", "back"]):
                await screen.see("Point the camera at")
                await screen.press("Other camera")
                await screen.until(partial(started, lenses))

    played(play)


def test_the_light_is_off_at_first_goes_on_and_off_by_a_tap(store: Store, booth: Booth) -> None:
    """No flash fires at a shopper; a torch is offered where there is one."""

    async def play() -> None:
        booth.holds_at = 1
        async with store.open(replies=booth.replies) as screen:
            await look(screen)
            await screen.see("Light on")
            await screen.press("Light on")
            await screen.see("Light off")
            await screen.press("Light off")
            await screen.see("Light on")
            assert booth.lights == ["off", "torch", "off"]

    played(play)


def test_a_camera_without_a_light_offers_none_and_still_scans(store: Store, booth: Booth) -> None:
    """Most tablets' browsers."""

    async def play() -> None:
        booth.holds_at, booth.has_light = 1, False
        async with store.open(replies=booth.replies) as screen:
            await look(screen)
            await screen.see("Other camera")
            assert not screen.shows("Light on")
            await screen.until(lambda: booth.pictures > 2)

    played(play)


def test_a_light_that_refuses_goes_away_and_breaks_nothing(store: Store, booth: Booth) -> None:
    """A driver may say yes to *off* and no to *torch*."""

    async def play() -> None:
        booth.holds_at = 1
        async with store.open(replies=booth.replies) as screen:
            await look(screen)
            await screen.see("Light on")
            booth.has_light = False
            await screen.press("Light on")
            await screen.until(lambda: not screen.shows("Light on") and not screen.shows("Light off"))
            assert screen.shows("Point the camera at")
            assert not screen.crashes()

    played(play)


@pytest.mark.parametrize("complaint", [None, RuntimeError("no motor in this tablet")], ids=["felt", "refused"])
def test_a_hit_is_felt_once_and_opens_the_card(
    store: Store, booth: Booth, monkeypatch: pytest.MonkeyPatch, complaint: Exception | None
) -> None:
    """No tap confirms; a device that cannot buzz opens the card all the same."""
    quick = store.floor._readers[1]
    monkeypatch.setattr(type(quick), "read", lambda *_: (FoundCode("QR Code", card_for()),))

    async def play() -> None:
        async with store.open(replies={**booth.replies, "heavy_impact": complaint}) as screen:
            await look(screen)
            await screen.see("Plays for now")
            assert [name for name, _ in screen.client.invoked].count("heavy_impact") == 1
            assert not screen.crashes()

    played(play)
