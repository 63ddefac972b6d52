"""Query parameters of the sync routes, read strictly: anything else is 422 `malformed_request`."""

from __future__ import annotations

import re
from typing import Final

from sync_server.services.problems import refuse

_WHOLE: Final = re.compile(r"[0-9]{1,15}\Z")
_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?\Z")
KNOWN_MAX: Final = 20


def whole_number(text: str | None, name: str, default: int | None = None) -> int | None:
    """A whole number from 0."""
    if text is None:
        return default
    if not _WHOLE.match(text):
        raise refuse("malformed_request", f"{name} is not a whole number.")
    return int(text)


def seconds(text: str | None, default: float) -> float:
    """Seconds from 0; what is larger than the server waits is cut by the server."""
    if text is None:
        return default
    if not _SECONDS.match(text):
        raise refuse("malformed_request", "seconds is not a number from 0.")
    return float(text)


def required(text: str | None, name: str) -> str:
    """A text that must be there."""
    if not text or len(text) > 400 or not text.isprintable():
        raise refuse("malformed_request", f"{name} is missing or no short text.")
    return text


def known_heads(text: str | None) -> dict[str, int]:
    """`all:812,store:berlin-1:99120` -> {scope: position}."""
    known: dict[str, int] = {}
    for part in required(text, "known").split(","):
        scope, _, position = part.rpartition(":")
        if not scope or not _WHOLE.match(position):
            raise refuse("malformed_request", "known is a list like all:812,store:berlin-1:99120.")
        known[scope] = int(position)
    if len(known) > KNOWN_MAX:
        raise refuse("malformed_request", f"known names more than {KNOWN_MAX} scopes.")
    return known
