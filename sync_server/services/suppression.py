"""What is left of words about a shopper who was erased, and how such words are known again. Flow steps 6 and 7.

Every way in asks here: pushes, events, imports, webhooks, salvage, replays. Facts are known by their identifiers, which
costs a hash each; raw words nobody could read are known by any value in them. Nothing is written here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from shared.errors import Malformed
from shared.fold import EVENT
from shared.identity import Identifier, IdentifierType, canonical_form, profile_id_for
from shared.wire.canonical import load_json
from shared.wire.ops import ERASED
from sync_server.ports import CentralReader, ErasedNames, LedgerRow
from sync_server.services.json_text import canonical

Pair = tuple[str, str]
NOTHING: Final = "{}"
_VALUE_MAX: Final = 320
_PHONE_DIGITS: Final = 6
_BETWEEN_WORDS: Final = re.compile(r"[\s,;:<>()\[\]\"']+")
_ORDER_KEPT: Final = ("currency", "revenue_minor", "total_minor", "refund_minor", "lines")
_LINE_KEPT: Final = ("sku", "title", "category", "brand", "price_minor", "quantity")
_EVENT_KEPT: Final = ("kind", "channel", "name", "store")
_TRIMMED: Final = tuple(one for one in IdentifierType if one not in (IdentifierType.EMAIL, IdentifierType.PHONE))


def names_erased(erasures: ErasedNames, pairs: Collection[Pair]) -> bool:
    """Whether one of these identifiers is of somebody who was erased."""
    return bool(pairs) and bool(erasures.holds(pairs))


def mentions_erased(reader: CentralReader, erasures: ErasedNames, value: Any) -> bool:
    """The same of any JSON, read or unread: whether a value in it is such an identifier."""
    return not erasures.is_empty() and bool(erasures.holds(pairs_in(value, regions_of(reader))))


def raw_mentions_erased(reader: CentralReader, erasures: ErasedNames, raw: str) -> bool:
    """The same of JSON text; text that is none is looked at as a single value."""
    return not erasures.is_empty() and mentions_erased(reader, erasures, parsed(raw))


def parsed(raw: str) -> Any:
    """JSON text read, or the text itself where it is none."""
    try:
        return load_json(raw)
    except Malformed:
        return raw


def regions_of(reader: CentralReader) -> frozenset[str]:
    """Countries whose phone numbers may be written without their code."""
    return frozenset(store.country for store in reader.stores() if store.country) or frozenset({"DE"})


def pairs_in(value: Any, regions: Collection[str]) -> set[Pair]:
    """Every identifier that a value of this JSON could be."""
    found: set[Pair] = set()
    for text in _texts(value):
        found.update(_readings(text, regions))
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        yield from (word.rstrip(".!?") for word in _BETWEEN_WORDS.split(value) if word != value and _may_name(word))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _may_name(word: str) -> bool:
    """Whether a word of a sentence could be an address or a number."""
    return len(word) <= _VALUE_MAX and ("@" in word or sum(letter.isdigit() for letter in word) >= _PHONE_DIGITS)


def _readings(text: str, regions: Collection[str]) -> Iterator[Pair]:
    if not text.strip() or len(text) > _VALUE_MAX:
        return
    forms: list[Identifier | None] = [canonical_form(type_, text, region="DE") for type_ in _TRIMMED]
    if "@" in text:
        forms.append(canonical_form(IdentifierType.EMAIL, text, region="DE"))
    if sum(letter.isdigit() for letter in text) >= _PHONE_DIGITS:
        forms += [canonical_form(IdentifierType.PHONE, text, region=region) for region in regions]
    yield from ((form.type.value, form.value) for form in forms if form is not None)


def with_profile_ids(pairs: Collection[Pair], profile_ids: Collection[str] = ()) -> set[Pair]:
    """These identifiers, and the profiles that each would be by itself: a tablet may name a shopper by one of those."""
    own = {profile_id_for(Identifier(IdentifierType(type_), value)) for type_, value in pairs}
    return {*pairs, *((IdentifierType.PROFILE_ID.value, id_) for id_ in {*own, *profile_ids})}


# what is left ---------------------------------------------------------------------------------------------------------


def left_of(kind: str, body: Any) -> str:
    """What may be kept of a fact's body: an order's amounts, currency and products without whose they are; else
    nothing."""
    order = body.get("order") if kind == EVENT and isinstance(body, Mapping) else None
    if not isinstance(order, Mapping):
        return NOTHING
    kept = {name: order[name] for name in _ORDER_KEPT if name in order}
    if "lines" in kept:
        kept["lines"] = [{name: line[name] for name in _LINE_KEPT if name in line} for line in kept["lines"]]
    return canonical({**{name: body[name] for name in _EVENT_KEPT if name in body}, "order": kept}).decode()


def blanked(row: LedgerRow) -> LedgerRow:
    """A fact about an erased shopper as it is stored: accepted, with its place in its chain, and without a word."""
    left = left_of(row.kind, json.loads(row.body))
    return row._replace(
        body=left, verdict="accepted", code=ERASED, detail=None, subject=None, associate_id=None, profile_id=None
    )


def stand_in(op: Mapping[str, Any]) -> dict[str, Any]:
    """An op about an erased shopper where raw ops are kept: its place and hash, no words."""
    kept = ("seq", "op_id", "schema", "scope", "occurred_at", "amends", "sha")
    return {**{name: op[name] for name in kept if name in op}, "kind": ERASED}
