"""Loyalty cards: issued and cancelled at HQ, and the stock of pre-signed ones a tablet carries for offline enrolment.

The card's codec is `shared/cards.py`; here are only which cards exist and for whom. A stock card's number is fresh and
belongs to nobody until a shopper enrols with it.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any, Final

from shared.cards import SignedCard, encode_card, parse_card
from shared.code_patterns import Charset, CodePattern, with_check_digit
from shared.errors import Refused
from shared.fold import ProfileState
from shared.projection import Reading, traits_of
from sync_server.ports import CentralReader, CentralWriter, Device, Install
from sync_server.services.chain import document_in_all, has_chain, read_chain
from sync_server.services.headquarters import Headquarters

STOCK: Final = 30
_DRAWS_MAX: Final = 100


def issue_card(hq: Headquarters, loyalty_id: str, *, expires_on: date | None = None) -> str:
    """A new card for a loyalty number, which need not be known yet. Returns its text. Raises Refused."""
    with hq.database.write() as tx:
        read_chain(tx)
        tier = _tier_of(tx, loyalty_id.strip())
        row = _new_card(hq, loyalty_id, tier=tier, expires_on=expires_on, install_id=None)
        tx.put_row("card", row)
        hq.note_audit(tx, "command line", "issued the card", row["card_id"])
    return str(row["text"])


def cancel_card(hq: Headquarters, card: str) -> dict[str, Any]:
    """Cancel a card by its text or its id; tablets know at their next contact. Raises Refused for an unknown one."""
    read = parse_card(card)
    card_id = read.card_id if isinstance(read, SignedCard) else card.strip().lower()
    with hq.database.write() as tx:
        rows = tx.rows("card", card_id=card_id)
        if not rows:
            raise Refused("HQ never issued this card: give its text (FS1....) or its id of 16 hex digits.")
        cancelled_at = rows[0]["cancelled_at"] or hq.now_at()
        tx.change_rows("card", {"cancelled_at": cancelled_at}, card_id=card_id)
        hq.note_audit(tx, "command line", "cancelled the card", card_id)
        document = {"card_id": card_id, "at": cancelled_at}
        tx.publish([document_in_all(f"card_cancelled/{card_id}", document)], hq.now_at())
    hq.doorbell.ring()
    return {"card_id": card_id, "loyalty_id": rows[0]["loyalty_id"], "cancelled_at": cancelled_at}


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


def _tier_of(tx: CentralReader, loyalty_id: str) -> str:
    """The tier the card shows offline: that of the profile, if HQ knows the number."""
    found = tx.profile_ids([("loyalty_id", loyalty_id)]).get(("loyalty_id", loyalty_id))
    stored = tx.profiles([found]).get(found) if found else None
    if stored is None:
        return ""
    return str(traits_of(Reading(ProfileState.from_json(json.loads(stored.state)))).get("tier") or "")
