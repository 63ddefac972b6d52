"""Bodies in and out: bounded reading and unpacking of requests, JSON replies, gzip where it is accepted and pays.

Unpacking stops at the limit, so a small body can never become a large one in memory. A body over the limit is read to
its end (up to a bound) but not kept: answered in the middle of sending, many senders would never see the answer.
Compression is our own few lines because the framework's writes the time into every reply and works in threads.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request, Response

from shared.errors import Malformed, Problem
from shared.wire.canonical import load_json
from sync_server.services.json_text import encode
from sync_server.services.problems import refuse

GZIP_OVER_BYTES: Final = 1024
GZIP_LEVEL: Final = 5
BODY_TIMEOUT_S: Final = 60
_GZIP_BITS: Final = 31
_DRAINED_MAX: Final = 16
"""How many times the limit is read and thrown away before the connection is given up."""


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body as it came, to be unpacked and parsed where that holds nobody up."""

    raw: bytes
    is_packed: bool
    most_bytes: int

    def unpacked(self) -> bytes:
        """The bytes, unpacked if they are gzipped. Raises Problem: 413 too_large, 422 malformed_request."""
        return gunzip(self.raw, self.most_bytes) if self.is_packed else self.raw

    def json(self) -> Any:
        """The JSON value, whatever the Content-Type. Raises Problem: 413 too_large, 422 malformed_request."""
        try:
            return load_json(self.unpacked())
        except Malformed as problem:
            raise refuse("malformed_request", str(problem)) from None


async def receive(request: Request, most_bytes: int) -> Body:
    """The body as it comes; `most_bytes` bounds it packed and unpacked. Raises Problem: 413, 422."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            raw = await _read_raw(request, most_bytes)
    except TimeoutError:
        raise refuse("malformed_request", f"The body did not arrive within {BODY_TIMEOUT_S} seconds.") from None
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise refuse("malformed_request", "Content-Encoding is gzip or none.")
    return Body(raw, encoding in ("gzip", "x-gzip"), most_bytes)


async def _read_raw(request: Request, most_bytes: int) -> bytes:
    kept = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= most_bytes:
            kept += chunk
        elif size > _DRAINED_MAX * most_bytes:
            break
    if size > most_bytes:
        raise too_large(most_bytes)
    return bytes(kept)


def too_large(most_bytes: int) -> Problem:
    """413 with the limit in words."""
    return refuse("too_large", f"A request holds at most {most_bytes} bytes, packed or unpacked.")


def gunzip(packed: bytes, most_bytes: int) -> bytes:
    """Unpack gzip, one member or several, at most so many bytes. Raises Problem: 413, 422."""
    unpacked = b""
    while packed:
        member = zlib.decompressobj(wbits=_GZIP_BITS)
        try:
            unpacked += member.decompress(packed, most_bytes + 1 - len(unpacked))
        except zlib.error:
            raise refuse("malformed_request", "The body is not gzip.") from None
        if len(unpacked) > most_bytes:
            raise too_large(most_bytes)
        if not member.eof:
            raise refuse("malformed_request", "The gzip body is cut off.")
        packed = member.unused_data
    return unpacked


def accepts_gzip(request: Request) -> bool:
    """Say whether the asker takes gzip (RFC 9110, 12.5.3; `q=0` is a no)."""
    for offer in request.headers.get("accept-encoding", "").split(","):
        name, _, weight = offer.partition(";")
        if name.strip().lower() in ("gzip", "x-gzip", "*"):
            return weight.replace(" ", "").lower().rstrip("0.") not in ("q=", "q")
    return False


def gzip_maker(level: int = GZIP_LEVEL) -> Any:
    """A gzip compressor that writes no time, so equal replies are equal bytes."""
    return zlib.compressobj(level, zlib.DEFLATED, _GZIP_BITS)


def json_reply(request: Request, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON reply, gzipped over 1 KiB where that is accepted."""
    body = encode(value).encode()
    sent = {"Vary": "Accept-Encoding", "Cache-Control": "no-store", **(headers or {})}
    if len(body) > GZIP_OVER_BYTES and accepts_gzip(request):
        maker = gzip_maker()
        body = maker.compress(body) + maker.flush()
        sent["Content-Encoding"] = "gzip"
    return Response(body, status, sent, "application/json")
