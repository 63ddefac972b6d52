"""How likely a play is to end in an order, by lifecycle stage: counted once at HQ, shrunk, shipped as whole numbers.

Nightly, from every profile: showings of each play by the stage the shopper was in then, and of the claims *bought*
those that an order proves. `estimate/<play>/<stage>` goes to every tablet; a play without showings keeps its prior.
The same walk counts the figures of each store and the lift of each play, so that all three tell of one state.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from shared.clock import at_seconds
from shared.documents import Document
from shared.fold import ProfileState
from shared.lifecycle import StageName, StageSettings, decide_stage
from shared.plays.claims import Claim, SoldOrder, match_claims
from shared.plays.estimates import shrunk_p_ppm
from shared.plays.playbook import Playbook
from shared.plays.readings import read_settings
from shared.plays.settings import SETTING_ID
from shared.profile import ProfileFacts
from shared.projection import Reading
from shared.wire.canonical import canonical
from shared.wire.messages import SCOPE_ALL, store_scope
from sync_server.ports import CentralReader, DocWrite
from sync_server.services.figures import StoreCount
from sync_server.services.headquarters import Headquarters
from sync_server.services.lift import LiftCount, triggers_seen
from sync_server.services.terms import ESTIMATE_K, read_term

Key = tuple[str, StageName]
_PREFIX: Final = "estimate/"
_FIGURES: Final = "figures/"
_LIFT: Final = "lift/"


class Tally:
    """Showings and proven purchases by play and stage."""

    def __init__(self, stages: StageSettings) -> None:
        self._stages = stages
        self.shown: Counter[Key] = Counter()
        self.bought: Counter[Key] = Counter()

    def add(self, reading: Reading) -> dict[str, str]:
        """Count one shopper; claim -> the order that proves it. Only what was shown counts: a held-out card sold
        nothing by its play."""
        orders = sorted(reading.orders.values(), key=lambda order: (order[0], order[2]))
        for play_id, entries in reading.state.shown.items():
            for at, _, arm in entries:
                if arm == "shown":
                    self.shown[play_id, self._stage(orders, at)] += 1
        claims = {record.op_id: record for record in reading.records if _is_claim(record.kind, record.body)}
        proven = match_claims((_claim(record) for record in claims.values()), _sold(reading)) if claims else {}
        for claim_id in proven:
            record = claims[claim_id]
            self.bought[record.body["play_id"], self._stage(orders, record.at)] += 1
        return proven

    def _stage(self, orders: Iterable[list[Any]], at: str) -> StageName:
        """The stage at a time, by the orders before it."""
        before = [order[0] for order in orders if order[0] < at]
        facts = ProfileFacts(
            orders=len(before),
            first_order_at=before[0] if before else None,
            last_order_at=before[-1] if before else None,
        )
        return decide_stage(facts, at_seconds(at), self._stages).stage


def _is_claim(kind: str, body: Mapping[str, Any]) -> bool:
    return kind == "outcome_recorded" and body.get("outcome") == "bought" and body.get("arm") == "shown"


def _claim(record: Any) -> Claim:
    body = record.body
    return Claim(record.op_id, record.store, at_seconds(record.at), body.get("sku"), body.get("receipt_no"))


def _sold(reading: Reading) -> Iterator[SoldOrder]:
    for order_id, order in reading.orders.items():
        skus = frozenset(line["sku"] for line in order[7] if line.get("sku"))
        yield SoldOrder(order_id, order[4], at_seconds(order[0]), skus)


def refresh_estimates(hq: Headquarters) -> int:
    """Count everything anew and publish what changed, the stores' figures among it; how many estimates there are."""
    now_at = hq.now_at()
    with hq.database.read() as reader:
        setting = reader.doc(SCOPE_ALL, SETTING_ID)
        settings = read_settings(json.loads(setting.body) if setting is not None and not setting.deleted else None)
        playbook = _published(reader)
        tally, lift = Tally(settings.stages), LiftCount(playbook, settings.holdout.percent, now_at)
        figures, seen = StoreCount(reader.stores(), now_at), triggers_seen(reader)
        for stored in reader.every_profile():
            reading = Reading(ProfileState.from_json(json.loads(stored.state)))
            figures.add(reading, tally.add(reading))
            lift.add(reading, seen.get(stored.profile_id, {}))
        told: dict[str, tuple[str, Document]] = {}
        told |= {_FIGURES + one.store: (store_scope(one.store), one) for one in figures.documents(reader)}
        told |= {_LIFT + one.play_id: (SCOPE_ALL, one) for one in lift.documents()}
    with hq.database.write() as tx:
        made = dict(_documents(tx, tally, int(read_term(tx, ESTIMATE_K))))
        writes = [DocWrite(SCOPE_ALL, id_, canonical(document)) for id_, document in made.items()]
        writes += [DocWrite(scope, id_, canonical(_plain(one))) for id_, (scope, one) in told.items()]
        writes += _gone(tx, made.keys() | told.keys())
        tx.publish(writes, now_at)
    hq.doorbell.ring()
    return len(made)


def _plain(document: Document) -> dict[str, Any]:
    return document.model_dump(mode="json", exclude_none=True)


def _gone(tx: CentralReader, kept: Collection[str]) -> Iterator[DocWrite]:
    """Deletions of what was published before and is counted no more."""
    scopes = [(SCOPE_ALL, _PREFIX), (SCOPE_ALL, _LIFT)]
    scopes += [(store_scope(store.code), _FIGURES) for store in tx.stores()]
    for scope, prefix in scopes:
        yield from (DocWrite(scope, row.id, None) for row in tx.docs_of(scope, prefix) if row.id not in kept)


def _published(reader: CentralReader) -> Playbook:
    return Playbook.from_documents({row.id: json.loads(row.body) for row in reader.docs_of(SCOPE_ALL, "play/")})


def _documents(reader: CentralReader, tally: Tally, strength: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Estimates of the plays that are published now."""
    priors = {play.id: play.p0_ppm for play in _published(reader).plays}
    for (play_id, stage), shown in sorted(tally.shown.items()):
        if play_id in priors:
            orders = min(tally.bought[play_id, stage], shown)
            p_ppm = shrunk_p_ppm(orders, shown, priors[play_id], strength)
            yield f"{_PREFIX}{play_id}/{stage}", {"p_ppm": p_ppm, "shown": shown, "orders": orders}
