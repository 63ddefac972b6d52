"""The tracking API as unmodified senders use it: labels, keys and shapes as they really come (identity.md, Ingest)."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import threading
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.errors import Refused, StorageFull
from sync_server.adapters.write_queue import RETRY_S_MAX, ThreadedQueue
from sync_server.api import tracking
from sync_server.services.headquarters import Headquarters
from sync_server.services.sources import create_key
from sync_server.settings import read_settings
from tests.support.asking import Asker, packed
from tests.support.world import SeededChance

SUCCESS = {"success": True}


@pytest.fixture
def write_key(hq: Headquarters) -> str:
    """The key of a source."""
    return create_key(hq, "web-shop")


@pytest.fixture
def asker(hq: Headquarters) -> Asker:
    """The app, asked without a token."""
    return Asker(hq)


def basic(key: str, colon: str = ":") -> dict[str, str]:
    """The key as Basic credentials, as clients write it: with or without the colon."""
    return {"Authorization": "Basic " + base64.b64encode(f"{key}{colon}".encode()).decode()}


def added(number: int = 1, **more: Any) -> dict[str, Any]:
    """A product goes into a cart."""
    message = {"type": "track", "event": "Product Added", "userId": "c-1", "messageId": f"m-{number}"}
    return {**message, "properties": {"sku": f"S-{number}", "price": 12.5, "currency": "EUR"}, **more}


def facts_in(hq: Headquarters) -> int:
    """How many events are in the ledger."""
    with hq.database.read() as reader:
        return sum(1 for _ in reader.facts_of([one.profile_id for one in reader.every_profile()]))


def letters_in(hq: Headquarters) -> list[str]:
    """Codes of the dead letters."""
    with hq.database.read() as reader:
        return [row["code"] for row in reader.rows("dead_letter")]


@pytest.mark.parametrize("place", ["basic with colon", "basic without", "bearer", "body"])
def test_the_write_key_is_found_wherever_senders_put_it(
    hq: Headquarters, asker: Asker, write_key: str, place: str
) -> None:
    """Four places, one answer: exactly 200 and success."""
    headers = {
        "basic with colon": basic(write_key),
        "basic without": basic(write_key, ""),
        "bearer": {"Authorization": f"Bearer {write_key}"},
        "body": {},
    }[place]
    body = added() | ({"writeKey": write_key} if place == "body" else {})
    reply = asker.post("/v1/track", body, headers=headers)
    assert (reply.status_code, reply.json()) == (200, SUCCESS)
    assert facts_in(hq) == 1


@pytest.mark.parametrize("path", ["batch", "import", "b"])
def test_a_batch_comes_by_three_names_and_counts_each_message_once(
    hq: Headquarters, asker: Asker, write_key: str, path: str
) -> None:
    """A retry of the same messages is a success and changes nothing."""
    body = {"batch": [added(1), added(2)], "sentAt": "2026-11-22T10:00:00.000Z", "writeKey": write_key}
    for _ in range(2):
        assert asker.post(f"/v1/{path}", body).json() == SUCCESS
    assert facts_in(hq) == 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("identify", {"userId": "c-1", "traits": {"email": "a@example.org"}}),
        ("i", {"userId": "c-1", "traits": {"email": "a@example.org"}}),
        ("track", {"userId": "c-1", "event": "Product Viewed"}),
        ("t", {"userId": "c-1", "event": "Product Viewed"}),
        ("page", {"anonymousId": "a-1", "name": "Home"}),
        ("p", {"anonymousId": "a-1", "name": "Home"}),
        ("screen", {"userId": "c-1", "name": "Home"}),
        ("s", {"userId": "c-1", "name": "Home"}),
        ("group", {"userId": "c-1", "groupId": "g"}),
        ("g", {"userId": "c-1", "groupId": "g"}),
        ("alias", {"userId": "c-1", "previousId": "c-0"}),
        ("a", {"userId": "c-1", "previousId": "c-0"}),
    ],
)
def test_each_call_has_its_route_by_name_and_by_letter(
    hq: Headquarters, asker: Asker, write_key: str, path: str, message: dict[str, Any]
) -> None:
    """The route says the kind where the message does not."""
    assert asker.post(f"/v1/{path}", message, headers=basic(write_key)).json() == SUCCESS
    assert letters_in(hq) == []


@pytest.mark.parametrize("label", ["application/json", "text/plain", "application/x-www-form-urlencoded", "", "x/y"])
def test_json_is_read_whatever_it_is_labelled(hq: Headquarters, asker: Asker, write_key: str, label: str) -> None:
    """Browsers say text/plain, one library says it is a form, and that gzipped."""
    headers = {**basic(write_key), "Content-Type": label}
    assert asker.post("/v1/track", content=json.dumps(added(1)), headers=headers).json() == SUCCESS
    headers["Content-Encoding"] = "gzip"
    assert asker.post("/v1/track", content=packed(added(2)), headers=headers).json() == SUCCESS
    assert facts_in(hq) == 2


def test_a_faulty_message_in_a_good_batch_is_a_dead_letter_and_the_batch_a_success(
    hq: Headquarters, asker: Asker, write_key: str
) -> None:
    """A sender that got an error would send the good ones for ever."""
    batch = [added(), 5, {"type": "track", "userId": "c-1"}, {"type": "track", "event": "Nobody Did It"}, {"type": "?"}]
    batch.append(added(2, properties={"text": "x" * 40_000}))
    assert asker.post("/v1/batch", {"batch": batch}, headers=basic(write_key)).json() == SUCCESS
    assert facts_in(hq) == 1
    assert sorted(letters_in(hq)) == ["no_event_name", "no_identifier", "not_an_object", "too_big", "unknown_type"]


@pytest.mark.parametrize("credentials", ["none", "wrong", "not base64", "another scheme"])
def test_an_unknown_key_is_refused_in_the_senders_words(asker: Asker, write_key: str, credentials: str) -> None:
    """401 with a code and a message, which one library needs to read an error at all."""
    headers = {
        "none": {},
        "wrong": basic("wrong"),
        "not base64": {"Authorization": "Basic %%%"},
        "another scheme": {"Authorization": f"Digest {write_key}"},
    }[credentials]
    reply = asker.post("/v1/batch", {"batch": []}, headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (401, "invalid_key")
    assert reply.json()["message"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b"\xff", b'{"batch": 5}', b"{}", b'{"a": NaN}'])
def test_what_is_no_batch_is_invalid_json(asker: Asker, write_key: str, content: bytes) -> None:
    """400 with a code and a message, never 500."""
    reply = asker.post("/v1/batch", content=content, headers=basic(write_key))
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_json")


@pytest.mark.parametrize("limit", [32_768, 512_000, 4_194_304])
def test_a_body_of_exactly_the_limit_is_taken_and_a_byte_more_is_not(
    hq: Headquarters, write_key: str, limit: int
) -> None:
    """500 kB, or what the chain set, up to 4 MB: counted unpacked."""
    asker = Asker(replace(hq, settings=replace(hq.settings, ingest_max_bytes=limit)))
    body = json.dumps({"batch": [added()]}).encode()
    for more, status in ((0, 200), (1, 413)):
        padded = body + b" " * (limit - len(body) + more)
        for content, encoding in ((padded, "identity"), (gzip.compress(padded, 1), "gzip")):
            headers = {**basic(write_key), "Content-Encoding": encoding}
            assert asker.post("/v1/batch", content=content, headers=headers).status_code == status
    assert facts_in(hq) == 1


def test_no_setting_lets_more_than_4_mb_in(tmp_path: Path) -> None:
    """The bound of the bound."""
    assert read_settings({"FLOORSIDE_INGEST_MAX_BYTES": "4194304"}, {}, tmp_path).ingest_max_bytes == 4_194_304
    with pytest.raises(Refused, match="FLOORSIDE_INGEST_MAX_BYTES"):
        read_settings({"FLOORSIDE_INGEST_MAX_BYTES": "4194305"}, {}, tmp_path)


def test_a_bomb_is_not_unpacked(hq: Headquarters, asker: Asker, write_key: str) -> None:
    """200 MB in 200 kB: refused after the limit, in a memory of the limit's size."""
    maker = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([*(maker.compress(b" " * 1_000_000) for _ in range(200)), maker.flush()])
    assert len(bomb) < hq.settings.ingest_max_bytes
    tracemalloc.start()
    reply = asker.post("/v1/batch", content=bomb, headers={**basic(write_key), "Content-Encoding": "gzip"})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (reply.status_code, reply.json()["code"]) == (413, "too_large")
    assert most < 20_000_000


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b'{"batch": []}')[:-9], gzip.compress(b"{")], ids=["none", "torn", "no json"]
)
def test_broken_gzip_is_invalid_json(asker: Asker, write_key: str, content: bytes) -> None:
    """Nothing an attacker or a torn line can send is a 500."""
    headers = {**basic(write_key), "Content-Encoding": "gzip"}
    reply = asker.post("/v1/batch", content=content, headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_json")


def test_2500_messages_are_taken_and_a_message_without_an_id_counts_once(
    hq: Headquarters, asker: Asker, write_key: str
) -> None:
    """The largest batch; what names itself by nothing is known by what it says, for ever."""
    nameless = {name: said for name, said in added(0).items() if name != "messageId"}
    batch = [nameless] * (tracking.BATCH_MAX - 1) + [added(1)]
    for _ in range(2):
        assert asker.post("/v1/batch", {"batch": batch}, headers=basic(write_key)).json() == SUCCESS
    assert facts_in(hq) == 2


def test_a_busy_server_says_when_to_come_again(hq: Headquarters, write_key: str) -> None:
    """503, which senders retry, with the seconds they wait for."""
    queue = ThreadedQueue(SeededChance(), places=1)
    asker, done = Asker(replace(hq, queue=queue)), threading.Event()
    with ThreadPoolExecutor(1) as other:
        taken = threading.Event()
        held = other.submit(asyncio.run, queue.take(taken.set, lambda _: done.wait(30)))
        assert taken.wait(30)
        reply = asker.post("/v1/batch", {"batch": [added()]}, headers=basic(write_key))
        done.set()
        assert held.result(30)
    assert (reply.status_code, reply.json()["code"]) == (503, "busy")
    assert 1 <= int(reply.headers["retry-after"]) <= RETRY_S_MAX
    assert asker.post("/v1/batch", {"batch": [added()]}, headers=basic(write_key)).json() == SUCCESS
    queue.close()
    assert facts_in(hq) == 1


def test_too_much_is_413(hq: Headquarters, asker: Asker, write_key: str) -> None:
    """By bytes, packed or not, and by the number of messages."""
    limit = hq.settings.ingest_max_bytes
    for content, encoding in (
        (b"x" * (limit + 1), "identity"),
        (gzip.compress(b" " * (limit + 1)), "gzip"),
        (json.dumps({"batch": [{}] * (tracking.BATCH_MAX + 1)}).encode(), "identity"),
    ):
        headers = {**basic(write_key), "Content-Encoding": encoding}
        reply = asker.post("/v1/batch", content=content, headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (413, "too_large")


def test_a_full_disk_is_told_as_a_status_that_senders_retry(asker: Asker, write_key: str, monkeypatch) -> None:
    """Above 500 they keep the batch and try again."""

    def overflow(*_: Any, **__: Any) -> None:
        raise StorageFull("HQ's disk is full.")

    monkeypatch.setattr(tracking, "take_messages", overflow)
    reply = asker.post("/v1/batch", {"batch": [added()]}, headers=basic(write_key))
    assert (reply.status_code, reply.json()["code"]) == (507, "storage_full")


def test_a_browser_asks_first_and_reads_the_answer(asker: Asker, write_key: str) -> None:
    """Preflight with exactly 200, its headers allowed, and every answer readable from another origin."""
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-retry-count",
    }
    for path in ("/v1/t", "/v1/b", f"/v1/projects/{write_key}/settings"):
        reply = asker.ask("OPTIONS", path, headers=asked)
        assert reply.status_code == 200
        allowed = reply.headers["access-control-allow-headers"]
        assert all(name in allowed for name in ("authorization", "content-type", "x-retry-count"))
    for reply in (
        asker.post("/v1/t", added(), headers=basic(write_key)),
        asker.post("/v1/t", added()),
        asker.get(f"/v1/projects/{write_key}/settings"),
    ):
        assert reply.headers["access-control-allow-origin"] == "*"


def test_a_browser_library_learns_where_to_send(asker: Asker, write_key: str) -> None:
    """One destination: this server. An unknown key gets nothing."""
    told = asker.get(f"/v1/projects/{write_key}/settings").json()
    destination = {"apiKey": write_key, "apiHost": "hq/v1", "type": "browser", "protocol": "http"}
    assert told["integrations"]["Segment.io"] == destination
    assert asker.get("/v1/projects/unknown/settings").status_code == 404


@pytest.mark.parametrize(
    ("headers", "protocol"),
    [
        ({"Origin": "http://127.0.0.1:8000"}, "http"),
        ({"Origin": "https://shop.example"}, None),
        ({"Origin": "http://shop.example", "X-Forwarded-Proto": "https"}, None),
    ],
)
def test_plain_http_is_told_to_a_plain_page_alone(
    asker: Asker, write_key: str, headers: dict[str, str], protocol: str | None
) -> None:
    """The library takes https for granted, and a page over https may send nothing in the plain."""
    told = asker.get(f"/v1/projects/{write_key}/settings", headers=headers).json()
    assert told["integrations"]["Segment.io"].get("protocol") == protocol


def test_nothing_is_ever_redirected(asker: Asker, write_key: str) -> None:
    """A POST that is redirected arrives as a GET without its body."""
    replies: list[httpx.Response] = [
        asker.post("/v1/track/", added(), headers=basic(write_key)),
        asker.post("//v1/track", added(), headers=basic(write_key)),
    ]
    assert {reply.status_code for reply in replies} == {404}
