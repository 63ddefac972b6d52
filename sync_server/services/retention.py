"""Retention: what is too old to be kept, and goes by itself. Run by the nightly upkeep; safe to run at any moment.

Old events lose what was looked at and searched for. What a profile is made of stays: orders, traits, decisions about
consent, who was seen with whom, and how often something was. The ledger's row stays too, so that an event counts once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.clock import shift_at
from sync_server.services.conflicts import tried_again
from sync_server.services.headquarters import Headquarters
from sync_server.services.json_text import canonical
from sync_server.services.merge import refold

AGED: Final = "aged"
_PAGE: Final = 500
_PROFILES: Final = 100
_KEPT: Final = (
    "event_id",
    "kind",
    "channel",
    "name",
    "store",
    "identifiers",
    "blocked",
    "traits",
    "consent",
    "case_id",
)
_KEPT_OF_ORDERS: Final = ("order", "currency", "offer_id", "cart_id")
_OLD_ROWS: Final = (
    ("hook_delivery", "received_at", "hook_days"),
    ("hook_key", "learned_at", "hook_days"),
    ("dead_letter", "received_at", "dead_letter_days"),
)
"""Table, the column of its age, the setting. What an event said is in the ledger; raw words are kept for mending."""


def aged_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of an old event's body; `is_aged` keeps the fold from showing it among what happened lately."""
    names = (*_KEPT, *(_KEPT_OF_ORDERS if body.get("order") else ()), *(("extra",) if body.get("consent") else ()))
    return {**{name: body[name] for name in names if name in body}, "is_aged": True}


def age_out(hq: Headquarters) -> dict[str, int]:
    """Let go what is older than the settings say; what -> how many. Works in pages, so that pushes pass."""
    told = Counter[str](events=_age_events(hq))
    for table, column, setting in _OLD_ROWS:
        days = getattr(hq.settings, setting)
        told[table] = _drop_old(hq, table, column, days) if days > 0 else 0
    if told.total():
        with hq.database.write() as tx:
            said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(told.items()) if count)
            hq.note_audit(tx, "upkeep", "aged out", said)
        hq.doorbell.ring()
    return dict(told)


def _drop_old(hq: Headquarters, table: str, column: str, days: int) -> int:
    before_at, dropped = shift_at(hq.now_at(), days=-days), 0
    while True:
        with hq.database.write() as tx:
            count = tx.drop_older(table, column, before_at, _PAGE)
        dropped += count
        if count < _PAGE:
            return dropped


def _age_events(hq: Headquarters) -> int:
    if hq.settings.event_days <= 0:
        return 0
    before_at = shift_at(hq.now_at(), days=-hq.settings.event_days)
    with hq.database.read() as reader:
        profile_ids = sorted(stored.profile_id for stored in reader.every_profile())
    aged = sum(_age_page(hq, page, before_at) for page in _pages(profile_ids, _PROFILES))
    return aged + _age_nobodys(hq, before_at)


@tried_again
def _age_page(hq: Headquarters, profile_ids: list[str], before_at: str) -> int:
    """Old events of some profiles, and what their documents show without them, in one transaction."""
    with hq.database.read() as reader:
        if not list(reader.events_before(before_at, profile_ids)):
            return 0
    with hq.database.write() as tx:
        tx.heed_erasures()
        tx.profiles(profile_ids, for_update=True)
        found = list(tx.events_before(before_at, profile_ids))
        tx.age_facts(AGED, [(row.fact_id, _left(row.body)) for row in found])
        tx.publish(refold(tx, {row.profile_id for row in found if row.profile_id}, hq.now_at())[1], hq.now_at())
    return len(found)


def _age_nobodys(hq: Headquarters, before_at: str) -> int:
    """Events that are of no profile."""
    with hq.database.read() as reader:
        fact_ids = [row.fact_id for row in reader.events_before(before_at)]
    aged = 0
    for page in _pages(fact_ids, _PAGE):
        with hq.database.write() as tx:
            tx.heed_erasures()
            found = [row for row in tx.facts_by_id(page) if row.code is None]
            tx.age_facts(AGED, [(row.fact_id, _left(row.body)) for row in found])
        aged += len(found)
    return aged


def _pages(ids: list[str], size: int) -> Iterable[list[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _left(body: str) -> str:
    return canonical(aged_of(json.loads(body))).decode()
