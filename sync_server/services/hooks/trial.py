"""What a mapping makes of a payload, shown and nothing else: no database, no chain, no secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.errors import Malformed, Refused
from shared.ingest_rules import IngestRules
from shared.segment_messages import normalise_message
from shared.shopper_events import FaultyMessage
from shared.wire.canonical import load_json
from sync_server.services.hooks.messages import Piece, read_delivery, with_shopper
from sync_server.services.hooks.shipped import find_mapping

RECEIVED_AT: Final = "2026-01-01T00:00:00.000Z"
"""Stands for the moment of arrival where the payload says no time."""


def try_mapping(mapping: str, payload: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """Each piece with its message, key and event as the ledger would keep it, or why there is none. Raises Refused
    for a mapping or payload that is none."""
    _, read = find_mapping(mapping)
    try:
        body = load_json(payload)
    except Malformed as problem:
        raise Refused(f"The payload is {problem}.") from None
    named = {name.lower(): value for name, value in headers.items()}
    return {"pieces": [_shown(piece) for piece in read_delivery(read, body, named, RECEIVED_AT)]}


def _shown(piece: Piece) -> dict[str, Any]:
    told: dict[str, Any] = {"what": _what(piece), "key": piece.key, "who": dict(piece.who), "fault": piece.fault}
    if piece.message is None:
        return told
    message = with_shopper(piece.message, piece.who)
    told["message"] = message
    if piece.names_somebody or piece.key is None:
        event = normalise_message(message, source="try", received_at=RECEIVED_AT, rules=IngestRules())
        if isinstance(event, FaultyMessage):
            return {**told, "fault": event.sentence}
        told["event"] = event.to_body()
    return told


def _what(piece: Piece) -> str:
    if piece.fault is not None:
        return "nothing"
    if piece.is_ignored:
        return "ignored"
    if piece.message is None:
        return "claim"
    return "message" if piece.names_somebody or piece.key is None else "message that waits for its key"
