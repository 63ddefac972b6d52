"""Is a delivery from whom it says? HMAC over the bytes as they came, or a key shown; compared in constant time."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from shared.segment_parts import moment_of
from sync_server.services.hooks.mapping import Verify

_AUTHORIZATION: Final = "authorization"


def is_genuine(
    verify: Verify, secret: bytes, headers: Mapping[str, str], bodies: tuple[bytes, ...], now: datetime
) -> bool:
    """Say whether the sender showed that it knows the secret.

    `bodies` are the body as it came and unpacked: senders sign before or after they pack. Headers by lower-case name.
    """
    if verify.scheme == "none":
        return True
    if not secret:
        return False
    if verify.scheme in ("bearer", "basic"):
        return any(hmac.compare_digest(shown, secret) for shown in _shown(verify, headers))
    given = headers.get((verify.header or "").lower(), "").strip()
    stamp = headers.get((verify.timestamp_header or "").lower(), "").strip()
    if not given.startswith(verify.prefix) or not _is_timely(verify, stamp, now):
        return False
    signature = _decoded(verify, given.removeprefix(verify.prefix))
    return any(
        hmac.compare_digest(signature, hmac.digest(secret, _signed(verify, body, stamp), "sha256")) for body in bodies
    )


def _signed(verify: Verify, body: bytes, stamp: str) -> bytes:
    """The text under the HMAC. The body goes in last, for it may hold anything."""
    before, _, after = verify.signed.partition("{body}")
    return b"".join((before.replace("{timestamp}", stamp).encode(), body, after.replace("{timestamp}", stamp).encode()))


def _is_timely(verify: Verify, stamp: str, now: datetime) -> bool:
    if verify.within_s is None:
        return True
    moment = moment_of(int(stamp) if stamp.isdigit() and len(stamp) < 17 else stamp)
    return moment is not None and abs(moment - now) <= timedelta(seconds=verify.within_s)


def _decoded(verify: Verify, given: str) -> bytes:
    try:
        if verify.scheme == "hmac-sha256-hex":
            return bytes.fromhex(given)
        return base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _shown(verify: Verify, headers: Mapping[str, str]) -> list[bytes]:
    """The keys a request shows: a header's whole value, the bearer token, or either half of Basic credentials."""
    value = headers.get((verify.header or _AUTHORIZATION).lower(), "").strip()
    if verify.header is not None and verify.header.lower() != _AUTHORIZATION:
        return [value.removeprefix(verify.prefix).strip().encode()]
    scheme, _, token = value.partition(" ")
    if scheme.lower() != verify.scheme:
        return []
    if verify.scheme == "bearer":
        return [token.strip().encode()]
    try:
        shown = base64.b64decode(token.strip(), validate=True)
    except (binascii.Error, ValueError):
        return []
    account, _, password = shown.partition(b":")
    return [shown, account, password]
