"""HQ's own quick way to canonical JSON, byte for byte what `shared/wire/canonical.py` writes (shared/decisions/0006).

Every op, document and profile state of a push is encoded: with the standard encoder that was a fifth of its time.
What the quick encoder does not take, or could order otherwise, goes to the core's, which decides; so do its refusals.
Only for values that are already checked: `check_body` refuses floats, which the two would write differently.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from shared.wire import canonical as core

_PLAIN: Final = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_SORTED: Final = _PLAIN | orjson.OPT_SORT_KEYS
_is_beyond_the_plane: Final = re.compile(rb"[\xf0-\xf4]").search


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value without floats. Raises Malformed for an unpaired surrogate."""
    try:
        text = orjson.dumps(value, option=_SORTED)
    except orjson.JSONEncodeError:
        return core.canonical(value)
    return text if text.isascii() or not _is_beyond_the_plane(text) else core.canonical(value)


def encode(value: Any) -> str:
    """JSON text in the order of the value's own keys, for what only HQ reads back."""
    return orjson.dumps(value, option=_PLAIN).decode()


def as_written(text: str) -> Any:
    """JSON text that HQ wrote itself, for `encode` to put in as it stands, without reading it."""
    return orjson.Fragment(text)


def decode(text: str) -> Any:
    """Read JSON text that HQ wrote itself. What comes over the wire is read by the core's `load_json`: it keeps whole
    numbers of any size, so that a refused op is kept as it came."""
    return orjson.loads(text)
