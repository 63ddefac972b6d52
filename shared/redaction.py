"""What a tablet hides by itself of a document it holds: a consent withdrawn here, or too long without HQ. Flow step 3.

HQ leaves behaviour out before a document is sent (`projection.py`); this is for what had already come. Here floor and
online counts are one figure, so whatever may be of online origin goes. Pure: the stored document stays as it is.
"""

from __future__ import annotations

from typing import Any, Final

from shared.event_catalogue import DIGITAL_CHANNELS, entry_for

BEHAVIOUR: Final = "behaviour"
PROFILING: Final = "profiling"
_CHANNEL_OFFERS: Final = frozenset({"sent", "clicked", "applied", "used"})
"""States an offer gets by online events; the others were given on the floor."""


def without_behaviour(document: dict[str, Any]) -> dict[str, Any]:
    """The document without online events, cart, wishlist, and what was made of them."""
    facts = document.get("facts") or {}
    last_seen = {name: at for name, at in (facts.get("last_seen") or {}).items() if name not in DIGITAL_CHANNELS}
    hidden = {
        "recent": [],
        "cart": [],
        "wishlist": [],
        "seen": {name: count for name, count in (document.get("seen") or {}).items() if is_floor_event(name)},
        "purchases": [line for line in document.get("purchases") or [] if line.get("channel") not in DIGITAL_CHANNELS],
        "offers": [one for one in document.get("offers") or [] if one.get("state") not in _CHANNEL_OFFERS],
        "slice": [reason for reason in document.get("slice") or [] if reason != "cart_near"],
        "redacted": sorted({*(document.get("redacted") or ()), BEHAVIOUR}),
    }
    if facts:
        hidden["facts"] = {**facts, "last_seen": last_seen}
    return {**document, **hidden}


def without_counts(document: dict[str, Any]) -> dict[str, Any]:
    """The document without how often online events were seen: what needs consent to profiling besides."""
    seen = {name: count for name, count in (document.get("seen") or {}).items() if is_floor_event(name)}
    return {**document, "seen": seen, "redacted": sorted({*(document.get("redacted") or ()), PROFILING})}


def is_floor_event(name: str) -> bool:
    """Say whether an event can only have happened on the floor, at the till or with the service."""
    entry = entry_for(name)
    return entry is not None and not entry.is_digital
