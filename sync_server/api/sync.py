"""The routes of floor-sync 1: enroll, hello, push, pull, snapshot, wait, salvage and media (protocol.md, Messages)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from shared.wire.messages import (
    EnrollReply,
    EnrollRequest,
    FeedPage,
    HelloReply,
    HelloRequest,
    Limits,
    PushReply,
    PushRequest,
    SalvageRequest,
    WaitReply,
)
from sync_server.api.access import AnyDevice, Credentials, Hq, KnownDevice, ReceivingDevice, check_scope
from sync_server.api.bodies import accepts_gzip, gzip_maker, json_reply, receive
from sync_server.api.parameters import known_heads, required, seconds, whole_number
from sync_server.ports import Device
from sync_server.services.cards import fill_stock
from sync_server.services.doorbell import wait_for_change
from sync_server.services.enrolment import enroll, token_to_offer
from sync_server.services.feed import PAGE_MAX, open_cursor, read_page, stream_snapshot
from sync_server.services.headquarters import Headquarters
from sync_server.services.intake import take_push
from sync_server.services.privacy import confirm
from sync_server.services.problems import refuse
from sync_server.services.pushes import read_push
from sync_server.services.salvage import take_salvage
from sync_server.services.sessions import greet

MAX_BYTES: Final = Limits().max_bytes
SMALL_BYTES: Final = 16_384
CHUNK_BYTES: Final = 65_536
SNAPSHOT_GZIP_LEVEL: Final = 3
"""Packs profiles in little more than half the time of level 5, into an eighth more bytes."""
WAIT_S: Final = 25.0

router = APIRouter(prefix="/v1")
Text = Annotated[str | None, Query()]


def _takes(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI words for a body that the route reads itself, because its size and packing are checked first."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}}}


@router.post("/enroll", status_code=201, tags=["sync"], openapi_extra=_takes(EnrollRequest), response_model=EnrollReply)
async def post_enroll(request: Request, hq: Hq, credentials: Credentials) -> Response:
    """Exchange a one-time code for a device token. A tablet that had one shows it, so that its records are known."""
    body = await receive(request, SMALL_BYTES)
    earlier = credentials.credentials if credentials else None
    return json_reply(request, await hq.queue.take(body.json, lambda raw: enroll(hq, raw, earlier)), 201)


@router.post("/sync/hello", tags=["sync"], openapi_extra=_takes(HelloRequest), response_model=HelloReply)
async def post_hello(request: Request, hq: Hq, device: KnownDevice) -> Response:
    """Start a session: what HQ knows of this install, and the terms."""
    body = await receive(request, SMALL_BYTES)
    return json_reply(request, await hq.queue.take(body.json, lambda raw: _greet(hq, device, raw)))


def _greet(hq: Headquarters, device: Device, raw: Any) -> dict[str, Any]:
    return greet(
        hq.database,
        hq.clock,
        hq.chance,
        device,
        raw,
        card_stock=lambda tx, install, known: fill_stock(hq, tx, install, known),
        rotated_token=token_to_offer(hq, device.device_id),
        receipt_keys=hq.keys.public_receipt_keys(),
    )


@router.post("/sync/push", tags=["sync"], openapi_extra=_takes(PushRequest), response_model=PushReply)
async def post_push(request: Request, hq: Hq, device: KnownDevice) -> Response:
    """Take a run of ops; answered only after they are durable."""
    body = await receive(request, MAX_BYTES)
    reply = await hq.queue.take(
        lambda: read_push(device, body.json()),
        lambda push: take_push(hq.database, hq.keys, hq.clock, hq.chance, device, push),
    )
    hq.doorbell.ring()
    return json_reply(request, reply)


@router.get("/sync/pull", tags=["sync"], response_model=FeedPage)
async def get_pull(
    request: Request, hq: Hq, device: ReceivingDevice, scope: Text = None, cursor: Text = None, limit: Text = None
) -> Response:
    """A page of a scope's feed after a cursor."""
    asked = required(scope, "scope")
    most = whole_number(limit, "limit", PAGE_MAX)
    if not cursor or not most:
        raise refuse("malformed_request", "cursor is missing or limit is 0: the first cursor comes from a snapshot.")
    page = read_page(hq.database, hq.keys, check_scope(device, asked), cursor, most)
    if (taken := open_cursor(cursor, hq.keys.hmac_key("cursor"))) is not None:
        confirm(hq, device, {asked: taken.position})
    return json_reply(request, page)


@router.get("/sync/snapshot", tags=["sync"], response_class=StreamingResponse)
async def get_snapshot(
    request: Request,
    hq: Hq,
    device: ReceivingDevice,
    scope: Text = None,
    after: Text = None,
    as_of: Text = None,
    epoch: Text = None,
) -> Response:
    """All live documents of a scope as NDJSON, from one state of the database; goes on behind `after`."""
    asked = required(scope, "scope")
    position = whole_number(as_of, "as_of")
    lines = stream_snapshot(hq.database, hq.keys, check_scope(device, asked), after=after, as_of=position, epoch=epoch)
    return _start_snapshot(request, hq, lines)


def _start_snapshot(request: Request, hq: Headquarters, lines: Iterator[bytes]) -> Response:
    """At most so many at a time; the first line is made before the reply starts, so that a 410 is still a 410."""
    state = request.app.state
    if state.snapshots >= hq.settings.snapshots_max:
        raise refuse("busy", "Other tablets are loading.", retry_after_s=1 + int(hq.chance.uniform(0, 5)))
    first = next(lines)
    state.snapshots += 1
    return _SnapshotReply(state, first, lines, is_packed=accepts_gzip(request))


class _SnapshotReply(StreamingResponse):
    """Streams a snapshot and gives its place and its read transaction back, however the sending ends."""

    def __init__(self, state: Any, first: bytes, lines: Iterator[bytes], *, is_packed: bool) -> None:
        headers = {"Vary": "Accept-Encoding", "Cache-Control": "no-store"}
        if is_packed:
            headers["Content-Encoding"] = "gzip"
        super().__init__(_chunks(first, lines, is_packed=is_packed), 200, headers, "application/x-ndjson")
        self._state, self._lines = state, lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with suppress(ClientDisconnect):  # the tablet hung up: it goes on from its last line
                await super().__call__(scope, receive, send)
        finally:
            self._state.snapshots -= 1
            if hasattr(self._lines, "close"):
                self._lines.close()


async def _chunks(first: bytes, lines: Iterator[bytes], *, is_packed: bool) -> AsyncIterator[bytes]:
    """Lines in pieces of about 64 KiB, giving way to other requests between them."""
    maker = gzip_maker(SNAPSHOT_GZIP_LEVEL) if is_packed else None
    waiting = bytearray(first)
    for line in lines:
        waiting += line
        if len(waiting) >= CHUNK_BYTES:
            yield maker.compress(bytes(waiting)) if maker else bytes(waiting)
            waiting.clear()
            await asyncio.sleep(0)
    yield maker.compress(bytes(waiting)) + maker.flush() if maker else bytes(waiting)


@router.get("/sync/wait", tags=["sync"], response_model=WaitReply)
async def get_wait(
    request: Request,
    hq: Hq,
    device: ReceivingDevice,
    known: Text = None,
    for_seconds: Annotated[str | None, Query(alias="seconds")] = None,
) -> Response:
    """The doorbell: answers as soon as a head differs from what is known, or at the end of the time."""
    heads, wait_s = known_heads(known), seconds(for_seconds, WAIT_S)
    for scope in heads:
        check_scope(device, scope)
    epoch, now = await wait_for_change(hq.doorbell, hq.database, hq.clock, heads, wait_s)
    return json_reply(request, {"epoch": epoch, "heads": now, "end": True})


@router.post("/sync/salvage", tags=["sync"], openapi_extra=_takes(SalvageRequest))
async def post_salvage(request: Request, hq: Hq, device: AnyDevice) -> Response:
    """Keep the ops of a revoked, forked or withheld journal apart, until a person approves them."""
    body = await receive(request, MAX_BYTES)
    return json_reply(request, await hq.queue.take(body.json, lambda raw: take_salvage(hq, device, raw)))


@router.get("/media/{sha}", tags=["sync"], response_class=Response)
async def get_media(hq: Hq, device: KnownDevice, sha: str) -> Response:
    """A picture by its hash; it never changes, so it may be kept for ever."""
    picture = hq.media.find(sha)
    if picture is None:
        raise refuse("not_found", "There is no picture with this hash.")
    headers = {"Cache-Control": "private, max-age=31536000, immutable", "ETag": f'"{sha}"'}
    return Response(picture, 200, headers, "image/webp")
