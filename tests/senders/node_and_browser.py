"""Segment's and RudderStack's Node libraries and Segment's browser library as they come from npm, against a running HQ.

For `python -m tests full` only: pytest does not collect this by itself. Node comes by Debian's package `npm`, the
libraries by name from wherever this machine's npm finds them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, Route, sync_playwright

from sync_server.bootstrap import open_headquarters
from sync_server.services.chain import Chain, add_stores, make_chain
from sync_server.services.sources import create_key
from sync_server.settings import Settings, read_settings
from tests.chaos.cable import BadCable, Plan
from tests.conftest import RecordFigure
from tests.e2e.conftest import CHROMIUM_ARGUMENTS
from tests.needs import NO_NODE, find_node
from tests.senders.story import DAY, OWN_EVENT, Call, Story, names_at_hq, names_of
from tests.support.programs import ServerProcess, run_json_here
from tests.support.world import BERLIN

HERE = Path(__file__).parent
LIBRARIES = {"segment": "@segment/analytics-node", "rudder": "@rudderstack/rudder-sdk-node"}
BROWSER_LIBRARY = "@segment/analytics-next"
UNREACHED = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH")
ANSWERS_LOST = 2
PATIENCE = 100

PAGES = {
    "npm": """<script src="/index.js"></script><script src="/shop.js"></script>
      <script>const shop = AnalyticsNext.AnalyticsBrowser.load({writeKey: "KEY", cdnURL: "HQ"}, OPTIONS)</script>""",
    "snippet": """<script>window.analytics = Object.assign([], {_writeKey: "KEY", _cdn: "HQ", _loadOptions: OPTIONS})
      </script><script src="/standalone.js"></script><script src="/shop.js"></script>""",
}
"""Two ways into a page: bundled with the shop's own code, and as a script beside it. KEY and HQ are filled in."""
SHOP = {"npm": "shop", "snippet": "window.analytics"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the libraries, installed by name; without Node, or a registry that answers, a loud skip."""
    if find_node() is None:
        pytest.skip(NO_NODE)
    folder = tmp_path_factory.mktemp("npm")
    shutil.copy(HERE / "package.json", folder)
    words = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--prefer-offline"]
    done = subprocess.run(["npm", *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode and any(code in done.stderr for code in UNREACHED):
        pytest.skip("npm reaches no registry from here: the Node and browser libraries are not tried.")
    assert done.returncode == 0, done.stderr
    return folder / "node_modules"


def version_of(packages: Path, library: str) -> str:
    """The version that was installed."""
    return str(json.loads((packages / library / "package.json").read_text("utf-8"))["version"])


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A chain with one store."""
    folder = tmp_path_factory.mktemp("senders") / "hq"
    made = read_settings({}, {"data_dir": folder}, folder)
    with open_headquarters(made) as hq:
        make_chain(hq, Chain("Nordhang", "EUR", "Europe/Berlin"))
        add_stores(hq, [BERLIN])
    return made


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[ServerProcess]:
    """The chain, served by a process of its own."""
    running = ServerProcess(Path(settings.data_dir)).start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """The system's Chromium, which finds no other machine than this one."""
    alone = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as started:
        opened = _launch(started, chromium_path, alone)
        yield opened
        opened.close()


def _launch(playwright: Playwright, path: str, *more: str) -> Browser:
    return playwright.chromium.launch(executable_path=path, args=[*CHROMIUM_ARGUMENTS, *more])


class LosesAnswers(BadCable):
    """HQ takes what is sent, but its first answers never arrive: what a sender must then send again."""

    def __init__(self, port: int) -> None:
        super().__init__([port], seed=1)

    def _plan(self) -> Plan:
        is_lost = self.struck["answer swallowed"] < ANSWERS_LOST
        return Plan("answer swallowed" if is_lost else None, 1, 0.0)


def key_for(settings: Settings, source: str) -> str:
    """A write key, made beside the running server."""
    with open_headquarters(settings) as hq:
        return create_key(hq, source)


def story_of(name: str, number: int) -> Story:
    """A shopper of their own for each test."""
    return Story(f"c-{name}", f"old-{name}", f"00000000-0000-4000-8000-{number:012d}")


def figure_of(calls: list[Call], kept: Counter[str]) -> str:
    """Told / at HQ / lost / doubled."""
    told = names_of(calls)
    return f"{told.total()} / {kept.total()} / {(told - kept).total()} / {(kept - told).total()}"


def check_profile(settings: Settings, story: Story) -> dict[str, Any]:
    """The shopper's profile, as the command line shows it, holds what they did. Returns it."""
    profile: dict[str, Any] = run_json_here(
        "sync_server", "profile", "show", story.email, "--data-dir", settings.data_dir
    )
    assert profile["given_name"] == "Ada"
    assert [line["title"] for line in profile["cart"]] == ["Fen gloves"], "the order emptied the cart"
    assert [line["title"] for line in profile["purchases"]] == ["Hekla down jacket"]
    assert [line["title"] for line in profile["wishlist"]] == ["Aran boots"]
    assert profile["facts"]["net_revenue"] == [{"currency": "EUR", "minor": 19_900}]
    counted = {name: seen["n"] for name, seen in profile["seen"].items()}
    assert (counted["Product Added"], counted["Products Searched"], counted[OWN_EVENT]) == (3, 1, 1)
    values = {(one["type"], one["value"]) for one in profile["identifiers"]}
    assert {("customer_id", story.who), ("customer_id", story.before), ("email", story.email)} <= values
    return profile


# Node -----------------------------------------------------------------------------------------------------------------


def tell_in_node(packages: Path, library: str, url: str, write_key: str, calls: list[Call]) -> list[str]:
    """Tell a story by a Node library; what failed, in its own words."""
    done = subprocess.run(
        ["node", HERE / "node_shop.cjs", library, url, write_key],
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "NODE_PATH": str(packages)},
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_node_librarys_calls_are_at_hq_once(
    packages: Path, settings: Settings, server: ServerProcess, record_figure: RecordFigure, library: str
) -> None:
    """Each call by its own kind, the batch gzipped or not, the key as Basic credentials."""
    story = story_of(library, 1 + list(LIBRARIES).index(library))
    calls, name = story.calls(), LIBRARIES[library]
    assert tell_in_node(packages, library, server.url, key_for(settings, library), calls) == []
    kept = names_at_hq(settings, library)
    claim = f"{name} {version_of(packages, name)}, unmodified: told / at HQ / lost / doubled"
    record_figure(claim, figure_of(calls, kept), "")
    assert kept == names_of(calls)
    profile = check_profile(settings, story)
    assert profile["seen"][OWN_EVENT]["last_at"][:10] == DAY, "the time the shop said, not that of the call"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_node_library_that_got_no_answer_sends_again_and_nothing_counts_twice(
    packages: Path, settings: Settings, server: ServerProcess, library: str
) -> None:
    """HQ had taken the batch; the library cannot know."""
    source = f"{library}-again"
    story, cable = story_of(source, 10), LosesAnswers(server.port)
    failures = tell_in_node(packages, library, cable.url, key_for(settings, source), story.calls())
    cable.close()
    assert failures == []
    assert cable.struck["answer swallowed"] == ANSWERS_LOST
    assert names_at_hq(settings, source) == names_of(story.calls())


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_node_library_with_a_wrong_key_says_so_and_gives_up(
    packages: Path, server: ServerProcess, library: str
) -> None:
    """401 is no reason to try again."""
    failures = tell_in_node(packages, library, server.url, "wrong", story_of("wrong", 20).calls())
    assert failures
    assert all("401" in failure for failure in failures), failures


# the browser ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop_url(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """`shop_url(way, key, hq, options)`: the address of a web shop's page with the library in it, on another origin."""
    folder = tmp_path_factory.mktemp("shop")
    for script in ("index.js", "standalone.js"):
        shutil.copy(packages / BROWSER_LIBRARY / "dist" / "umd" / script, folder)
    shutil.copy(HERE / "browser_shop.js", folder / "shop.js")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the standard library
            return

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def make(way: str, key: str, hq: str, options: dict[str, Any] | None = None) -> str:
        filled = PAGES[way].replace("KEY", key).replace("HQ", hq).replace("OPTIONS", json.dumps(options or {}))
        name = f"{way}-{key}.html"
        (folder / name).write_text(f"<!doctype html><link rel=icon href=data:,><title>Shop</title>{filled}", "utf-8")
        return f"http://127.0.0.1:{httpd.server_address[1]}/{name}"

    yield make
    httpd.shutdown()
    httpd.server_close()


def tell_in_browser(page: Page, url: str, way: str, calls: list[Call]) -> list[str]:
    """Tell a story by the browser library; what failed, in its own words."""
    page.goto(url)
    page.wait_for_function("way => way === 'npm' || window.analytics.initialized", arg=way)
    return list(page.evaluate(f"story => tellStory({SHOP[way]}, story)", calls))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A visitor's page; an error of a script in it fails the test."""
    context = browser.new_context()
    opened, broken = context.new_page(), list[str]()
    opened.on("pageerror", lambda problem: broken.append(str(problem)))
    yield opened
    context.close()
    assert broken == []


@pytest.mark.parametrize("way", PAGES)
def test_the_browser_librarys_calls_are_at_hq_once(
    page: Page,
    packages: Path,
    shop_url: Callable[..., str],
    settings: Settings,
    server: ServerProcess,
    record_figure: RecordFigure,
    way: str,
) -> None:
    """Across origins: settings, preflight, calls. None but shop and HQ is asked; what came before signing in counts."""
    source = f"browser-{way}"
    story, asked, seen = story_of(source, 30), list[str](), list[tuple[str, int]]()
    page.on("request", lambda request: asked.append(request.url))
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.responseReceived", lambda told: seen.append((told["type"], told["response"]["status"])))
    calls = story.calls(of_a_browser=True)
    url = shop_url(way, key_for(settings, source), server.url)
    assert tell_in_browser(page, url, way, calls) == []
    assert {address.rpartition("/")[0].split("/")[2] for address in asked} <= {url.split("/")[2], server.url[7:]}, asked
    assert ("Preflight", 200) in seen
    assert {status for _, status in seen} == {200}
    kept = names_at_hq(settings, source)
    claim = f"{BROWSER_LIBRARY} {version_of(packages, BROWSER_LIBRARY)} ({way}) in Chromium"
    record_figure(f"{claim}, unmodified: told / at HQ / lost / doubled", figure_of(calls, kept), "")
    assert kept == names_of(calls)
    assert check_profile(settings, story)["seen"]["Product Viewed"]["n"] == 1, "before signing in"


def test_the_browser_library_sends_a_batch_when_the_page_is_left(
    page: Page, shop_url: Callable[..., str], settings: Settings, server: ServerProcess
) -> None:
    """`/v1/b`, kept alive past the page's end."""
    story, source = story_of("left", 40), "browser-left"
    strategy = {"deliveryStrategy": {"strategy": "batching", "config": {"size": 100, "timeout": 600_000}}}
    url = shop_url("npm", key_for(settings, source), server.url, {"integrations": {"Segment.io": strategy}})
    calls = story.calls(of_a_browser=True)
    assert tell_in_browser(page, url, "npm", calls) == []
    assert names_at_hq(settings, source).total() == 0
    page.goto("about:blank")
    for _ in range(PATIENCE):  # nothing in the browser tells when a request ended that outlived its page
        if kept := names_at_hq(settings, source):
            break
        page.wait_for_timeout(100)
    assert kept == names_of(calls)


def test_the_browser_library_sends_again_what_got_no_answer(
    page: Page, shop_url: Callable[..., str], settings: Settings, server: ServerProcess
) -> None:
    """HQ had taken the calls; nothing counts twice."""
    story, source, answered = story_of("lost", 50), "browser-lost", list[int]()

    def lose(route: Route) -> None:
        reply = route.fetch()
        answered.append(reply.status)
        if len(answered) <= ANSWERS_LOST:
            route.abort("connectionreset")
        else:
            route.fulfill(response=reply)

    page.route(f"{server.url}/v1/*", lose)
    calls = story.calls(of_a_browser=True)
    url = shop_url("npm", key_for(settings, source), server.url)
    tell_in_browser(page, url, "npm", calls)
    for _ in range(PATIENCE):
        if len(answered) == len(calls) + ANSWERS_LOST:
            break
        page.wait_for_timeout(100)
    assert answered == [200] * (len(calls) + ANSWERS_LOST)
    assert names_at_hq(settings, source) == names_of(calls)
