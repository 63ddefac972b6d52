"""Journeys: a real server, real hubs, the system's Chromium. Nothing is imitated but the network cable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.e2e.app_page import AppPage
from tests.support.hub_process import HubProcess
from tests.support.programs import ServerProcess, run, run_json

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SHOPPERS = 60
TABLET = {"width": 1180, "height": 820}


@dataclass(frozen=True, slots=True)
class Sheet:
    """The demo's people and cards."""

    people: list[dict[str, Any]]
    cards: list[dict[str, Any]]

    def card(self, name: str) -> str:
        """The signed card of a shopper, by the first name."""
        return str(next(card["text"] for card in self.cards if card["kind"] == "shopper" and name in card["name"]))

    def number(self, name: str) -> str:
        """The loyalty number of a shopper."""
        return str(next(card["loyalty_id"] for card in self.cards if card["loyalty_id"] and name in card["name"]))

    def code(self, kind: str) -> str:
        """A code of a kind: expired, cancelled, forged, unknown_key, foreign, traveller."""
        return str(next(card["text"] for card in self.cards if card["kind"] == kind))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, chromium_path: str) -> Iterator[ServerProcess]:
    """The demo chain behind a running server."""
    folder = tmp_path_factory.mktemp("hq") / "server"
    said = run("sync_server", "demo-data", "--shoppers", SHOPPERS, "--seed", 1, "--data-dir", folder)
    assert said.status == 0, said.err
    server = ServerProcess(folder).start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def sheet(server: ServerProcess) -> Sheet:
    """What can be scanned, and who works there."""
    told = run_json("sync_server", "demo-sheet", "--data-dir", server.data_dir)
    return Sheet(told["people"], told["cards"])


@pytest.fixture(scope="session")
def hub(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A tablet of Berlin Mitte that journeys share."""
    hub = HubProcess(tmp_path_factory.mktemp("tablet") / "shared").enrol(server).start()
    yield hub
    hub.kill()


@pytest.fixture
def own_hub(server: ServerProcess, tmp_path: Path) -> Iterator[HubProcess]:
    """A tablet of Berlin Mitte for one journey alone."""
    hub = HubProcess(tmp_path / "own").enrol(server).start()
    yield hub
    hub.kill()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    """The system's Chromium."""
    browser = playwright.chromium.launch(executable_path=chromium_path, args=list(CHROMIUM_ARGUMENTS))
    yield browser
    browser.close()


OpenApp = Callable[..., AppPage]


@pytest.fixture
def open_app(browser: Browser) -> Iterator[OpenApp]:
    """`open_app(url)`: the app in a browser of its own, as a tablet in landscape unless told otherwise."""
    contexts: list[BrowserContext] = []

    def open_(url: str, *, in_browser: Browser | None = None, **options: Any) -> AppPage:
        settings = {"viewport": TABLET, "locale": "en-GB", "timezone_id": "Europe/Berlin", **options}
        context = (in_browser or browser).new_context(**settings)
        contexts.append(context)
        return AppPage(context.new_page(), url).visit()

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def app(open_app: OpenApp, hub: HubProcess, sheet: Sheet) -> AppPage:
    """The shared tablet with an associate signed in."""
    return open_app(hub.url).sign_in(sheet.people[0]["name"], sheet.people[0]["pin"])
