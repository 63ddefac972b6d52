"""Looking a shopper up: card, profile, stage and plays from what this tablet holds, without a network. Flow steps 3, 4.

The profile is the replica's document with this tablet's own unsettled ops laid over it. Looking up writes nothing:
recording that a card was opened, and what it showed, is `record.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from associate_app.absence import away_s
from associate_app.ports import LAST_COMPLETE_SYNC_NOTE, StoredDocument, TabletDatabase
from associate_app.services.scan import CardReading, read_scan
from associate_app.services.store_book import StoreBook
from shared.cards import CardStatus
from shared.identity import Identifier, IdentifierType, normalise, profile_id_for
from shared.lifecycle import StageDecision
from shared.overlay import bare_document, overlay
from shared.plays.rank import HeldBack, Recommendation, WouldShow, recommend
from shared.plays.sent_inputs import Looked
from shared.profile import Profile
from shared.redaction import without_behaviour
from shared.wire.ops import Op

_TYPED: Final = (IdentifierType.EMAIL, IdentifierType.PHONE, IdentifierType.CUSTOMER_ID, IdentifierType.LOYALTY_ID)
_NO_SHOPPER: Final = "This code belongs to an offer, a product or a tablet, not to a shopper. Scan the loyalty card."
_EMPTY_PACK: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class ShopperKey:
    """Under what name records about a shopper are written, and the profile this tablet takes them for."""

    type: str
    value: str
    profile_id: str


@dataclass(frozen=True, slots=True)
class CardView:
    """Everything a shopper card shows.

    `shopper` and `profile` are None when the scan led to nobody; `card.sentence` then says why. `is_in_replica` False:
    the card carries all that is known here, `stage` is None, and details come at the next contact. `as_of` is when this
    tablet was last known to hold what HQ holds (wire time). `is_behaviour_hidden`: the copy is too old to show what the
    shopper did. `has_agreed` False: the shopper has not agreed to the use of it here. `quiet_skus` and `quiet_events`
    are what triggered a held-out play: such lines stay out of headline and the five visible lines (plays.md). `looked`
    is all the engine had and decided; `inputs_one_in` says how many impressions there are to one that carries it.
    """

    card: CardReading
    shopper: ShopperKey | None = None
    profile: Profile | None = None
    profile_s: int = 0
    is_in_replica: bool = False
    stage: StageDecision | None = None
    plays: tuple[Recommendation, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    would_show: tuple[WouldShow, ...] = ()
    rule_pack: str = _EMPTY_PACK
    as_of: str | None = None
    is_behaviour_hidden: bool = False
    has_agreed: bool = False
    quiet_skus: frozenset[str] = frozenset()
    quiet_events: frozenset[str] = frozenset()
    language: str = "en"
    looked: Looked | None = None
    inputs_one_in: int = 0

    def play(self, play_id: str) -> Recommendation | None:
        """A recommended play by its id."""
        return next((play for play in self.plays if play.play_id == play_id), None)


def look_up(database: TabletDatabase, book: StoreBook, text: str, *, now: datetime, language: str = "en") -> CardView:
    """The card for a scanned or typed text: a signed card, a loyalty number, an e-mail, a phone or customer number.

    `now` is aware. Codes that are no shopper's (an offer, a product, another chain's card) give a view without profile.
    """
    reading = read_scan(book, text, now=now)
    card = reading if isinstance(reading, CardReading) else CardReading(CardStatus.FOREIGN, sentence=_NO_SHOPPER)
    if card.opens and card.loyalty_id is not None:
        identifier = Identifier(IdentifierType.LOYALTY_ID, card.loyalty_id)
        return _view(database, book, _find(database, identifier), card, now, language)
    if card.status in (CardStatus.FOREIGN, CardStatus.UNREADABLE):
        for identifier in _typed_identifiers(text, book.region):
            found = _find(database, identifier)
            if found.document is not None or found.ops:
                return _view(database, book, found, CardReading(CardStatus.NUMBER_ONLY), now, language)
    return CardView(card=card, as_of=_as_of(database), language=language)


def look_up_profile(
    database: TabletDatabase, book: StoreBook, profile_id: str, *, now: datetime, language: str = "en"
) -> CardView:
    """The card of a shopper found by search or in a list. Without a shopper when the profile left this tablet."""
    found = _find(database, Identifier(IdentifierType.PROFILE_ID, profile_id))
    card = CardReading(CardStatus.NUMBER_ONLY)
    if found.document is None and not found.ops:
        return CardView(card=card, as_of=_as_of(database), language=language)
    return _view(database, book, found, card, now, language)


def look_up_again(
    database: TabletDatabase, book: StoreBook, view: CardView, *, now: datetime, language: str = "en"
) -> CardView:
    """The same card as it stands now: after a record, and after each page of the feed."""
    if view.shopper is None:
        return view
    identifier = Identifier(IdentifierType(view.shopper.type), view.shopper.value)
    return _view(database, book, _find(database, identifier), view.card, now, language)


@dataclass(frozen=True, slots=True)
class Held:
    """A shopper this tablet holds, outside any card: the document with own ops over it, cut as the card would be."""

    shopper: ShopperKey
    document: dict[str, Any]
    s: int

    @property
    def profile(self) -> Profile:
        """The document, read."""
        return Profile.from_document(self.document)


def read_held(database: TabletDatabase, book: StoreBook, profile_id: str, *, now: datetime) -> Held | None:
    """A shopper by profile id, also an earlier one; None where the slice holds nobody of that id."""
    found = _find(database, Identifier(IdentifierType.PROFILE_ID, profile_id))
    if found.document is None:
        return None
    document = overlay(found.document.body, found.ops)
    is_old = is_slice_old(database, book, now)
    return Held(_key(found), without_behaviour(document) if is_old else document, found.document.s)


def has_consent(database: TabletDatabase, shopper: ShopperKey, purpose: str) -> bool:
    """Say whether this tablet knows of a grant, own records included. Not known is not granted."""
    found = _find(database, Identifier(IdentifierType(shopper.type), shopper.value))
    document = found.document.body if found.document is not None else bare_document(found.profile_id, [])
    decided = (overlay(document, found.ops).get("consent") or {}).get(purpose) or {}
    return bool(decided.get("decision") == "granted")


def name_of(database: TabletDatabase, type_: str, value: str | None) -> str | None:
    """A shopper's name by an identifier, None where this tablet does not know it."""
    held = database.find_profile(type_, value) if value else None
    parts = (held.body.get("given_name"), held.body.get("family_name")) if held else ()
    return " ".join(part for part in parts if part) or None


@dataclass(frozen=True, slots=True)
class _Found:
    """What this tablet holds under an identifier."""

    identifier: Identifier
    profile_id: str
    document: StoredDocument | None
    ops: tuple[Op, ...]


def _typed_identifiers(text: str, region: str) -> Iterator[Identifier]:
    for type_ in _TYPED:
        identifier = normalise(type_, text, region=region)
        if identifier is not None:
            yield identifier


def _find(database: TabletDatabase, identifier: Identifier) -> _Found:
    predicted = profile_id_for(identifier)
    document = database.find_profile(identifier.type.value, identifier.value)
    document = document or database.find_profile("profile_id", predicted)
    profile_id = document.body["id"] if document else predicted
    pairs = {(identifier.type.value, identifier.value), ("profile_id", predicted)}
    for known in (document.body.get("identifiers") or ()) if document else ():
        pairs.add((known["type"], known["value"]))
    for old in (document.body.get("redirects") or ()) if document else ():
        pairs.add(("profile_id", old))
    return _Found(identifier, profile_id, document, database.unsettled(profile_id, sorted(pairs)))


def _view(
    database: TabletDatabase, book: StoreBook, found: _Found, card: CardReading, now: datetime, language: str
) -> CardView:
    is_old = is_slice_old(database, book, now)
    profile = _profile(found, card, is_behaviour_hidden=is_old)
    inputs = book.inputs_for(profile, now)
    is_known = found.document is not None or profile.is_provisional
    playbook = book.playbook if is_known else book.generic
    anchor = profile.loyalty_id or profile.id
    ranked = recommend(inputs, playbook, loyalty_anchor=anchor, language=language)
    return CardView(
        card=card,
        shopper=_key(found),
        profile=profile,
        profile_s=found.document.s if found.document else 0,
        is_in_replica=found.document is not None,
        stage=inputs.view.stage if is_known else None,
        plays=ranked.plays,
        held_back=ranked.held_back,
        would_show=ranked.would_show,
        rule_pack=ranked.rule_pack,
        as_of=_as_of(database),
        is_behaviour_hidden=is_old,
        has_agreed=profile.has_consent("personalise_in_store"),
        quiet_skus=frozenset(sku for play in ranked.would_show for sku in play.trigger_skus),
        quiet_events=frozenset(event for play in ranked.would_show for event in play.trigger_events),
        language=language,
        looked=Looked(inputs, playbook, anchor, ranked, is_stranger=not is_known),
        inputs_one_in=book.rules.inputs_one_in,
    )


def _profile(found: _Found, card: CardReading, *, is_behaviour_hidden: bool) -> Profile:
    """Document + own ops; for a shopper this tablet does not hold, what the card says.

    Behaviour is hidden after too long without HQ: consent may have been withdrawn meanwhile.
    """
    if found.document is not None:
        document = found.document.body
    else:
        document = bare_document(found.profile_id, [(found.identifier.type.value, found.identifier.value)])
        document["is_provisional"] = any(op.kind == "shopper_enrolled" for op in found.ops)
        document["tier"] = card.tier if card.status is CardStatus.VERIFIED else None
    document = overlay(document, found.ops)
    return Profile.from_document(without_behaviour(document) if is_behaviour_hidden else document)


def _key(found: _Found) -> ShopperKey:
    """Records name what was scanned or typed; a shopper opened from a list has their loyalty number, if any."""
    identifier = found.identifier
    if identifier.type is IdentifierType.PROFILE_ID and found.document is not None:
        known = found.document.body.get("identifiers") or ()
        number = next((one["value"] for one in known if one.get("type") == "loyalty_id"), None)
        if number is not None:
            identifier = Identifier(IdentifierType.LOYALTY_ID, number)
    return ShopperKey(identifier.type.value, identifier.value, found.profile_id)


def _as_of(database: TabletDatabase) -> str | None:
    return database.read_note(LAST_COMPLETE_SYNC_NOTE)


def is_slice_old(database: TabletDatabase, book: StoreBook, now: datetime) -> bool:
    """Say whether this tablet was without HQ for too long to show what shoppers did."""
    return (away_s(database, now) or 0.0) > book.rules.hide_behaviour_h * 3600
