"""Unmodified senders against a running server: their own code, their own labels, their own idea of success."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync_server.bootstrap import open_headquarters
from sync_server.services.chain import Chain, add_stores, make_chain
from sync_server.services.shoppers import show_profile
from sync_server.services.sources import create_key
from sync_server.settings import Settings, read_settings
from tests.support.programs import ForkedServer
from tests.support.world import BERLIN

PRODUCT = {"sku": "S-1", "name": "Hekla down jacket", "category": "jackets", "price": 199.0, "currency": "EUR"}


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
def server(settings: Settings) -> Iterator[ForkedServer]:
    """The chain, served."""
    running = ForkedServer(Path(settings.data_dir)).start()
    yield running
    running.kill()


def key_for(settings: Settings, source: str) -> str:
    """A write key, made beside the running server."""
    with open_headquarters(settings) as hq:
        return create_key(hq, source)


def profile_of(settings: Settings, identifier: str) -> dict[str, Any]:
    """The profile as HQ holds it in full."""
    with open_headquarters(settings) as hq:
        return show_profile(hq, identifier)


@pytest.mark.parametrize("is_packed", [False, True])
def test_segments_python_library_delivers(settings: Settings, server: ForkedServer, is_packed: bool) -> None:
    """Basic key and a key in the body, null ids, gzip or not."""
    from segment.analytics.client import Client

    who, failures = f"segment-{is_packed}", []
    sender = Client(
        key_for(settings, who),
        host=server.url,
        gzip=is_packed,
        max_retries=0,
        on_error=lambda problem, _: failures.append(problem),
    )
    sender.identify(who, {"email": f"{who}@example.org", "firstName": "Ada"})
    sender.track(who, "Product Added", PRODUCT)
    sender.shutdown()
    profile = profile_of(settings, who)
    assert failures == []
    assert profile["given_name"] == "Ada"
    assert [line["title"] for line in profile["cart"]] == ["Hekla down jacket"]


def test_rudderstacks_python_library_delivers(settings: Settings, server: ForkedServer) -> None:
    """gzip by default, traits under context, exactly 200 or it is a failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from rudderstack.analytics.client import Client
    failures: list[Any] = []
    sender = Client(
        key_for(settings, "rudder"),
        host=server.url,
        sync_mode=True,
        max_retries=0,
        on_error=lambda problem, _: failures.append(problem),
    )
    sender.identify("rudder-1", {"email": "rudder@example.org", "firstName": "Grace"})
    sender.track("rudder-1", "Product Added", PRODUCT)
    profile = profile_of(settings, "rudder-1")
    assert failures == []
    assert profile["given_name"] == "Grace"
    assert [line["sku"] for line in profile["cart"]] == ["S-1"]


def test_a_wrong_key_is_an_error_the_libraries_can_read(server: ForkedServer) -> None:
    """A code and a message: one library raises a second error where they are missing."""
    from segment.analytics.client import Client

    failures: list[Exception] = []
    sender = Client("wrong", host=server.url, max_retries=0, on_error=lambda problem, _: failures.append(problem))
    sender.track("u", "Product Added", PRODUCT)
    sender.flush()
    sender.join()
    assert [getattr(problem, "status", None) for problem in failures] == [401]


def test_a_browser_librarys_requests_are_taken(settings: Settings, server: ForkedServer) -> None:
    """As recorded from it: settings first, a preflight, then JSON that says it is text."""
    key = key_for(settings, "browser")
    shop = {"Origin": "https://shop.example"}
    assert httpx.get(f"{server.url}/v1/projects/{key}/settings", headers=shop).json()["integrations"]["Segment.io"]
    asked = {**shop, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    assert httpx.options(f"{server.url}/v1/t", headers=asked).status_code == 200
    message = (
        '{"timestamp":"2026-11-22T10:00:00.000Z","integrations":{},"type":"track","event":"Product Added",'
        '"properties":{"sku":"S-1","name":"Hekla down jacket"},"context":{"page":{"url":"https://shop.example/"}},'
        f'"userId":"browser-1","anonymousId":"a-1","messageId":"ajs-1","writeKey":"{key}",'
        '"sentAt":"2026-11-22T10:00:00.100Z","_metadata":{"bundled":["Segment.io"]}}'
    )
    headers = {**shop, "Content-Type": "text/plain"}
    reply = httpx.post(f"{server.url}/v1/t", content=message, headers=headers)
    assert (reply.status_code, reply.json()) == (200, {"success": True})
    assert reply.headers["access-control-allow-origin"] == "*"
    assert profile_of(settings, "browser-1")["seen"]["Product Added"]["n"] == 1
