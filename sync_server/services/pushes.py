"""A push as far as it can be read without the database: its frame, and of each op what is said of it. Flow step 6.

Read while another push is written. What breaks the frame refuses the push, what breaks an op concerns that op alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import ValidationError

from shared.clock import is_at
from shared.errors import Malformed
from shared.wire.canonical import check_body
from shared.wire.messages import Limits, PushRequest, SalvageRequest
from shared.wire.ops import ERASED, WITHHELD, check_envelope, is_chainable, read_body
from sync_server.ports import Device
from sync_server.services.json_text import canonical
from sync_server.services.problems import refuse

LIMITS: Final = Limits()
Framed = TypeVar("Framed", PushRequest, SalvageRequest)
STAND_INS: Final = frozenset({WITHHELD, ERASED})
"""Kinds of an op that comes without its body."""


class ReadOp(NamedTuple):
    """What can be said of an op without the database: its canonical body, and why it is rejected (sha, types, size) or
    parked (a kind, schema or body not understood), if it is."""

    text: str = ""
    rejected: Malformed | None = None
    parked: Malformed | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """A push that can be chained, with what was read of each of its ops by seq."""

    request: PushRequest
    read: Mapping[int, ReadOp]


def read_push(device: Device, raw: Any) -> Push:
    """Read a push as far as that goes without the database, so that it is done while another one is written.

    Raises Problem: 422 malformed_request, 413 too_large.
    """
    request = _read_request(device, raw)
    return Push(request, {op["seq"]: _read_op(op) for op in request.ops})


def read_frame(model: type[Framed], what: str, device: Device, raw: Any) -> Framed:
    """The frame that a push and a salvage message (`what`, for people) have in common.

    Raises Problem: 422 malformed_request, 413 too_large.
    """
    if isinstance(raw, dict) and isinstance(raw.get("ops"), list) and len(raw["ops"]) > LIMITS.max_ops:
        raise refuse("too_large", f"{what} holds at most {LIMITS.max_ops} ops.")
    try:
        request = model.model_validate(raw)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        raise refuse("malformed_request", f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]) from None
    if request.device_id != device.device_id:
        raise refuse("malformed_request", "device_id is another device's.")
    if not is_at(request.device_now):
        raise refuse("malformed_request", "device_now is not a time like 2026-11-22T10:00:00.123Z.")
    return request


def _read_request(device: Device, raw: Any) -> PushRequest:
    request = read_frame(PushRequest, "A push", device, raw)
    for place, op in enumerate(request.ops):
        if not is_chainable(op):
            raise refuse("malformed_request", f"ops.{place}: seq, op_id or sha is not sound.")
        if op["seq"] != request.first_seq + place:
            raise refuse("malformed_request", f"ops.{place}: seq is not {request.first_seq + place}.")
    return request


def _read_op(op: Mapping[str, Any]) -> ReadOp:
    if op.get("kind") in STAND_INS:
        return ReadOp()
    try:
        text = _checked_text(op)
    except Malformed as problem:
        return ReadOp(rejected=problem)
    try:
        read_body(op["kind"], op["schema"], op["body"])
    except Malformed as problem:
        return ReadOp(text, parked=problem)
    return ReadOp(text)


def _checked_text(op: Mapping[str, Any]) -> str:
    """The canonical body of a sound op. Raises Malformed."""
    body = op.get("body")
    check_body(body)
    check_envelope(op)
    text = canonical(body)
    if len(text) > LIMITS.max_op_bytes:
        raise Malformed(f"the body is over {LIMITS.max_op_bytes} bytes")
    if hashlib.sha256(text).hexdigest() != op["sha"]:
        raise Malformed("sha is not the body's")
    return text.decode()
