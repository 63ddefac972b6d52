"""Corrections of a shopper's data: which fields the floor may correct, what each value must be, how each one stands.

Steps 5 and 7. A correction is a claim: HQ's rule answers it once, with a fact of its own (`correction_answered`), and a
person at HQ may answer after it. What is taken over is worked out here from these facts, so a rebuild says the same.
Whether an e-mail or phone is free to be taken over is HQ's question (decision 0046), not asked here.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from shared.identity import Identifier, IdentifierType, canonical_form

CORRECTED: Final = "profile_corrected"
FLAGGED: Final = "data_flagged"
ANSWERED: Final = "correction_answered"
"""A fact HQ makes itself: `id` (the op it answers), `state`, `why` (a word of the rule), `text` (a person's), `value`
(what a person found to be right)."""
CONTACTS: Final = {"email": IdentifierType.EMAIL, "phone": IdentifierType.PHONE}
TRAITS: Final = ("given_name", "family_name", "postcode", "language")
FIELDS: Final = (*TRAITS[:2], *CONTACTS, *TRAITS[2:])
"""In the order in which people read them."""

OPEN: Final = "open"
TAKEN: Final = "taken"
KEPT: Final = "kept"
SETTLED: Final = "settled"
WAITING: Final = "waiting"
"""On the tablet alone: HQ has not got it."""
UNREADABLE: Final = "unreadable"
SOMEBODY_ELSE: Final = "somebody_else"
NOT_HERE: Final = "not_here"
LATER: Final = "later"
"""Something newer than the correction says otherwise."""
LISTED_MAX: Final = 20

_RANK: Final = 2
_PERSONS_RANK: Final = 5
_FORMS: Final = {
    "given_name": re.compile(r"\S(.{0,78}\S)?\Z"),
    "family_name": re.compile(r"\S(.{0,78}\S)?\Z"),
    "postcode": re.compile(r"[0-9A-Za-z][0-9A-Za-z -]{0,18}[0-9A-Za-z]\Z"),
    "language": re.compile(r"[a-z]{2,3}\Z"),
}


class Said(Protocol):
    """A floor record as it stands (`shared/projection.py`)."""

    @property
    def op_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def associate_id(self) -> str | None: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction or flag, with the last answer to it."""

    said: Said
    answer: Said | None = None

    @property
    def field(self) -> str:
        """Which field it is about."""
        return str(self.said.body.get("field", ""))

    @property
    def state(self) -> str:
        """open, taken, kept or settled."""
        return str(self.answer.body.get("state", OPEN)) if self.answer else OPEN


def cleaned(field: str, value: str, *, region: str) -> str | None:
    """A value as HQ keeps it; None for one that the field cannot have. `region` completes phones without a country."""
    if (contact := contact_of(field, value, region=region)) is not None:
        return contact.value
    text = " ".join(value.split())
    form = _FORMS.get(field)
    return text if form is not None and form.match(text) and text.isprintable() else None


def contact_of(field: str, value: str, *, region: str) -> Identifier | None:
    """The e-mail or phone a correction claims; None for another field, or for what is none."""
    type_ = CONTACTS.get(field)
    return canonical_form(type_, value, region=region) if type_ is not None else None


def corrections_in(records: Iterable[Said]) -> list[Correction]:
    """Corrections and flags with their last answers, in the order of the records, which is that of time. What a person
    said goes before what the rule did, also in the same millisecond."""
    kept = [one for one in records if one.kind in (CORRECTED, FLAGGED, ANSWERED)]
    said = sorted((one for one in kept if one.kind == ANSWERED), key=lambda one: is_persons(one.body))
    answers = {str(one.body.get("id")): one for one in said}
    return [Correction(one, answers.get(one.op_id)) for one in kept if one.kind != ANSWERED]


def is_persons(answer: Mapping[str, Any]) -> bool:
    """Whether a person at HQ gave this answer: the rule has no words of its own."""
    return "text" in answer


def registers_of(records: Iterable[Said]) -> Iterator[tuple[str, list[Any]]]:
    """(trait, [at, rank, id, value]) of what was taken over, and of what a person at HQ found to be right."""
    for one in corrections_in(records):
        if one.field not in TRAITS or one.answer is None:
            continue
        right = one.answer.body.get("value")
        if right is not None:
            yield one.field, [one.answer.at, _PERSONS_RANK, one.answer.op_id, right]
        elif one.state == TAKEN:
            yield one.field, [one.said.at, _RANK, one.said.op_id, " ".join(str(one.said.body["value"]).split())]


def lines_of(records: Iterable[Said], traits: Mapping[str, Any], identifiers: Container[str]) -> list[dict[str, Any]]:
    """What a shopper's document lists, oldest first. `traits` are those in force, `identifiers` `type|value` keys that
    facts about the shopper have named."""
    return [_line(one, traits, identifiers) for one in corrections_in(records)[-LISTED_MAX:]]


def _line(one: Correction, traits: Mapping[str, Any], identifiers: Container[str]) -> dict[str, Any]:
    said, told = one.said, one.answer.body if one.answer else {}
    state, why = one.state, told.get("why")
    value = said.body.get("value")
    if state == TAKEN and one.field in TRAITS and traits.get(one.field) != " ".join(str(value).split()):
        state, why = KEPT, LATER
    if state == KEPT and one.field in CONTACTS and f"{one.field}|{value}" in identifiers:
        state, why = TAKEN, None
    line = {"op_id": said.op_id, "at": said.at, "associate_id": said.associate_id, "field": one.field}
    line |= {"value": value, "text": said.body.get("text"), "state": state, "why": why, "answer": told.get("text")}
    line |= {"right": told.get("value"), "answered_at": one.answer.at if one.answer else None}
    return {name: part for name, part in line.items() if part is not None}
