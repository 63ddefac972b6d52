"""A store manager gives somebody of the store a new PIN, offline too: they type it themselves. Flow step 5.

Only its hash is recorded, and it holds on this tablet from the commit on (`sign_in.py` lays it over); waits after wrong
tries end with the old PIN. Who may give whom one is asked again at HQ (`sync_server/services/pins.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from argon2 import PasswordHasher

from associate_app.ports import TabletDatabase
from associate_app.services.override import Approval, approver, is_manager
from associate_app.services.record import Recorder, Saved, record_one
from associate_app.services.sign_in import associates_here
from associate_app.services.store_book import StoreBook
from shared.documents import MANAGER, AssociateDocument
from shared.errors import Refused
from shared.pins import MEMORY_KIB, PARALLELISM, PIN_SET, TIME_COST, is_pin
from shared.plays.speech import ENGLISH, GERMAN, spoken

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "managers": "Only a store manager gives somebody a new PIN.",
        "gone": "This store has nobody of that name any more.",
        "other": "HQ sets the PIN of another manager.",
        "digits": "A PIN has 4 to 6 digits.",
        "own": "Confirm with your own PIN.",
    },
    GERMAN: {
        "managers": "Nur die Ladenleitung vergibt eine neue PIN.",
        "gone": "Diese Person gibt es in diesem Laden nicht mehr.",
        "other": "Die PIN einer anderen Ladenleitung setzt die Zentrale.",
        "digits": "Eine PIN hat 4 bis 6 Ziffern.",
        "own": "Bestätige mit deiner eigenen PIN.",
    },
}


def why_not(database: TabletDatabase, manager_id: str | None, whom: AssociateDocument, language: str) -> str | None:
    """Why somebody cannot give a person of this store a new PIN, as a sentence; None where they can."""
    words = _WORDS[spoken(language)]
    if not is_manager(database, manager_id):
        return words["managers"]
    return words["other"] if whom.role == MANAGER and whom.associate_id != manager_id else None


def confirm(recorder: Recorder, book: StoreBook, approval: Approval, *, language: str = ENGLISH) -> None:
    """Check a manager's own PIN before anything is typed. Slow on purpose; wrong tries count as at signing in. Raises
    Refused with what is wrong."""
    if approval.associate_id != recorder.associate_id:
        raise Refused(_WORDS[spoken(language)]["own"])
    approver(recorder, book, approval, language)


def set_pin(
    recorder: Recorder,
    book: StoreBook,
    associate_id: str,
    pin: str,
    approval: Approval,
    *,
    language: str = ENGLISH,
) -> Saved:
    """Record a new PIN for somebody of this store. Slow on purpose. Raises Refused for who may not, for a wrong PIN of
    the manager, and for a new one that is none."""
    words = _WORDS[spoken(language)]
    whom = next((one for one in associates_here(recorder.database) if one.associate_id == associate_id), None)
    if whom is None:
        raise Refused(words["gone"])
    if problem := why_not(recorder.database, recorder.associate_id, whom, language):
        raise Refused(problem)
    if not is_pin(pin):
        raise Refused(words["digits"])
    confirm(recorder, book, approval, language=language)
    hasher = PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM)
    return record_one(recorder, PIN_SET, {"associate_id": associate_id, "pin_hash": hasher.hash(pin)})
