"""What a tablet knows of its own store besides the shoppers: playbook, catalogue, stock, cards, codes. Before step 2.

Made from the replica's documents and kept until they change: each part is rebuilt only when a document of its kinds
did, so that looking up a card costs no playbook. Reads only.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeVar

from associate_app.ports import JournalEntry, TabletDatabase
from shared.clashes import AT_ONCE
from shared.code_patterns import CodePattern
from shared.documents import LOCK_AFTER_MIN, ProductDocument
from shared.errors import Refused
from shared.opening_hours import OpeningHours
from shared.plays.files import codes_of
from shared.plays.guardrails import overlay_changes
from shared.plays.inputs import EvaluationInputs, ProductFacts, StockLevel, StoreFacts, zone_of
from shared.plays.playbook import Playbook
from shared.plays.readings import product_facts, read_catalogue, read_settings, read_stock, read_store
from shared.plays.sent_inputs import ONE_IN
from shared.plays.settings import SETTING_ID, PlaySettings
from shared.profile import Profile
from shared.promises import HOLDS_END_H
from shared.scan_code import ScanRules
from shared.wire.ops import Op

Part = TypeVar("Part")

_CHAIN_ID: Final = "setting/chain"
_TABLET_RULES_ID: Final = "setting/tablet"
_RULE_KINDS: Final = ("play", "offer", "estimate", "play_change", "setting")


@dataclass(frozen=True, slots=True)
class TabletRules:
    """`setting/tablet`: after how long without HQ a tablet hides behaviour (hours), signs nobody in and deletes its
    shoppers (days); of how many impressions one carries what the evaluator looked at (0: none); at which hour of the
    store's day the holds of that day are gone; how many appointments a store keeps at one time; and after how many
    minutes without a touch a screen is locked."""

    hide_behaviour_h: int = 72
    sign_in_d: int = 7
    wipe_d: int = 14
    inputs_one_in: int = ONE_IN
    holds_end_h: int = HOLDS_END_H
    appointments_at_once: int = AT_ONCE
    lock_after_min: int = LOCK_AFTER_MIN

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> TabletRules:
        """Read the setting; what is missing or no positive number keeps its default."""
        known = {name: document.get(name) for name in cls.__slots__}
        least = {"inputs_one_in": 0}
        sound = {name: value for name, value in known.items() if type(value) is int and value >= least.get(name, 1)}
        return cls(**sound)


@dataclass(frozen=True, slots=True)
class StoreBook:
    """Everything but the shoppers. `region` (ISO 3166) completes phone numbers typed without a country code; `country`
    is where the store stands, None while HQ has not said so.

    `card_keys` are raw public keys by key id, `cancelled` card ids, `catalogue` the product documents by sku. `generic`
    is the part of the playbook for someone of whom this tablet holds nothing, `outreach` that for *Worth a word today*.
    What plays are worth is in `chain_currency`.
    """

    store: StoreFacts
    store_name: str
    country: str | None
    region: str
    hours: OpeningHours
    chain_currency: str
    playbook: Playbook
    generic: Playbook
    outreach: Playbook
    settings: PlaySettings
    rules: TabletRules
    scan_rules: ScanRules
    products: Mapping[str, ProductFacts]
    catalogue: Mapping[str, ProductDocument]
    stock: Mapping[str, StockLevel]
    card_keys: Mapping[int, bytes]
    cancelled: frozenset[str]

    def inputs_for(self, profile: Profile, now: datetime) -> EvaluationInputs:
        """What a rule sees of a shopper in this store."""
        return EvaluationInputs(
            profile=profile,
            stock=self.stock,
            products=self.products,
            store=self.store,
            now_s=int(now.timestamp()),
            settings=self.settings,
        )

    def today(self, now: datetime) -> date:
        """The date in the store's time zone."""
        return now.astimezone(zone_of(self.store.timezone)).date()


def read_tablet_rules(database: TabletDatabase) -> TabletRules:
    """The chain's rules for its tablets, before and without a whole book."""
    stored = database.document(_TABLET_RULES_ID)
    return TabletRules.from_document(stored.body if stored else {})


class StoreBooks:
    """Keeps the newest book; safe to ask from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: dict[str, tuple[tuple[Any, ...], Any]] = {}

    def read(self, database: TabletDatabase) -> StoreBook:
        """The book as the replica stands now. Raises Refused while this tablet is not connected to a store."""
        device = database.device()
        if device is None:
            raise Refused("This tablet is not connected to a store yet. Connect it with an enrolment code first.")
        with self._lock:
            return self._read(database, device.store)

    def _read(self, database: TabletDatabase, code: str) -> StoreBook:
        def part(name: str, kinds: tuple[str, ...], make: Callable[[TabletDatabase], Part], *keys: Any) -> Part:
            return self._part(database, name, kinds, make, *keys)

        own = unsettled_changes(database)
        rules = part("rules", _RULE_KINDS, lambda db: _read_rules(db, own), *(op.op_id for op in own))
        store = part("store", ("store", "setting"), lambda db: _read_store(db, code), code)
        catalogue = part("catalogue", ("product",), lambda db: read_catalogue(_bodies(db, "product")))
        currency = store.facts.currency
        scan_keys = (("product", *_RULE_KINDS), lambda _: _scan_rules(rules, store, catalogue))
        return StoreBook(
            store=store.facts,
            store_name=store.name,
            country=store.country,
            region=store.country or "DE",
            hours=store.hours,
            chain_currency=store.chain_currency,
            playbook=rules.playbook,
            generic=rules.generic,
            outreach=rules.outreach,
            settings=rules.settings,
            rules=rules.tablet,
            scan_rules=part("scan", *scan_keys),
            products=part("products", ("product",), lambda _: product_facts(catalogue, currency), currency),
            catalogue=catalogue,
            stock=part("stock", ("stock",), lambda db: read_stock(_bodies(db, "stock"))),
            card_keys=part("keys", ("card_key",), _read_card_keys),
            cancelled=part("cancelled", ("card_cancelled",), _read_cancelled),
        )

    def _part(
        self,
        database: TabletDatabase,
        name: str,
        kinds: tuple[str, ...],
        make: Callable[[TabletDatabase], Part],
        *keys: Any,
    ) -> Part:
        """A part as it was made, unless a document of its kinds changed since."""
        stamp = (database.revision(kinds), *keys)
        held = self._parts.get(name)
        if held is None or held[0] != stamp:
            held = self._parts[name] = (stamp, make(database))
        made: Part = held[1]
        return made


@dataclass(frozen=True, slots=True)
class _Rules:
    playbook: Playbook
    generic: Playbook
    outreach: Playbook
    settings: PlaySettings
    tablet: TabletRules


@dataclass(frozen=True, slots=True)
class _Shop:
    facts: StoreFacts
    name: str
    country: str | None
    hours: OpeningHours
    chain_currency: str
    loyalty: tuple[CodePattern, ...]


def unsettled_changes(database: TabletDatabase) -> tuple[Op, ...]:
    """This tablet's own changes of plays that the replica does not show yet, oldest first."""
    recorded = database.recorded_since("play_changed", "")
    at = {state.scope: state.at for state in database.states()} if recorded else {}
    return tuple(entry.op for entry in reversed(recorded) if _is_ahead(entry, at))


def _is_ahead(entry: JournalEntry, at: Mapping[str, int]) -> bool:
    if entry.state != "acked":
        return entry.state in ("pending", "withheld")
    return entry.visible_at is None or entry.visible_at > at.get(entry.op.scope, 0)


def _read_rules(database: TabletDatabase, own: Iterable[Op]) -> _Rules:
    stored = {one.id: one.body for kind in _RULE_KINDS for one in database.documents(kind)}
    documents = overlay_changes(stored, own)
    settings = read_settings(documents.get(SETTING_ID))
    tablet = TabletRules.from_document(documents.get(_TABLET_RULES_ID, {}))
    playbook = Playbook.from_documents(documents, settings)
    return _Rules(playbook, playbook.for_strangers(), playbook.for_place("outreach"), settings, tablet)


def _read_store(database: TabletDatabase, code: str) -> _Shop:
    own, chain = database.document(f"store/{code}"), database.document(_CHAIN_ID)
    facts = read_store(code, own.body if own else None, chain.body if chain else None)
    name = own.body.get("name") if own else None
    patterns = _patterns(chain.body.get("loyalty_numbers") or () if chain else ())
    country = (own.body.get("country") if own else None) or (chain.body.get("region") if chain else None)
    currency = (chain.body.get("currency") if chain else None) or facts.currency
    hours = OpeningHours.from_document(own.body.get("hours") if own else None)
    return _Shop(facts, name or code, country, hours, currency, patterns)


def _patterns(bodies: Iterable[Mapping[str, Any]]) -> tuple[CodePattern, ...]:
    patterns = []
    for body in bodies:
        try:
            patterns.append(CodePattern.from_body(body))
        except Refused:
            continue
    return tuple(patterns)


def _bodies(database: TabletDatabase, kind: str) -> Iterable[Mapping[str, Any]]:
    return (stored.body for stored in database.documents(kind))


def _scan_rules(rules: _Rules, store: _Shop, catalogue: Mapping[str, ProductDocument]) -> ScanRules:
    return ScanRules(
        loyalty=store.loyalty,
        offers=codes_of(rules.playbook.offers.values()),
        gtins={product.gtin: sku for sku, product in catalogue.items() if product.gtin},
        skus=frozenset(catalogue),
    )


def _read_card_keys(database: TabletDatabase) -> dict[int, bytes]:
    keys = {}
    for stored in database.documents("card_key"):
        kid, text = stored.body.get("kid"), stored.body.get("public_key")
        try:
            raw = base64.b64decode(str(text), validate=True)
        except (binascii.Error, ValueError):
            continue
        if type(kid) is int:
            keys[kid] = raw
    return keys


def _read_cancelled(database: TabletDatabase) -> frozenset[str]:
    return frozenset(stored.id.partition("/")[2] for stored in database.documents("card_cancelled"))
