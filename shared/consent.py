"""Consent: purposes, decisions with their proof, and which decision is in force. Used by fold, feed and ingest.

Two different joins live here. Decisions of *one* person: the latest counts, ties deny. Decisions of persons found to
be one (a merge of profiles): a denial that was in force on either side stands until a newer decision. Missing = not
granted, everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Final, Protocol, Self

from shared.clock import is_at
from shared.errors import Malformed


class Purpose(StrEnum):
    """What consent is asked for, one by one."""

    PERSONALISE_IN_STORE = "personalise_in_store"
    PROFILING = "profiling"
    ANALYTICS = "analytics"
    EMAIL = "email"
    SMS = "sms"
    PHONE = "phone"


class Decision(StrEnum):
    """What the shopper said."""

    GRANTED = "granted"
    DENIED = "denied"


class Method(StrEnum):
    """How the shopper said it."""

    SHOPPER_TAPPED = "shopper_tapped"
    SPOKEN = "spoken"
    PAPER = "paper"
    IMPORT = "import"
    WEB = "web"


GRANTING_METHODS: Final = frozenset({Method.SHOPPER_TAPPED, Method.PAPER, Method.IMPORT, Method.WEB})
"""Spoken is missing on purpose: an associate alone can record a withdrawal, never a grant."""


class InForce(Protocol):
    """Anything that states the decision in force: a `ConsentDecision`, or the profile document's `ConsentState`."""

    @property
    def decision(self) -> str:
        """`granted` or `denied`."""


@dataclass(frozen=True, slots=True)
class ConsentDecision:
    """One decision for one purpose, with its proof: when, which wording, in which language, how, where, by whom."""

    purpose: Purpose
    decision: Decision
    at: str
    wording_version: str | None = None
    language: str | None = None
    wording_sha: str | None = None
    method: Method | None = None
    store: str | None = None
    associate_id: str | None = None

    def to_body(self) -> dict[str, str]:
        """As JSON; absent parts are left out."""
        return {part.name: str(getattr(self, part.name)) for part in fields(self) if getattr(self, part.name)}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read it back. Raises Malformed for an unknown purpose, decision, method, or a time not of the wire."""
        try:
            known = {name: body[name] for name in _TEXT_PARTS if body.get(name) is not None}
            method = Method(body["method"]) if body.get("method") else None
            made = cls(Purpose(body["purpose"]), Decision(body["decision"]), body["at"], method=method, **known)
        except (KeyError, TypeError, ValueError) as problem:
            raise Malformed(f"not a consent decision: {problem}"[:200]) from None
        if not is_at(made.at) or not all(isinstance(text, str) for text in known.values()):
            raise Malformed("not a consent decision: a time or a text is ill-typed")
        return made


_TEXT_PARTS: Final = ("wording_version", "language", "wording_sha", "store", "associate_id")

ConsentMap = Mapping[str, ConsentDecision]


def latest(left: ConsentDecision, right: ConsentDecision) -> ConsentDecision:
    """Of two decisions of one person on one purpose, the one in force: later, then the denial.

    What is left after that is settled by the proof's text, so that the answer never depends on the order of arrival.
    """
    return max(left, right, key=_strength)


def latest_decisions(decisions: Iterable[ConsentDecision]) -> dict[str, ConsentDecision]:
    """The decision in force for each purpose one person ever decided; any order, any repetition gives the same."""
    in_force: dict[str, ConsentDecision] = {}
    for made in decisions:
        held = in_force.get(made.purpose.value)
        in_force[made.purpose.value] = made if held is None else latest(held, made)
    return in_force


def merge_decisions(left: ConsentMap, right: ConsentMap) -> dict[str, ConsentDecision]:
    """Two partial views of *one* person's decisions -> one. Commutative, associative, idempotent."""
    return latest_decisions([*left.values(), *right.values()])


def consent_after_merge(parts: Iterable[ConsentMap]) -> dict[str, ConsentDecision]:
    """The decisions in force when profiles are found to be one person: the most restrictive of them wins.

    Give all parts at once, each with the decisions in force before the merge. A denial among them stands, dated as
    the newest of the parts' decisions, so that only a still newer one lifts it. A purpose undecided on one side takes
    the other side's decision: silence is not a denial.
    """
    by_purpose: dict[str, list[ConsentDecision]] = {}
    for part in parts:
        for purpose, made in part.items():
            by_purpose.setdefault(purpose, []).append(made)
    return {purpose: _most_restrictive(made) for purpose, made in by_purpose.items()}


def is_granted(consent: Mapping[str, InForce], purpose: Purpose | str) -> bool:
    """Say whether a purpose is granted; missing is not granted."""
    in_force = consent.get(str(purpose))
    return in_force is not None and in_force.decision == Decision.GRANTED


def may_grant(method: Method | str | None) -> bool:
    """Say whether a grant made this way counts: the shopper's own tap, paper, an import or the web, never spoken."""
    return method is not None and method in GRANTING_METHODS


def _most_restrictive(made: list[ConsentDecision]) -> ConsentDecision:
    newest_at = max(decision.at for decision in made)
    denials = [decision for decision in made if decision.decision is Decision.DENIED]
    return replace(max(denials or made, key=_strength), at=newest_at)


def _strength(made: ConsentDecision) -> tuple[str, ...]:
    """Later beats earlier; at one instant `denied` beats `granted`; the rest only makes the order total."""
    is_denied = "1" if made.decision is Decision.DENIED else "0"
    return (made.at, is_denied, *(str(getattr(made, part.name) or "") for part in fields(made)))
