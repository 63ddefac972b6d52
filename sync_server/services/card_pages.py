"""Card pages: a shopper's card on her own phone, at an address that cannot be guessed and needs no sign-in.

The address goes to her by e-mail, so a page is made, and shown, only while she agrees to e-mail. It shows whatever card
is in force when it is looked at. Stored is the SHA-256 of the address's random part; looking it up by that takes the
same time however much of a guess is right. The words and the drawing are `api/card_page.py`'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.consent import Purpose, is_granted
from shared.errors import Refused
from shared.fold import ProfileState
from shared.profile import ConsentState
from shared.projection import Reading, consent_in_force, traits_of
from sync_server.ports import CentralReader
from sync_server.services.cards import card_in_force
from sync_server.services.chain import has_chain, read_chain
from sync_server.services.enrolment import sha256_hex
from sync_server.services.headquarters import Headquarters

PATH: Final = "/c/"
SECRET_BITS: Final = 128
SECRET_LENGTH_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class ShownCard:
    """What a card page shows: `text` is what the code reads, `expires_on` its last day, `given_name` if HQ knows it."""

    chain_name: str
    loyalty_id: str
    text: str
    expires_on: str | None = None
    given_name: str | None = None


def make_page(hq: Headquarters, loyalty_id: str) -> dict[str, Any]:
    """A fresh page for a shopper's card: {url, loyalty_id, made_at}. The address can be read this once.

    Raises Refused for a number HQ knows no shopper by, one whose shopper does not agree to e-mail, and one without a
    card in force.
    """
    number, made_at, secret = loyalty_id.strip(), hq.now_at(), hq.secret_text(SECRET_BITS)
    with hq.database.write() as tx:
        reading = _reading_of(tx, number)
        if reading is None:
            raise Refused(
                f"HQ knows no shopper with the loyalty number {number!r:.60}: her first visit makes her known."
            )
        if not _may_be_mailed(reading):
            raise Refused(f"The shopper of {number} does not agree to e-mail, so there is no page to send her.")
        if card_in_force(tx, number, hq.clock.now().date()) is None:
            raise Refused(f"There is no card in force for {number}: issue one with `sync-server card issue {number}`.")
        row = {"page_hash": sha256_hex(secret), "loyalty_id": number, "made_at": made_at, "withdrawn_at": None}
        tx.put_row("card_page", row)
        hq.note_audit(tx, "command line", "made a card page", number)
    return {"url": f"{hq.settings.public_url.rstrip('/')}{PATH}{secret}", "loyalty_id": number, "made_at": made_at}


def withdraw_pages(hq: Headquarters, loyalty_id: str) -> int:
    """Withdraw every page of a number, at once; how many. Raises Refused where there is none left to withdraw."""
    number = loyalty_id.strip()
    with hq.database.write() as tx:
        count = tx.change_rows("card_page", {"withdrawn_at": hq.now_at()}, loyalty_id=number, withdrawn_at=None)
        if not count:
            raise Refused(f"There is no card page of {number!r:.60} to withdraw.")
        hq.note_audit(tx, "command line", "withdrew card pages", number)
    return count


def read_page(hq: Headquarters, secret: str) -> ShownCard | None:
    """What the page of an address shows now; None for one that never was, was withdrawn, or may show nothing."""
    if len(secret) > SECRET_LENGTH_MAX:
        return None
    with hq.database.read() as reader:
        rows = reader.rows("card_page", page_hash=sha256_hex(secret), withdrawn_at=None)
        return _shown(hq, reader, rows[0]["loyalty_id"]) if rows and has_chain(reader) else None


def _shown(hq: Headquarters, reader: CentralReader, number: str) -> ShownCard | None:
    reading = _reading_of(reader, number)
    card = card_in_force(reader, number, hq.clock.now().date())
    if reading is None or card is None or not _may_be_mailed(reading):
        return None
    given_name = str(traits_of(reading).get("given_name") or "").strip() or None
    return ShownCard(read_chain(reader).name, number, card.text, card.expires_on, given_name)


def _reading_of(reader: CentralReader, number: str) -> Reading | None:
    pair = ("loyalty_id", number)
    profile_id = reader.profile_ids([pair]).get(pair)
    stored = reader.profiles([profile_id]).get(profile_id) if profile_id else None
    return Reading(ProfileState.from_json(json.loads(stored.state))) if stored else None


def _may_be_mailed(reading: Reading) -> bool:
    in_force: Mapping[str, ConsentState] = {
        purpose: ConsentState.model_validate(state) for purpose, state in consent_in_force(reading).items()
    }
    return is_granted(in_force, Purpose.EMAIL)
