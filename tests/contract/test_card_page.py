"""The page of a shopper's card, as her phone asks for it, and a cancelled or replaced card as every tablet meets it."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import resvg_py
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from associate_app.services.lookup import look_up
from associate_app.services.store_book import StoreBooks
from shared.cards import CardStatus
from shared.errors import Refused
from sync_server.api.card_page import WORDS, language_of
from sync_server.services.card_pages import make_page, withdraw_pages
from sync_server.services.cards import cancel_card, issue_card, issue_cards, replace_card
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from tests.support.asgi_endpoint import AsgiTransport
from tests.support.tablet import Tablet, connect, make_tablet
from tests.support.world import LOYALTY_ID, pass_time


def agree(hq: Headquarters, *, is_agreed: bool = True, loyalty_id: str = LOYALTY_ID, **traits: Any) -> None:
    """The shopper's word on e-mail reaches HQ from the web shop."""
    pass_time(hq, seconds=1)
    message = {
        "type": "identify",
        "userId": f"c-{loyalty_id}",
        "traits": {"loyalty_id": loyalty_id, **traits},
        "context": {"channel": "web", "consent": {"categoryPreferences": {"email": is_agreed}}},
        "timestamp": hq.now_at(),
    }
    take_messages(hq.database, hq.clock, "shop", [message])


@pytest.fixture
def phone(transport: AsgiTransport) -> Iterator[httpx.Client]:
    """The shopper's phone."""
    with httpx.Client(transport=transport, base_url="http://hq.test") as made:
        yield made


@pytest.fixture
def url(hq: Headquarters) -> str:
    """The address of Ada's page; she agrees to e-mail and has a card."""
    agree(hq, given_name="Ada <3", family_name="Lovelace")
    issue_card(hq, LOYALTY_ID)
    return path_of(hq)


def path_of(hq: Headquarters) -> str:
    """The path of a fresh page."""
    made = str(make_page(hq, LOYALTY_ID)["url"])
    assert made.startswith("http://127.0.0.1:8321/c/")
    return made.removeprefix("http://127.0.0.1:8321")


def code_on(page: httpx.Response) -> str:
    """What the page's code reads, from its pixels."""
    assert page.status_code == 200, page.text
    [svg] = re.findall(r"<svg.*?</svg>", page.text, re.DOTALL)
    picture = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=490, height=490))
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)).convert("L"))
    return found.text


# the page -------------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_card_in_force_also_after_a_replacement(
    hq: Headquarters, phone: httpx.Client, url: str
) -> None:
    """One address for as long as she has a card: the old one goes, the new one stands there."""
    [held] = issue_cards(hq, [LOYALTY_ID])
    first = phone.get(url)
    assert code_on(first) == held.text
    for said in ("Nordhang", "Hello Ada &lt;3", "2900 000 000 018", "Loyalty number"):
        assert said in first.text
    assert "Lovelace" not in first.text
    fresh = replace_card(hq, LOYALTY_ID, expires_on=(hq.clock.now() + timedelta(days=1)).date())
    page = phone.get(url)
    assert code_on(page) == fresh.card.text
    assert "Valid until 23 November 2026" in page.text


def test_the_page_is_kept_nowhere_runs_nothing_and_fetches_nothing(
    phone: httpx.Client, url: str, transport: AsgiTransport
) -> None:
    """Headers as asked, no script, no address of anybody; the style is allowed by its own sum."""
    page = phone.get(url)
    told = page.headers
    assert told["cache-control"] == "no-store"
    assert told["referrer-policy"] == "no-referrer"
    assert "noindex" in told["x-robots-tag"]
    assert told["content-type"] == "text/html; charset=utf-8"
    assert "set-cookie" not in told
    policy = dict(part.strip().split(" ", 1) for part in told["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert "unsafe" not in told["content-security-policy"]
    [style] = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert policy["style-src"] == f"'sha256-{base64_sha(style)}'"
    assert "style=" not in page.text.replace("<style>", "")
    assert "<script" not in page.text
    outside = re.findall(r"(?:src|href|url)\W+(\w+:)?//", page.text.replace("http://www.w3.org/2000/svg", ""))
    assert outside == []
    assert phone.head(url).status_code == 200
    assert phone.post(url).status_code == 405
    assert "/openapi.json" not in transport.asked


def base64_sha(text: str) -> str:
    """SHA-256 as a content policy writes it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_address_is_128_random_bits_and_stored_nowhere(hq: Headquarters, url: str) -> None:
    """26 signs of five bits each; the database holds their SHA-256 alone, and each page has its own."""
    secret, other = url.removeprefix("/c/"), path_of(hq).removeprefix("/c/")
    assert re.fullmatch(r"[a-z2-9]{26}", secret)
    assert secret != other
    with hq.database.read() as reader:
        rows = reader.rows("card_page")
        audit = reader.rows("audit")
    assert {row["page_hash"] for row in rows} == {hashlib.sha256(one.encode()).hexdigest() for one in (secret, other)}
    assert secret not in str(rows) + str(audit)
    assert [row["about"] for row in audit if row["did"] == "made a card page"] == [LOYALTY_ID] * 2


@pytest.mark.parametrize("why", ["consent", "cancelled", "expired", "withdrawn"])
def test_a_page_that_may_show_nothing_is_gone_at_once_and_says_so_plainly(
    hq: Headquarters, phone: httpx.Client, url: str, why: str
) -> None:
    """The same page as for an address that never was, so that nobody learns which ones ever did."""
    never = phone.get("/c/" + "a" * 26)
    assert phone.get(url).status_code == 200
    if why == "consent":
        agree(hq, is_agreed=False)
    elif why == "cancelled":
        cancel_card(hq, issue_cards(hq, [LOYALTY_ID])[0].text)
    elif why == "expired":
        replace_card(hq, LOYALTY_ID, expires_on=hq.clock.now().date())
        pass_time(hq, days=1)
    else:
        assert withdraw_pages(hq, LOYALTY_ID) == 1
    gone = phone.get(url)
    assert (gone.status_code, gone.text) == (404, never.text)
    assert dict(gone.headers) == dict(never.headers)
    assert "There is no card here" in gone.text
    assert LOYALTY_ID not in gone.text
    assert gone.headers["cache-control"] == "no-store"
    assert gone.headers["content-type"].startswith("text/html")


def test_consent_given_again_brings_the_page_back_and_a_withdrawn_one_never_comes_back(
    hq: Headquarters, phone: httpx.Client, url: str
) -> None:
    """Her word decides at each look; HQ's withdrawal is for good, and a new page is another address."""
    agree(hq, is_agreed=False)
    assert phone.get(url).status_code == 404
    agree(hq)
    assert phone.get(url).status_code == 200
    withdraw_pages(hq, LOYALTY_ID)
    again = path_of(hq)
    assert (phone.get(url).status_code, phone.get(again).status_code) == (404, 200)
    with pytest.raises(Refused, match="no card page"):
        withdraw_pages(hq, "2900000000025")


@pytest.mark.parametrize(
    "secret", ["", "%00", "..%2F..", "a" * 5000, "%F0%9F%92%B3", "A" * 26, "'; DROP TABLE card; --"]
)
def test_an_address_that_is_none_of_ours_is_not_found(phone: httpx.Client, url: str, secret: str) -> None:
    """Whatever is asked for, and nothing breaks."""
    assert phone.get(f"/c/{secret}").status_code == 404
    assert phone.get(url.upper().replace("/C/", "/c/")).status_code == 404
    assert phone.get(url).status_code == 200


def test_no_page_is_made_without_a_shopper_her_consent_and_a_card(hq: Headquarters) -> None:
    """Refused in words, each with what is missing; nothing is written."""
    with pytest.raises(Refused, match="knows no shopper"):
        make_page(hq, LOYALTY_ID)
    agree(hq, is_agreed=False)
    issue_card(hq, LOYALTY_ID)
    with pytest.raises(Refused, match="does not agree to e-mail"):
        make_page(hq, LOYALTY_ID)
    agree(hq, loyalty_id="2900000000025")
    with pytest.raises(Refused, match="card issue 2900000000025"):
        make_page(hq, "2900000000025")
    with hq.database.read() as reader:
        assert reader.rows("card_page") == []


# its words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr-FR,fr;q=0.9,de;q=0.5,en;q=0.4", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("DE-ch", "de"),
        ("de;q=0, en", "en"),
        ("de;q=0", "en"),
        ("ja", "en"),
        ("*", "en"),
        ("de;q=much,;;,=", "en"),
    ],
)
def test_the_language_is_the_one_the_phone_likes_best_of_those_there_are(accepted: str, language: str) -> None:
    """Regions do not matter, weights do, nonsense is English."""
    assert language_of(accepted) == language


@given(st.text(max_size=80))
def test_no_header_breaks_the_page(accepted: str) -> None:
    """Law: any text leads to one of the languages."""
    assert language_of(accepted) in WORDS


def test_the_page_speaks_german_where_the_phone_does(hq: Headquarters, phone: httpx.Client, url: str) -> None:
    """The page, the dates and the answer for no card; a cache is told that it depends."""
    replace_card(hq, LOYALTY_ID, expires_on=(hq.clock.now() + timedelta(days=1)).date())
    page = phone.get(url, headers={"Accept-Language": "de-DE"})
    assert '<html lang="de">' in page.text
    assert "Gültig bis 23. November 2026" in page.text
    assert "Hallo Ada" in page.text
    assert (page.headers["content-language"], page.headers["vary"]) == ("de", "Accept-Language")
    gone = phone.get("/c/nothing", headers={"Accept-Language": "de"})
    assert "Hier ist keine Karte" in gone.text


def test_without_a_name_the_page_says_what_it_is(hq: Headquarters, phone: httpx.Client) -> None:
    """No gap where a name would be."""
    agree(hq)
    issue_card(hq, LOYALTY_ID)
    assert "<h1>Your loyalty card</h1>" in phone.get(path_of(hq)).text


def test_the_address_is_the_one_the_outside_knows(hq: Headquarters, url: str) -> None:
    """FLOORSIDE_URL, with or without a stroke at its end."""
    outside = replace(hq, settings=replace(hq.settings, url="https://hq.example/floor/"))
    assert make_page(outside, LOYALTY_ID)["url"].startswith("https://hq.example/floor/c/")


# on the tablets -------------------------------------------------------------------------------------------------------


def read_on(tablet: Tablet, text: str) -> tuple[CardStatus, str | None]:
    """A scan on a tablet without network: the card's status, and whose card opens."""
    view = look_up(tablet.database, StoreBooks().read(tablet.database), text, now=tablet.clock.now())
    return view.card.status, view.profile.loyalty_id if view.profile else None


def test_a_cancelled_or_replaced_card_is_refused_on_every_tablet_within_one_sync(
    hq: Headquarters, shop_tablet: Tablet, tmp_path: Path
) -> None:
    """Two tablets of two stores: the old card opens until a round, then never; the new one opens the shopper."""
    other = make_tablet(tmp_path, shop_tablet.transport, seed=2)
    connect(other, hq, "zurich-1")
    tablets = (shop_tablet, other)
    agree(hq)
    lost, cancelled = (issue_card(hq, LOYALTY_ID) for _ in range(2))
    for tablet in tablets:
        assert tablet.sync().is_complete
        assert [read_on(tablet, text) for text in (lost, cancelled)] == [(CardStatus.VERIFIED, LOYALTY_ID)] * 2
    cancel_card(hq, cancelled)
    done = replace_card(hq, lost)
    for tablet in tablets:
        assert read_on(tablet, lost) == (CardStatus.VERIFIED, LOYALTY_ID), "a tablet cannot know before its round"
        tablet.run(70)
        assert [read_on(tablet, text) for text in (lost, cancelled)] == [(CardStatus.CANCELLED, None)] * 2
        assert read_on(tablet, done.card.text) == (CardStatus.VERIFIED, LOYALTY_ID)
    other.database.close()
