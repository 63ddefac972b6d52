"""Consent at HQ: the proof of every decision, what stands for one shopper, and how many agreed to what.

Everything is read from the ledger, so a proof shows what was said when, on which words, and what has come of it since.
Nothing here decides: the rule is `shared/consent_joins.py`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from shared.clock import is_at
from shared.consent import Purpose, may_grant
from shared.consent_joins import Standing
from shared.errors import Refused
from shared.fold import DECIDING_KINDS, EVENT, ProfileState
from shared.projection import Reading, is_person, standings_of
from sync_server.ports import CentralReader, LedgerRow, StoredProfile
from sync_server.services.chain import find_store
from sync_server.services.headquarters import Headquarters
from sync_server.services.shoppers import find_shopper
from sync_server.services.wordings import KnownWordings

PROOF_COLUMNS: Final = (
    *("profile_id", "loyalty_id", "purpose", "decision", "at", "received_at", "method", "store", "associate_id"),
    *("source", "language", "wording_version", "wording_sha", "wording_found_by", "wording_title", "wording_text"),
    *("proof", "standing", "state", "fact_id"),
)
NEVER_ASKED: Final = "never_asked"
CONFLICT: Final = "conflict"
STATES: Final = ("granted", "denied", NEVER_ASKED, CONFLICT)
_PAGE: Final = 200
_TOLD: Final = ("language", "wording_version", "wording_sha", "method", "proof")


@dataclass(frozen=True, slots=True)
class ProofQuery:
    """Which proofs: of one shopper, of one purpose, decided since a time (wire or a day); None for all."""

    shopper: str | None = None
    purpose: str | None = None
    since: str | None = None


def state_of(standing: Standing | None) -> str:
    """granted, denied, conflict (denied until somebody asks again) or never_asked (not granted)."""
    if standing is None:
        return NEVER_ASKED
    if standing.conflict_at is not None:
        return CONFLICT
    return "granted" if standing.is_granted else "denied"


def export_proofs(hq: Headquarters, query: ProofQuery) -> Iterator[dict[str, Any]]:
    """Every decision that fits, shopper by shopper in order of time, streamed; written into the audit log.

    Raises Refused for an unknown shopper or purpose, or a time that is none.
    """
    purposes, since_at = _purposes(query.purpose), _since(query.since)
    with hq.database.write() as tx:
        only = find_shopper(tx, query.shopper).profile_id if query.shopper else None
        hq.note_audit(tx, "command line", "exported consent proofs", only or "all shoppers")
    with hq.database.read() as reader:
        words = KnownWordings(reader)
        stored = iter(reader.profiles([only]).values()) if only else reader.every_profile()
        while page := list(islice(stored, _PAGE)):
            for proof in _proofs(reader, page, words):
                if proof["purpose"] in purposes and proof["at"] >= since_at:
                    yield proof


def show_consent(hq: Headquarters, identifier: str) -> dict[str, Any]:
    """What stands for one shopper per purpose, and every decision behind it. Raises Refused for an unknown one."""
    with hq.database.write() as tx:
        stored = find_shopper(tx, identifier)
        hq.note_audit(tx, "command line", "looked at the consent of", stored.profile_id)
        proofs = list(_proofs(tx, [stored], KnownWordings(tx)))
    standings = standings_of(_reading(stored))
    purposes = {one.value: _shown(standings.get(one.value)) for one in Purpose}
    return {"profile_id": stored.profile_id, "purposes": purposes, "decisions": proofs}


def count_coverage(hq: Headquarters, store: str | None = None) -> list[dict[str, Any]]:
    """Per purpose how many shoppers granted, denied, were never asked or are in conflict; shares in tenths of a
    per cent. Browsers nobody ever identified are not counted. Raises Refused for an unknown store."""
    counts: Counter[tuple[str, str]] = Counter()
    people = 0
    with hq.database.read() as reader:
        if store is not None:
            find_store(reader, store)
        for stored in reader.every_profile():
            reading = _reading(stored) if store is None or store in stored.stores else None
            if reading is not None and is_person(reading.state):
                people += 1
                standings = standings_of(reading)
                counts.update((one.value, state_of(standings.get(one.value))) for one in Purpose)
    return [_covered(one.value, people, counts) for one in Purpose]


def _covered(purpose: str, people: int, counts: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    told = {state: counts[purpose, state] for state in STATES}
    shares = {f"{state}_permille": round(1000 * count / people) if people else 0 for state, count in told.items()}
    return {"purpose": purpose, "shoppers": people, **told, **shares}


def _shown(standing: Standing | None) -> dict[str, Any]:
    told: dict[str, Any] = {"state": state_of(standing)}
    if standing is not None:
        told |= {"at": standing.conflict_at or standing.latest.at, "fact_id": standing.latest.fact_id}
    return told


def _purposes(asked: str | None) -> Collection[str]:
    known = [one.value for one in Purpose]
    if asked is not None and asked not in known:
        raise Refused(f"{asked!r:.40} is no purpose. There are: {', '.join(known)}.")
    return known if asked is None else (asked,)


def _since(text: str | None) -> str:
    if text is None:
        return ""
    at = f"{text}T00:00:00.000Z" if len(text) == 10 else text
    if not is_at(at):
        raise Refused(f"{text!r:.40} is no time. Write a day such as 2026-11-22, or 2026-11-22T10:00:00.000Z.")
    return at


def _reading(stored: StoredProfile) -> Reading:
    return Reading(ProfileState.from_json(json.loads(stored.state)))


# proofs ---------------------------------------------------------------------------------------------------------------


def _proofs(reader: CentralReader, page: list[StoredProfile], words: KnownWordings) -> Iterator[dict[str, Any]]:
    readings = {stored.profile_id: _reading(stored) for stored in page}
    standings = {profile_id: standings_of(reading) for profile_id, reading in readings.items()}
    for row in reader.facts_of(list(readings)):
        profile_id = row.profile_id or ""
        for told in decisions_in(row):
            purpose = told["purpose"]
            standing = standings[profile_id].get(purpose)
            wording, found_by = words.find(purpose, told)
            yield {
                "profile_id": profile_id,
                "loyalty_id": _loyalty_id(readings[profile_id].state),
                "purpose": purpose,
                "decision": told["decision"],
                "at": row.effective_at,
                "received_at": row.received_at,
                "store": row.store,
                "associate_id": row.associate_id,
                "source": row.origin,
                **{name: told.get(name) for name in _TOLD},
                "wording_found_by": found_by,
                "wording_title": wording.title if wording else None,
                "wording_text": wording.text if wording else None,
                "standing": _standing(row, told, readings[profile_id].state, standing),
                "state": state_of(standing),
                "fact_id": row.fact_id,
            }


def decisions_in(row: LedgerRow) -> list[dict[str, Any]]:
    """The decisions a fact of the ledger carries, each with what was told of its proof."""
    if row.kind == EVENT:
        body = json.loads(row.body) if '"consent"' in row.body else {}
        extra = body.get("extra") or {}
        proof = {name: extra[name] for name in _TOLD if isinstance(extra.get(name), str)}
        said = sorted((body.get("consent") or {}).items())
        return [{"method": "web", **proof, "purpose": purpose, "decision": decision} for purpose, decision in said]
    if row.kind not in DECIDING_KINDS:
        return []
    body = json.loads(row.body)
    return [body["consent"]] if row.kind == "consent_changed" else list(body.get("consents") or [])


def _standing(row: LedgerRow, told: Mapping[str, Any], state: ProfileState, standing: Standing | None) -> str:
    """What became of a decision since."""
    if row.amends:
        return "correction"
    if row.fact_id in state.withdrawn:
        return "withdrawn"
    if row.fact_id in state.corrections:
        return "corrected"
    if told["decision"] == "granted" and not may_grant(told.get("method")):
        return "not_counted"
    if standing is None or standing.latest.fact_id != row.fact_id:
        return "superseded"
    return "overridden" if standing.conflict_at else "in_force"


def _loyalty_id(state: ProfileState) -> str | None:
    return min((key.partition("|")[2] for key in state.identifiers if key.startswith("loyalty_id|")), default=None)
