"""Hello: what HQ knows of an install, and the terms of the session. First request after a start, a 409 or a 410.

A tablet never loses an op to what is answered here: a fork only makes it take a new install id, a new epoch only makes
it send again what it keeps.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from shared.clock import format_at, is_at, ms_between
from shared.journal import CHAIN_START
from shared.wire.messages import PROTO, SCOPE_ALL, HelloRequest, Limits, store_scope
from sync_server.ports import CentralDatabase, CentralWriter, Chance, Clock, Device, Install
from sync_server.services.conflicts import tried_again
from sync_server.services.problems import refuse
from sync_server.services.terms import MIN_APP, NOTICE, read_term

EPOCH_NOTE: Final = "epoch"
POLL_S: Final = 45
POLL_SPREAD_S: Final = 15
RETAIN_ACKED_DAYS: Final = 30

CardStock = Callable[[CentralWriter, Install, Device], Sequence[dict[str, Any]]]


def next_poll_s(chance: Chance) -> int:
    """Seconds until the next poll, spread so that a chain's tablets do not come at once."""
    return POLL_S + int(chance.uniform(0, POLL_SPREAD_S))


def scopes_of(device: Device) -> list[str]:
    """The scopes a device may read."""
    return [SCOPE_ALL, store_scope(device.store)]


@tried_again
def greet(
    database: CentralDatabase,
    clock: Clock,
    chance: Chance,
    device: Device,
    raw: Any,
    *,
    card_stock: CardStock | None = None,
    rotated_token: str | None = None,
    receipt_keys: Mapping[str, bytes] = MappingProxyType({}),
) -> dict[str, Any]:
    """Answer a hello. `card_stock` fills the tablet's stock of pre-signed cards inside the same transaction.

    `rotated_token` is the device's new one, if it is to change it; `receipt_keys` are the public keys (kid -> 32
    bytes), for a tablet too old to receive them by the feed.
    Raises Problem: 422 malformed_request, 409 install_forked.
    """
    request = _read_request(raw, device)
    now_at = format_at(clock.now())
    with database.write() as tx:
        epoch = tx.note(EPOCH_NOTE) or ""
        install = _meet(tx, device, request)
        seen = {"app": request.app, "last_seen_at": now_at, "unsent": max(0, request.head_seq - install.acked_seq)}
        tx.change_rows("device", seen, device_id=device.device_id)
        cards = list(card_stock(tx, install, device)) if card_stock else []
        min_app, notice = read_term(tx, MIN_APP), read_term(tx, NOTICE)
    return {
        "proto": PROTO,
        "epoch": epoch,
        "epoch_changed": request.epoch is not None and request.epoch != epoch,
        "server_now": now_at,
        "offset_ms": ms_between(request.device_now, now_at),
        "acked_seq": install.acked_seq,
        "chain": install.chain,
        "scopes": scopes_of(device),
        "limits": Limits().model_dump(),
        "retain_acked_days": RETAIN_ACKED_DAYS,
        "next_poll_s": next_poll_s(chance),
        "min_app": min_app,
        "notice": notice or None,
        "token": rotated_token,
        "card_stock": cards,
        "receipt_keys": {kid: base64.b64encode(raw).decode() for kid, raw in receipt_keys.items()},
    }


def _read_request(raw: Any, device: Device) -> HelloRequest:
    try:
        request = HelloRequest.model_validate(raw)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        raise refuse("malformed_request", f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]) from None
    if request.device_id != device.device_id:
        raise refuse("malformed_request", "device_id is another device's.")
    if not is_at(request.device_now):
        raise refuse("malformed_request", "device_now is not a time like 2026-11-22T10:00:00.123Z.")
    return request


def _meet(tx: CentralWriter, device: Device, request: HelloRequest) -> Install:
    """The install, made at 0 when unknown. Raises install_forked where its journal is not the one HQ holds."""
    install = tx.lock_install(request.install_id, device.device_id)
    if install.device_id != device.device_id:
        raise refuse("install_forked", "This install belongs to another device.")
    if request.epoch is not None and request.epoch != tx.note(EPOCH_NOTE):
        return install
    if install.acked_seq > request.head_seq:
        raise refuse("install_forked", "HQ holds more of this install than the tablet recorded.")
    if 0 < request.acked_seq <= install.acked_seq:
        held = tx.entries(request.install_id, request.acked_seq, request.acked_seq).get(request.acked_seq)
        if held is not None and held.chain != request.chain:
            raise refuse("install_forked", "Another journal stands under this install.")
    if request.acked_seq == 0 and request.chain != CHAIN_START:
        raise refuse("install_forked", "The chain of an empty journal is zeros.")
    return install
