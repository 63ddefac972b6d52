"""How far two places are from each other on the ground. Pure; used at HQ for shoppers and on a tablet for stores."""

from __future__ import annotations

import math
from typing import Final

_EARTH_M: Final = 6_371_008.8
_STEP_M: Final = 100


def distance_m(lat_e6: int, lon_e6: int, other_lat_e6: int, other_lon_e6: int) -> int:
    """Great-circle metres between two points in millionths of a degree, rounded up to 100 m (haversine formula)."""
    lat, lon, other_lat, other_lon = (math.radians(part / 1e6) for part in (lat_e6, lon_e6, other_lat_e6, other_lon_e6))
    half = math.sin((other_lat - lat) / 2) ** 2
    half += math.cos(lat) * math.cos(other_lat) * math.sin((other_lon - lon) / 2) ** 2
    metres = 2 * _EARTH_M * math.asin(min(1.0, math.sqrt(half)))
    return math.ceil(metres / _STEP_M) * _STEP_M
