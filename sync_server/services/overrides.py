"""Overrides at HQ: each op judged by the offer's limits of its time, told to the store's other tablets, and totalled.

What one op says decides whether it is beyond the limits. How many there were on a day does not: tablets that were
offline cannot know of each other, and what the shopper was given would depend on who came first. The totals say how
many were over. Flow step 7 and HQ's commands.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from shared.clock import local_day
from shared.documents import MANAGER
from shared.errors import Malformed, Refused
from shared.plays import overrides
from shared.plays.files import Offer
from shared.plays.inputs import zone_of
from shared.wire.messages import store_scope
from shared.wire.ops import ERASED
from sync_server.ports import CentralReader, CentralWriter, DocWrite, LedgerRow, Store
from sync_server.services.headquarters import Headquarters
from sync_server.services.json_text import canonical

KIND: Final = "offer_overridden"


# judging --------------------------------------------------------------------------------------------------------------


def refused_override(reader: CentralReader, row: LedgerRow, body: Mapping[str, Any]) -> Malformed | None:
    """Why an override is beyond the limits published at its time (`unknown_offer`, `over_limit`); None where not."""
    offer = offer_at(reader, body["offer_id"], row.effective_at)
    if offer is None:
        return Malformed(f"HQ had not published the offer {body['offer_id']!r:.60} then", "unknown_offer")
    store = _store_of(reader, row)
    behind = [named for named in (row.associate_id, body.get("approved_by")) if named]
    counter = overrides.Counter(
        store=store.code,
        currency=store.currency,
        day=_day_of(store, row.effective_at),
        is_managers=any(_is_manager(reader, named) for named in behind),
    )
    problem = overrides.override_problem(offer, body, counter)
    return Malformed(problem, "over_limit") if problem else None


def offer_at(reader: CentralReader, offer_id: str, at: str) -> Offer | None:
    """An offer as it was published at a time; None for one that was not yet, or that no version of ours can read."""
    versions = [row for row in reader.rows("offer_version", offer_id=offer_id) if row["published_at"] <= at]
    try:
        newest = max(versions, key=lambda row: str(row["published_at"]))
        return Offer.model_validate_json(newest["body"])
    except (ValidationError, ValueError):
        return None


def _is_manager(reader: CentralReader, associate_id: str) -> bool:
    """By the role HQ knows now. One who left since was a manager when a PIN was typed."""
    return any(person["role"] == MANAGER for person in reader.rows("associate", associate_id=associate_id))


def _store_of(reader: CentralReader, row: LedgerRow) -> Store:
    return next(store for store in reader.stores() if store.code == row.store)


def _day_of(store: Store, at: str) -> str:
    return local_day(at, zone_of(store.timezone)).isoformat()


# what a store's tablets hear of each other ----------------------------------------------------------------------------


def override_documents(tx: CentralWriter, rows: Sequence[LedgerRow]) -> list[DocWrite]:
    """`override/<offer id>` in the store's scope: the newest day on which the offer was bent there, and by which ops.
    So a tablet counts those of the others; what was taken back counts no more."""
    made: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        if row.verdict != "accepted" or row.store is None or row.code == ERASED:
            continue
        if row.kind == KIND and row.amends is None:
            _note(tx, made, row, json.loads(row.body)["offer_id"])
        elif row.kind == "op_withdrawn" and row.amends is not None:
            _take_back(tx, made, row)
    return [DocWrite(scope, id_, canonical(document)) for (scope, id_), document in made.items()]


def _note(tx: CentralWriter, made: dict[tuple[str, str], dict[str, Any]], row: LedgerRow, offer_id: str) -> None:
    if _is_taken_back(tx, row.fact_id):
        return
    day, held = _day_of(_store_of(tx, row), row.effective_at), _held(tx, made, row, offer_id)
    if day >= held["on"]:
        earlier = held["op_ids"] if day == held["on"] else []
        _keep(made, row, {"id": offer_id, "on": day, "op_ids": sorted({*earlier, row.fact_id})})


def _take_back(tx: CentralWriter, made: dict[tuple[str, str], dict[str, Any]], row: LedgerRow) -> None:
    for first in tx.rows("fact", fact_id=row.amends, kind=KIND, verdict="accepted"):
        if first["code"] == ERASED:
            continue
        offer_id = json.loads(first["body"])["offer_id"]
        held = _held(tx, made, row, offer_id)
        if row.amends in held["op_ids"]:
            _keep(made, row, {**held, "op_ids": [one for one in held["op_ids"] if one != row.amends]})


def _held(
    tx: CentralWriter, made: Mapping[tuple[str, str], dict[str, Any]], row: LedgerRow, offer_id: str
) -> dict[str, Any]:
    key = (store_scope(row.store or ""), f"override/{offer_id}")
    if key in made:
        return made[key]
    stored = tx.doc(*key)
    return json.loads(stored.body) if stored and stored.body else {"id": offer_id, "on": "", "op_ids": []}


def _keep(made: dict[tuple[str, str], dict[str, Any]], row: LedgerRow, document: dict[str, Any]) -> None:
    made[store_scope(row.store or ""), f"override/{document['id']}"] = document


def _is_taken_back(reader: CentralReader, op_id: str) -> bool:
    return bool(_accepted_about(reader, op_id, "op_withdrawn"))


def _accepted_about(reader: CentralReader, op_id: str, kind: str) -> list[dict[str, Any]]:
    return [row for row in reader.rows("fact", about=op_id) if (row["kind"], row["verdict"]) == (kind, "accepted")]


# totals ---------------------------------------------------------------------------------------------------------------


def total_overrides(hq: Headquarters, *, store: str | None = None, since_on: str | None = None) -> list[dict[str, Any]]:
    """How often each offer was bent: {store, offer_id, kind, reason, currency, count, minor, over}, in this order.

    `minor` is the money the overrides name in the store's currency; `over`: how many were beyond what the offer allows
    a day. What was taken back is left out, and so is what waits in quarantine. Raises Refused for an unknown store or
    a day that is none.
    """
    since = _sound_day(since_on)
    with hq.database.read() as reader:
        stores = {one.code: one for one in reader.stores()}
        if store is not None and store not in stores:
            raise Refused(f"There is no store {store!r:.60}. See `sync-server store list`.")
        told = [line for line in _lines(reader, stores) if store in (None, line["store"]) and line["day"] >= since]
    totals: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for line in told:
        key = tuple(line[name] for name in _TOTALLED)
        totals[key].update({"count": 1, "minor": line["minor"], "over": line["is_over"]})
    return [
        {**dict(zip(_TOTALLED, key, strict=True)), **{name: total[name] for name in ("count", "minor", "over")}}
        for key, total in sorted(totals.items())
    ]


_TOTALLED: Final = ("store", "offer_id", "kind", "reason", "currency")


def _sound_day(day: str | None) -> str:
    try:
        return date.fromisoformat(day).isoformat() if day else ""
    except ValueError:
        raise Refused(f"{day!r:.40} is not a day. Write one like 2026-11-22.") from None


def _lines(reader: CentralReader, stores: Mapping[str, Store]) -> Iterator[dict[str, Any]]:
    """One line per override that stands, in order of time."""
    used: Counter[tuple[str, str, str]] = Counter()
    for row in reader.overrides():
        if (
            row.store is None
            or row.store not in stores
            or row.amends is not None
            or _is_taken_back(reader, row.fact_id)
        ):
            continue
        store, body = stores[row.store], _newest_body(reader, row)
        offer = offer_at(reader, body["offer_id"], row.effective_at)
        place = (store.code, body["offer_id"], _day_of(store, row.effective_at))
        used[place] += 1
        yield {
            "store": store.code,
            "offer_id": body["offer_id"],
            "kind": body["kind"],
            "reason": body["reason"],
            "currency": store.currency,
            "day": place[2],
            "minor": overrides.worth_minor(offer, body, store.currency),
            "is_over": int(offer is not None and used[place] > offer.override.per_day),
        }


def _newest_body(reader: CentralReader, row: LedgerRow) -> dict[str, Any]:
    """What an override says after its corrections."""
    corrections = _accepted_about(reader, row.fact_id, KIND)
    newest = max(corrections, key=lambda one: (one["effective_at"], one["fact_id"]), default={"body": row.body})
    return dict(json.loads(newest["body"]))
