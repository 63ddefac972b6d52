"""What HQ knows of a shopper, for a person at HQ: who is in a store's slice, why, and the profile in full.

Nothing is redacted here: this is HQ's own view, by command line, and it is written into the audit log.
"""

from __future__ import annotations

import json
from typing import Any

from shared.errors import Refused
from shared.fold import ProfileState
from shared.identity import IdentifierType, canonical_form
from shared.ids import is_uuid
from shared.profile import full_name
from shared.projection import Reading, StoreView, choose_stores, home_store, project, slice_reasons
from shared.wire.messages import store_scope
from sync_server.ports import CentralReader, StoredProfile
from sync_server.services.chain import find_store
from sync_server.services.geography import distances_from
from sync_server.services.headquarters import Headquarters
from sync_server.services.merge import region_of
from sync_server.services.projecting import Projector

_ASKED: tuple[IdentifierType, ...] = (
    IdentifierType.LOYALTY_ID,
    IdentifierType.CUSTOMER_ID,
    IdentifierType.EMAIL,
    IdentifierType.PHONE,
)


def list_shoppers(hq: Headquarters, store: str, limit: int) -> list[dict[str, str]]:
    """At most `limit` shoppers with a loyalty number in a store's slice, in the feed's order."""
    found: list[dict[str, str]] = []
    with hq.database.read() as reader:
        find_store(reader, store)
        for row in reader.live_docs(store_scope(store), "profile/"):
            if not row.id.startswith("profile/") or len(found) >= limit:
                break
            document = json.loads(row.body)
            loyalty_id = _first(document, "loyalty_id")
            if loyalty_id is not None:
                found.append({"loyalty_id": loyalty_id, "name": full_name(document)})
    return found


def show_profile(hq: Headquarters, identifier: str) -> dict[str, Any]:
    """The profile document as HQ holds it in full. Raises Refused for a shopper nobody knows."""
    with hq.database.write() as tx:
        stored, reading = _find(tx, identifier)
        hq.note_audit(tx, "command line", "looked at the profile", stored.profile_id)
        known = Projector(tx, hq.now_at()).known({stored.profile_id: reading})[stored.profile_id]
    document = project(reading, stored.profile_id, StoreView(value_band=stored.value_band), None)
    told = {"identifiers": known.identifiers, "redirects": list(known.redirects), "stores": list(stored.stores)}
    return {**document, **told}


def explain_slice(hq: Headquarters, identifier: str) -> dict[str, Any]:
    """Which stores hold the profile and why, with since when each reason holds; stores that lost the draw for the
    four places are named too. Raises Refused for a shopper nobody knows."""
    with hq.database.read() as reader:
        stored, reading = _find(reader, identifier)
        projector = Projector(reader, hq.now_at())
        known = projector.known({stored.profile_id: reading})[stored.profile_id]
    distances = distances_from(known.point, projector.stores)
    reasons = slice_reasons(reading, hq.now_at(), distances)
    chosen = choose_stores(reasons, home_store(reading))
    return {
        "profile_id": stored.profile_id,
        "held_since": stored.held_at,
        "stores": [
            {"store": store, "is_held": store in stored.stores, "would_hold": store in chosen, "reasons": why}
            for store, why in sorted(reasons.items())
        ],
    }


def find_profile_id(reader: CentralReader, identifier: str) -> str | None:
    """The profile an identifier of any kind leads to; `type:value` asks for that kind alone."""
    kind, _, value = identifier.partition(":")
    if value and kind in set(IdentifierType):
        return _lookup(reader, (IdentifierType(kind),), value)
    if is_uuid(identifier):
        return reader.redirects([identifier]).get(identifier, identifier)
    return _lookup(reader, _ASKED, identifier)


def _lookup(reader: CentralReader, kinds: tuple[IdentifierType, ...], text: str) -> str | None:
    region = region_of(reader.stores(), None)
    for kind in kinds:
        form = canonical_form(kind, text, region=region)
        pair = (kind.value, form.value if form else text.strip())
        if found := reader.profile_ids([pair]).get(pair):
            return found
    return None


def find_shopper(reader: CentralReader, identifier: str) -> StoredProfile:
    """The profile an identifier leads to. Raises Refused for a shopper nobody knows."""
    profile_id = find_profile_id(reader, identifier.strip())
    stored = reader.profiles([profile_id]).get(profile_id) if profile_id else None
    if stored is None:
        raise Refused(f"HQ knows no shopper by {identifier!r:.80}: give a loyalty number, e-mail, phone or profile id.")
    return stored


def _find(reader: CentralReader, identifier: str) -> tuple[StoredProfile, Reading]:
    stored = find_shopper(reader, identifier)
    return stored, Reading(ProfileState.from_json(json.loads(stored.state)))


def _first(document: dict[str, Any], kind: str) -> str | None:
    return next((one["value"] for one in document.get("identifiers", []) if one["type"] == kind), None)
