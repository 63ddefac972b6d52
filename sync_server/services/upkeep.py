"""Upkeep: what time alone changes, and what is worked out from everything. Run nightly by the server, by `sync-server
keep` and after a bulk load; safe to run at any moment.

Value bands are worked out over the whole chain (a rule never computes a percentile), slices are left when their reason
has passed, tombstones are dropped when no tablet can still need them, old words go (retention.py), an erasure that was
broken off is finished, estimates are counted anew, and previews find their tables filled.
"""

from __future__ import annotations

import json
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Final

from shared.clock import format_at, shift_at
from shared.fold import ProfileState
from shared.lifecycle import value_bands
from shared.projection import Reading, net_revenue
from sync_server.ports import CentralDatabase, CentralWriter, Clock
from sync_server.services.audience_tables import refresh_audience
from sync_server.services.estimates import refresh_estimates
from sync_server.services.headquarters import Headquarters
from sync_server.services.parity import forget_inputs
from sync_server.services.privacy import apply_list, clear_files
from sync_server.services.projecting import Projector
from sync_server.services.retention import age_out
from sync_server.services.suppression_list import forget_erased

BAND_DAYS: Final = 730
TOMBSTONE_DAYS: Final = 90
_PAGE: Final = 500


def keep(hq: Headquarters) -> dict[str, int]:
    """Everything time asks for; what -> how many. The doorbell finds the changes. Files are cleared last, of what all
    the others let go."""
    return {
        "erasures": apply_list(hq),
        **age_out(hq),
        "documents": refresh_profiles(hq.database, hq.clock),
        "tombstones": drop_tombstones(hq.database, hq.clock),
        "audience": refresh_audience(hq.database),
        "estimates": refresh_estimates(hq),
        "erased_told": forget_erased(hq),
        "inputs": forget_inputs(hq.database, hq.clock),
        "is_cleared": int(clear_files(hq)),
    }


def bands_of(revenue: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    """Profile -> value band, by net revenue (profile -> currency -> minor units).

    Each is ranked within its largest currency only, for money is never added across currencies.
    """
    by_currency: dict[str, dict[str, int]] = {}
    for profile_id, totals in revenue.items():
        minor, currency = max(((minor, currency) for currency, minor in totals.items()), default=(0, ""))
        by_currency.setdefault(currency, {})[profile_id] = minor
    return {profile_id: band for totals in by_currency.values() for profile_id, band in value_bands(totals).items()}


def refresh_profiles(database: CentralDatabase, clock: Clock) -> int:
    """Work out value bands and slices anew; returns how many documents changed. Works in pages, so that pushes pass."""
    now_at = format_at(clock.now())
    bands = _all_bands(database, shift_at(now_at, days=-BAND_DAYS))
    changed = 0
    profile_ids = sorted(bands)
    for start in range(0, len(profile_ids), _PAGE):
        page = profile_ids[start : start + _PAGE]
        with database.write() as tx:
            changed += _refresh_page(tx, page, bands, now_at)
    return changed


def _all_bands(database: CentralDatabase, since_at: str) -> dict[str, str]:
    revenue: dict[str, dict[str, int]] = {}
    with database.read() as reader:
        for stored in reader.every_profile():
            state = ProfileState.from_json(json.loads(stored.state))
            revenue[stored.profile_id] = net_revenue(Reading(state), since_at=since_at)
    return bands_of(revenue)


def _refresh_page(tx: CentralWriter, page: Iterable[str], bands: Mapping[str, str], now_at: str) -> int:
    projector = Projector(tx, now_at)
    stored = tx.profiles(list(page), for_update=True)
    readings = {
        profile_id: Reading(ProfileState.from_json(json.loads(kept.state))) for profile_id, kept in stored.items()
    }
    known = projector.known(readings)
    writes, saved = [], []
    for profile_id, kept in stored.items():
        banded = replace(kept, value_band=bands[profile_id])
        stores, documents = projector.documents(readings[profile_id], banded, known[profile_id])
        writes += documents
        saved.append(replace(banded, stores=stores))
    tx.save_profiles(saved)
    before = tx.heads({write.scope for write in writes})
    after = tx.publish(writes, now_at)
    return sum(after[scope] - before[scope] for scope in after)


def seconds_until_night(clock: Clock, timezone: str) -> float:
    """Seconds until the next quarter past three in the chain's time zone, when no shop is open."""
    now = clock.now().astimezone(zoneinfo.ZoneInfo(timezone))
    night = now.replace(hour=3, minute=15, second=0, microsecond=0)
    if night <= now:
        night = (night + timedelta(days=1)).replace(hour=3, minute=15)
    return (night.astimezone(UTC) - now.astimezone(UTC)).total_seconds()


def drop_tombstones(database: CentralDatabase, clock: Clock) -> int:
    """Forget deletions older than 90 days; a cursor from before them gets 410 and takes a snapshot."""
    with database.write() as tx:
        return tx.drop_tombstones(shift_at(format_at(clock.now()), days=-TOMBSTONE_DAYS))
