"""The sync routes over HTTP, on both databases: who may ask what, in which order it is refused, and how it travels."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import zlib
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from shared.errors import StorageFull
from shared.wire.messages import EnrollReply, FeedPage, HelloReply, PushReply, SnapshotEnd, SnapshotHeader, WaitReply
from shared.wire.problems import PROBLEMS
from sync_server.adapters.database import SqlDatabase
from sync_server.api import sync
from sync_server.services.chain import set_term
from sync_server.services.enrolment import make_code, revoke_device
from sync_server.services.headquarters import Headquarters
from sync_server.services.products import publish_products
from sync_server.services.terms import version_of
from tests.support.asking import Asker, packed, problem_of
from tests.support.world import Journalist, make_headquarters, make_journalist

ZEROS = "0" * 64


@pytest.fixture
def asker(hq: Headquarters, tablet: Journalist) -> Asker:
    """The app, asked with the tablet's token."""
    return Asker(hq, tablet.token)


def hello_of(tablet: Journalist, **changed: Any) -> dict[str, Any]:
    """A first hello."""
    return {
        "proto": 1,
        "device_id": tablet.device.device_id,
        "install_id": tablet.install_id,
        "app": "1.0.0",
        "epoch": None,
        "device_now": "2026-11-22T10:00:01.000Z",
        "head_seq": 0,
        "acked_seq": 0,
        "chain": ZEROS,
    } | changed


# the way of a tablet --------------------------------------------------------------------------------------------------


def test_a_tablet_enrols_greets_pushes_loads_pulls_and_waits(hq: Headquarters) -> None:
    """Every reply reads as the message the tablet expects, and the effect of the push is in the feed."""
    asker = Asker(hq)
    request = {"code": make_code(hq, "berlin-1").code, "name": "T3", "install_id": hq.make_id(), "app": "1.0.0"}
    reply = asker.post("/v1/enroll", request)
    assert reply.status_code == 201
    enrolled = EnrollReply.model_validate(reply.json())
    tablet = make_journalist(hq)
    asker.token = tablet.token
    greeting = HelloReply.model_validate(asker.post("/v1/sync/hello", hello_of(tablet)).json())
    assert (greeting.epoch, greeting.epoch_changed, greeting.offset_ms) == (enrolled.epoch, False, -1000)
    assert len(greeting.card_stock) == 30
    tablet.outcome()
    pushed = PushReply.model_validate(asker.post("/v1/sync/push", tablet.message()).json())
    assert [result.verdict for result in pushed.results] == ["accepted"]
    lines = asker.snapshot("store:berlin-1")
    header, end = SnapshotHeader.model_validate(lines[0]), SnapshotEnd.model_validate(lines[-1])
    assert header.count == end.count == len(lines) - 2
    assert any(line["id"].startswith("profile/") for line in lines[1:-1])
    page = asker.get("/v1/sync/pull", params={"scope": "store:berlin-1", "cursor": end.next})
    assert FeedPage.model_validate(page.json()).check is not None
    known = f"all:0,store:berlin-1:{header.as_of}"
    waited = WaitReply.model_validate(asker.get("/v1/sync/wait", params={"known": known}).json())
    assert waited.heads["store:berlin-1"] == header.as_of


def test_a_push_rings_the_doorbell_of_whoever_waits(hq: Headquarters, tablet: Journalist, asker: Asker) -> None:
    """The second tablet of the store hears of it without its time running out."""
    other = make_journalist(hq)
    tablet.outcome()
    head = asker.snapshot("store:berlin-1")[0]["as_of"]

    async def wait_and_push() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(asker.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hq") as both:
            path = f"/v1/sync/wait?known=store:berlin-1:{head}&seconds=30"
            waiting = asyncio.ensure_future(both.get(path, headers={"Authorization": f"Bearer {other.token}"}))
            headers = {"Authorization": f"Bearer {tablet.token}"}
            pushed = await both.post("/v1/sync/push", json=tablet.message(), headers=headers)
            return await waiting, pushed

    waited, pushed = asyncio.run(wait_and_push())
    assert waited.json()["heads"] == pushed.json()["visible_at"]


def test_a_device_reads_its_own_scopes_and_no_other(asker: Asker) -> None:
    """Another store's feed is refused alike whether that store exists or not."""
    for scope in ("store:zurich-1", "store:nowhere", "store:", "ALL", "profile"):
        refused = {
            problem_of(asker.get(path, params={"scope": scope, "cursor": "x", "known": f"{scope}:1"}))
            for path in ("/v1/sync/pull", "/v1/sync/snapshot", "/v1/sync/wait")
        }
        assert refused == {(403, "scope_revoked")}


def test_a_picture_comes_by_its_hash_to_a_known_device_only(hq: Headquarters, asker: Asker) -> None:
    """Immutable, and checked by the asker; no hash leads anywhere else."""
    picture = next(one for one in files("assets").joinpath("products").iterdir() if one.name.endswith(".webp"))
    sha = hashlib.sha256(picture.read_bytes()).hexdigest()
    reply = asker.get(f"/v1/media/{sha}")
    assert hashlib.sha256(reply.content).hexdigest() == sha
    assert "immutable" in reply.headers["cache-control"]
    for other in ("0" * 64, "..%2f..%2fkeys%2fcard-1.pem", sha.upper(), sha[:-1]):
        assert problem_of(asker.get(f"/v1/media/{other}"))[1] == "not_found"
    assert problem_of(Asker(hq).get(f"/v1/media/{sha}")) == (401, "token_unknown")


def test_salvage_keeps_ops_apart_and_stays_open_to_a_revoked_device(
    hq: Headquarters, tablet: Journalist, asker: Asker
) -> None:
    """What a lost tablet still had is kept for a person to approve; nothing of it is merged."""
    accepted, kept = tablet.outcome(), tablet.note("from the lost one")
    tablet.push([accepted])
    revoke_device(hq, tablet.device.device_id)
    assert problem_of(asker.post("/v1/sync/push", tablet.message())) == (403, "device_revoked")
    message = {**tablet.message(), "why": "revoked"}
    first, again = asker.post("/v1/sync/salvage", message).json(), asker.post("/v1/sync/salvage", message).json()
    assert [result["verdict"] for result in first["results"]] == ["duplicate", "quarantined"]
    assert [result["verdict"] for result in again["results"]] == ["duplicate", "duplicate"]
    assert first["end"] is True
    with hq.database.read() as reader:
        assert [row["op_id"] for row in reader.rows("salvage")] == [kept["op_id"]]
    assert problem_of(asker.post("/v1/sync/salvage", {**message, "why": "bored"})) == (422, "malformed_request")
    assert problem_of(asker.post("/v1/sync/salvage", {**message, "ops": [{}]})) == (422, "malformed_request")
    for broken in ({"device_id": "0197"}, {"device_now": "now"}):
        assert problem_of(asker.post("/v1/sync/salvage", {**message, **broken})) == (422, "malformed_request")


# the order of refusals ------------------------------------------------------------------------------------------------


def test_refusals_come_in_the_protocols_order(hq: Headquarters, tablet: Journalist, asker: Asker) -> None:
    """Address, method, token, revocation, size, sense: the first that fits is answered."""
    nobody = Asker(hq)
    huge = b"x" * (sync.MAX_BYTES + 1)
    assert problem_of(nobody.post("/v1/sync/pusch", content=huge)) == (404, "not_found")
    assert problem_of(nobody.get("/v1/sync/push")) == (405, "method_not_allowed")
    assert nobody.get("/v1/sync/push").headers["allow"] == "POST"
    unknown = nobody.post("/v1/sync/push", content=huge)
    assert problem_of(unknown) == (401, "token_unknown")
    assert unknown.headers["www-authenticate"] == "Bearer"
    assert problem_of(asker.post("/v1/sync/push", content=huge)) == (413, "too_large")
    assert problem_of(asker.post("/v1/sync/push", content=b"{")) == (422, "malformed_request")
    assert problem_of(asker.get("/v1/sync/pull?scope=store:zurich-1&limit=0")) == (422, "malformed_request")
    assert problem_of(asker.get("/v1/sync/pull?scope=store:zurich-1&cursor=x")) == (403, "scope_revoked")
    assert problem_of(asker.get("/v1/sync/pull?scope=all&cursor=x")) == (410, "resync")
    revoke_device(hq, tablet.device.device_id)
    assert problem_of(asker.post("/v1/sync/push", content=huge)) == (403, "device_revoked")
    assert problem_of(asker.get("/v1/sync/pull?scope=store:zurich-1&limit=0")) == (403, "device_revoked")


def test_an_old_app_may_send_for_ever_but_not_receive(hq: Headquarters, tablet: Journalist, asker: Asker) -> None:
    """426 on the GETs alone; versions are dotted integers, so 1.10 is newer than 1.9."""
    set_term(hq, "min_app", "1.10")
    for path in ("/v1/sync/pull?scope=all", "/v1/sync/snapshot?scope=all", "/v1/sync/wait?known=all:0"):
        assert problem_of(asker.get(path)) == (426, "upgrade_required")
    assert asker.post("/v1/sync/hello", hello_of(tablet)).status_code == 200
    tablet.outcome()
    assert asker.post("/v1/sync/push", tablet.message()).status_code == 200
    asker.post("/v1/sync/hello", hello_of(tablet, app="1.10.0", head_seq=1))
    assert asker.get("/v1/sync/wait?known=all:0").status_code == 200


@pytest.mark.parametrize(
    ("text", "version"),
    [("1.10.0", (1, 10)), ("1.9", (1, 9)), ("2.0.0rc1", (2,)), ("", ()), ("x", ()), ("1.²", (1,)), ("9" * 50, ())],
)
def test_a_version_is_read_as_dotted_integers(text: str, version: tuple[int, ...]) -> None:
    """What is no number ends the reading; nothing raises."""
    assert version_of(text) == version


@pytest.mark.parametrize(
    "query",
    [
        "",
        "scope=all",
        "scope=all&cursor=",
        "scope=all&cursor=x&limit=0",
        "scope=all&cursor=x&limit=-1",
        "scope=all&cursor=x&limit=1.5",
        "scope=all&cursor=x&limit=ten",
        "scope=all&cursor=x&limit=",
        "cursor=x",
        "scope=%00&cursor=x",
    ],
)
def test_a_pull_that_makes_no_sense_is_malformed(asker: Asker, query: str) -> None:
    """No cursor, no limit, no scope, or one that is none: 422."""
    assert problem_of(asker.get(f"/v1/sync/pull?{query}")) == (422, "malformed_request")


@pytest.mark.parametrize(
    "query",
    ["", "known=", "known=all", "known=all:x", "known=:5", "known=all:1&seconds=-1", "known=all:1&seconds=soon"],
)
def test_a_wait_that_makes_no_sense_is_malformed(asker: Asker, query: str) -> None:
    """422 and not a wait of half a minute."""
    assert problem_of(asker.get(f"/v1/sync/wait?{query}")) == (422, "malformed_request")


def test_a_limit_over_the_most_is_cut(hq: Headquarters, asker: Asker) -> None:
    """Larger values are no mistake."""
    end = asker.snapshot("all")[-1]
    page = asker.get("/v1/sync/pull", params={"scope": "all", "cursor": end["next"], "limit": "999999"})
    assert page.status_code == 200


# bodies ---------------------------------------------------------------------------------------------------------------

NOT_JSON = [
    b"",
    b"{",
    b"\xff\xfe\x00",
    b'{"a": NaN}',
    b"[" * 10_000,
    b'"\\ud800"',
    b"null",
    b"5",
    b"[]",
    b'{"epoch": []}',
    "ü".encode("latin-1"),
]


@pytest.mark.parametrize("content", NOT_JSON)
@pytest.mark.parametrize("path", ["/v1/enroll", "/v1/sync/hello", "/v1/sync/push", "/v1/sync/salvage"])
def test_a_body_that_is_no_message_is_malformed(asker: Asker, path: str, content: bytes) -> None:
    """422 for whatever bytes come, never 500; the content type is not asked."""
    assert problem_of(asker.post(path, content=content)) == (422, "malformed_request")


def test_a_gzipped_request_is_read_and_a_bomb_is_not_unpacked(tablet: Journalist, asker: Asker) -> None:
    """Unpacking stops at the limit; a torn or false gzip is malformed."""
    tablet.outcome()
    zipped = {"Content-Encoding": "gzip"}
    reply = asker.post("/v1/sync/push", content=packed(tablet.message()), headers=zipped)
    assert reply.json()["results"][0]["verdict"] == "accepted"
    members = gzip.compress(b'{"a"') + gzip.compress(b":1}")
    assert problem_of(asker.post("/v1/sync/push", content=members, headers=zipped)) == (422, "malformed_request")
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < sync.MAX_BYTES
    assert problem_of(asker.post("/v1/sync/push", content=bomb, headers=zipped)) == (413, "too_large")
    for broken in (b"{}", gzip.compress(b"{}")[:-3], b"", gzip.compress(b"{}") + b"rest"):
        assert problem_of(asker.post("/v1/sync/push", content=broken, headers=zipped)) == (422, "malformed_request")
    brotli = {"Content-Encoding": "br"}
    assert problem_of(asker.post("/v1/sync/push", content=b"{}", headers=brotli)) == (422, "malformed_request")


def test_replies_over_a_kilobyte_are_packed_for_whoever_takes_it(
    hq: Headquarters, tablet: Journalist, asker: Asker
) -> None:
    """Small ones never; `q=0` is a no; packing is deterministic, so equal replies are equal bytes."""
    big, small = "/v1/sync/hello", "/v1/sync/wait?known=all:0"
    assert asker.post(big, hello_of(tablet)).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in asker.get(small).headers
    for refusing in ("identity", "gzip;q=0", "br, gzip; q=0.0", ""):
        reply = asker.post(big, hello_of(tablet), headers={"Accept-Encoding": refusing})
        assert "content-encoding" not in reply.headers
        assert reply.json()["card_stock"]
    raw = [
        asyncio.run(_raw(asker, "/v1/sync/snapshot?scope=all", tablet.token, encoding)) for encoding in ("gzip", "gzip")
    ]
    assert raw[0] == raw[1]
    assert zlib.decompress(raw[0], wbits=31) == asyncio.run(
        _raw(asker, "/v1/sync/snapshot?scope=all", tablet.token, "identity")
    )


async def _raw(asker: Asker, path: str, token: str, encoding: str) -> bytes:
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": encoding}
    transport = httpx.ASGITransport(asker.app)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://hq") as one,
        one.stream("GET", path, headers=headers) as reply,
    ):
        return b"".join([part async for part in reply.aiter_raw()])


# snapshots ------------------------------------------------------------------------------------------------------------


def test_a_snapshot_goes_on_where_it_broke_off(hq: Headquarters, asker: Asker) -> None:
    """The rest behind an id, under the first `as_of`; another epoch or a position from the future takes a new one."""
    publish_products(hq, [_product(number) for number in range(40)])
    whole = asker.snapshot("all")
    header, middle = whole[0], whole[20]["id"]
    rest = asker.snapshot("all", after=middle, as_of=header["as_of"], epoch=header["epoch"])
    assert rest[1:-1] == whole[21:-1]
    assert rest[0]["as_of"] == header["as_of"]
    sums = [int(part["h"], 16) for part in whole[1:-1]]
    assert int(whole[-1]["sum"], 16) == sum(sums) % 2**64
    for wrong in ({"epoch": hq.make_id()}, {"as_of": header["as_of"] + 1}):
        reply = asker.get("/v1/sync/snapshot", params={"scope": "all", "after": middle, **wrong})
        assert problem_of(reply) == (410, "resync")
    assert asker.app.state.snapshots == 0


def _product(number: int) -> Any:
    from shared.documents import ProductDocument

    return ProductDocument(sku=f"S-{number:03d}", title=f"Thing {number}")


def test_a_third_snapshot_at_the_same_time_is_told_to_wait(hq: Headquarters, asker: Asker) -> None:
    """503 with Retry-After, and a place that is given back is free again."""
    asker.app.state.snapshots = 2
    reply = asker.get("/v1/sync/snapshot?scope=all")
    assert problem_of(reply) == (503, "busy")
    assert 1 <= int(reply.headers["retry-after"]) <= 6
    assert reply.json()["retry_after_s"] == int(reply.headers["retry-after"])
    asker.app.state.snapshots = 0
    assert asker.snapshot("all")[-1]["end"] is True
    assert asker.app.state.snapshots == 0


def test_a_tablet_that_hangs_up_gives_its_place_and_its_transaction_back(
    hq: Headquarters, tablet: Journalist, asker: Asker
) -> None:
    """A torn snapshot blocks nobody."""
    publish_products(hq, [_product(number) for number in range(3000)])

    async def hang_up() -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "path": "/v1/sync/snapshot",
            "raw_path": b"/v1/sync/snapshot",
            "query_string": b"scope=all",
            "headers": [(b"authorization", f"Bearer {tablet.token}".encode())],
            "scheme": "http",
            "server": ("hq", 80),
            "client": ("tablet", 1),
            "root_path": "",
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)
            if len(sent) > 2:
                raise OSError("gone")

        await asker.app(scope, receive, send)

    asyncio.run(hang_up())
    assert asker.app.state.snapshots == 0
    assert asker.snapshot("all")[0]["count"] > 3000


# faults ---------------------------------------------------------------------------------------------------------------


def test_a_bug_is_a_500_without_a_word_of_it_and_a_full_disk_a_507(
    asker: Asker, tablet: Journalist, monkeypatch
) -> None:
    """Nothing of the inside is told; the tablet keeps everything and tries again."""
    tablet.outcome()

    def fail(*_: Any) -> None:
        raise KeyError("the secret detail")

    monkeypatch.setattr(sync, "take_push", fail)
    reply = asker.post("/v1/sync/push", tablet.message())
    assert problem_of(reply) == (500, "internal")
    assert "secret" not in reply.text

    def overflow(*_: Any) -> None:
        raise StorageFull("HQ's disk is full.")

    monkeypatch.setattr(sync, "take_push", overflow)
    assert problem_of(asker.post("/v1/sync/push", tablet.message())) == (507, "storage_full")


def test_a_disk_that_fills_up_loses_nothing_and_half_writes_nothing(tmp_path: Path) -> None:
    """507 while it is full; the same batch is taken as new once there is room."""
    hq = make_headquarters(f"sqlite:///{tmp_path / 'central.db'}", tmp_path)
    assert isinstance(hq.database, SqlDatabase)
    tablet = make_journalist(hq)
    asker = Asker(hq, tablet.token)
    for number in range(100):
        tablet.note(f"{number} " + "x" * 900)
    with hq.database.engine.connect() as connection:
        [pages] = connection.exec_driver_sql("PRAGMA page_count").one()

    def shrink(connection: Any, *_: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={pages + 4}")

    event.listen(hq.database._writing, "checkout", shrink)
    assert problem_of(asker.post("/v1/sync/push", tablet.message())) == (507, "storage_full")
    assert not [line for line in asker.snapshot("store:berlin-1")[1:-1] if line["id"].startswith("profile/")]
    event.remove(hq.database._writing, "checkout", shrink)
    hq.database._writing.dispose()
    reply = asker.post("/v1/sync/push", tablet.message()).json()
    assert {result["verdict"] for result in reply["results"]} == {"accepted"}
    hq.database.close()


def test_health_and_documentation_need_no_token_and_nothing_from_outside(hq: Headquarters) -> None:
    """The documentation page loads its parts from this very server."""
    asker = Asker(hq)
    assert asker.get("/healthz").json()["status"] == "ok"
    assert asker.ask("HEAD", "/healthz").status_code == 200
    page = asker.get("/docs").text
    assert "https://" not in page
    for part in ("/docs-static/swagger-ui-bundle.js", "/docs-static/swagger-ui.css"):
        assert part in page
    described = asker.get("/openapi.json").json()
    assert {"/v1/enroll", "/v1/sync/push", "/v1/sync/pull", "/v1/batch"} <= set(described["paths"])
    assert json.dumps(described).count("operationId") == len(
        {route["operationId"] for path in described["paths"].values() for route in path.values()}
    )


def test_every_code_a_route_answers_with_is_in_the_table() -> None:
    """One table for the API, the tablet and the README."""
    assert {"not_found", "token_unknown", "too_large", "busy", "internal"} <= set(PROBLEMS)
