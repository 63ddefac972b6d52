"""`POST /v1/hooks/NAME`: webhooks of other systems. Flow step 7, third door: stored, answered, mapped after that.

Answers are the tracking API's: `200 {"success": true}` once the body is safe, `{"code", "message"}` otherwise. The
signature is checked over the bytes as they came, before anything is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from shared.errors import Malformed, Problem, StorageFull
from sync_server.api.access import Hq
from sync_server.api.bodies import Body, json_reply, receive
from sync_server.services.headquarters import Headquarters
from sync_server.services.hooks.deliveries import check_json, kept_headers, map_stored, store_delivery
from sync_server.services.hooks.registry import Hook, find_hook
from sync_server.services.hooks.signature import is_genuine

TRIES_MAX: Final = 5
_CODES: Final = {"too_large": "too_large", "busy": "busy"}
_STATUSES: Final = {
    "too_large": 413,
    "invalid_json": 400,
    "invalid_signature": 401,
    "unknown_hook": 404,
    "secret_missing": 503,
    "busy": 503,
    "storage_full": 507,
}
_BODY: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}}

router = APIRouter(prefix="/v1/hooks", tags=["tracking"])


class _Refusal(Exception):
    """A refusal in this API's words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Sent:
    """A delivery whose sender is known, read."""

    hook: Hook
    headers: dict[str, str]
    text: str


@router.post("/{name}", openapi_extra=_BODY)
async def post_hook(name: str, request: Request, hq: Hq) -> Response:
    """Take a webhook of a sender that `sync-server hook add` made known."""
    try:
        body = await receive(request, hq.settings.ingest_max_bytes)
        await hq.queue.take(lambda: _read(request, hq, name, body), lambda sent: _store(hq, sent))
    except _Refusal as refusal:
        return _refusal(request, refusal.code, str(refusal))
    except StorageFull as problem:
        return _refusal(request, "storage_full", str(problem))
    except Problem as problem:
        return _refusal(request, _CODES.get(problem.code, "invalid_json"), problem.detail, problem.retry_after_s)
    reply = json_reply(request, {"success": True})
    reply.background = BackgroundTask(_map, hq, name)
    return reply


def _refusal(request: Request, code: str, message: str, retry_after_s: int | None = None) -> Response:
    after = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return json_reply(request, {"code": code, "message": message}, _STATUSES[code], after)


def _read(request: Request, hq: Headquarters, name: str, packed: Body) -> _Sent:
    with hq.database.read() as reader:
        hook = find_hook(reader, name)
    if hook is None:
        raise _Refusal("unknown_hook", "There is no such hook here.")
    headers = {key.lower(): value for key, value in request.headers.items()}
    unpacked = packed.unpacked()
    _check_sender(hq, hook, headers, (packed.raw, unpacked))
    try:
        text = check_json(unpacked)
    except Malformed as problem:
        raise _Refusal("invalid_json", str(problem)) from None
    return _Sent(hook, kept_headers(hook.mapping, headers), text)


def _check_sender(hq: Headquarters, hook: Hook, headers: dict[str, str], bodies: tuple[bytes, bytes]) -> None:
    secret = hq.keys.hook_secret(hook.name)
    if secret is None and hook.mapping.verify.scheme != "none":
        raise _Refusal(
            "secret_missing", "HQ's keys folder lacks the secret of this hook: put it back, then send again."
        )
    if not is_genuine(hook.mapping.verify, secret or b"", headers, bodies, hq.clock.now()):
        raise _Refusal("invalid_signature", "The signature or key is missing or wrong.")


def _store(hq: Headquarters, sent: _Sent) -> None:
    store_delivery(hq, sent.hook, sent.headers, sent.text)


async def _map(hq: Headquarters, name: str) -> None:
    """Map what is stored, in its turn among those who write. What stays stored, the next delivery or start maps."""
    for _ in range(TRIES_MAX):
        try:
            if await hq.queue.take(lambda: name, lambda hook: map_stored(hq, hook)):
                hq.doorbell.ring()
            return
        except StorageFull:
            return
        except Problem as problem:
            await hq.clock.pause(problem.retry_after_s or 1)
