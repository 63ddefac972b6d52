"""Canonical JSON (RFC 8785) and the rules a body must keep, for both ends of the wire.

Bodies and documents hold no floats, so the only places where Python's own encoder differs from RFC 8785 are keys
outside the Basic Multilingual Plane (sorted there by UTF-16 code units) and lone surrogates (refused here). The fast
path is Python's C encoder; `tests/property` compares it with the reference package.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from shared.errors import Malformed

INTEGER_MAX: Final = 2**53 - 1
NESTING_MAX: Final = 32
TEXT_POINTS_MAX: Final = 2000

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
_encode_unsorted = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value without floats. Raises Malformed for an unpaired surrogate."""
    text = _encode(value)
    if not text.isascii() and _is_beyond_the_plane(text):
        text = _encode_unsorted(_sorted_by_utf16(value))
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Malformed("the text holds an unpaired surrogate") from None


def _is_beyond_the_plane(text: str) -> bool:
    """Say whether a character takes two UTF-16 code units: only then may the order of keys differ."""
    return len(text.encode("utf-16-le", "surrogatepass")) > 2 * len(text)


def _sorted_by_utf16(value: Any) -> Any:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return {key: _sorted_by_utf16(value[key]) for key in keys}
    return [_sorted_by_utf16(part) for part in value] if isinstance(value, list) else value


def sha_of(value: Any) -> str:
    """Hex SHA-256 of the canonical bytes."""
    return hashlib.sha256(canonical(value)).hexdigest()


def check_body(value: Any) -> None:
    """Raise Malformed where a body breaks the rules: float, big integer, U+0000, depth over 32, odd types."""
    stack: list[tuple[Any, int]] = [(value, 1)]
    while stack:
        part, depth = stack.pop()
        if isinstance(part, dict | list):
            if depth > NESTING_MAX:
                raise Malformed(f"nested deeper than {NESTING_MAX}")
            for child in (*part, *part.values()) if isinstance(part, dict) else part:
                kind = type(child)  # most of what a body holds is short text and small numbers: worth a way of its own
                if (kind is str and "\x00" not in child) or (kind is int and -INTEGER_MAX <= child <= INTEGER_MAX):
                    continue
                stack.append((child, depth + 1))
        else:
            _check_scalar(part)


def _check_scalar(part: Any) -> None:
    if isinstance(part, str):
        if "\x00" in part:
            raise Malformed("a text holds U+0000")
    elif isinstance(part, bool) or part is None:
        return
    elif isinstance(part, int):
        if not -INTEGER_MAX <= part <= INTEGER_MAX:
            raise Malformed("an integer is beyond 2^53 - 1")
    elif isinstance(part, float):
        raise Malformed("a body holds no floats: money is minor units, shares are parts per million")
    else:
        raise Malformed(f"a {type(part).__name__} is not JSON")


def load_json(raw: bytes | str) -> Any:
    """Parse JSON strictly (no NaN, no duplicate-key surprises left to chance: the last key wins as RFC 8259 allows).

    Raises Malformed for anything that is not JSON, and for nesting deep enough to exhaust the parser.
    """
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as problem:
        raise Malformed(f"not JSON: {problem}"[:200]) from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def document_hash(document_id: str, body: bytes) -> str:
    """`h` of a feed document: first 8 bytes, hex, of SHA-256(id + "|" + canonical doc)."""
    return hashlib.sha256(document_id.encode() + b"|" + body).hexdigest()[:16]
