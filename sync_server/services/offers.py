"""The offers as HQ sees them: the list, and what hangs in the air between offers, plays, calendar and orders.

Reads only; files are published in `playbook.py`, overrides are in `overrides.py`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from shared.fold import EVENT
from shared.offers import offer_for_code
from shared.plays.calendar import orphaned_offers
from shared.plays.files import Offer, codes_of, in_language
from shared.plays.overrides import last_day
from shared.plays.playbook import problems_across
from sync_server.ports import CentralReader
from sync_server.services.headquarters import Headquarters
from sync_server.services.playbook import LANGUAGES, chain_today, published_files


def list_offers(hq: Headquarters) -> list[dict[str, Any]]:
    """The offers published now, by id: what they give, until when, and how far a store may bend them."""
    with hq.database.read() as reader:
        today = chain_today(hq, reader)[0].isoformat()
        live = published_files(reader)
    handed_out = {play.offer_id for play in live.plays} | {entry.offer_id for entry in live.calendar}
    return [_listed(offer, today, is_orphan=offer.id not in handed_out) for offer in live.offers]


def _listed(offer: Offer, today: str, *, is_orphan: bool) -> dict[str, Any]:
    limits = offer.override
    return {
        "offer_id": offer.id,
        "title": in_language(offer.title, LANGUAGES[0]),
        "kind": offer.kind,
        "codes": list(offer.codes),
        "valid_from": offer.valid_from,
        "valid_until": offer.valid_until,
        "is_over": offer.valid_until is not None and offer.valid_until < today,
        "honoured_until": last_day(offer) if limits.per_day else offer.valid_until,
        "per_day": limits.per_day,
        "needs": limits.needs if limits.per_day else None,
        "is_orphan": is_orphan,
    }


def check_offers(hq: Headquarters) -> list[dict[str, Any]]:
    """What a person should look at: {what, offer_id, count, sentence}. Walks the orders in the ledger.

    `unknown` is an offer that a play, or a coupon of an order, names and nobody published; `orphan` one that nothing
    hands out; `never` one with limits for the floor and none a day; `override` one that was bent and is unknown.
    """
    with hq.database.read() as reader:
        live = published_files(reader)
        known = {offer.id for offer in live.offers}
        codes = codes_of(live.offers)
        coupons = Counter(
            named for named in _ordered_with(reader) if named not in known and offer_for_code(named, codes) is None
        )
        parked = Counter(
            json.loads(row["body"])["offer_id"]
            for row in reader.rows("fact", kind="offer_overridden", verdict="parked", code="unknown_offer")
        )
    found = [
        *(_found("unknown", None, 1, str(one)) for one in problems_across(live.plays, live.offers)),
        *(
            _found("unknown", name, count, f"{count} orders came with {name!r:.60}, which is no offer's id or code.")
            for name, count in sorted(coupons.items())
        ),
        *(
            _found("override", name, count, f"{count} overrides of {name!r:.60} wait: no such offer was published.")
            for name, count in sorted(parked.items())
        ),
    ]
    found += [_found("orphan", id_, 0, told) for id_, told in orphaned_offers(live.calendar, live.plays, live.offers)]
    return found + [
        _found("never", offer.id, 0, f"The offer {offer.id} has limits for the floor, but per_day is 0: nobody can.")
        for offer in live.offers
        if not offer.override.per_day and (limits := offer.override).extend_days + limits.max_percent + limits.max_minor
    ]


def _found(what: str, offer_id: str | None, count: int, sentence: str) -> dict[str, Any]:
    return {"what": what, "offer_id": offer_id, "count": count, "sentence": sentence}


def _ordered_with(reader: CentralReader) -> Iterator[str]:
    """What each order said of its offer: the id where the code was known when it came, else the code itself."""
    for row in reader.every_row("fact"):
        if row["kind"] == EVENT and row["verdict"] == "accepted":
            event = json.loads(row["body"])
            if event.get("order") and event.get("offer_id"):
                yield event["offer_id"]
