"""A shopper's rights at HQ: erasure, which no backup and no late tablet undoes, its proof, and access. Flow step 7.

The hashes of the identifiers are on the erasure list before anything is deleted, so an erasure that is broken off is
finished by the next start. Everything else of it is one transaction (identity.md, Erasure).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, replace
from itertools import islice
from typing import Any, Final

from shared.errors import Damaged, Refused
from shared.identity import IdentifierType
from shared.wire.messages import store_scope
from shared.wire.ops import ERASED
from sync_server.ports import CentralReader, CentralWriter, Device, DocWrite, ErasureList
from sync_server.services.conflicts import tried_again
from sync_server.services.consent import ProofQuery, export_proofs
from sync_server.services.enrolment import device_document, find_devices
from sync_server.services.evidence import as_identifier
from sync_server.services.headquarters import Headquarters
from sync_server.services.holdings import Holdings, Shopper, each_fact, find_whole, gather, whole_of
from sync_server.services.identity import place_again
from sync_server.services.merge import merge_again, refold
from sync_server.services.suppression import NOTHING, left_of, parsed, stand_in
from sync_server.services.suppression_list import tell_erased

Pair = tuple[str, str]
_PAGE: Final = 1_000


# erasing --------------------------------------------------------------------------------------------------------------


def plan_erasure(hq: Headquarters, shopper: str) -> dict[str, Any]:
    """What an erasure would take: rows by table. Changes nothing. Raises Refused for a shopper nobody knows."""
    with hq.database.read() as reader:
        whole = find_whole(reader, shopper)
        counts = gather(reader, whole).counts()
    return {"profile_ids": sorted(whole.profile_ids), "identifiers": len(whole.pairs), "rows": counts}


@tried_again
def erase(hq: Headquarters, shopper: str, *, who: str) -> dict[str, Any]:
    """Erase a shopper for good: the proof so far (see `show_erasures`). Raises Refused for a shopper nobody knows."""
    erasure_id = hq.make_id()
    with hq.database.write() as tx:
        tx.heed_erasures(is_erasing=True)
        tx.lock_identity()
        whole = find_whole(tx, shopper)
        hq.database.erasures.add(erasure_id, hq.now_at(), whole.named())
        _erase(hq, tx, whole, gather(tx, whole), {erasure_id: hq.now_at()}, who)
    hq.doorbell.ring()
    clear_files(hq)
    return show_erasures(hq, erasure_id)[0]


def check_list(reader: CentralReader, erasures: ErasureList, remembered: Collection[str] = ()) -> None:
    """Raise Damaged where the database, or what is `remembered` besides, knows of an erasure that the list does not."""
    noted = {*remembered, *(row["erasure_id"] for row in reader.rows("erasure"))}
    if missing := noted - erasures.known().keys():
        raise Damaged(
            f"The erasure list {erasures.place} lacks {len(missing)} of {len(noted)} erasures this server knows. Put "
            "it back from where your keys are kept safe; without it, shoppers who were erased could come back."
        )


def apply_list(hq: Headquarters) -> int:
    """Erase again whom an older database brought back, by the hashes alone; how many erasures it did not know."""
    erasures = hq.database.erasures
    with hq.database.read() as reader:
        check_list(reader, erasures)
        unknown = _unknown(reader, erasures)
    if not unknown:
        return 0
    with hq.database.write() as tx:
        tx.heed_erasures(is_erasing=True)
        tx.lock_identity()
        pairs = _listed(tx.every_identifier(), erasures)
        ids = {*tx.profile_ids(pairs).values(), *_listed_profiles(tx, erasures)}
        whole = whole_of(tx, ids, pairs)
        holdings = gather(tx, whole, lambda some: bool(erasures.holds(some)))
        _erase(hq, tx, whole, holdings, _unknown(tx, erasures), "the erasure list")
    hq.doorbell.ring()
    return len(unknown)


def _unknown(reader: CentralReader, erasures: ErasureList) -> dict[str, str]:
    noted = {row["erasure_id"] for row in reader.rows("erasure")}
    return {one: at for one, at in erasures.known().items() if one not in noted}


def _listed(pairs: Iterator[Pair], erasures: ErasureList) -> set[Pair]:
    found: set[Pair] = set()
    while page := set(islice(pairs, _PAGE)):
        found |= erasures.holds(page)
    return found


def _listed_profiles(reader: CentralReader, erasures: ErasureList) -> set[str]:
    ids = ((IdentifierType.PROFILE_ID.value, stored.profile_id) for stored in reader.every_profile())
    return {value for _, value in _listed(ids, erasures)}


def _erase(
    hq: Headquarters,
    tx: CentralWriter,
    shopper: Shopper,
    holdings: Holdings,
    erasures: Mapping[str, str],
    who: str,
) -> None:
    """All of it but the list, in the caller's transaction; the feed is told last."""
    devices = _senders(tx, holdings)
    tx.blank_facts((row.fact_id, left_of(row.kind, json.loads(row.body))) for row in holdings.facts)
    tell_erased(tx, [row["profile_id"] for row in holdings.profile], shopper.pairs, hq.now_at())
    _drop_identity(tx, shopper, holdings)
    tx.forget_audience(shopper.profile_ids)
    _blank_words(hq, tx, holdings)
    writes = _mend_others(hq, tx, shopper, holdings)
    writes += [device_document(tx, device, hq.now_at()) for device in devices]
    writes += _farewell(tx, shopper, holdings)
    counts = holdings.counts()
    hq.note_audit(tx, who, "erased a shopper", ", ".join(sorted(erasures)))
    heads = tx.publish(writes, hq.now_at())
    positions = {scope: n for scope, n in heads.items() if scope.startswith("store:")}
    tablets = [row["device_id"] for row in tx.rows("device", revoked_at=None)]
    for erasure_id, at in erasures.items():
        row = {"erasure_id": erasure_id, "at": at, "who": who, "cleared_at": None}
        told = {"counts": json.dumps(counts, sort_keys=True), "positions": json.dumps(positions, sort_keys=True)}
        tx.put_row("erasure", {**row, **told})
        tx.put_rows("erasure_device", [_awaited(erasure_id, device_id) for device_id in tablets])


def _awaited(erasure_id: str, device_id: str) -> dict[str, Any]:
    return {"erasure_id": erasure_id, "device_id": device_id, "confirmed_at": None}


def _senders(reader: CentralReader, holdings: Holdings) -> list[Device]:
    """Devices in the feed that sent ops about the shopper: each is told which."""
    origins = {row["origin"] for row in holdings.dead_letter if row["seq"] is not None}
    installs = [row for origin in sorted(origins) for row in reader.rows("install", install_id=origin)]
    ids = {row.device_id for row in holdings.facts if row.device_id}
    ids |= {row["device_id"] for row in [*installs, *holdings.salvage]}
    return [device for device in find_devices(reader, ids) if device.revoked_at is None]


def _drop_identity(tx: CentralWriter, shopper: Shopper, holdings: Holdings) -> None:
    for row in holdings.sighting:
        tx.drop_rows("sighted", sighting_id=row["sighting_id"])
        tx.drop_rows("sighting", sighting_id=row["sighting_id"])
    for row in holdings.identity_fact:
        tx.drop_rows("identity_fact", fact_id=row["fact_id"])
    for row in holdings.review:
        tx.drop_rows("review", review_id=row["review_id"])
    for type_, value in shopper.pairs:
        tx.drop_rows("identifier", type=type_, value=value)
    for id_ in shopper.profile_ids:
        tx.drop_rows("redirect", old_id=id_)
        tx.drop_rows("redirect", profile_id=id_)
        tx.change_rows("trait_row", {"source_sha": ""}, profile_id=id_)
    tx.drop_profiles(shopper.profile_ids)


def _blank_words(hq: Headquarters, tx: CentralWriter, holdings: Holdings) -> None:
    """Raw words are blanked where their row is a proof that something came, and deleted where it is none."""
    for row in holdings.dead_letter:
        raw = parsed(row["raw"])
        left = json.dumps(stand_in(raw)) if row["seq"] is not None and isinstance(raw, Mapping) else NOTHING
        gone = {"raw": left, "detail": ERASED, "replayed_at": row["replayed_at"] or hq.now_at()}
        tx.change_rows("dead_letter", gone, letter_id=row["letter_id"])
    for row in holdings.salvage:
        refused_at = row["refused_at"] or (None if row["approved_at"] else hq.now_at())
        raw = json.dumps(stand_in(json.loads(row["raw"])))
        tx.change_rows("salvage", {"raw": raw, "refused_at": refused_at}, op_id=row["op_id"])
    for row in holdings.hook_delivery:
        tx.drop_rows("hook_delivery", delivery_id=row["delivery_id"])
    for row in holdings.hook_key:
        tx.drop_rows("hook_key", hook=row["hook"], key=row["key"])
    for row in holdings.parity_check:
        tx.drop_rows("parity_check", op_id=row["op_id"])
    for row in holdings.card:
        tx.drop_rows("card", card_id=row["card_id"])
    for row in holdings.card_page:
        tx.drop_rows("card_page", page_hash=row["page_hash"])
    for row in holdings.audit:
        tx.change_rows("audit", {"about": ERASED}, audit_id=row["audit_id"])


def _mend_others(hq: Headquarters, tx: CentralWriter, shopper: Shopper, holdings: Holdings) -> list[DocWrite]:
    """Others who were seen with the shopper are worked out anew without what was seen."""
    met = {as_identifier(tuple(pair)) for row in holdings.sighting for pair in row["identifiers"]}
    seeds = {one for one in met if (one.type.value, one.value) not in shopper.named()}
    placing = place_again(tx, {one for one in seeds if one.type is not IdentifierType.PROFILE_ID}, hq.now_at())
    writes = list(merge_again(tx, placing, hq.now_at()))
    touched = {row.profile_id for row in holdings.facts if row.profile_id} - shopper.profile_ids
    if others := tx.profiles(touched).keys():
        writes += refold(tx, others, hq.now_at())[1]
    return writes


def _farewell(reader: CentralReader, shopper: Shopper, holdings: Holdings) -> list[DocWrite]:
    """A deletion of every id the shopper ever had in every store's feed: tablets that lost the document long ago may
    still hold what they recorded."""
    scopes = [store_scope(store.code) for store in reader.stores()]
    ids = [f"profile/{id_}" for id_ in sorted(shopper.profile_ids)]
    writes = [DocWrite(scope, id_, None, ERASED) for scope in scopes for id_ in ids]
    plans = [row for row in holdings.documents if not row["id"].startswith("profile/")]
    return writes + [DocWrite(row["scope"], row["id"], None, ERASED) for row in plans]


def clear_files(hq: Headquarters) -> bool:
    """Have the database's files written anew where an erasure still waits for it; True when no byte is left."""
    with hq.database.read() as reader:
        waiting = [row["erasure_id"] for row in reader.rows("erasure", cleared_at=None)]
    if not waiting:
        return True
    if not hq.database.compact():
        return False
    with hq.database.write() as tx:
        for erasure_id in waiting:
            tx.change_rows("erasure", {"cleared_at": hq.now_at()}, erasure_id=erasure_id)
    return True


# the proof ------------------------------------------------------------------------------------------------------------


def confirm(hq: Headquarters, device: Device, positions: Mapping[str, int]) -> None:
    """A tablet shows how far it has taken its feeds: an erasure before that has reached it."""
    if hq.database.erasures.is_empty():
        return
    with hq.database.read() as reader:
        reached = _reached(reader, device, positions)
    if not reached:
        return
    with hq.database.write() as tx:
        for erasure_id in reached:
            keys = {"erasure_id": erasure_id, "device_id": device.device_id, "confirmed_at": None}
            tx.change_rows("erasure_device", {"confirmed_at": hq.now_at()}, **keys)


def _reached(reader: CentralReader, device: Device, positions: Mapping[str, int]) -> list[str]:
    awaited = reader.rows("erasure_device", device_id=device.device_id, confirmed_at=None)
    reached = []
    for erasure_id in [row["erasure_id"] for row in awaited]:
        [erasure] = reader.rows("erasure", erasure_id=erasure_id)
        said = json.loads(erasure["positions"])
        if any(scope in said and n >= said[scope] for scope, n in positions.items()):
            reached.append(erasure_id)
    return reached


def show_erasures(hq: Headquarters, erasure_id: str | None = None) -> list[dict[str, Any]]:
    """Each erasure or one: when, by whom, rows by table, whether the files are clear, and which tablets have shown that
    they took it. Raises Refused for an unknown one."""
    with hq.database.read() as reader:
        rows = reader.rows("erasure") if erasure_id is None else reader.rows("erasure", erasure_id=erasure_id)
        if erasure_id is not None and not rows:
            raise Refused(f"There is no erasure {erasure_id!r:.60}: see `sync-server privacy status`.")
        devices = {row["device_id"]: row for row in reader.rows("device")}
        return [_shown(row, reader.rows("erasure_device", erasure_id=row["erasure_id"]), devices) for row in rows]


def _shown(
    row: Mapping[str, Any], told: list[dict[str, Any]], devices: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    tablets = [_tablet(one, devices.get(one["device_id"], {})) for one in told]
    states = Counter(one["state"] for one in tablets)
    return {
        "id": row["erasure_id"],
        "at": row["at"],
        "who": row["who"],
        "rows": json.loads(row["counts"]),
        "files_cleared_at": row["cleared_at"],
        "confirmed": states["confirmed"],
        "outstanding": states["outstanding"],
        "revoked": states["revoked"],
        "tablets": tablets,
    }


def _tablet(told: Mapping[str, Any], device: Mapping[str, Any]) -> dict[str, Any]:
    state = "confirmed" if told["confirmed_at"] else "revoked" if device.get("revoked_at") else "outstanding"
    named = {name: device.get(name) for name in ("name", "store", "last_seen_at")}
    return {"device_id": told["device_id"], **named, "state": state, "confirmed_at": told["confirmed_at"]}


# access ---------------------------------------------------------------------------------------------------------------


def export_shopper(hq: Headquarters, shopper: str, *, who: str) -> dict[str, Any]:
    """Everything HQ holds of a shopper, as JSON; written into the audit log. Raises Refused for one nobody knows."""
    with hq.database.write() as tx:
        whole = find_whole(tx, shopper)
        holdings = gather(tx, whole)
        hq.note_audit(tx, who, "handed out everything of a shopper", ", ".join(sorted(whole.profile_ids)))
    told = asdict(replace(holdings, facts=[]))
    del told["facts"]
    proofs = list(export_proofs(hq, ProofQuery(shopper=shopper))) if holdings.profile else []
    return {
        "exported_at": hq.now_at(),
        "profile_ids": sorted(whole.profile_ids),
        "identifiers": [{"type": type_, "value": value} for type_, value in sorted(whole.pairs)],
        "consents": proofs,
        "facts": list(each_fact(holdings.facts)),
        **told,
    }
