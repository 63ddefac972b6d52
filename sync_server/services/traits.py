"""The CRM lens: one summary per profile for other systems, told by the row of changes of `changes.py`.

Summarised traits only, never an event, a note or what somebody browsed; a way to reach a shopper only with the consent
for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from shared.consent import Purpose
from shared.event_catalogue import DIGITAL_CHANNELS, Channel
from shared.fold import ProfileState
from shared.projection import Reading, home_store, is_person, net_revenue, standings_of, traits_of
from sync_server.ports import CentralReader, StoredProfile, TraitRow
from sync_server.services.changes import Lens
from sync_server.services.consent import state_of

TRAIT_COLUMNS: Final = (
    *("profile_id", "is_gone", "now_profile_id", "loyalty_id", "customer_id", "email", "phone", "language"),
    *("tier", "value_band", "home_store", "first_order_at", "last_order_at", "orders", "net_revenue_minor", "refunds"),
    *(f"last_seen_{channel.value}" for channel in Channel),
    *(f"consent_{purpose.value}" for purpose in Purpose),
    "use_in_analytics",
)


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


class _Summaries:
    """`Maker` of changes.py: summaries are made of the profiles alone."""

    setting = ""

    def __init__(self, _reader: CentralReader, _now_at: str) -> None:
        return

    def make(self, page: Sequence[StoredProfile]) -> Mapping[str, dict[str, Any]]:
        """The summaries of those who are somebody."""
        made = {stored.profile_id: traits_of_profile(stored) for stored in page}
        return {profile_id: traits for profile_id, traits in made.items() if traits is not None}

    def gone(self, row: TraitRow, now_profile_id: str | None) -> dict[str, Any]:
        """That it is gone, and where it went."""
        led = {"now_profile_id": now_profile_id} if now_profile_id else {}
        return {"profile_id": row.profile_id, "is_gone": True, **led}


TRAITS: Final = Lens("traits", "trait_row", _Summaries)
