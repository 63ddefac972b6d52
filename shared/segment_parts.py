"""Reading single values of a foreign message: text, times, nested objects. Every reader is total: None, never an error.

The words `segment_messages.py` and `segment_fields.py` are written in; nothing here knows what a field means.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from shared.money import whole_number
from shared.wire.canonical import INTEGER_MAX, TEXT_POINTS_MAX

_EPOCH_MS_MIN: Final = 10**11
_YES: Final = frozenset({"true", "1", "yes", "y", "on"})
_NO: Final = frozenset({"false", "0", "no", "n", "off"})


def moment_of(raw: object) -> datetime | None:
    """An ISO 8601 text, or a number of seconds or milliseconds since 1970 as some senders write it."""
    try:
        if isinstance(raw, str):
            return _iso_moment(raw) if raw else None
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            return None
        return datetime.fromtimestamp(raw / 1000 if abs(raw) >= _EPOCH_MS_MIN else raw, UTC)
    except (ValueError, OverflowError, OSError):
        return None


@lru_cache(maxsize=4096)
def _iso_moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def text_of(raw: object) -> str | None:
    """Text as stored: NFC, trimmed, at most 2,000 code points, nothing the wire refuses; whole numbers as digits."""
    if raw is None:
        return None
    if isinstance(raw, str):
        text = raw if raw.isascii() else _wire_text(raw)
        if "\x00" in text:
            text = text.replace("\x00", "")
        return text.strip()[:TEXT_POINTS_MAX].rstrip() or None
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    whole = whole_number(raw)
    return str(whole) if whole is not None else None


def truth_of(raw: object) -> bool | None:
    """Yes or no, as JSON, as a number, or in one of the words that files and forms use."""
    said = (str(raw) if isinstance(raw, bool) else text_of(raw) or "").lower()
    return said in _YES if said in _YES | _NO else None


def _wire_text(raw: str) -> str:
    return unicodedata.normalize("NFC", raw.encode("utf-8", "replace").decode())


def wire_name(name: str) -> str:
    """A text without what the wire refuses: U+0000 and unpaired surrogates."""
    return (name if name.isascii() else _wire_text(name)).replace("\x00", "")


def wire_safe(value: Any, depth: int) -> Any:
    """The same value without what canonical JSON refuses: floats and big integers become text, deep nests are cut."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return wire_name(value)
    if isinstance(value, int):
        return value if -INTEGER_MAX <= value <= INTEGER_MAX else str(value)
    if isinstance(value, float):
        return str(value)
    if depth == 0:
        return None
    if isinstance(value, dict):
        return {wire_name(name): wire_safe(part, depth - 1) for name, part in value.items()}
    return [wire_safe(part, depth - 1) for part in value]


def part_of(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A nested object, empty where there is none."""
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def first_of(part: Mapping[str, Any], *names: str) -> Any:
    """The first of these that is there and not empty."""
    for name in names:
        value = part.get(name)
        if value is not None and value != "":
            return value
    return None
