"""HQ's quick JSON is the core's, byte for byte, for everything an op, a document or a profile's state may hold."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import Malformed
from shared.wire import canonical as core
from sync_server.services.json_text import canonical, decode, encode

TEXTS = st.text(st.characters(exclude_categories=()), max_size=8) | st.sampled_from(
    ["\U0001f45f", "\ufb01", "\x7f", ""]
)
SOUND = st.text(st.characters(codec="utf-8"), max_size=8)


def values(texts: st.SearchStrategy[str], numbers: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    """JSON values without floats."""
    leaves = st.none() | st.booleans() | numbers | texts
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=5), max_leaves=12
    )


def told(write: Any, value: Any) -> bytes | str:
    """What is written, or why it is refused."""
    try:
        return bytes(write(value))
    except Malformed as problem:
        return str(problem)


@given(values(TEXTS, st.integers(-(2**70), 2**70)))
@example({"\U0001f45f": 1, "\ufb01": 2})
@example({"a": "\ud800"})
@example({"a": [2**64, -(2**63) - 1]})
@example({'\x00\x1f\x7f\u2028/"\\': "\b\f\n\r\t"})
@example({"a": (1, 2)})
def test_canonical_is_the_cores(value: Any) -> None:
    """Numbers beyond 64 bits, keys beyond the plane and unpaired surrogates too."""
    assert told(canonical, value) == told(core.canonical, value)


@given(values(SOUND, st.integers(-(2**53) + 1, 2**53 - 1)))
def test_what_hq_writes_for_itself_is_plain_json(value: Any) -> None:
    """Another server may read it with any parser, and this one reads what another wrote."""
    text = encode(value)
    assert text == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert decode(text) == value == json.loads(text)
