"""The journal in plain words, for the Sync screen: what was recorded, when, and how it stands. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from associate_app.ports import JournalEntry, OpState, TabletDatabase
from shared.plays.phrases import OUTCOME_WORDS
from shared.plays.sentences import purpose_words
from shared.plays.speech import ENGLISH, GERMAN, spoken
from shared.profile import full_name
from shared.wire.problems import PROBLEMS

Standing = Literal["here", "at_hq", "look"]

_WHAT: Final[Mapping[str, str]] = {
    "shopper_opened": "Card opened",
    "impression_recorded": "Plays shown",
    "trigger_seen": "Lines behind a play opened",
    "outcome_recorded": "Outcome",
    "product_recorded": "Product",
    "shopper_enrolled": "New shopper",
    "identifier_added": "Contact added",
    "consent_changed": "Consent",
    "profile_corrected": "Correction",
    "data_flagged": "Wrong data flagged",
    "note_added": "Note",
    "preference_set": "Preference",
    "shopper_pinned": "My shoppers",
    "follow_up_requested": "Follow-up",
    "follow_up_changed": "Follow-up changed",
    "appointment_booked": "Appointment",
    "appointment_changed": "Appointment changed",
    "hold_requested": "Item held",
    "hold_changed": "Hold changed",
    "offer_overridden": "Offer honoured",
    "feedback_given": "Feedback to HQ",
    "task_done": "Store task",
    "calendar_entry_added": "Calendar entry",
    "play_read": "Play read",
    "play_changed": "Play changed",
    "pin_set": "New PIN",
    "op_withdrawn": "Undo",
}
_WHAT_GERMAN: Final[Mapping[str, str]] = {
    "shopper_opened": "Karte geöffnet",
    "impression_recorded": "Plays gezeigt",
    "trigger_seen": "Anlass eines Plays angesehen",
    "outcome_recorded": "Ergebnis",
    "product_recorded": "Produkt",
    "shopper_enrolled": "Neu aufgenommen",
    "identifier_added": "Kontakt ergänzt",
    "consent_changed": "Einwilligung",
    "profile_corrected": "Berichtigung",
    "data_flagged": "Falsche Angabe gemeldet",
    "note_added": "Notiz",
    "preference_set": "Vorliebe",
    "shopper_pinned": "Meine Kundschaft",
    "follow_up_requested": "Zusage",
    "follow_up_changed": "Zusage geändert",
    "appointment_booked": "Termin",
    "appointment_changed": "Termin geändert",
    "hold_requested": "Zurückgelegt",
    "hold_changed": "Zurückgelegtes geändert",
    "offer_overridden": "Angebot aus Kulanz eingelöst",
    "feedback_given": "Meldung an die Zentrale",
    "task_done": "Aufgabe im Laden",
    "calendar_entry_added": "Kalendereintrag",
    "play_read": "Play gelesen",
    "play_changed": "Play geändert",
    "pin_set": "Neue PIN",
    "op_withdrawn": "Zurückgenommen",
}
_STATE_WORDS: Final[Mapping[OpState, str]] = {
    "pending": "Saved on this tablet",
    "acked": "At HQ",
    "parked": "At HQ, but not applied yet",
    "rejected": "HQ could not take this",
    "withheld": "Kept here: HQ could not take it",
}
_CODE_WORDS: Final[Mapping[str, str]] = {
    "unknown_kind": "HQ does not know this kind of record yet; it applies it after its next update.",
    "unknown_schema": "HQ does not know this version of the record yet; it applies it after its next update.",
    "unknown_play": "HQ does not know the play; it applies the record when it does.",
    "unknown_offer": "HQ had not published the offer then; HQ looks into it.",
    "over_limit": "It went beyond what HQ allows for this offer; HQ looks into it.",
    "not_allowed": "HQ did not allow this; the old PIN holds. Ask HQ to set it.",
    "bad_body": "Something in it is not as HQ expects; HQ looks into it.",
    "merge_failed": "HQ could not merge it; HQ looks into it.",
    "card_reused": "The card was already given to somebody else; HQ looks into it.",
    "withheld": "It is kept on this tablet; HQ can ask for it.",
    "id_conflict": "HQ holds another record under its number; tell HQ.",
    "malformed": "It is damaged; tell HQ.",
    "wrong_scope": "It belongs to a store this tablet was never in; tell HQ.",
}
_CODE_WORDS_GERMAN: Final[Mapping[str, str]] = {
    "unknown_kind": "Die Zentrale kennt diese Art Eintrag noch nicht; nach der nächsten Erneuerung gilt er.",
    "unknown_schema": "Die Zentrale kennt diese Fassung des Eintrags noch nicht; nach der nächsten Erneuerung gilt er.",
    "unknown_play": "Die Zentrale kennt das Play noch nicht; sobald sie es kennt, gilt der Eintrag.",
    "unknown_offer": "Die Zentrale hatte das Angebot da noch nicht veröffentlicht; sie sieht es sich an.",
    "over_limit": "Das ging über das hinaus, was die Zentrale für dieses Angebot erlaubt; sie sieht es sich an.",
    "not_allowed": "Die Zentrale hat das nicht erlaubt; die alte PIN gilt. Bitte die Zentrale, sie zu setzen.",
    "bad_body": "Etwas darin ist nicht, wie die Zentrale es erwartet; sie sieht es sich an.",
    "merge_failed": "Die Zentrale konnte das nicht zusammenführen; sie sieht es sich an.",
    "card_reused": "Die Karte hat schon jemand anders; die Zentrale sieht es sich an.",
    "withheld": "Das bleibt auf diesem Tablet; die Zentrale kann danach fragen.",
    "id_conflict": "Die Zentrale hat unter dieser Nummer einen anderen Eintrag; melde es ihr.",
    "malformed": "Der Eintrag ist beschädigt; melde es der Zentrale.",
    "wrong_scope": "Der Eintrag gehört zu einem Laden, in dem dieses Tablet nie war; melde es der Zentrale.",
}
_PRODUCT_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {"bought": "bought", "wished": "on the wishlist"},
    GERMAN: {"bought": "gekauft", "wished": "auf die Wunschliste"},
}
_DECIDED: Final[Mapping[str, str]] = {"granted": "zugestimmt", "denied": "nicht zugestimmt"}


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A record as the Sync screen lists it. `op_id` is for the program alone; `standing` picks colour and mark.

    `detail` says which outcome, or the note's first words, `play_id` of which play; `why` why it needs a look. `name`
    is that of a new shopper as the record has it, for until this tablet holds them.
    """

    op_id: str
    seq: int
    recorded_at: str
    what: str
    detail: str
    state: OpState
    standing: Standing
    state_words: str
    why: str | None
    acked_at: str | None
    associate_id: str | None
    profile_id: str | None
    play_id: str | None = None
    name: str = ""


def journal_lines(
    database: TabletDatabase, *, limit: int = 50, before_seq: int | None = None, language: str = ENGLISH
) -> tuple[JournalLine, ...]:
    """Records, newest first; `before_seq` (the last line's `seq`) pages on."""
    tongue = spoken(language)
    return tuple(_line(entry, tongue) for entry in database.entries(limit=limit, before_seq=before_seq))


def seen_since(database: TabletDatabase, since_at: str, *, limit: int = 20) -> tuple[tuple[str, str], ...]:
    """(profile id, wire time) of the shoppers whose cards were opened here since a time, newest first, each once."""
    seen: dict[str, str] = {}
    for entry in database.recorded_since("shopper_opened", since_at):
        if entry.profile_id is not None:
            seen.setdefault(entry.profile_id, entry.op.occurred_at)
    return tuple(seen.items())[:limit]


def _line(entry: JournalEntry, tongue: str) -> JournalLine:
    op, is_german = entry.op, tongue == GERMAN
    return JournalLine(
        op_id=op.op_id,
        seq=op.seq,
        recorded_at=op.occurred_at,
        what=_WHAT_GERMAN.get(op.kind, "Eintrag") if is_german else _WHAT.get(op.kind, "Record"),
        detail=_detail(op.kind, op.body, tongue),
        state=entry.state,
        standing=_standing(entry.state),
        state_words=_STATE_WORDS[entry.state],
        why=_why(entry.code, tongue) if entry.state in ("parked", "rejected", "withheld") else None,
        acked_at=entry.acked_at,
        associate_id=op.associate_id,
        profile_id=entry.profile_id,
        play_id=op.body.get("play_id"),
        name=full_name(op.body) if op.kind == "shopper_enrolled" else "",
    )


def why_of(code: str | None, language: str = ENGLISH) -> str:
    """Why HQ could not take or apply a record, as a sentence."""
    return _why(code, spoken(language))


def _standing(state: OpState) -> Standing:
    if state == "pending":
        return "here"
    return "at_hq" if state == "acked" else "look"


def _why(code: str | None, tongue: str) -> str:
    if tongue == GERMAN:
        return _CODE_WORDS_GERMAN.get(code or "", "Die Zentrale sieht es sich an.")
    if code in PROBLEMS:
        return PROBLEMS[code].title
    return _CODE_WORDS.get(code or "", "HQ looks into it.")


def _detail(kind: str, body: Mapping[str, Any], tongue: str) -> str:
    if kind == "outcome_recorded":
        outcome = str(body["outcome"])
        return OUTCOME_WORDS[tongue].get(outcome, outcome.replace("_", " "))
    if kind == "product_recorded":
        return _PRODUCT_WORDS[tongue].get(str(body["what"]), "")
    if kind == "consent_changed":
        purpose, decision = body["consent"]["purpose"], body["consent"]["decision"]
        if tongue == GERMAN:
            return f"{purpose_words(purpose, tongue)}: {_DECIDED.get(decision, decision)}"
        return f"{purpose.replace('_', ' ')}: {decision}"
    return str(body.get("text") or body.get("title") or body.get("topic") or "")[:80]
