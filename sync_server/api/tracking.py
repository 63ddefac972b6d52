"""The Segment-compatible tracking API: what unmodified senders call (identity.md, Ingest). Flow step 7, second door.

Senders label bodies wrongly, put the write key in three places and retry on anything odd, so: JSON whatever the content
type, exactly `200 {"success": true}`, errors as `{"code", "message"}`, never a redirect, never 204.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from shared.errors import Malformed, Problem, StorageFull
from shared.wire.canonical import load_json
from sync_server.api.access import Hq
from sync_server.api.bodies import Body, json_reply, receive
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.sources import source_of_key

BATCH_MAX: Final = 2500
KINDS: Final = {
    "track": "track",
    "t": "track",
    "page": "page",
    "p": "page",
    "screen": "screen",
    "s": "screen",
    "identify": "identify",
    "i": "identify",
    "group": "group",
    "g": "group",
    "alias": "alias",
    "a": "alias",
}
BATCHES: Final = ("batch", "import", "b")
# Any page may send: the write key stands in it for all to read, no cookie goes along, and it can only add.
_CORS: Final = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT: Final = {
    **_CORS,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "authorization, content-type, content-encoding, x-retry-count",
    "Access-Control-Max-Age": "86400",
}
_CODES: Final = {"too_large": "too_large", "malformed_request": "invalid_json", "busy": "busy"}
_STATUSES: Final = {"too_large": 413, "invalid_json": 400, "invalid_key": 401, "busy": 503, "storage_full": 507}

router = APIRouter(prefix="/v1", tags=["tracking"])
_BODY: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


class _Refusal(Exception):
    """A refusal in this API's own words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


async def post_messages(request: Request, hq: Hq) -> Response:
    """Take one message, or a batch of up to 2,500. Always `{"success": true}` when all of it is safe."""
    try:
        body = await receive(request, hq.settings.ingest_max_bytes)
        await hq.queue.take(lambda: _read(request, hq, body), lambda sent: _take(hq, sent))
    except _Refusal as refusal:
        return _refusal(request, refusal.code, str(refusal))
    except StorageFull as problem:
        return _refusal(request, "storage_full", str(problem))
    except Problem as problem:
        return _refusal(request, _CODES.get(problem.code, "invalid_json"), problem.detail, problem.retry_after_s)
    hq.doorbell.ring()
    return json_reply(request, {"success": True}, 200, _CORS)


def _refusal(request: Request, code: str, message: str, retry_after_s: int | None = None) -> Response:
    after = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return json_reply(request, {"code": code, "message": message}, _STATUSES[code], {**_CORS, **after})


async def get_settings(request: Request, hq: Hq, key: str) -> Response:
    """What a browser library asks first: which destinations are on. There is one, this server."""
    source = source_of_key(hq, key)
    if source is None:
        return json_reply(request, {"code": "invalid_key", "message": "The write key is unknown."}, 404, _CORS)
    destination = {"apiKey": key, "apiHost": f"{request.url.netloc}/v1", "type": "browser", **_protocol(request)}
    settings = {"integrations": {"Segment.io": destination}, "plan": {"track": {"__default": {"enabled": True}}}}
    return json_reply(request, settings, 200, _CORS)


def _protocol(request: Request) -> dict[str, str]:
    """The library takes https for granted. Plain http is said to a plain page only: one over https may not use it,
    and behind a proxy that ends TLS this server may not know of it."""
    asked = request.headers.get("x-forwarded-proto") or request.url.scheme
    is_plain = asked == "http" and not request.headers.get("origin", "").startswith("https:")
    return {"protocol": "http"} if is_plain else {}


async def preflight() -> Response:
    """A browser asks before it sends; 200 and not 204, because some senders take 204 for a failure."""
    return Response(b"", 200, _PREFLIGHT)


def _add_routes() -> None:
    for name in (*KINDS, *BATCHES):
        is_letter = len(name) == 1
        router.add_api_route(
            f"/{name}",
            post_messages,
            methods=["POST"],
            name=f"post_{name}",
            operation_id=f"post_{name}",
            openapi_extra=_BODY,
            include_in_schema=not is_letter,
        )
        router.add_api_route(f"/{name}", preflight, methods=["OPTIONS"], include_in_schema=False)
    router.add_api_route("/projects/{key}/settings", get_settings, methods=["GET"])
    router.add_api_route("/projects/{key}/settings", preflight, methods=["OPTIONS"], include_in_schema=False)


_add_routes()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request of a known source, read: its messages, and what was said of all of them."""

    source: str
    messages: list[Any]
    sent_at: object
    kind: str | None


def _read(request: Request, hq: Headquarters, packed: Body) -> _Sent:
    path = request.url.path.rsplit("/", 1)[-1]
    try:
        body = load_json(packed.unpacked())
    except Malformed as problem:
        raise _Refusal("invalid_json", str(problem)) from None
    if not isinstance(body, dict):
        raise _Refusal("invalid_json", "The body is no JSON object.")
    source = _source_of(request, hq, body)
    messages = _messages_of(body) if path in BATCHES else [body]
    return _Sent(source, messages, body.get("sentAt"), KINDS.get(path))


def _take(hq: Headquarters, sent: _Sent) -> None:
    take_messages(hq.database, hq.clock, sent.source, sent.messages, sent_at=sent.sent_at, kind=sent.kind)


def _source_of(request: Request, hq: Headquarters, body: dict[str, Any]) -> str:
    for key in (_key_in_header(request), body.get("writeKey")):
        source = source_of_key(hq, key) if isinstance(key, str) else None
        if source is not None:
            return source
    raise _Refusal("invalid_key", "The write key is missing or unknown.")


def _key_in_header(request: Request) -> str | None:
    """The key of `Basic key:`, `Basic key` or `Bearer key`."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return None


def _messages_of(body: dict[str, Any]) -> list[Any]:
    messages = body.get("batch")
    if not isinstance(messages, list):
        raise _Refusal("invalid_json", "The body has no list named batch.")
    if len(messages) > BATCH_MAX:
        raise _Refusal("too_large", f"A batch holds at most {BATCH_MAX} messages.")
    shared = {name: body[name] for name in ("context", "integrations") if isinstance(body.get(name), dict)}
    return [{**shared, **message} if isinstance(message, dict) else message for message in messages]
