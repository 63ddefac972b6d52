"""Probable duplicates: people as they are compared, and pairs a person should look at. Nothing here merges anybody.

Exact proposals need no library: the same folded name with the same birth date, or with the same postcode. A model of
the server's adapters gives finer ones in the same form. The answer never depends on the order of the records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import combinations
from typing import Final

from shared.identity import fold_name

_GROUP_MAX: Final = 10
"""In a larger group of equal people, which is rather a placeholder than a family, each is paired with the first."""


class Why(StrEnum):
    """What made a pair a proposal."""

    NAME_AND_BIRTH_DATE = "name_and_birth_date"
    NAME_AND_POSTCODE = "name_and_postcode"
    MODEL = "model"


@dataclass(frozen=True, slots=True, order=True)
class PersonRecord:
    """One person as a system knows them; None where it does not. `region` is a state or a country."""

    record_id: str
    given_name: str | None = None
    family_name: str | None = None
    birth_on: str | None = None
    street_number: str | None = None
    street: str | None = None
    street_more: str | None = None
    city: str | None = None
    postcode: str | None = None
    region: str | None = None
    phone: str | None = None
    email: str | None = None


FIELDS: Final = tuple(part.name for part in fields(PersonRecord) if part.name != "record_id")
"""What is compared of a person."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Names of the fields that agree, are close (a slip of the pen, or swapped) and differ; unknown ones in none."""

    agree: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    differ: tuple[str, ...] = ()

    def to_body(self) -> dict[str, list[str]]:
        """As JSON; only names of fields, never what they hold."""
        return {"agree": list(self.agree), "close": list(self.close), "differ": list(self.differ)}


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two records that may be one person, `a` before `b`; `score` in thousandths, None where no model judged."""

    a: str
    b: str
    why: Why
    evidence: Evidence
    score: int | None = None


def fold_record(record: PersonRecord) -> PersonRecord:
    """The record as it is compared: no case, no diacritics, single spaces; a postcode without any; blank = None."""
    folded = {name: fold_name(getattr(record, name) or "") or None for name in FIELDS}
    postcode = (folded["postcode"] or "").replace(" ", "") or None
    return PersonRecord(record.record_id, **{**folded, "postcode": postcode})


def fold_records(records: Iterable[PersonRecord]) -> list[PersonRecord]:
    """All of them folded, in order of id, so that nothing after this can depend on who came first."""
    return sorted((fold_record(record) for record in records), key=lambda record: record.record_id)


def exact_proposals(records: Iterable[PersonRecord]) -> list[Proposal]:
    """Pairs with the same name and birth date, or the same name and postcode, in order of their ids."""
    folded = fold_records(records)
    by_id = {record.record_id: record for record in folded}
    whys = exact_pairs(folded)
    return [Proposal(a, b, why, _evidence(by_id[a], by_id[b])) for (a, b), why in sorted(whys.items())]


def exact_pairs(folded: Sequence[PersonRecord]) -> dict[tuple[str, str], Why]:
    """Ids of such pairs among folded records in order of id, and why; a birth date speaks before a postcode."""
    found: dict[tuple[str, str], Why] = {}
    for why, key in _EXACT.items():
        for group in _groups(folded, key):
            for pair in _pairs(group):
                found.setdefault(pair, why)
    return found


def _name_with(field: str) -> Callable[[PersonRecord], Hashable]:
    def key(record: PersonRecord) -> Hashable:
        parts = (record.given_name, record.family_name, getattr(record, field))
        return parts if all(parts) else None

    return key


_EXACT: Final = {
    Why.NAME_AND_BIRTH_DATE: _name_with("birth_on"),
    Why.NAME_AND_POSTCODE: _name_with("postcode"),
}


def _groups(folded: Iterable[PersonRecord], key: Callable[[PersonRecord], Hashable]) -> Iterator[list[str]]:
    by_key: defaultdict[Hashable, list[str]] = defaultdict(list)
    for record in folded:
        if (found := key(record)) is not None:
            by_key[found].append(record.record_id)
    return (group for group in by_key.values() if len(group) > 1)


def _pairs(group: Sequence[str]) -> Iterator[tuple[str, str]]:
    if len(group) <= _GROUP_MAX:
        return combinations(group, 2)
    return ((group[0], other) for other in group[1:])


def _evidence(a: PersonRecord, b: PersonRecord) -> Evidence:
    known = [name for name in FIELDS if getattr(a, name) and getattr(b, name)]
    agree = tuple(name for name in known if getattr(a, name) == getattr(b, name))
    return Evidence(agree=agree, differ=tuple(name for name in known if name not in agree))
