"""How far a shopper lives from the stores: haversine over postcode centroids, rounded up to 100 m.

Only distances leave this module for a document, never coordinates (identity.md, Profile).
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.distances import distance_m
from sync_server.ports import Store


def distances_from(point: tuple[int, int] | None, stores: Iterable[Store]) -> dict[str, int]:
    """Store code -> metres for the stores whose place is known; empty when the shopper's is not."""
    if point is None:
        return {}
    return {
        store.code: distance_m(*point, store.lat_e6, store.lon_e6)
        for store in stores
        if store.lat_e6 is not None and store.lon_e6 is not None
    }
