"""The hub without a browser: the page it makes, the policy on it, what it serves and what it keeps to itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from flet_web import get_package_web_dir  # type: ignore[import-untyped]

from associate_app.adapters.picture_shelf import FilePictureShelf
from associate_app.hub import build_hub, make_index, make_server
from associate_app.ui.language import BROWSER_LANGUAGE
from shared.errors import Damaged

HOST = "tablet.test"


@pytest.fixture
def hub(tmp_path: Path) -> FastAPI:
    """A hub that draws nothing."""
    (tmp_path / ("ab" * 32)).write_bytes(b"picture")
    return build_hub(lambda _: None, find_picture=FilePictureShelf(tmp_path).show)


def get(hub: FastAPI, *paths: str) -> list[httpx.Response]:
    """Ask for paths."""

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(hub), base_url=f"http://{HOST}") as browser:
            return [await browser.get(path) for path in paths]

    return asyncio.run(ask())


class Heard(Exception):
    """The hub's first answer has come; nothing more is wanted."""


def open_socket(hub: FastAPI, origin: str, query: bytes = b"", *more: tuple[bytes, bytes]) -> dict[str, Any]:
    """The hub's first answer to a page of an origin that opens the socket, and the language of the session then."""
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        told.append({**message, "language": BROWSER_LANGUAGE.get()})
        raise Heard

    headers = [(b"host", HOST.encode()), (b"origin", origin.encode()), *more]
    scope = {"type": "websocket", "path": "/ws", "raw_path": b"/ws", "query_string": query, "headers": headers}
    with pytest.raises(Heard):
        asyncio.run(hub({**scope, "root_path": "", "scheme": "ws", "subprotocols": []}, receive, send))
    return told[0]


def test_every_answer_carries_the_policy(hub: FastAPI) -> None:
    """Nothing from outside, no frame around it, no wildcard for other origins."""
    for answer in get(hub, "/", "/shopper/abc", "/products/knitwear-sand.webp", "/alive", "/main.dart.mjs"):
        assert answer.status_code == 200, answer.url
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_only_what_screens_show_is_served_of_the_assets(hub: FastAPI) -> None:
    """Pictures, fonts and logo; playbook and demo data are nobody's business on the network."""
    shown = get(hub, "/assets/fonts/Inter.ttf", "/logo/floorside-mark.svg", f"/media/{'ab' * 32}")
    assert [answer.status_code for answer in shown] == [200, 200, 200]
    assert shown[2].content == b"picture"
    kept = get(hub, "/demo/catalogue.json", "/demo/showcase.yaml", "/playbook/birthday.yaml", "/media/..%2Ftablet.db")
    assert [answer.status_code for answer in kept] == [404] * 4


def test_another_site_s_page_cannot_open_the_socket(hub: FastAPI) -> None:
    """A browser tells the page's origin; only the hub's own is let in."""
    refused = open_socket(hub, "https://elsewhere.example")
    assert (refused["type"], refused["code"]) == ("websocket.close", 4403)
    assert open_socket(hub, f"http://{HOST}")["type"] == "websocket.accept"


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        (b"languages=de-AT,en", b"en-US", "de"),
        (b"", b"de-CH,de;q=0.9", "de"),
        (b"languages=", b"en", "en"),
        (b"", b"", None),
    ],
)
def test_a_session_is_told_what_its_browser_prefers(
    hub: FastAPI, query: bytes, header: bytes, language: str | None
) -> None:
    """By the socket's address, else by its header."""
    assert open_socket(hub, f"http://{HOST}", query, (b"accept-language", header))["language"] == language


def test_the_page_reloads_on_a_second_socket_and_covers_a_lost_hub() -> None:
    """Made from the installed Flet's own page."""
    template = (Path(get_package_web_dir()) / "index.html").read_text("utf-8")
    page = make_index(template)
    assert "location.reload()" in page
    assert "Nothing is being recorded." in page
    assert "Es wird nichts gespeichert." in page
    assert "/alive" in page
    assert "'?languages='" in page
    assert "loading-animation.png" not in page or "display:none" in page


def test_a_flet_that_changed_beyond_recognition_is_refused_in_words() -> None:
    """Better no start than a page that freezes after the first lost socket."""
    with pytest.raises(Damaged, match=r"Install flet 1\.0\.5"):
        make_index("<html></html>")


def test_the_server_notices_lost_sockets_and_never_hangs_at_its_end() -> None:
    """Ping every five seconds; two seconds to stop."""
    config = make_server(build_hub(lambda _: None), host="127.0.0.1", port=0).config
    assert (config.ws_ping_interval, config.ws_ping_timeout, config.timeout_graceful_shutdown) == (5, 5, 2)
