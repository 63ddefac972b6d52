"""HQ over HTTP: the sync endpoint of the tablet, on httpx. Flow steps 6 and 8.

Every error of httpx becomes `Weather` here, once, and every problem document `Problem`. A reply that cannot be read or
lacks its `end` is Weather too: it may have been torn on the way, and asking again is always safe. Decides nothing.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from associate_app.adapters.trust import explain_refusal, open_context
from shared.errors import Malformed, Problem, Refused, Weather
from shared.wire.canonical import canonical, document_hash
from shared.wire.messages import (
    Change,
    DocumentLine,
    EnrollReply,
    EnrollRequest,
    FeedPage,
    HelloReply,
    HelloRequest,
    Message,
    ProvenChange,
    PushReply,
    SnapshotEnd,
    SnapshotHeader,
    SnapshotLine,
    WaitReply,
)

CONNECT_S: Final = 5.0
READ_S: Final = 30.0
WAIT_SLACK_S: Final = 10.0
GZIP_OVER_BYTES: Final = 1024
REPLY_BYTES_MAX: Final = 64 * 1024 * 1024
LINE_BYTES_MAX: Final = 4 * 1024 * 1024
_PROBLEM_TYPE: Final = "application/problem+json"
_CODE_OF_STATUS: Final = {413: "too_large", 429: "slow_down"}
"""What a proxy in front of HQ may say without a problem document, and means all the same."""

Reply = TypeVar("Reply", bound=Message)
Line = SnapshotHeader | SnapshotLine | SnapshotEnd


class HttpEndpoint:
    """`SyncEndpoint` over HTTP; of one thread.

    `token` gives the device token of the moment (None before enrolment). `ca_fingerprint` (hex SHA-256) trusts that CA
    alone and asks for https. `gate` says whether the network is let through: the demo's switch that takes it away.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: Callable[[], str | None],
        ca_fingerprint: str | None = None,
        gate: Callable[[], bool] = lambda: True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._base = _checked_base(base_url, ca_fingerprint)
        self._token = token
        self._ca_fingerprint = ca_fingerprint
        self._gate = gate
        self._transport = transport
        self._http: httpx.Client | None = None

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        if self._http is not None:
            self._http.close()
            self._http = None

    # the endpoint

    def enroll(self, request: EnrollRequest) -> EnrollReply:
        """Trade a one-time code for a device token."""
        return self._read(EnrollReply, "POST", "/v1/enroll", body=_fields(request))

    def hello(self, request: HelloRequest) -> HelloReply:
        """Start a session."""
        return self._read(HelloReply, "POST", "/v1/sync/hello", body=_fields(request))

    def push(self, message: Mapping[str, Any]) -> PushReply:
        """Send a batch."""
        return self._read(PushReply, "POST", "/v1/sync/push", body=message)

    def pull(self, scope: str, cursor: str, limit: int = 1000) -> FeedPage:
        """Fetch a page."""
        asked = {"scope": scope, "cursor": cursor, "limit": limit}
        return _parse_page(self._send("GET", "/v1/sync/pull", parameters=asked))

    def snapshot(
        self, scope: str, *, after: str | None = None, as_of: int | None = None, epoch: str | None = None
    ) -> Iterator[Line]:
        """Stream a snapshot line by line; closing the iterator closes the connection."""
        asked = {"scope": scope, "after": after, "as_of": as_of, "epoch": epoch}
        with self._weather():
            request = self._request("GET", "/v1/sync/snapshot", parameters=asked)
            reply = self._open().send(request, stream=True)
            try:
                self._refuse_problem(reply)
                yield from _read_lines(self._let_through(reply.iter_bytes()))
            finally:
                reply.close()

    def wait(self, known: Mapping[str, int], seconds: int) -> WaitReply:
        """The doorbell."""
        asked = {"known": ",".join(f"{scope}:{at}" for scope, at in known.items()), "seconds": seconds}
        return self._read(WaitReply, "GET", "/v1/sync/wait", parameters=asked, read_s=seconds + WAIT_SLACK_S)

    def media(self, sha: str) -> bytes:
        """A picture by its hash."""
        return self._send("GET", f"/v1/media/{sha}")

    def salvage(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Hand in ops a normal push can no longer carry."""
        try:
            told = json.loads(self._send("POST", "/v1/sync/salvage", body=message))
        except ValueError:
            raise Weather("HQ's answer cannot be read") from None
        if not isinstance(told, dict) or told.get("end") is not True:
            raise Weather("HQ's answer is cut off")
        return told

    # one request

    def _read(
        self,
        model: type[Reply],
        method: str,
        path: str,
        *,
        body: Any = None,
        parameters: Mapping[str, Any] | None = None,
        read_s: float = READ_S,
    ) -> Reply:
        return _parse(model, self._send(method, path, body=body, parameters=parameters, read_s=read_s))

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        parameters: Mapping[str, Any] | None = None,
        read_s: float = READ_S,
    ) -> bytes:
        with self._weather():
            request = self._request(method, path, body=body, parameters=parameters, read_s=read_s)
            reply = self._open().send(request, stream=True)
            try:
                self._refuse_problem(reply)
                return _read_bounded(reply)
            finally:
                reply.close()

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        parameters: Mapping[str, Any] | None = None,
        read_s: float = READ_S,
    ) -> httpx.Request:
        headers = {"Accept-Encoding": "gzip", "Accept": "application/json", "User-Agent": "Floorside tablet"}
        content: bytes | None = None
        if token := self._token():
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
            if len(content) > GZIP_OVER_BYTES:
                content = gzip.compress(content, 6, mtime=0)
                headers["Content-Encoding"] = "gzip"
        asked = {name: value for name, value in (parameters or {}).items() if value is not None}
        timeout = httpx.Timeout(READ_S, connect=CONNECT_S, read=read_s).as_dict()
        return httpx.Request(
            method, self._base + path, params=asked, headers=headers, content=content, extensions={"timeout": timeout}
        )

    def _open(self) -> httpx.Client:
        """The connection pool, made at the first request: a CA known by its fingerprint is met then."""
        if not self._gate():
            raise Weather("the network was taken away")
        if self._http is None:
            trust = open_context(self._base, self._ca_fingerprint) if self._transport is None else True
            self._http = httpx.Client(transport=self._transport, verify=trust, trust_env=False)
        return self._http

    def _let_through(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces of a long answer, while the network is there."""
        for piece in pieces:
            if not self._gate():
                raise Weather("the network was taken away")
            yield piece

    @contextmanager
    def _weather(self) -> Iterator[None]:
        """Around a request: every error of httpx, of the connection and of unpacking becomes `Weather`."""
        try:
            yield
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            refusal = explain_refusal(self._base, self._ca_fingerprint, error)
            raise refusal or Weather(f"{type(error).__name__}: {error}"[:200]) from error

    def _refuse_problem(self, reply: httpx.Response) -> None:
        """Raise what an answer other than 2xx means; what HQ would not say is weather (a sign-in page, a proxy)."""
        if reply.is_success:
            return
        told = _problem_members(reply)
        code = told.get("code") if told else _CODE_OF_STATUS.get(reply.status_code)
        if code is None and reply.status_code >= 500:
            code = "internal"
        if not isinstance(code, str):
            raise Weather(f"something else than HQ answered {reply.status_code}")
        detail = str(told.get("detail") or told.get("title") or "")
        extra = {name: value for name, value in told.items() if name not in _PROBLEM_MEMBERS}
        wait_s = _retry_after_s(told.get("retry_after_s"), reply.headers.get("retry-after"))
        raise Problem(code, detail, status=reply.status_code, retry_after_s=wait_s, extra=extra)


_PROBLEM_MEMBERS: Final = frozenset({"type", "title", "status", "code", "detail", "retry_after_s"})


def _checked_base(base_url: str, ca_fingerprint: str | None) -> str:
    """The address without its last slash. Raises Refused for one that cannot be asked."""
    try:
        parts, url = urlsplit(base_url), httpx.URL(base_url)
        is_sound = url.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except (httpx.InvalidURL, ValueError):
        is_sound = False
    if not is_sound:
        raise Refused(f"{base_url[:80]!r} is not an address. HQ's looks like https://hq.example.com.")
    if ca_fingerprint is not None and parts.scheme != "https":
        raise Refused("This code names HQ's certificate, so HQ's address must begin with https://.")
    return base_url.rstrip("/")


def _fields(message: BaseModel) -> dict[str, Any]:
    """A message as it is sent; what is absent goes as null."""
    return message.model_dump(by_alias=True)


def _parse(model: type[Reply], raw: bytes) -> Reply:
    try:
        return model.model_validate_json(raw)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Weather(f"HQ's answer cannot be read: {where}: {first['msg']}"[:200]) from None


_CHANGES: Final = b'"changes":['
_CHANGES_END: Final = b'}],"end":true'
_NEXT_CHANGE: Final = re.compile(rb'\},(?=\{"s":[1-9][0-9]{0,15},"id":"[^"\\]+","op":"(?:put|del)",)')
_PUT: Final = re.compile(
    rb'\{"s":([1-9][0-9]{0,15}),"id":"([ !#-\[\]-~]+)","op":"put","h":"([0-9a-f]{16})","doc":(?=\{)'
)
"""How HQ spells a page. No text can hold these: its quotes are escaped. A document might, and then its hash differs."""


def _parse_page(raw: bytes) -> FeedPage:
    """A page whose documents are kept as they came where their hashes prove them, as in a snapshot (ADR 0008). What is
    spelled otherwise is read whole."""
    head, _, rest = raw.partition(_CHANGES)
    inner, found, tail = rest.rpartition(_CHANGES_END)
    changes = [_prove(piece) for piece in _NEXT_CHANGE.split(inner)] if found else []
    if not changes or None in changes:
        return _parse(FeedPage, raw)
    around = _parse(FeedPage, b"".join((head, _CHANGES, _CHANGES_END[1:], tail)))
    return around.model_copy(update={"changes": changes})


def _prove(piece: bytes) -> Change | None:
    """One change without its last brace; None for a put whose bytes do not have the hash it names."""
    if not (put := _PUT.match(piece)):
        return _read_other(piece + b"}")
    s, id_, h, body = int(put[1]), put[2].decode(), put[3].decode(), piece[put.end() :]
    if document_hash(id_, body) != h:
        return None
    return ProvenChange.model_construct(s=s, id=id_, op="put", h=h, doc=None, why=None, body=body)


def _read_other(raw: bytes) -> Change | None:
    try:
        return Change.model_validate_json(raw)
    except ValidationError:
        return None


def _read_bounded(reply: httpx.Response, most: int = REPLY_BYTES_MAX) -> bytes:
    body = bytearray()
    for piece in reply.iter_bytes():
        body += piece
        if len(body) > most:
            raise Weather("the answer does not end")
    return bytes(body)


def _read_lines(pieces: Iterator[bytes]) -> Iterator[Line]:
    """NDJSON: a line ends in a line feed only (a text may hold U+2028). Raises Weather where the end is missing."""
    is_first = True
    for line in _split_lines(pieces):
        parsed = _parse_line(line, is_header=is_first)
        is_first = False
        yield parsed
        if isinstance(parsed, SnapshotEnd):
            return
    raise Weather("the snapshot stopped before its end")


def _split_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Whole lines; a last one without its line feed is torn and not given."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > LINE_BYTES_MAX:
            raise Weather("a line of the snapshot does not end")


_DOCUMENT_LINE: Final = re.compile(
    rb'\{"s":([1-9][0-9]{0,15}),"id":"([ !#-\[\]-~]+)","h":"([0-9a-f]{16})","doc":(?=\{)'
)
"""How HQ spells the beginning of a line whose id is plain ASCII without escapes."""


def _parse_line(line: bytes, *, is_header: bool) -> Line:
    """The first line is the header; one that is no document must be the end."""
    if is_header:
        return _parse(SnapshotHeader, line)
    if (found := _DOCUMENT_LINE.match(line)) and line.endswith(b"}}"):
        s, id_, h = int(found[1]), found[2].decode(), found[3].decode()
        body = line[found.end() : -1]
        if document_hash(id_, body) == h:  # then these bytes are the canonical ones HQ took the hash of (ADR 0008)
            return SnapshotLine(s, id_, h, body)
    return _parse_other_line(line)


def _parse_other_line(line: bytes) -> Line:
    """A line in another spelling than HQ's, a changed one, or the end."""
    try:
        parsed = DocumentLine.model_validate_json(line)
        return SnapshotLine(parsed.s, parsed.id, parsed.h, canonical(parsed.doc))
    except ValidationError:
        return _parse(SnapshotEnd, line)
    except Malformed as wrong:
        raise Weather(f"a line of the snapshot cannot be read: {wrong}"[:200]) from None


def _problem_members(reply: httpx.Response) -> dict[str, Any]:
    """The members of a problem document; empty where the reply is none."""
    if reply.headers.get("content-type", "").partition(";")[0].strip().lower() != _PROBLEM_TYPE:
        return {}
    try:
        told = json.loads(_read_bounded(reply, LINE_BYTES_MAX))
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _retry_after_s(member: object, header: str | None) -> int | None:
    """Whole seconds from the document, else from the header (RFC 9110: seconds, or a date, which needs a right clock
    and is not believed)."""
    if isinstance(member, int) and not isinstance(member, bool) and member >= 0:
        return member
    return int(header) if header is not None and header.isascii() and header.isdigit() else None
