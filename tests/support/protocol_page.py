"""The drawn parts of shared/PROTOCOL.md: tables from the code, examples from the golden files, vectors from fixed keys.

A part stands between `<!-- drawn: NAME -->` and `<!-- end -->`; `python -m tests.redraw` writes it, a test compares it.
Prose is written by hand and never touched here.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from associate_app.sync import state
from associate_app.sync.engine import draw_transitions
from shared import documents, projection
from shared.cards import LOYALTY_ID_LENGTH_MAX, TEXT_LENGTH_MAX, encode_card
from shared.feedback import ANSWER_DAYS
from shared.journal import CHAIN_START, extend_chain, sign_receipt
from shared.plays import sent_inputs
from shared.profile import Profile
from shared.scan_code import SCAN_BYTES_MAX, encode_enrolment
from shared.wire import messages
from shared.wire.canonical import INTEGER_MAX, NESTING_MAX, TEXT_POINTS_MAX, canonical, document_hash, sha_of
from shared.wire.ops import BODY_OF_KIND
from shared.wire.problems import PROBLEMS
from sync_server.api import bodies, parameters, sync
from sync_server.services import cards, doorbell, feed, intake, opening, sessions
from sync_server.settings import Settings
from tests.support.golden import CARD_SEED, EPOCH, FOLDER, RECEIPT_SEED, Exchange, fixed_key

PAGE: Final = Path(__file__).resolve().parents[2] / "shared" / "PROTOCOL.md"
_DOCUMENTS: Final[dict[str, type[BaseModel]]] = {
    "`profile/<id>`": Profile,
    "`associate/<associate_id>`": documents.AssociateDocument,
    "`stock/<sku>`": documents.StockDocument,
    "`device/<device_id>`": documents.DeviceDocument,
    "`product/<sku>`": documents.ProductDocument,
    "`available/<sku>`": documents.AvailableDocument,
    "`store/<code>`": documents.StoreDocument,
    "`card_key/<kid>`": documents.CardKeyDocument,
    "`receipt_key/<kid>`": documents.ReceiptKeyDocument,
    "`card_cancelled/<card id>`": documents.CardCancelledDocument,
}
LIMITS: Final[dict[str, float]] = {
    "ops in a push or salvage (`max_ops`)": messages.Limits().max_ops,
    "bytes of a push or salvage, packed and unpacked (`max_bytes`)": messages.Limits().max_bytes,
    "bytes of an op's canonical body (`max_op_bytes`)": messages.Limits().max_op_bytes,
    "bytes of an enroll or hello": sync.SMALL_BYTES,
    "seconds in which a body must arrive": bodies.BODY_TIMEOUT_S,
    "bytes over which a JSON answer is gzipped": bodies.GZIP_OVER_BYTES,
    "largest integer (and its negative)": INTEGER_MAX,
    "bytes of an impression's `inputs`": sent_inputs.INPUTS_BYTES_MAX,
    "levels of nesting in a body, the body itself being the first": NESTING_MAX,
    "code points of a *text* in a body": TEXT_POINTS_MAX,
    "changes in a page": feed.PAGE_MAX,
    "seconds of a wait where none are said": sync.WAIT_S,
    "seconds of a wait at most": doorbell.WAIT_S_MAX,
    "scopes in `known`": parameters.KNOWN_MAX,
    "snapshots at a time (setting)": Settings(data_dir=Path(), database="").snapshots_max,
    "`next_poll_s` from": sessions.POLL_S,
    "`next_poll_s` below": sessions.POLL_S + sessions.POLL_SPREAD_S,
    "days a tablet keeps acknowledged ops (`retain_acked_days`)": sessions.RETAIN_ACKED_DAYS,
    "cards in the stock": cards.STOCK,
    "typed openings an hour for each associate": opening.TYPED_AN_HOUR,
    "notes and outcomes listed in a profile": projection.LISTED_MAX,
    "purchase lines listed in a profile": projection.PURCHASES_MAX,
    "days of `recent`, before the profile's newest fact": projection.RECENT_DAYS,
    "days that a visit holds a profile in a slice": projection.VISIT_DAYS,
    "days that an opening or contact does": projection.CONTACT_DAYS,
    "metres that count as near": projection.NEAR_M,
    "milliseconds of offset over which a clock is suspect": intake.SUSPECT_MS,
    "days until feedback is to be answered (`due_at`; a chain may set others)": ANSWER_DAYS,
    "characters of a card": TEXT_LENGTH_MAX,
    "bytes of a loyalty number on a card HQ issues": LOYALTY_ID_LENGTH_MAX,
    "bytes of a scan": SCAN_BYTES_MAX,
    "seconds of back-off at most": state.BACKOFF_S_MAX,
    "requests in a row without progress on one lane": state.TRIES_MAX,
    "seconds without HQ after which the return is spread": state.LONG_OFFLINE_S,
    "seconds over which it is spread": state.RETURN_SPREAD_S,
    "seconds of a session, before hello is said again": state.SESSION_S,
    "5xx in a row that accuse a batch": state.BATCH_STRIKES_MAX,
    "failures of a single op before it is withheld": state.OP_FAILURES_MAX,
    "seconds those failures must span": state.OP_FAILING_S_MIN,
}
"""Every number of the protocol, named once; the page's table is drawn from here."""

_PART: Final = re.compile(r"(<!-- drawn: ([a-z0-9 _-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_CARDS_SHOWN: Final = 1


def drawn(page: str) -> str:
    """The page with every drawn part as the code has it now."""
    return _PART.sub(lambda found: found[1] + draw(found[2]) + found[3], page)


def parts_of(page: str) -> list[str]:
    """The names of the page's drawn parts."""
    return [found[1] for found in re.finditer(r"<!-- drawn: ([a-z0-9 _-]+) -->", page)]


def draw(name: str) -> str:
    """One part. `example NAME` is a golden file, `table NAME` a message's fields, else one of `_DRAWERS`."""
    word, _, rest = name.partition(" ")
    if word == "example":
        return _example(rest)
    if word == "table":
        return _fields(getattr(messages, "".join(part.capitalize() for part in rest.split("-"))))
    return _DRAWERS[name]()


# tables ---------------------------------------------------------------------------------------------------------------


def _fields(model: type[BaseModel]) -> str:
    lines = ["| field | presence | type and limits |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        presence = "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        said = spell_type(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)
        lines.append(f"| `{field.alias or name}` | {presence} | {said} |")
    return "\n".join(lines) + "\n"


def _default(value: Any) -> str:
    if value is None:
        return "optional"
    shown = value.model_dump() if isinstance(value, BaseModel) else value
    return f"optional, `{json.dumps(shown)}`"


_NAMES: Final = {str: "text", int: "integer", bool: "true or false", Any: "any"}


def spell_type(kind: Any) -> str:
    """A field's type as the page says it."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return spell_type(parts[0]) + "".join(_spell_limits(one) for one in parts[1:])
    if origin is Literal:
        return " \\| ".join(f"`{json.dumps(one)}`" for one in parts)
    if origin in (Union, types.UnionType):
        return " or ".join(spell_type(one) for one in parts if one is not type(None)) + " or null"
    if origin is list:
        return f"list of {spell_type(parts[0])}"
    if origin is dict:
        return "object" if parts[1] is Any else f"object of {spell_type(parts[1])}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"*{kind.__name__}*"
    return _NAMES.get(kind, "any")


def _spell_limits(limit: Any) -> str:
    told = {"min_length": "at least {}", "max_length": "at most {}", "ge": "from {}", "le": "to {}"}
    said = [
        words.format(getattr(one, name))
        for one in getattr(limit, "metadata", [limit])
        for name, words in told.items()
        if getattr(one, name, None) is not None
    ]
    return "".join(f", {one}" for one in said)


def _op_kinds() -> str:
    lines = ["| kind | field | presence | type and limits |", "|---|---|---|---|"]
    parts: dict[str, type[BaseModel]] = {}
    for kind, body in BODY_OF_KIND.items():
        lines += _rows_of(f"`{kind}`", body, parts)
    for name, part in parts.items():
        lines += _rows_of(f"*{name}*", part, {})
    return "\n".join(lines) + "\n"


def _rows_of(title: str, model: type[BaseModel], parts: dict[str, type[BaseModel]]) -> list[str]:
    rows = []
    for name, field in model.model_fields.items():
        kind = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        presence = "required" if field.is_required() else "optional"
        rows.append(f"| {title} | `{field.alias or name}` | {presence} | {spell_type(kind)} |")
        parts.update({one.__name__: one for one in _models_in(field.annotation)})
    return rows


def _models_in(kind: Any) -> list[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [found for part in get_args(kind) for found in _models_in(part)]


def _problems() -> str:
    lines = ["| code | status | title | the tablet |", "|---|---|---|---|"]
    lines += [f"| `{kind.code}` | {kind.status} | {kind.title} | {kind.then} |" for kind in PROBLEMS.values()]
    return "\n".join(lines) + "\n"


def _documents() -> str:
    lines = ["| document | field | presence | type |", "|---|---|---|---|"]
    parts: dict[str, type[BaseModel]] = {}
    for title, model in _DOCUMENTS.items():
        lines += _rows_of(title, model, parts)
    waiting = list(parts)
    while waiting:
        name = waiting.pop(0)
        found: dict[str, type[BaseModel]] = {}
        lines += _rows_of(f"*{name}*", parts[name], found)
        waiting += [new for new in found if new not in parts]
        parts.update(found)
    return "\n".join(lines) + "\n"


def _limits() -> str:
    lines = ["| limit | value |", "|---|---|"]
    lines += [f"| {said} | {value:,} |" for said, value in LIMITS.items()]
    return "\n".join(lines) + "\n"


# examples and vectors -------------------------------------------------------------------------------------------------


def _example(name: str) -> str:
    """A golden exchange; a JSON answer's card stock is cut to its first card, nothing else is."""
    (path,) = FOLDER.glob(f"[0-9][0-9]-{name}.http")
    held = Exchange.read(path)
    head, _, answer = held.answer.decode().partition("\n\n")
    if '"card_stock":[' in answer:
        told = json.loads(answer)
        told["card_stock"] = told["card_stock"][:_CARDS_SHOWN]
        answer = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return f"```http\n{held.request.decode().rstrip()}\n\nHTTP {head}\n\n{answer.rstrip()}\n```\n"


def _vector_op() -> str:
    body = {"text": 'Grün, 10 €\n"ok" \U0001f332', "shopper": {"value": "2900000000018", "type": "loyalty_id"}, "": 1}
    body |= {"\ufb33": True, "\U0001f600": None, "n": -(2**53 - 1)}
    op_id = "019aab00-0000-7000-8000-000000001001"
    sha = sha_of(body)
    first = extend_chain(CHAIN_START, op_id, sha)
    told = {"body": body, "canonical": canonical(body).decode(), "canonical_hex": canonical(body).hex(), "sha": sha}
    told |= {"op_id": op_id, "chain_0": CHAIN_START, "chain_1": first}
    return _told({**told, "chain_2_of_the_same_op_again": extend_chain(first, op_id, sha)})


def _vector_receipt() -> str:
    key = fixed_key(RECEIPT_SEED)
    unsigned = {"install_id": "019aab00-0000-7000-8000-0000000000f1", "through_seq": 2, "chain": "ab" * 32}
    unsigned |= {"epoch": EPOCH, "issued_at": "2026-11-22T10:00:00.000Z", "kid": "r1"}
    receipt = sign_receipt(unsigned, key)
    told = {"private_key_seed_hex": RECEIPT_SEED.hex(), "public_key_hex": key.public_key().public_bytes_raw().hex()}
    return _told({**told, "signed_bytes": canonical(unsigned).decode(), "receipt": receipt})


def _vector_sum() -> str:
    shown = {"stock/b": {"sku": "b", "quantity": 2}, "stock/a": {"sku": "a", "aisle": "Überlauf"}}
    hashes = {id_: document_hash(id_, canonical(doc)) for id_, doc in shown.items()}
    total = sum(int(h, 16) for h in hashes.values()) & ((1 << 64) - 1)
    return _told({"documents": shown, "h": hashes, "count": 2, "sum": f"{total:016x}"})


def _vector_card() -> str:
    key = fixed_key(CARD_SEED)
    fields: dict[str, Any] = {"kid": 1, "card_id": "0123456789abcdef", "tier": "Gold", "loyalty_id": "2900000000018"}
    issued, expires = dt.date(2026, 11, 22), dt.date(2027, 12, 31)
    card = encode_card(key, **fields, issued_on=issued, expires_on=expires)
    told = {"private_key_seed_hex": CARD_SEED.hex(), "public_key_hex": key.public_key().public_bytes_raw().hex()}
    return _told({**told, **fields, "issued_on": str(issued), "expires_on": str(expires), "card": card})


def _vector_enrolment() -> str:
    url, code = "http://127.0.0.1:8321", "7K2M-9QXR-4TBV"
    canonical_text = canonical({"u": url, "c": code, "f": None}).decode()
    return _told({"canonical": canonical_text, "qr": encode_enrolment(url, code, None)})


def _told(value: Any) -> str:
    return "```json\n" + json.dumps(value, ensure_ascii=False, indent=1) + "\n```\n"


_DRAWERS: Final[dict[str, Callable[[], str]]] = {
    "op-kinds": _op_kinds,
    "inputs": lambda: _fields(sent_inputs.SentInputs),
    "documents": _documents,
    "limits": _limits,
    "problems": _problems,
    "engine": draw_transitions,
    "vector-op": _vector_op,
    "vector-receipt": _vector_receipt,
    "vector-sum": _vector_sum,
    "vector-card": _vector_card,
    "vector-enrolment": _vector_enrolment,
}
