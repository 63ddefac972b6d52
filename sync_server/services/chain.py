"""The chain itself: made once, then its stores and the people who work there. All of it reaches tablets by the feed.

Administrative rows and their documents are written in one transaction, so a store, an associate or a key is never known
to HQ alone. Vocabulary: a store is a shop.
"""

from __future__ import annotations

import base64
import json
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from argon2 import PasswordHasher

from shared.code_patterns import CheckRule, CodePattern
from shared.errors import Malformed, Refused
from shared.opening_hours import check_hours
from shared.pins import MEMORY_KIB, PARALLELISM, TIME_COST, is_pin
from shared.plays.settings import SETTING_ID as PLAY_SETTING_ID
from shared.plays.settings import PlaySettings
from shared.wire.canonical import canonical
from shared.wire.messages import SCOPE_ALL, store_scope
from sync_server.ports import CentralReader, CentralWriter, DocWrite, Store
from sync_server.services.custody import known_keys, remember_keys
from sync_server.services.headquarters import Headquarters
from sync_server.services.sessions import EPOCH_NOTE
from sync_server.services.terms import ON_TABLETS, TERMS, note_of, read_term

NAME_NOTE: Final = "chain_name"
CHAIN_ID: Final = "setting/chain"
TABLET_RULES_ID: Final = "setting/tablet"
ROLES: Final = ("associate", "manager")
DEFAULT_NUMBERS: Final = (CodePattern("29", 13, check=CheckRule.EAN13),)
"""Loyalty numbers of a new chain: EAN-13 in GS1's range for numbers a company gives out by itself."""

_STORE_CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_CURRENCY: Final = re.compile(r"[A-Z]{3}\Z")
_COUNTRY: Final = re.compile(r"[A-Z]{2}\Z")
_NAME_MAX: Final = 80


@dataclass(frozen=True, slots=True)
class Chain:
    """What a chain decides for all its stores. `region` completes phone numbers without a country code."""

    name: str
    currency: str
    timezone: str
    region: str = "DE"
    loyalty_numbers: tuple[CodePattern, ...] = DEFAULT_NUMBERS

    def as_document(self) -> dict[str, Any]:
        """`setting/chain`."""
        patterns = [pattern.to_body() for pattern in self.loyalty_numbers]
        return {**asdict(self), "loyalty_numbers": patterns}


@dataclass(frozen=True, slots=True)
class NewAssociate:
    """Someone who will sign in at a store; without a PIN they cannot until one is set."""

    store: str
    name: str
    role: str = "associate"
    pin: str | None = None
    associate_id: str | None = None


# the chain ------------------------------------------------------------------------------------------------------------


def make_chain(hq: Headquarters, chain: Chain) -> str:
    """Make the chain: keys, epoch, settings and key documents. Returns the epoch; Refused if there is one already."""
    _check_chain(chain)
    with hq.database.read() as reader:
        _refuse_second(reader)
    hq.keys.make_missing()
    with hq.database.write() as tx:
        _refuse_second(tx)
        epoch = _found(hq, tx)
        tx.write_note(NAME_NOTE, chain.name)
        hq.note_audit(tx, "command line", "made the chain", chain.name)
        tx.publish([*_setting_documents(chain), *key_documents(hq)], hq.now_at())
    return epoch


def ensure_epoch(hq: Headquarters) -> str:
    """The epoch of this history. A server started on an empty database makes its keys and epoch; naming comes later.

    A key in the folder that the database does not know yet (a rotation broken off) is made known.
    """
    with hq.database.read() as reader:
        epoch, known = reader.note(EPOCH_NOTE), known_keys(reader)
    if epoch:
        if set(hq.keys.inventory()) - set(known):
            _make_known(hq)
        return epoch
    hq.keys.make_missing()
    with hq.database.write() as tx:
        epoch = _found(hq, tx)
        tx.publish(key_documents(hq), hq.now_at())
    return epoch


def _make_known(hq: Headquarters) -> None:
    with hq.database.write() as tx:
        remember_keys(tx, hq.keys.inventory())
        tx.publish(key_documents(hq), hq.now_at())


def read_chain(reader: CentralReader) -> Chain:
    """The chain as its document says. Raises Refused while there is none."""
    row = reader.doc(SCOPE_ALL, CHAIN_ID)
    if row is None or row.deleted:
        raise Refused("There is no chain here yet: make one with `sync-server init`, or fill a demo with `demo-data`.")
    document = json.loads(row.body)
    patterns = tuple(CodePattern.from_body(body) for body in document["loyalty_numbers"])
    return Chain(document["name"], document["currency"], document["timezone"], document["region"], patterns)


def has_chain(reader: CentralReader) -> bool:
    """Say whether a chain was made here."""
    return reader.note(NAME_NOTE) is not None


def _refuse_second(reader: CentralReader) -> None:
    name = reader.note(NAME_NOTE)
    if name is not None:
        raise Refused(f"There is already a chain here, {name!r}. Give another --data-dir for a new one.")


def _found(hq: Headquarters, tx: CentralWriter) -> str:
    epoch = tx.note(EPOCH_NOTE)
    if not epoch:
        epoch = hq.make_id()
        tx.write_note(EPOCH_NOTE, epoch)
    remember_keys(tx, hq.keys.inventory())
    return epoch


def _check_chain(chain: Chain) -> None:
    _check_name(chain.name, "A chain")
    _check_money_and_time(chain.currency, chain.timezone)
    if not _COUNTRY.match(chain.region):
        raise Refused(f"A region is a country's two capital letters such as DE, not {chain.region!r:.20}.")


def _check_money_and_time(currency: str, timezone: str) -> None:
    if not _CURRENCY.match(currency):
        raise Refused(f"A currency is three capital letters such as EUR, not {currency!r:.20}.")
    try:
        zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(f"A time zone is a name such as Europe/Berlin, not {timezone!r:.60}.") from None


def _check_name(name: str, what: str) -> None:
    if not name.strip() or len(name) > _NAME_MAX or not name.isprintable():
        raise Refused(f"{what} needs a name of 1 to {_NAME_MAX} printable characters.")


def _setting_documents(chain: Chain) -> list[DocWrite]:
    return [
        document_in_all(CHAIN_ID, chain.as_document()),
        document_in_all(PLAY_SETTING_ID, PlaySettings().as_document()),
    ]


def key_documents(hq: Headquarters) -> list[DocWrite]:
    """`card_key/<kid>` and `receipt_key/<kid>` of every key in the folder, old ones included."""
    cards = [
        document_in_all(f"card_key/{kid}", {"kid": kid, "public_key": base64.b64encode(raw).decode()})
        for kid, raw in sorted(hq.keys.public_card_keys().items())
    ]
    receipts = [
        document_in_all(f"receipt_key/{kid}", {"kid": kid, "public_key": base64.b64encode(raw).decode()})
        for kid, raw in sorted(hq.keys.public_receipt_keys().items())
    ]
    return cards + receipts


def document_in_all(document_id: str, document: Mapping[str, Any]) -> DocWrite:
    """A document for every tablet of the chain; absent parts are left out."""
    return DocWrite(SCOPE_ALL, document_id, canonical(without_none(document)))


def document_in_store(store: str, document_id: str, document: Mapping[str, Any]) -> DocWrite:
    """A document for one store's tablets; absent parts are left out."""
    return DocWrite(store_scope(store), document_id, canonical(without_none(document)))


def without_none(document: Mapping[str, Any]) -> dict[str, Any]:
    """Absent and null are one on this wire: leave nulls out."""
    return {name: value for name, value in document.items() if value is not None}


# terms for all tablets ------------------------------------------------------------------------------------------------


def list_terms(hq: Headquarters) -> list[dict[str, Any]]:
    """Every term with its value and meaning."""
    with hq.database.read() as reader:
        return [
            {"name": kind.name, "value": read_term(reader, kind.name), "meaning": kind.meaning}
            for kind in TERMS.values()
        ]


def set_term(hq: Headquarters, name: str, value: str) -> dict[str, Any]:
    """Set a term for the whole chain. Raises Refused for an unknown one or a value it cannot have."""
    note = note_of(name, value)
    with hq.database.write() as tx:
        tx.write_note(note, value)
        hq.note_audit(tx, "command line", f"set {name}", value)
        if name in ON_TABLETS:
            held = tx.doc(SCOPE_ALL, TABLET_RULES_ID)
            rules = json.loads(held.body) if held is not None and not held.deleted else {}
            tx.publish([document_in_all(TABLET_RULES_ID, {**rules, name: int(value)})], hq.now_at())
    hq.doorbell.ring()
    return {"name": name, "value": value}


# stores ---------------------------------------------------------------------------------------------------------------


def add_stores(hq: Headquarters, stores: Sequence[Store]) -> None:
    """Add stores with their documents `store/<code>`, in one transaction. Raises Refused for a wrong one."""
    for store in stores:
        _check_store(store)
    with hq.database.write() as tx:
        read_chain(tx)
        for store in stores:
            if not tx.add_row("store", asdict(store)):
                raise Refused(f"There is already a store with the code {store.code}.")
            hq.note_audit(tx, "command line", "added the store", store.code)
        tx.publish([_store_document(store) for store in stores], hq.now_at())
    hq.doorbell.ring()


def set_hours(hq: Headquarters, hours: Mapping[str, Mapping[str, Sequence[str]]]) -> int:
    """Say when stores (by code) are open; each tablet hears of it with its next page. Returns how many were not open so
    before. Raises Refused for a store there is not and for hours that cannot be."""
    changed = []
    with hq.database.write() as tx:
        for code, told in hours.items():
            before = find_store(tx, code)
            store = replace(before, hours=json.dumps(told))
            _check_store(store)
            if json.loads(before.hours) != told:
                tx.change_rows("store", {"hours": store.hours}, code=code)
                hq.note_audit(tx, "command line", "set the opening hours", code)
                changed.append(_store_document(store))
        if changed:
            tx.publish(changed, hq.now_at())
    hq.doorbell.ring()
    return len(changed)


def list_stores(hq: Headquarters) -> tuple[Store, ...]:
    """All stores, by code."""
    with hq.database.read() as reader:
        return reader.stores()


def find_store(reader: CentralReader, code: str) -> Store:
    """A store by its code. Raises Refused, naming the known ones."""
    stores = reader.stores()
    found = next((store for store in stores if store.code == code), None)
    if found is None:
        known = ", ".join(store.code for store in stores) or "none yet"
        raise Refused(f"There is no store with the code {code!r:.60}. Known: {known}.")
    return found


def _check_store(store: Store) -> None:
    if not _STORE_CODE.match(store.code) or len(store.code) > 40:
        raise Refused(f"A store's code is small letters, digits and hyphens such as berlin-1, not {store.code!r:.60}.")
    _check_name(store.name, "A store")
    _check_money_and_time(store.currency, store.timezone)
    if store.country is not None and not _COUNTRY.match(store.country):
        raise Refused(f"A country is two capital letters such as DE, not {store.country!r:.20}.")
    if (store.lat_e6 is None) != (store.lon_e6 is None):
        raise Refused("A place needs both its latitude and its longitude.")
    if abs(store.lat_e6 or 0) > 90_000_000 or abs(store.lon_e6 or 0) > 180_000_000:
        raise Refused("A latitude lies between -90 and 90 degrees, a longitude between -180 and 180.")
    try:
        check_hours(json.loads(store.hours))
    except Malformed as no:
        raise Refused(f"The opening hours of {store.code} cannot be read: {no}.") from None


def _store_document(store: Store) -> DocWrite:
    document = {**asdict(store), "hours": json.loads(store.hours)}
    return document_in_all(f"store/{store.code}", document)


# associates -----------------------------------------------------------------------------------------------------------


def add_associates(hq: Headquarters, people: Sequence[NewAssociate]) -> list[dict[str, Any]]:
    """Add associates with their documents, in one transaction; returns their rows without PIN hashes."""
    hashed = [None if person.pin is None else hash_pin(person.pin) for person in people]
    with hq.database.write() as tx:
        rows = [_associate_row(tx, person, pin_hash) for person, pin_hash in zip(people, hashed, strict=True)]
        for row in rows:
            hq.note_audit(tx, "command line", "added the associate", row["associate_id"])
        tx.publish([associate_document(row) for row in rows], hq.now_at())
    hq.doorbell.ring()
    return [_shown(row) for row in rows]


def list_associates(hq: Headquarters, store: str | None = None) -> list[dict[str, Any]]:
    """Associates of a store or of the chain, by id, without PIN hashes."""
    with hq.database.read() as reader:
        if store is not None:
            find_store(reader, store)
        rows = reader.rows("associate", **({} if store is None else {"store": store}))
    return [_shown(row) for row in rows]


def disable_associate(hq: Headquarters, associate_id: str) -> dict[str, Any]:
    """The associate signs in no more, from each tablet's next contact on; what they recorded stays theirs."""
    return _change_associate(hq, associate_id, "disabled the associate", {"is_disabled": True})


def reset_pin(hq: Headquarters, associate_id: str, pin: str) -> dict[str, Any]:
    """Give an associate a new PIN, and let a disabled one in again."""
    changes = {"pin_hash": hash_pin(pin), "pin_set_at": hq.now_at(), "is_disabled": False}
    return _change_associate(hq, associate_id, "reset the PIN of the associate", changes)


def hash_pin(pin: str) -> str:
    """argon2id of a PIN."""
    if not is_pin(pin):
        raise Refused("A PIN has 4 to 6 digits.")
    return PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM).hash(pin)


def draw_pin(hq: Headquarters) -> str:
    """A random PIN of 6 digits."""
    return f"{hq.chance.bits(64) % 1_000_000:06d}"


def _associate_row(tx: CentralWriter, person: NewAssociate, pin_hash: str | None) -> dict[str, Any]:
    find_store(tx, person.store)
    _check_name(person.name, "An associate")
    if person.role not in ROLES:
        raise Refused(f"A role is {' or '.join(ROLES)}, not {person.role!r:.40}.")
    row = {
        "associate_id": person.associate_id or "",
        "store": person.store,
        "name": person.name.strip(),
        "role": person.role,
        "pin_hash": pin_hash,
        "pin_set_at": None,
        "is_disabled": False,
    }
    if person.associate_id is not None:
        if not tx.add_row("associate", row):
            raise Refused(f"There is already an associate with the id {person.associate_id}.")
        return row
    number = len(tx.rows("associate"))
    while True:
        number += 1
        row["associate_id"] = f"a{number:04d}"
        if tx.add_row("associate", row):
            return row


def _change_associate(hq: Headquarters, associate_id: str, did: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    with hq.database.write() as tx:
        if not tx.change_rows("associate", changes, associate_id=associate_id):
            raise Refused(f"There is no associate with the id {associate_id!r:.60}: see `sync-server associate list`.")
        [row] = tx.rows("associate", associate_id=associate_id)
        hq.note_audit(tx, "command line", did, associate_id)
        tx.publish([associate_document(row)], hq.now_at())
    hq.doorbell.ring()
    return _shown(row)


def associate_document(row: Mapping[str, Any]) -> DocWrite:
    """`associate/<id>` in the scope of their store."""
    names = ("associate_id", "name", "role", "pin_hash", "pin_set_at", "is_disabled")
    told = {name: row[name] for name in names}
    return document_in_store(row["store"], f"associate/{row['associate_id']}", told)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("associate_id", "store", "name", "role", "is_disabled")}


def with_defaults(store: Store, chain: Chain) -> Store:
    """A store that says nothing of its money, time zone or country takes the chain's."""
    return replace(
        store,
        currency=store.currency or chain.currency,
        timezone=store.timezone or chain.timezone,
        country=store.country or chain.region,
    )
