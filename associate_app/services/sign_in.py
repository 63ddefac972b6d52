"""Who works at this tablet: a PIN checked without a network. Changing the associate never touches the journal.

Wrong tries are counted in the database, so that a restart does not give new ones. An associate whom HQ disabled, or a
tablet that HQ has not vouched for in seven days (a setting), signs nobody in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import ValidationError

from associate_app.absence import away_s
from associate_app.ports import CLOCK_OFFSET_NOTE, Clock, JournalEntry, TabletDatabase
from associate_app.services.store_book import TabletRules
from shared.clock import format_at, parse_at, shift_at
from shared.documents import AssociateDocument
from shared.pins import PIN_SET
from shared.plays.speech import ENGLISH, GERMAN, spoken

FREE_TRIES: Final = 5
WAIT_S_FIRST: Final = 30
WAIT_S_MAX: Final = 3600
_TRIES_NOTE: Final = "pin_tries/"
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "gone": "You cannot sign in here any more. Ask your store manager.",
        "no_pin": "You have no PIN yet. Ask your store manager to set one.",
        "unvouched": "This tablet has not reached HQ for {days} days. Take it to the network first.",
        "wrong": "That PIN is not right. {tries} before a short wait.",
        "wait": "Too many wrong PINs. Wait {span}, or ask your store manager for a new one.",
        "try": "{n} more try",
        "tries": "{n} more tries",
        "seconds": "{n} seconds",
        "minutes": "{n} minutes",
    },
    GERMAN: {
        "gone": "Du kannst dich hier nicht mehr anmelden. Frag die Ladenleitung.",
        "no_pin": "Du hast noch keine PIN. Bitte die Ladenleitung, eine zu setzen.",
        "unvouched": "Dieses Tablet hat die Zentrale seit {days} Tagen nicht erreicht. Bring es zuerst ins Netz.",
        "wrong": "Diese PIN stimmt nicht. {tries}, dann eine kurze Pause.",
        "wait": "Zu viele falsche PINs. Warte {span} oder bitte die Ladenleitung um eine neue.",
        "try": "Noch {n} Versuch",
        "tries": "Noch {n} Versuche",
        "seconds": "{n} Sekunden",
        "minutes": "{n} Minuten",
    },
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """The answer to a PIN: `associate` when it was right, else a sentence and the seconds to wait (0: try again)."""

    associate: AssociateDocument | None
    sentence: str | None = None
    wait_s: int = 0


def associates_here(database: TabletDatabase) -> tuple[AssociateDocument, ...]:
    """Who may sign in at this store, by name. Their PIN hashes go no further than this process."""
    own, found = own_pins(database), []
    for stored in database.documents("associate"):
        try:
            found.append(_with_own_pin(AssociateDocument.model_validate(stored.body), own))
        except ValidationError:
            continue
    return tuple(sorted((one for one in found if not one.is_disabled), key=lambda one: one.name.casefold()))


def names_here(database: TabletDatabase) -> dict[str, str]:
    """The names of who works at this store, by associate id."""
    return {one.associate_id: one.name for one in associates_here(database)}


def own_pins(database: TabletDatabase) -> dict[str, tuple[str, str]]:
    """PINs that were set on this tablet and are not in the documents yet: id -> (when by HQ's clock, hash). One that HQ
    did not allow is none; one that HQ does not understand yet holds here."""
    entries = database.recorded_since(PIN_SET, "")
    at = {state.scope: state.at for state in database.states()} if entries else {}
    offset_ms = int(database.read_note(CLOCK_OFFSET_NOTE) or 0) if entries else 0
    return {
        entry.op.body["associate_id"]: (shift_at(entry.op.occurred_at, ms=offset_ms), entry.op.body["pin_hash"])
        for entry in reversed(entries)
        if entry.op.body and _holds_here(entry, at.get(entry.op.scope, 0))
    }


def _holds_here(entry: JournalEntry, at: int) -> bool:
    if entry.state == "acked":
        return entry.visible_at is None or entry.visible_at > at
    return entry.state in ("pending", "withheld") or entry.code in ("unknown_kind", "unknown_schema")


def _with_own_pin(associate: AssociateDocument, own: Mapping[str, tuple[str, str]]) -> AssociateDocument:
    set_at, pin_hash = own.get(associate.associate_id, ("", ""))
    if not pin_hash or set_at < (associate.pin_set_at or ""):
        return associate
    return associate.model_copy(update={"pin_hash": pin_hash, "pin_set_at": set_at})


def sign_in(
    database: TabletDatabase,
    associate_id: str,
    pin: str,
    *,
    clock: Clock,
    rules: TabletRules,
    language: str = ENGLISH,
) -> SignIn:
    """Check a PIN. Slow on purpose: some 20 ms of argon2."""
    now, words = clock.now(), _WORDS[spoken(language)]
    associate = next((one for one in associates_here(database) if one.associate_id == associate_id), None)
    if associate is None:
        return SignIn(None, words["gone"])
    if associate.pin_hash is None:
        return SignIn(None, words["no_pin"])
    if _is_unvouched(database, now, rules):
        return SignIn(None, words["unvouched"].format(days=rules.sign_in_d))
    if (wait_s := wait_s_of(database, associate, now)) > 0:
        return SignIn(None, _wait_sentence(wait_s, words), wait_s)
    if not _fits(associate.pin_hash, pin):
        return _note_wrong_try(database, associate, now, words)
    database.write_note(_TRIES_NOTE + associate_id, None)
    return SignIn(associate)


def _fits(pin_hash: str, pin: str) -> bool:
    try:
        return PasswordHasher().verify(pin_hash, pin[:32])
    except (VerificationError, InvalidHashError):
        return False


def _is_unvouched(database: TabletDatabase, now: datetime, rules: TabletRules) -> bool:
    return (away_s(database, now) or 0.0) > rules.sign_in_d * 86_400


def _tries(database: TabletDatabase, associate: AssociateDocument) -> tuple[int, str | None]:
    """Wrong tries of the present PIN: a new one begins without any, wherever it was set."""
    noted = json.loads(database.read_note(_TRIES_NOTE + associate.associate_id) or "{}")
    if noted.get("pin") not in (None, _mark_of(associate)):
        return 0, None
    return noted.get("count", 0), noted.get("until_at")


def _mark_of(associate: AssociateDocument) -> str:
    """What tells a PIN from the one before it, and nothing else: its hash has a salt of its own."""
    return hashlib.sha256((associate.pin_hash or "").encode()).hexdigest()[:16]


def wait_s_of(database: TabletDatabase, associate: AssociateDocument, now: datetime) -> int:
    """Seconds still to wait; never more than the longest wait, whatever the clock did meanwhile."""
    _, until_at = _tries(database, associate)
    if until_at is None:
        return 0
    left_s = int((parse_at(until_at) - now).total_seconds()) + 1
    return left_s if 0 < left_s <= WAIT_S_MAX + 1 else 0


def _note_wrong_try(
    database: TabletDatabase, associate: AssociateDocument, now: datetime, words: Mapping[str, str]
) -> SignIn:
    count = _tries(database, associate)[0] + 1
    wait_s = 0 if count < FREE_TRIES else min(WAIT_S_MAX, WAIT_S_FIRST * 2 ** min(count - FREE_TRIES, 10))
    until_at = format_at(now + timedelta(seconds=wait_s)) if wait_s else None
    noted = {"count": count, "until_at": until_at, "pin": _mark_of(associate)}
    database.write_note(_TRIES_NOTE + associate.associate_id, json.dumps(noted))
    if wait_s:
        return SignIn(None, _wait_sentence(wait_s, words), wait_s)
    left = FREE_TRIES - count
    return SignIn(None, words["wrong"].format(tries=words["try" if left == 1 else "tries"].format(n=left)))


def _wait_sentence(wait_s: int, words: Mapping[str, str]) -> str:
    minutes, seconds = divmod(wait_s, 60)
    span = words["minutes"].format(n=minutes + (seconds > 0)) if minutes else words["seconds"].format(n=seconds)
    return words["wait"].format(span=span)
