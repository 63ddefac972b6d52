"""The practice store: everything can be tried on made-up shoppers, and nothing of it goes anywhere.

`fill_practice` puts the documents that ship with the app into a database of its own, as if HQ had sent them, with their
times moved to now. No sync engine ever holds that database, and whoever leaves the practice store drops it. A practice
card is known by its card id wherever it is scanned, so that it opens nothing outside. Flow step 3.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from associate_app.ports import (
    CARD_STOCK_NOTE,
    LAST_COMPLETE_SYNC_NOTE,
    LAST_CONTACT_NOTE,
    DeviceIdentity,
    TabletDatabase,
)
from shared.cards import SignedCard, encode_card, parse_card
from shared.clock import format_at, parse_at
from shared.code_patterns import CheckRule, with_check_digit
from shared.wire.canonical import canonical, document_hash
from shared.wire.messages import SnapshotEnd, SnapshotHeader, SnapshotLine

_STORE: Final = "practice"
_SCOPES: Final = {"all": "all", "store": f"store:{_STORE}"}
_EPOCH: Final = "01a20000-0000-7000-8000-000000000000"
_CARD_ID: Final = b"practice".hex()
_KID: Final = 1
_KEY: Final = Ed25519PrivateKey.from_private_bytes(b"practice" * 4)
"""No secret: what it signs is worth nothing outside the practice store, whose only key it is."""
_STOCK: Final = 20
_STRANGER: Final = "299999999999"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d\Z")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z\Z")


@dataclass(frozen=True, slots=True)
class PracticePlace:
    """What the practice store takes from the real one: who practises, in which time zone, and what it is called."""

    associate_id: str
    name: str
    role: str
    timezone: str
    store_name: str = "Practice"


def is_practice_card(text: str) -> bool:
    """Say whether a scanned text is a card to practise with, in either letter case."""
    card = parse_card(text)
    return isinstance(card, SignedCard) and card.card_id == _CARD_ID


def practice_card(loyalty_id: str) -> str:
    """The practice card of a number: the same on every tablet, so that one may be printed."""
    return encode_card(
        _KEY,
        kid=_KID,
        card_id=_CARD_ID,
        issued_on=date(2024, 1, 1),
        expires_on=None,
        tier="Member",
        loyalty_id=loyalty_id,
    )


def stranger_card() -> str:
    """The practice card of somebody the practice store does not know."""
    return practice_card(with_check_digit(_STRANGER, CheckRule.EAN13))


def fill_practice(database: TabletDatabase, place: PracticePlace, now: datetime) -> None:
    """Make an empty database the practice store's, with its times as they are to now."""
    shipped = json.loads(files("assets").joinpath("practice/store.json").read_text("utf-8"))
    moved = _mover(parse_at(shipped["now_at"]), now)
    documents = {name: moved(shipped[name]) for name in _SCOPES}
    documents["all"] |= _own_of_all(documents["all"], place)
    documents["store"][f"associate/{place.associate_id}"] = {
        "associate_id": place.associate_id,
        "name": place.name,
        "role": place.role,
    }
    with database.atomic():
        database.save_device(DeviceIdentity("", _STORE, "", _STORE, _STORE, ""))
        for name, scope in _SCOPES.items():
            _load(database, scope, documents[name])
        for note in (LAST_CONTACT_NOTE, LAST_COMPLETE_SYNC_NOTE):
            database.write_note(note, format_at(now))
        cards = [{"card": card, "expires_on": None} for card in _stock()]
        database.write_note(CARD_STOCK_NOTE, json.dumps({"install_id": database.install_id(), "cards": cards}))


def _own_of_all(chain: Mapping[str, Any], place: PracticePlace) -> dict[str, Any]:
    """Documents of scope `all` that are made here: the store in the real one's time zone, and the card key."""
    store_id = f"store/{_STORE}"
    public = base64.b64encode(_KEY.public_key().public_bytes_raw()).decode()
    return {
        store_id: {**chain[store_id], "timezone": place.timezone, "name": place.store_name},
        f"card_key/{_KID}": {"kid": _KID, "public_key": public},
    }


def _stock() -> Iterator[str]:
    for number in range(_STOCK):
        yield practice_card(with_check_digit(f"29999999{number:04d}", CheckRule.EAN13))


def _mover(then: datetime, now: datetime) -> Callable[[Any], Any]:
    """What moves every time and day of a document by what has passed since it was written."""
    passed = now - then
    days = timedelta(days=round(passed / timedelta(days=1)))

    def moved(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: moved(value) for name, value in part.items()}
        if isinstance(part, list):
            return [moved(value) for value in part]
        if isinstance(part, str) and _TIME.match(part):
            return format_at(parse_at(part) + passed)
        if isinstance(part, str) and _DAY.match(part):
            return (date.fromisoformat(part) + days).isoformat()
        return part

    return moved


def _load(database: TabletDatabase, scope: str, documents: Mapping[str, Any]) -> None:
    bodies = {document_id: canonical(documents[document_id]) for document_id in sorted(documents)}
    lines = [SnapshotLine(1, one, document_hash(one, body), body) for one, body in bodies.items()]
    told = {"epoch": _EPOCH, "scope": scope, "as_of": 1, "schema": 1, "count": len(lines)}
    header = SnapshotHeader.model_validate(told)
    database.load_snapshot(header, lines)
    total = sum(int(one.h, 16) for one in lines) % 2**64
    database.swap_snapshot(scope, SnapshotEnd(end=True, count=len(lines), sum=f"{total:016x}", next="practice"))
