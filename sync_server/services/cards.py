"""Loyalty cards: issued, replaced and cancelled at HQ, and the stock of pre-signed ones a tablet carries.

The card's codec is `shared/cards.py`; here are only which cards exist and for whom. A stock card's number is fresh and
belongs to nobody until a shopper enrols with it. A file of numbers is `card_batch.py`, paper is `sheet_layout.py`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from shared.cards import SignedCard, encode_card, parse_card
from shared.code_patterns import Charset, CodePattern, with_check_digit
from shared.errors import Refused
from shared.fold import ProfileState
from shared.projection import Reading, traits_of
from sync_server.ports import CentralReader, CentralWriter, Conflict, Device, DocWrite, Install
from sync_server.services.chain import document_in_all, has_chain, read_chain
from sync_server.services.conflicts import tried_again
from sync_server.services.headquarters import Headquarters

STOCK: Final = 30
STOCK_BATCH: Final = 500
STOCK_MAX: Final = 10_000
_DRAWS_MAX: Final = 100
_NEVER_ISSUED: Final = "HQ never issued this card: give its text (FS1....) or its id of 16 hex digits."


@dataclass(frozen=True, slots=True)
class IssuedCard:
    """A card as HQ issued it. `is_new` False: the number had it already. `expires_on` is its last day, ISO 8601."""

    loyalty_id: str
    card_id: str
    text: str
    issued_at: str
    expires_on: str | None
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Replacement:
    """A new card, and the ids of those cancelled for it."""

    card: IssuedCard
    cancelled: tuple[str, ...]


# issuing --------------------------------------------------------------------------------------------------------------


def issue_card(hq: Headquarters, loyalty_id: str, *, expires_on: date | None = None) -> str:
    """A new card for a loyalty number, which need not be known yet. Returns its text. Raises Refused."""
    [card] = issue_cards(hq, [loyalty_id], expires_on=expires_on, is_new=True)
    return card.text


def issue_cards(
    hq: Headquarters, numbers: Sequence[str], *, expires_on: date | None = None, is_new: bool = False
) -> list[IssuedCard]:
    """A card for each of these numbers, in one transaction: the one in force, or a new one.

    `is_new` asks for new ones whatever there is; `expires_on` for a card with that last day. Numbers need not be known
    yet. Raises Refused for one that no card can carry, with nothing issued.
    """
    wanted = [number.strip() for number in numbers]
    with hq.database.write() as tx:
        read_chain(tx)
        tiers = _tiers_of(tx, wanted)
        given = [
            (None if is_new else _held_card(hq, tx, number, expires_on)) or _issue(hq, tx, number, tiers, expires_on)
            for number in wanted
        ]
        for card in given:
            if card.is_new:
                hq.note_audit(tx, "command line", "issued the card", card.card_id)
    return given


def issue_stock(hq: Headquarters, count: int, *, expires_on: date | None = None) -> list[IssuedCard]:
    """So many cards with fresh numbers, to print and lay out at the tills. Raises Refused for a count out of bounds."""
    if not 0 < count <= STOCK_MAX:
        raise Refused(f"A stock is 1 to {STOCK_MAX} cards at a time, not {count}.")
    cards: list[IssuedCard] = []
    while len(cards) < count:
        with hq.database.write() as tx:
            for _ in range(min(STOCK_BATCH, count - len(cards))):
                cards.append(_issue(hq, tx, _fresh_number(hq, tx), {}, expires_on))
                hq.note_audit(tx, "command line", "issued the card", cards[-1].card_id)
    return cards


def card_in_force(reader: CentralReader, loyalty_id: str, today: date) -> IssuedCard | None:
    """The newest card of a number that is neither cancelled nor expired."""
    cards = [_issued(row) for row in reader.rows("card", loyalty_id=loyalty_id, cancelled_at=None)]
    live = [card for card in cards if card.expires_on is None or card.expires_on >= today.isoformat()]
    return max(live, key=lambda card: (card.issued_at, card.card_id), default=None)


def _held_card(hq: Headquarters, tx: CentralReader, number: str, expires_on: date | None) -> IssuedCard | None:
    held = card_in_force(tx, number, hq.clock.now().date())
    is_asked_for = held is not None and (expires_on is None or held.expires_on == expires_on.isoformat())
    return held if is_asked_for else None


def _issue(
    hq: Headquarters, tx: CentralWriter, number: str, tiers: Mapping[str, str], expires_on: date | None
) -> IssuedCard:
    row = _new_card(hq, number, tier=tiers.get(number, ""), expires_on=expires_on, install_id=None)
    tx.put_row("card", row)
    return _issued(row, is_new=True)


def _issued(row: Mapping[str, Any], *, is_new: bool = False) -> IssuedCard:
    read = parse_card(row["text"])
    assert isinstance(read, SignedCard), "HQ wrote it"
    last_day = read.expires_on.isoformat() if read.expires_on else None
    return IssuedCard(row["loyalty_id"], row["card_id"], row["text"], row["issued_at"], last_day, is_new)


# cancelling -----------------------------------------------------------------------------------------------------------


def cancel_card(hq: Headquarters, card: str) -> dict[str, Any]:
    """Cancel a card by its text or its id; tablets know at their next contact. Raises Refused for an unknown one."""
    read = parse_card(card)
    card_id = read.card_id if isinstance(read, SignedCard) else card.strip().lower()
    with hq.database.write() as tx:
        rows = tx.rows("card", card_id=card_id)
        if not rows:
            raise Refused(_NEVER_ISSUED)
        cancelled_at = rows[0]["cancelled_at"] or hq.now_at()
        tx.change_rows("card", {"cancelled_at": cancelled_at}, card_id=card_id)
        hq.note_audit(tx, "command line", "cancelled the card", card_id)
        tx.publish([_cancelled(card_id, cancelled_at)], hq.now_at())
    hq.doorbell.ring()
    return {"card_id": card_id, "loyalty_id": rows[0]["loyalty_id"], "cancelled_at": cancelled_at}


@tried_again
def replace_card(hq: Headquarters, card: str, *, expires_on: date | None = None) -> Replacement:
    """A new card for a number, and every other card of it cancelled, in one transaction.

    `card` is a loyalty number, or the text or id of one of its cards. Expired cards are cancelled too: a tablet takes
    one for a proof of who is there. Raises Refused where HQ never issued a card for it.
    """
    with hq.database.write() as tx:
        read_chain(tx)
        number = _number_of(tx, card.strip())
        former = [row["card_id"] for row in tx.rows("card", loyalty_id=number, cancelled_at=None)]
        for card_id in former:
            _cancel_once(hq, tx, card_id)
        fresh = _issue(hq, tx, number, _tiers_of(tx, [number]), expires_on)
        hq.note_audit(tx, "command line", "issued the card", fresh.card_id)
        tx.publish([_cancelled(card_id, hq.now_at()) for card_id in former], hq.now_at())
    hq.doorbell.ring()
    return Replacement(fresh, tuple(former))


def _cancel_once(hq: Headquarters, tx: CentralWriter, card_id: str) -> None:
    """Of two that replace one card at once the second begins again, so that one new card is left."""
    if tx.change_rows("card", {"cancelled_at": hq.now_at()}, card_id=card_id, cancelled_at=None) != 1:
        raise Conflict
    hq.note_audit(tx, "command line", "cancelled the card", card_id)


def _number_of(tx: CentralReader, card: str) -> str:
    """The number meant by a number, a card's text or a card's id. Raises Refused for one without a card."""
    read = parse_card(card)
    if isinstance(read, SignedCard):
        rows = [row for row in tx.rows("card", card_id=read.card_id) if row["text"] == read.text]
    else:
        rows = tx.rows("card", loyalty_id=card) or tx.rows("card", card_id=card.lower())
    if not rows:
        raise Refused(f"HQ never issued a card for {card!r:.60}: `sync-server card issue` gives a number its first.")
    return str(rows[0]["loyalty_id"])


def _cancelled(card_id: str, at: str) -> DocWrite:
    return document_in_all(f"card_cancelled/{card_id}", {"card_id": card_id, "at": at})


# the stock of a tablet ------------------------------------------------------------------------------------------------


def fill_stock(hq: Headquarters, tx: CentralWriter, install: Install, _device: Device) -> list[dict[str, Any]]:
    """The install's unused stock cards, filled up to 30; the same ones again when an answer was lost.

    Used ones are those whose number a shopper enrolled with. A card a tablet used but has not yet told of is sent
    again; the tablet knows it.
    """
    if not has_chain(tx):
        return []
    held = tx.rows("card", install_id=install.install_id, cancelled_at=None)
    taken = tx.profile_ids([("loyalty_id", row["loyalty_id"]) for row in held])
    free = [row for row in held if ("loyalty_id", row["loyalty_id"]) not in taken]
    for _ in range(STOCK - len(free)):
        row = _new_card(hq, _fresh_number(hq, tx), tier="", expires_on=None, install_id=install.install_id)
        tx.put_row("card", row)
        free.append(row)
    return [{"card": row["text"]} for row in free[:STOCK]]


def _new_card(
    hq: Headquarters, loyalty_id: str, *, tier: str, expires_on: date | None, install_id: str | None
) -> dict[str, Any]:
    kid, key = hq.keys.card_key()
    card_id = f"{hq.chance.bits(64):016x}"
    text = encode_card(
        key,
        kid=kid,
        card_id=card_id,
        issued_on=hq.clock.now().date(),
        expires_on=expires_on,
        tier=tier,
        loyalty_id=loyalty_id,
    )
    return {
        "card_id": card_id,
        "loyalty_id": loyalty_id.strip(),
        "text": text,
        "issued_at": hq.now_at(),
        "install_id": install_id,
        "cancelled_at": None,
    }


def _fresh_number(hq: Headquarters, tx: CentralReader) -> str:
    """A number of the chain's first pattern that neither a shopper nor a card has."""
    pattern = read_chain(tx).loyalty_numbers[0]
    for _ in range(_DRAWS_MAX):
        number = _draw_number(hq, pattern)
        if not tx.profile_ids([("loyalty_id", number)]) and not tx.rows("card", loyalty_id=number):
            return number
    raise Refused("The chain's loyalty numbers are used up: give it a second pattern with more digits.")


def _draw_number(hq: Headquarters, pattern: CodePattern) -> str:
    digits = pattern.length - len(pattern.prefix) - (1 if pattern.check != "none" else 0)
    letters = "0123456789" if pattern.charset is not Charset.LETTERS else "ABCDEFGHJKMNPQRSTVWXYZ"
    drawn = hq.chance.bits(128)
    body = ""
    for _ in range(digits):
        drawn, place = divmod(drawn, len(letters))
        body += letters[place]
    return with_check_digit(pattern.prefix + body, pattern.check)


def _tiers_of(tx: CentralReader, numbers: Collection[str]) -> dict[str, str]:
    """The tier each card shows offline: that of the profile, where HQ knows the number."""
    found = tx.profile_ids([("loyalty_id", number) for number in numbers])
    stored = tx.profiles(set(found.values()))
    return {
        number: _tier_in(stored[profile_id].state) for (_, number), profile_id in found.items() if profile_id in stored
    }


def _tier_in(state: str) -> str:
    return str(traits_of(Reading(ProfileState.from_json(json.loads(state)))).get("tier") or "")
