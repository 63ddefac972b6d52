"""The CRM lens: one summary per profile for other systems, and a row of changes that a cursor walks along.

Summarised traits only, never an event, a note or what somebody browsed; a way to reach a shopper only with the consent
for it. Which summary changed is found by comparing what it is made of; the summary itself is made when it is read, so
nothing withdrawn meanwhile goes out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from shared.consent import Purpose
from shared.errors import Refused
from shared.event_catalogue import DIGITAL_CHANNELS, Channel
from shared.fold import ProfileState
from shared.projection import Reading, home_store, is_person, net_revenue, standings_of, traits_of
from shared.wire.canonical import canonical
from sync_server.ports import CentralReader, CentralWriter, StoredProfile, TraitRow
from sync_server.services.consent import state_of
from sync_server.services.headquarters import Headquarters
from sync_server.services.sessions import EPOCH_NOTE

TRAIT_COLUMNS: Final = (
    *("profile_id", "is_gone", "now_profile_id", "loyalty_id", "customer_id", "email", "phone", "language"),
    *("tier", "value_band", "home_store", "first_order_at", "last_order_at", "orders", "net_revenue_minor", "refunds"),
    *(f"last_seen_{channel.value}" for channel in Channel),
    *(f"consent_{purpose.value}" for purpose in Purpose),
    "use_in_analytics",
)
_PLACE_NOTE: Final = "traits"
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Changes:
    """Some changed summaries, and the place behind the last of them."""

    rows: tuple[dict[str, Any], ...]
    n: int


def traits_of_profile(stored: StoredProfile) -> dict[str, Any] | None:
    """The summary of a profile; None for a browser nobody identified, which is no contact of anybody's."""
    state = ProfileState.from_json(json.loads(stored.state))
    if not is_person(state):
        return None
    reading = Reading(state)
    state = reading.state
    states = {one.value: state_of(standing) for one, standing in _standings(reading)}
    live = sorted(order[0] for order in reading.orders.values())
    told = {
        "profile_id": stored.profile_id,
        **_contacts(state, states),
        **{name: traits_of(reading).get(name) for name in ("language", "tier")},
        "value_band": stored.value_band,
        "home_store": home_store(reading),
        "first_order_at": live[0] if live else None,
        "last_order_at": live[-1] if live else None,
        "orders": len(live),
        "net_revenue_minor": net_revenue(reading),
        "refunds": len(state.refunds),
        **{f"last_seen_{channel}": at for channel, at in _last_seen(state, states).items()},
        **{f"consent_{purpose}": state_ for purpose, state_ in states.items()},
        "use_in_analytics": states[Purpose.ANALYTICS] == "granted",
    }
    return {name: value for name, value in told.items() if value is not None}


def _standings(reading: Reading) -> Iterator[tuple[Purpose, Any]]:
    found = standings_of(reading)
    return ((one, found.get(one.value)) for one in Purpose)


def _contacts(state: ProfileState, states: dict[str, str]) -> dict[str, str]:
    """Numbers the shop gave out; an address or a phone only where it may be used."""
    allowed = {"loyalty_id": True, "customer_id": True, "email": states[Purpose.EMAIL] == "granted"}
    allowed["phone"] = "granted" in (states[Purpose.SMS], states[Purpose.PHONE])
    told: dict[str, str] = {}
    for key, at in sorted(state.identifiers.items(), key=lambda known: (known[1], known[0])):
        type_, _, value = key.partition("|")
        if allowed.get(type_) and at:
            told.setdefault(type_, value)
    return told


def _last_seen(state: ProfileState, states: dict[str, str]) -> dict[str, str]:
    """When last in each channel; online ones only with the consent to make a profile of it."""
    is_profiled = states[Purpose.PROFILING] == "granted"
    return {name: at for name, at in state.last_seen.items() if is_profiled or name not in DIGITAL_CHANNELS}


# the row of changes ---------------------------------------------------------------------------------------------------


def note_changes(hq: Headquarters) -> int:
    """Find the summaries that changed since this was done last, and give each its place in the row; how many."""
    changed = 0
    with hq.database.read() as reader:
        stored = reader.every_profile()
        while page := list(islice(stored, _PAGE)):
            changed += _note(hq, _changed(reader, page))
        gone = reader.traits_without_profile()
    for start in range(0, len(gone), _PAGE):
        changed += _note(hq, [(profile_id, "", "") for profile_id in gone[start : start + _PAGE]])
    return changed


def _changed(reader: CentralReader, page: Sequence[StoredProfile]) -> list[tuple[str, str, str]]:
    """(profile, hash of its source, hash of its summary) of those whose source is not the one that is noted."""
    known = reader.known_traits([stored.profile_id for stored in page])
    found = []
    for stored in page:
        source_sha = hashlib.sha256(f"{stored.value_band}\n{stored.state}".encode()).hexdigest()
        held = known.get(stored.profile_id)
        if held is None or held.source_sha != source_sha:
            traits = traits_of_profile(stored)
            sha = hashlib.sha256(canonical(traits)).hexdigest() if traits is not None else ""
            found.append((stored.profile_id, source_sha, sha))
    return found


def _note(hq: Headquarters, found: Sequence[tuple[str, str, str]]) -> int:
    if not found:
        return 0
    with hq.database.write() as tx:
        place = _lock_place(tx)
        known = tx.known_traits([profile_id for profile_id, _, _ in found])
        rows, moved = [], 0
        for profile_id, source_sha, sha in found:
            held = known.get(profile_id) or TraitRow(profile_id, 0, "", "")
            is_moved = held.sha != sha
            moved += is_moved
            row = TraitRow(profile_id, place + moved if is_moved else held.n, source_sha, sha)
            rows.append(row._asdict())
        tx.put_rows("trait_row", rows)
        tx.write_note(_PLACE_NOTE, str(place + moved))
    return moved


def _lock_place(tx: CentralWriter) -> int:
    """The last place given out, locked until COMMIT, so that places become visible in order."""
    tx.add_row("note", {"name": _PLACE_NOTE, "value": "0"})
    tx.change_rows("note", {"name": _PLACE_NOTE}, name=_PLACE_NOTE)
    return int(tx.note(_PLACE_NOTE) or 0)


def read_changes(reader: CentralReader, after_n: int, limit: int) -> Changes:
    """The next changed summaries behind a place, as they stand now; a profile that is gone says where it went."""
    noted = reader.traits_after(after_n, limit)
    stored = reader.profiles([row.profile_id for row in noted])
    led_to = reader.redirects([row.profile_id for row in noted if row.profile_id not in stored])
    rows = []
    for row in noted:
        traits = traits_of_profile(stored[row.profile_id]) if row.profile_id in stored else None
        if traits is not None:
            rows.append(traits)
        elif row.n > 0:
            rows.append(_gone(row.profile_id, led_to.get(row.profile_id)))
    return Changes(tuple(rows), noted[-1].n if noted else after_n)


def _gone(profile_id: str, now_profile_id: str | None) -> dict[str, Any]:
    return {"profile_id": profile_id, "is_gone": True} | ({"now_profile_id": now_profile_id} if now_profile_id else {})


def export_traits(hq: Headquarters, since: str | None) -> tuple[Iterator[dict[str, Any]], str]:
    """Changed summaries since a cursor (all without one), streamed, and the cursor for the next time.

    A cursor of another history (HQ was restored since) starts at the beginning. Raises Refused for what is none.
    """
    with hq.database.read() as reader:
        epoch = reader.note(EPOCH_NOTE) or ""
    after_n = _place_of(since, epoch)
    note_changes(hq)
    with hq.database.write() as tx:
        last_n = int(tx.note(_PLACE_NOTE) or 0)
        hq.note_audit(tx, "command line", "exported traits", f"since {after_n}")
    return _stream(hq, after_n, last_n), f"{epoch}.{last_n}"


def _stream(hq: Headquarters, after_n: int, last_n: int) -> Iterator[dict[str, Any]]:
    """What changes while this runs moves behind `last_n` and comes the next time. Who starts at the beginning need not
    hear of profiles that are gone."""
    is_whole = after_n == 0
    with hq.database.read() as reader:
        while after_n < last_n:
            changes = read_changes(reader, after_n, _PAGE)
            yield from (row for row in changes.rows if not (is_whole and row.get("is_gone")))
            if changes.n == after_n:
                return
            after_n = changes.n


def _place_of(cursor: str | None, epoch: str) -> int:
    if cursor is None:
        return 0
    history, _, place = cursor.strip().rpartition(".")
    if not history or not place.isdecimal():
        raise Refused(f"{cursor!r:.60} is no cursor. Give the one the last export told, or none for everything.")
    return int(place) if history == epoch else 0
