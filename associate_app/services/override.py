"""Bending an offer on the floor: within HQ's limits, offline, on the journal before anybody hears "saved". Flow step 5.

The limits are asked by the same function as at HQ. How often an offer was bent here today is what this tablet recorded
and what the store's feed tells of the others; tablets that are offline at once cannot know of each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any, Final

from associate_app.ports import TabletDatabase
from associate_app.services.lookup import ShopperKey
from associate_app.services.record import Recorder, Saved, record_one
from associate_app.services.sign_in import associates_here, sign_in
from associate_app.services.store_book import StoreBook
from shared.clock import format_at, local_day
from shared.documents import MANAGER
from shared.errors import Refused
from shared.plays.files import Offer
from shared.plays.inputs import zone_of
from shared.plays.overrides import Counter, override_problem, till_text
from shared.plays.refusal import nearest
from shared.plays.speech import ENGLISH, GERMAN, spoken

KIND: Final = "offer_overridden"
_MANAGERS_PIN: Final = {
    ENGLISH: "Only a manager's PIN counts here. Ask a manager of this store.",
    GERMAN: "Hier zählt nur die PIN der Ladenleitung. Bitte sie darum.",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a shopper is to be given: kind = extended | adjusted | goodwill, with a percentage or an amount in minor
    units of the store's currency for the last two."""

    offer_id: str
    kind: str
    reason: str
    percent: int | None = None
    amount: int | None = None

    def as_body(self) -> dict[str, Any]:
        """As the wire writes it, without shopper and manager."""
        told = {"percent": self.percent, "amount": self.amount}
        named = {"offer_id": self.offer_id, "kind": self.kind, "reason": self.reason.strip()}
        return {**named, **{name: value for name, value in told.items() if value is not None}}


@dataclass(frozen=True, slots=True)
class Approval:
    """A manager's PIN, typed on this tablet."""

    associate_id: str
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Honoured:
    """A committed override: what an undo takes back, and the text of the QR for the till."""

    saved: Saved
    till: str


def honour_offer(
    recorder: Recorder,
    book: StoreBook,
    shopper: ShopperKey,
    wish: Wish,
    approval: Approval | None = None,
    *,
    language: str = ENGLISH,
) -> Honoured:
    """Record an override. Raises Refused with the limit it is beyond, or with what is wrong with the PIN; a PIN is only
    tried for what the limits allow."""
    offer = _offer_of(book, wish.offer_id)
    if problem := problem_of(recorder, book, wish, has_manager=approval is not None, language=language):
        raise Refused(problem)
    is_approved = approval is not None and offer.override.needs == MANAGER
    approved_by = approver(recorder, book, approval, language) if approval is not None and is_approved else None
    body = {**wish.as_body(), **({"approved_by": approved_by} if approved_by else {})}
    saved = record_one(recorder, KIND, body, shopper)
    return Honoured(saved, till_text(offer, body, book.store.currency, saved.op_id))


def problem_of(
    recorder: Recorder, book: StoreBook, wish: Wish, *, has_manager: bool = False, language: str = ENGLISH
) -> str | None:
    """Why a wish is beyond the limits, as a sentence; None where it may be saved. `has_manager`: one types a PIN."""
    now = recorder.clock.now()
    counter = Counter(
        store=book.store.code,
        currency=book.store.currency,
        day=book.today(now).isoformat(),
        is_managers=has_manager or is_manager(recorder.database, recorder.associate_id),
        used=used_today(recorder.database, book, wish.offer_id, now),
    )
    return override_problem(_offer_of(book, wish.offer_id), wish.as_body(), counter, language)


def is_manager(database: TabletDatabase, associate_id: str | None) -> bool:
    """Say whether an associate of this store answers for it."""
    return any(one.associate_id == associate_id and one.role == MANAGER for one in associates_here(database))


def used_today(database: TabletDatabase, book: StoreBook, offer_id: str, now: datetime) -> int:
    """How often an offer was bent here today, as far as this tablet knows: each record once, undone ones not."""
    zone, today = zone_of(book.store.timezone), book.today(now)
    since_at = format_at(datetime.combine(today, time(), zone).astimezone(UTC))
    heard = database.document(f"override/{offer_id}")
    op_ids = set(heard.body["op_ids"]) if heard is not None and heard.body["on"] == today.isoformat() else set()
    for entry in database.recorded_since(KIND, since_at):
        is_today = local_day(entry.op.occurred_at, zone) == today
        if is_today and entry.state != "rejected" and entry.op.body.get("offer_id") == offer_id:
            op_ids.add(entry.op.amends or entry.op.op_id)
    return len(op_ids - {entry.op.amends for entry in database.recorded_since("op_withdrawn", since_at)})


def _offer_of(book: StoreBook, offer_id: str) -> Offer:
    offer = book.playbook.offers.get(offer_id)
    if offer is None:
        hint = nearest(offer_id, book.playbook.offers)
        raise Refused(f"There is no offer {offer_id!r:.60} in this store's playbook. {hint}Scan its code once more.")
    return offer


def approver(recorder: Recorder, book: StoreBook, approval: Approval, language: str) -> str:
    """The manager whose PIN was right. Wrong ones are counted, as at signing in."""
    if not is_manager(recorder.database, approval.associate_id):
        raise Refused(_MANAGERS_PIN[spoken(language)])
    answer = sign_in(
        recorder.database,
        approval.associate_id,
        approval.pin,
        clock=recorder.clock,
        rules=book.rules,
        language=language,
    )
    if answer.associate is None:
        raise Refused(answer.sentence or _MANAGERS_PIN[spoken(language)])
    return answer.associate.associate_id
