"""The endpoint over HTTP: what goes out, what comes back, and what every kind of bad answer becomes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from associate_app.adapters.http import LINE_BYTES_MAX, HttpEndpoint
from shared.errors import Problem, Refused, Weather
from shared.wire.canonical import canonical, document_hash
from shared.wire.messages import Change, EnrollRequest, ProvenChange, SnapshotEnd, SnapshotHeader, SnapshotLine

WAIT = {"epoch": "E", "heads": {"all": 1}, "end": True}


def endpoint(answer: Callable[[httpx.Request], httpx.Response], **given: Any) -> HttpEndpoint:
    """An endpoint whose network is a function."""
    fields: dict[str, Any] = {"token": lambda: "secret", "transport": httpx.MockTransport(answer)}
    return HttpEndpoint("http://hq.test/", **(fields | given))


def replying(status: int = 200, body: Any = b"", **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    """Always the same answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: httpx.Response(status, headers=sent, content=content)


def problem(status: int, **members: Any) -> Callable[[httpx.Request], httpx.Response]:
    """Always the same problem document."""
    return replying(status, members, content_type="application/problem+json; charset=utf-8")


def ask(answer: Callable[[httpx.Request], httpx.Response], **given: Any) -> Any:
    """Ask the doorbell, the smallest of the requests."""
    return endpoint(answer, **given).wait({"all": 812, "store:berlin-1": 99120}, 0)


# what goes out


def test_a_request_carries_the_token_of_the_moment():
    """A token that was rotated is used from the next request on."""
    seen: list[str] = []
    tokens = iter(["first", "second"])

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200, json=WAIT)

    asked = endpoint(answer, token=lambda: next(tokens))
    asked.wait({}, 0)
    asked.wait({}, 0)
    assert seen == ["Bearer first", "Bearer second"]


def test_enrolment_goes_without_a_token():
    """There is none yet."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        told = {"device_id": "d", "token": "t", "store": "s", "scopes": [], "receipt_key": "k", "epoch": "e"}
        return httpx.Response(201, json=told)

    reply = endpoint(answer, token=lambda: None).enroll(EnrollRequest(code="c", name="n", install_id="i", app="1"))
    assert reply.device_id == "d"
    assert "authorization" not in seen[0].headers
    assert json.loads(seen[0].content) == {"code": "c", "name": "n", "install_id": "i", "app": "1"}


@pytest.mark.parametrize("size", [10, 5000])
def test_a_body_over_one_kibibyte_goes_gzipped(size: int):
    """A small one would only grow."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"end": True})

    endpoint(answer).salvage({"text": "ä" * size})
    [request] = seen
    is_packed = request.headers.get("content-encoding") == "gzip"
    assert is_packed == (size > 1000)
    raw = gzip.decompress(request.content) if is_packed else request.content
    assert json.loads(raw) == {"text": "ä" * size}


def test_the_doorbell_asks_as_the_wire_writes_it():
    """known=all:812,store:berlin-1:99120&seconds=0."""
    seen: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(200, json=WAIT)

    assert ask(answer).heads == {"all": 1}
    assert seen[0].path == "/v1/sync/wait"
    assert dict(seen[0].params) == {"known": "all:812,store:berlin-1:99120", "seconds": "0"}


def test_a_gzipped_reply_is_unpacked():
    """Accept-Encoding: gzip is asked for and understood."""
    packed = gzip.compress(json.dumps(WAIT).encode())
    assert ask(replying(200, packed, content_encoding="gzip")).epoch == "E"


# what comes back


def test_a_problem_document_becomes_a_problem():
    """Code, status, detail, retry time and the further members."""
    with pytest.raises(Problem) as caught:
        ask(problem(409, code="gap", detail="Ops are missing.", expected_seq=641, retry_after_s=3, type="t", title="T"))
    told = caught.value
    assert (told.code, told.status, told.detail) == ("gap", 409, "Ops are missing.")
    assert (told.retry_after_s, told.extra) == (3, {"expected_seq": 641})


@pytest.mark.parametrize(
    ("header", "seconds"), [("17", 17), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("soon", None)]
)
def test_retry_after_comes_from_the_header_too_but_never_as_a_date(header: str, seconds: int | None):
    """A date would need a right clock."""
    with pytest.raises(Problem) as caught:
        ask(replying(503, b"busy", retry_after=header))
    assert caught.value.retry_after_s == seconds


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "internal"), (502, "internal"), (503, "internal"), (413, "too_large"), (429, "slow_down")],
)
def test_what_a_proxy_says_without_a_document_is_understood(status: int, code: str):
    """The status is kept."""
    with pytest.raises(Problem) as caught:
        ask(replying(status, b"<html>", content_type="text/html"))
    assert (caught.value.code, caught.value.status) == (code, status)


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 410])
def test_anything_else_without_a_document_is_weather_and_never_hqs_word(status: int):
    """A captive portal's 401 or 403 must not unconnect or wipe a tablet."""
    with pytest.raises(Weather):
        ask(replying(status, b"<html>Sign in</html>", content_type="text/html"))


@pytest.mark.parametrize("body", [b"[1]", b"{", b'{"detail":"no code"}', b'{"code":7}', b"[" * 100_000])
def test_a_broken_problem_document_is_weather(body: bytes):
    """Torn, or no problem at all."""
    with pytest.raises(Weather):
        ask(replying(403, body, content_type="application/problem+json"))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", json.dumps(WAIT)[:-3].encode(), b'{"epoch":"E","heads":{"all":1}}', b"\xff\xfe"],
    ids=["empty", "torn", "null", "a list", "cut", "without end", "no text"],
)
def test_a_reply_that_is_not_whole_is_weather(body: bytes):
    """Without its `end` a reply may have been cut at any place."""
    with pytest.raises(Weather):
        ask(replying(200, body))


def test_damaged_gzip_is_weather():
    """As is gzip cut in the middle."""
    packed = gzip.compress(json.dumps(WAIT | {"pad": "x" * 3000}).encode())
    for body in (b"no gzip", packed[:20]):
        with pytest.raises(Weather):
            ask(replying(200, body, content_encoding="gzip"))


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("x"),
        httpx.ConnectTimeout("x"),
        httpx.ReadTimeout("x"),
        httpx.WriteTimeout("x"),
        httpx.PoolTimeout("x"),
        httpx.RemoteProtocolError("x"),
        httpx.ReadError("x"),
        OSError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_error_of_the_connection_is_weather(error: Exception):
    """One mapping, at the edge."""

    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(Weather):
        ask(fail)


def test_a_taken_away_network_is_weather_and_nothing_goes_out():
    """The demo's switch blocks this tablet's HTTP, and a connection in use as well."""
    seen: list[httpx.Request] = []
    is_there = False

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=WAIT)

    asked = endpoint(answer, gate=lambda: is_there)
    with pytest.raises(Weather):
        asked.wait({}, 0)
    assert seen == []
    is_there = True
    assert asked.wait({}, 0).epoch == "E"


@pytest.mark.parametrize("address", ["", "hq.example.com", "ftp://hq", "https://", "http://[", "javascript:1"])
def test_an_address_that_cannot_be_asked_is_refused_in_words(address: str):
    """Before anything is sent."""
    with pytest.raises(Refused, match="address"):
        HttpEndpoint(address, token=lambda: None)


def test_a_certificate_named_by_the_code_asks_for_https():
    """Over http nothing would be checked."""
    with pytest.raises(Refused, match="https"):
        HttpEndpoint("http://hq.test", token=lambda: None, ca_fingerprint="00" * 32)


# snapshots


def lines(*told: Any) -> bytes:
    """NDJSON."""
    return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in told)


HEADER = {"epoch": "E", "scope": "all", "as_of": 7, "schema": 1, "count": 2}
FIRST = {"s": 1, "id": "play/a", "h": "0" * 16, "doc": {"text": "one\u2028two\u2029three\x85four\rfive\x0bsix"}}
SECOND = {"s": 2, "id": "play/b", "h": "0" * 16, "doc": {}}
END = {"end": True, "count": 2, "sum": "0" * 16, "next": "cursor"}


class Pieces(httpx.SyncByteStream):
    """A body in pieces of a few bytes, as a bad network brings it."""

    def __init__(self, body: bytes, size: int) -> None:
        self.body, self.size = body, size
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self.body), self.size):
            yield self.body[start : start + self.size]

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("size", [1, 3, 7, 100_000])
def test_a_snapshot_s_lines_end_in_a_line_feed_only(size: int):
    """Texts with other line separators stay whole, however the network cuts the stream."""
    body = lines(HEADER, FIRST, SECOND, END)
    told = list(endpoint(lambda _r: httpx.Response(200, stream=Pieces(body, size))).snapshot("all"))
    assert [type(line) for line in told] == [SnapshotHeader, SnapshotLine, SnapshotLine, SnapshotEnd]
    assert isinstance(told[1], SnapshotLine)
    assert told[1].body == canonical(FIRST["doc"])


def stored_line(raw: bytes) -> SnapshotLine:
    """What the endpoint makes of one document line, as it came."""
    body = lines(HEADER) + raw + b"\n" + lines(END)
    told = list(endpoint(lambda _r: httpx.Response(200, content=body)).snapshot("all"))
    assert isinstance(told[1], SnapshotLine)
    return told[1]


def test_a_line_whose_hash_fits_is_kept_byte_for_byte():
    """The bytes HQ took the hash of are the ones that are stored."""
    body = b'{"a":1,"b":"\xc3\xa4"}'
    h = document_hash("stock/A", body)
    raw = b'{"s":4,"id":"stock/A","h":"' + h.encode() + b'","doc":' + body + b"}"
    assert stored_line(raw) == SnapshotLine(4, "stock/A", h, body)


def test_a_line_in_another_spelling_is_stored_canonically():
    """Spaces, other orders and escapes of a proxy change nothing of what is stored, nor of its hash."""
    body = canonical({"a": 1, "b": "\u00e4"})
    h = document_hash("stock/A", body)
    for raw in (
        b'{"s":4,"id":"stock/A","h":"' + h.encode() + b'","doc":{"b": "\\u00e4", "a": 1}}',
        b'{"id":"stock/A", "doc":{"a":1,"b":"\\u00e4"}, "s":4, "h":"' + h.encode() + b'"}',
    ):
        told = stored_line(raw)
        assert (told.body, document_hash(told.id, told.body)) == (body, h)


def test_a_changed_document_never_takes_the_hash_of_its_line():
    """One twisted letter: what is stored has another hash, which count and sum then show."""
    h = document_hash("stock/A", b'{"text":"note"}')
    told = stored_line(b'{"s":4,"id":"stock/A","h":"' + h.encode() + b'","doc":{"text":"Note"}}')
    assert told.body == b'{"text":"Note"}'
    assert document_hash(told.id, told.body) != h


PAGE_AROUND = b'{"epoch":"E","scope":"all","next":"c","head":9,"more":false,"changes":[%s],"end":true}'


def put_bytes(id_: str, body: bytes, h: str | None = None) -> bytes:
    """A put as HQ writes it, with the hash of its bytes unless another is given."""
    told = h or document_hash(id_, body)
    return f'{{"s":4,"id":"{id_}","op":"put","h":"{told}","doc":'.encode() + body + b"}"


def pulled(*changes: bytes) -> list[Change]:
    """What the endpoint makes of a page of these changes."""
    raw = PAGE_AROUND % b",".join(changes)
    return endpoint(lambda _r: httpx.Response(200, content=raw)).pull("all", "c").changes


def test_a_page_s_documents_are_kept_byte_for_byte_where_their_hashes_fit():
    """Also one that looks inside like the page around it, and deletions between them."""
    odd = b'{"a":[{"b":1},{"s":1,"id":"x","why":1}],"end":true,"t":"}],\\"end\\":true"}'
    gone = b'{"s":5,"id":"stock/C","op":"del","why":"erased"}'
    first, second, third = pulled(put_bytes("stock/A", b'{"a":"\xc3\xa4"}'), gone, put_bytes("stock/B", odd))
    assert isinstance(first, ProvenChange)
    assert isinstance(third, ProvenChange)
    assert (first.s, first.id, first.body, third.body) == (4, "stock/A", b'{"a":"\xc3\xa4"}', odd)
    assert (second.op, second.why) == ("del", "erased")


def test_a_document_that_holds_what_looks_like_a_change_is_read_whole():
    """The page cannot be cut there, the hash says so, and nothing of it is lost."""
    nested = b'{"a":[{"b":1},{"s":1,"id":"x","op":"put","h":"0123456789abcdef","doc":{}}]}'
    (told,) = pulled(put_bytes("stock/A", nested))
    assert not isinstance(told, ProvenChange)
    assert told.doc == json.loads(nested)


def test_a_changed_document_of_a_page_is_read_as_it_came():
    """One twisted letter: it is never taken for the bytes that HQ took the hash of."""
    h = document_hash("stock/A", b'{"text":"note"}')
    (told,) = pulled(put_bytes("stock/A", b'{"text":"Note"}', h))
    assert not isinstance(told, ProvenChange)
    assert told.doc == {"text": "Note"}


def test_bytes_on_the_wire_that_call_themselves_proven_are_not():
    """A change with a `body` of its own is an ordinary change with a field nobody knows."""
    (told,) = pulled(b'{"s":4,"id":"stock/A","op":"put","h":"00","doc":{"a":1},"body":"{}"}')
    assert (type(told), told.doc) == (Change, {"a": 1})


def test_a_snapshot_asks_to_go_on_where_it_stopped():
    """`after`, the first `as_of` and its epoch; nothing of them at the start."""
    seen: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(dict(request.url.params))
        return httpx.Response(200, content=lines(HEADER, END))

    asked = endpoint(answer)
    list(asked.snapshot("all"))
    list(asked.snapshot("all", after="play/ä&b", as_of=7, epoch="E"))
    assert seen == [{"scope": "all"}, {"scope": "all", "after": "play/ä&b", "as_of": "7", "epoch": "E"}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        lines(FIRST, END),
        lines(HEADER),
        lines(HEADER, FIRST),
        lines(HEADER, FIRST, END)[:-1],
        lines(HEADER, FIRST) + b"{torn\n",
        lines(HEADER, FIRST, {"end": False, "count": 1, "sum": "", "next": ""}),
    ],
    ids=["empty", "no header", "header only", "no end", "end without its line feed", "torn line", "end: false"],
)
def test_a_snapshot_without_its_end_is_weather(body: bytes):
    """Whatever is missing, it is incomplete."""
    with pytest.raises(Weather):
        list(endpoint(replying(200, body)).snapshot("all"))


def test_a_line_that_does_not_end_fills_no_memory():
    """A bound on every buffer."""
    body = lines(HEADER) + b"x" * (LINE_BYTES_MAX + 10)
    with pytest.raises(Weather, match="does not end"):
        list(endpoint(replying(200, body)).snapshot("all"))


def test_a_snapshot_left_early_closes_its_connection():
    """The driver may drop a stream at any time."""
    stream = Pieces(lines(HEADER, FIRST, SECOND, END), 10)
    told = endpoint(lambda _r: httpx.Response(200, stream=stream)).snapshot("all")
    next(told)
    told.close()  # type: ignore[attr-defined]
    assert stream.is_closed


def test_a_refused_snapshot_is_a_problem():
    """410 comes before the first line."""
    with pytest.raises(Problem) as caught:
        list(endpoint(problem(410, code="resync", reason="epoch")).snapshot("all"))
    assert caught.value.extra == {"reason": "epoch"}


def test_a_network_taken_away_in_the_middle_of_a_snapshot_stops_it():
    """The switch works at once, not only for the next request."""
    gates = iter([True, True, False])
    stream = Pieces(lines(HEADER, FIRST, SECOND, END), len(lines(HEADER)))
    told = endpoint(lambda _r: httpx.Response(200, stream=stream), gate=lambda: next(gates)).snapshot("all")
    assert isinstance(next(told), SnapshotHeader)
    with pytest.raises(Weather):
        list(told)
