"""Holdouts: shoppers who, by hash, are not shown a play, so that its lift can be measured. Pure and portable.

The hash is GrowthBook's version 2, so any of its SDKs draws the same shoppers: FNV-1a of 32 bits over UTF-16 code
units, taken twice. Source and test vectors: github.com/growthbook/growthbook-python, `tests/cases.json`, key `hash`.
The unit is the loyalty id anchor, never the profile id, which moves on merges.
"""

from __future__ import annotations

from typing import Final, Literal

from shared.plays.settings import HoldoutSettings

BUCKETS: Final = 10_000
Arm = Literal["shown", "would_show"]
_OFFSET: Final = 2_166_136_261
_PRIME: Final = 16_777_619
_MASK: Final = 0xFFFFFFFF


def fnv1a32(text: str) -> int:
    """FNV-1a, 32 bits, over the UTF-16 code units of a text (as JavaScript's charCodeAt gives them)."""
    value = _OFFSET
    units = map(ord, text) if text.isascii() else _utf16_units(text)
    for unit in units:
        value = ((value ^ unit) * _PRIME) & _MASK
    return value


def _utf16_units(text: str) -> memoryview:
    return memoryview(text.encode("utf-16-le", "surrogatepass")).cast("B").cast("H")


def bucket_of(seed: str, unit_id: str) -> int:
    """The bucket 0..9,999 of a unit: fnv1a32(str(fnv1a32(seed + id))) % 10000."""
    return fnv1a32(str(fnv1a32(seed + unit_id))) % BUCKETS


def is_held_out(seed: str, unit_id: str, percent: int) -> bool:
    """Say whether a unit is among the `percent` held out under a seed. More percent never lets anyone back in."""
    return percent > 0 and bucket_of(seed, unit_id) < percent * 100


def play_seed(play_id: str, period: int) -> str:
    """The seed of a play's holdout: a new version keeps it, a new period draws afresh."""
    return f"play:{play_id}:{period}"


def chain_seed(period: int) -> str:
    """The seed of the chain-wide holdout."""
    return f"chain:{period}"


def held_out_by(
    play_id: str, percent: int, period: int, anchor: str, chain: HoldoutSettings, first_arm: str | None
) -> Literal["holdout_chain", "holdout_play"] | None:
    """Which holdout keeps a play from this shopper, the chain's first; None when it may be shown.

    The first exposure is sticky: `first_arm`, of this period, decides while the play has a holdout at all.
    """
    if percent <= 0 and chain.percent <= 0:
        return None
    if first_arm == "shown":
        return None
    if is_held_out(chain_seed(chain.period), anchor, chain.percent):
        return "holdout_chain"
    is_play_arm = percent > 0 and first_arm == "would_show"
    return "holdout_play" if is_play_arm or is_held_out(play_seed(play_id, period), anchor, percent) else None
