"""What people do in a simulation: the ops associates record on tablets, good and bad, and what other channels send."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Final

from associate_app.ports import NewOp
from shared.clock import format_at
from shared.wire.canonical import sha_of
from tests.simulation.clocks import HeadquartersClock
from tests.simulation.invariants import Recorded
from tests.simulation.tablet import SimulatedTablet

LOYALTY_IDS: Final = tuple(f"29000000{number:05d}" for number in range(6))
EMAILS: Final = tuple(f"shopper{number}@example.com" for number in range(3))
SPOILS_THE_MERGE: Final = "note that breaks the merge"
REFUSED_BY_THE_DATABASE: Final = "note that the database refuses"
OF_A_NEWER_APP: Final = "note of schema 2"
ACCEPTED: Final = frozenset({"accepted"})
PARKED: Final = frozenset({"parked"})
REJECTED: Final = frozenset({"rejected"})


@dataclass(slots=True)
class People:
    """Chooses what is recorded, from the seed; keeps what may be corrected later."""

    chance: random.Random
    faults: tuple[str, ...]
    notes: dict[str, list[str]] = field(default_factory=dict)
    count: int = 0

    def think_of(self, tablet: SimulatedTablet) -> tuple[NewOp, frozenset[str]]:
        """An op about to be recorded on a tablet, and the verdicts it may get."""
        self.count += 1
        tablet.associate_id = self.chance.choice(("a0001", "a0002", "a0003"))
        if self.chance.random() < 0.15 and (bad := self._bad_op(tablet)):
            return bad
        if "consent" in self.faults and self.chance.random() < 0.12:
            return tablet.make_op("consent_changed", self._consent()), ACCEPTED
        if "correct" in self.faults and self.chance.random() < 0.2 and self.notes.get(tablet.store):
            return self._correction(tablet), ACCEPTED
        if self.chance.random() < 0.5:
            return self._note(tablet), ACCEPTED
        return tablet.make_op(*self._deed()), ACCEPTED

    def _shopper(self) -> dict[str, str]:
        if self.chance.random() < 0.1:
            return {"type": "email", "value": self.chance.choice(EMAILS)}
        return {"type": "loyalty_id", "value": self.chance.choice(LOYALTY_IDS)}

    def _note(self, tablet: SimulatedTablet) -> NewOp:
        op = tablet.make_op("note_added", {"shopper": self._shopper(), "text": f"note {self.count}"})
        self.notes.setdefault(tablet.store, []).append(op.op_id)
        return op

    def _deed(self) -> tuple[str, dict[str, Any]]:
        shopper = {"shopper": self._shopper()}
        played = {"play_id": "show-the-cart", "play_version": 1, "arm": "shown", "rule_pack": "0" * 64}
        deeds: list[tuple[str, dict[str, Any]]] = [
            ("outcome_recorded", shopper | played | {"outcome": self.chance.choice(("bought", "not_today"))}),
            ("shopper_opened", shopper | {"how": "typed"}),
            ("preference_set", shopper | {"name": "shoe size", "value": str(self.chance.randint(35, 46))}),
            ("hold_requested", shopper | {"sku": "S1", "quantity": 1, "until_on": "2026-12-01"}),
            ("identifier_added", shopper | {"identifier": {"type": "email", "value": self.chance.choice(EMAILS)}}),
            ("feedback_given", {"about": "worked", "text": f"note {self.count} to HQ"}),
        ]
        return self.chance.choice(deeds)

    def _consent(self) -> dict[str, Any]:
        decision = self.chance.choice(("granted", "denied"))
        consent = {"purpose": "personalise_in_store", "decision": decision, "method": "shopper_tapped"}
        return {"shopper": self._shopper(), "consent": consent}

    def _correction(self, tablet: SimulatedTablet) -> NewOp:
        target = self.chance.choice(self.notes[tablet.store])
        if self.chance.random() < 0.4:
            return tablet.make_op("op_withdrawn", {"why": "a slip"}, amends=target)
        body = {"shopper": self._shopper(), "text": f"note {self.count}, put right"}
        return tablet.make_op("note_added", body, amends=target)

    def _bad_op(self, tablet: SimulatedTablet) -> tuple[NewOp, frozenset[str]] | None:
        shopper = {"shopper": self._shopper()}
        bad: list[tuple[NewOp, frozenset[str]]] = []
        if "unknown" in self.faults:
            bad += [
                (tablet.make_op("mood_measured", shopper), PARKED),
                (tablet.make_op("note_added", shopper), PARKED),
                (tablet.make_op("trigger_seen", shopper | {"play_id": "gone"}), PARKED),
                (tablet.make_op("note_added", shopper | {"text": "for all"}, scope="all"), REJECTED),
                (tablet.make_op("note_added", shopper | {"text": "far"}, scope="store:nowhere"), REJECTED),
            ]
        if "schema" in self.faults:
            bad.append((tablet.make_op("note_added", shopper | {"text": OF_A_NEWER_APP}), PARKED))
        if "merge" in self.faults:
            bad += [
                (tablet.make_op("note_added", shopper | {"text": text}), PARKED)
                for text in (SPOILS_THE_MERGE, REFUSED_BY_THE_DATABASE)
            ]
        if "poison" in self.faults and self.chance.random() < 0.15:
            op = tablet.make_op("note_added", shopper | {"text": "poison"})
            return op, frozenset({"accepted", "parked", "poison"})
        return self.chance.choice(bad) if bad else None


def as_recorded(op: NewOp, becomes: frozenset[str]) -> Recorded:
    """The model's own note of an op."""
    return Recorded(op.op_id, sha_of(dict(op.body)), op.kind, op.associate_id, op.occurred_at, op.amends, becomes)


def think_of_decision(chance: random.Random, clock: HeadquartersClock, number: int) -> dict[str, Any]:
    """A shopper decides in the web shop what their behaviour may be used for."""
    return {
        "type": "identify",
        "messageId": f"decision-{number}",
        "timestamp": format_at(clock.now()),
        "userId": f"web-{number}",
        "traits": {"loyalty_id": chance.choice(LOYALTY_IDS)},
        "context": {"consent": {"categoryPreferences": {"personalise_in_store": chance.random() < 0.5}}},
    }


def think_of_event(chance: random.Random, clock: HeadquartersClock, number: int) -> dict[str, Any]:
    """A message of the web shop about a shopper."""
    return {
        "type": "track",
        "event": "Product Added",
        "messageId": f"web-{number}",
        "timestamp": format_at(clock.now()),
        "anonymousId": f"browser-{number}",
        "context": {"traits": {"loyalty_id": chance.choice(LOYALTY_IDS)}},
        "properties": {"product_id": f"S{chance.randint(1, 4)}", "name": "Shoe", "price": 10, "quantity": 1},
    }
