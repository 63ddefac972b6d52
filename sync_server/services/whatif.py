"""What a card would say: the engine over a store's own documents, for one shopper at one time. Reads only.

It reads what that store's tablets have and nothing else, so it can tell nothing that a card could not. The ledger is
never looked at; lines later than the time asked for are not seen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.clock import at_seconds
from shared.overlay import bare_document
from shared.plays.inputs import EvaluationInputs
from shared.plays.playbook import Playbook
from shared.plays.rank import recommend
from shared.plays.readings import product_facts, read_catalogue, read_settings, read_stock, read_store
from shared.plays.sent_inputs import Looked
from shared.plays.settings import SETTING_ID
from shared.profile import Profile
from shared.wire.messages import SCOPE_ALL, store_scope
from sync_server.ports import CentralReader
from sync_server.services.chain import CHAIN_ID, find_store
from sync_server.services.headquarters import Headquarters
from sync_server.services.shoppers import find_shopper


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The engine's look at a shopper from a store; `is_held` False: the store's feed does not hold them, and a card
    there would say only what the loyalty card tells."""

    looked: Looked
    is_held: bool


def what_if(hq: Headquarters, identifier: str, store: str, at: str) -> WhatIf:
    """What a card opened in a store at a time would show. Raises Refused for an unknown shopper or store."""
    with hq.database.write() as tx:
        find_store(tx, store)
        profile_id = find_shopper(tx, identifier).profile_id
        hq.note_audit(tx, "command line", "explained the plays of", profile_id)
        document = _body(tx, store_scope(store), f"profile/{profile_id}")
        told = document or {**bare_document(profile_id, _numbers(tx, profile_id)), "is_provisional": False}
        return WhatIf(_look(tx, store, Profile.from_document(told), at, is_held=document is not None), bool(document))


def _look(reader: CentralReader, code: str, profile: Profile, at: str, *, is_held: bool) -> Looked:
    scope = store_scope(code)
    settings = read_settings(_body(reader, SCOPE_ALL, SETTING_ID))
    store = read_store(code, _body(reader, SCOPE_ALL, f"store/{code}"), _body(reader, SCOPE_ALL, CHAIN_ID))
    catalogue = read_catalogue(_bodies(reader, SCOPE_ALL, "product/").values())
    inputs = EvaluationInputs(
        profile=profile,
        stock=read_stock(_bodies(reader, scope, "stock/").values()),
        products=product_facts(catalogue, store.currency),
        store=store,
        now_s=at_seconds(at),
        settings=settings,
    )
    documents = {**_bodies(reader, SCOPE_ALL, "play/"), **_bodies(reader, SCOPE_ALL, "offer/")}
    documents |= {**_bodies(reader, SCOPE_ALL, "estimate/"), **_bodies(reader, scope, "play_change/")}
    playbook = Playbook.from_documents(documents, settings)
    is_stranger = not (is_held or profile.is_provisional)
    playbook = playbook.for_strangers() if is_stranger else playbook
    anchor = profile.loyalty_id or profile.id
    return Looked(inputs, playbook, anchor, recommend(inputs, playbook, loyalty_anchor=anchor), is_stranger)


def _numbers(reader: CentralReader, profile_id: str) -> list[tuple[str, str]]:
    pairs = reader.identifiers_of([profile_id]).get(profile_id, [])
    return [pair for pair in pairs if pair[0] == "loyalty_id"]


def _body(reader: CentralReader, scope: str, document_id: str) -> dict[str, Any] | None:
    row = reader.doc(scope, document_id)
    body: dict[str, Any] | None = json.loads(row.body) if row is not None and not row.deleted else None
    return body


def _bodies(reader: CentralReader, scope: str, prefix: str) -> Mapping[str, dict[str, Any]]:
    return {row.id: json.loads(row.body) for row in reader.docs_of(scope, prefix)}
