"""How far a shopper lives from the stores: haversine over postcode centroids, rounded up to 100 m.

Only distances leave this module for a document, never coordinates (identity.md, Profile).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from sync_server.ports import Store

_EARTH_M: Final = 6_371_008.8
_STEP_M: Final = 100


def distance_m(lat_e6: int, lon_e6: int, other_lat_e6: int, other_lon_e6: int) -> int:
    """Great-circle metres between two points in millionths of a degree, rounded up to 100 m (haversine formula)."""
    lat, lon, other_lat, other_lon = (math.radians(part / 1e6) for part in (lat_e6, lon_e6, other_lat_e6, other_lon_e6))
    half = math.sin((other_lat - lat) / 2) ** 2
    half += math.cos(lat) * math.cos(other_lat) * math.sin((other_lon - lon) / 2) ** 2
    metres = 2 * _EARTH_M * math.asin(min(1.0, math.sqrt(half)))
    return math.ceil(metres / _STEP_M) * _STEP_M


def distances_from(point: tuple[int, int] | None, stores: Iterable[Store]) -> dict[str, int]:
    """Store code -> metres for the stores whose place is known; empty when the shopper's is not."""
    if point is None:
        return {}
    return {
        store.code: distance_m(*point, store.lat_e6, store.lon_e6)
        for store in stores
        if store.lat_e6 is not None and store.lon_e6 is not None
    }
