"""Lifecycle stages and value bands: the same code decides them for store and web orders, on the tablet and at HQ.

First match wins (plays.md): prospect, win_back, lapsing, new, active; the five are exclusive and cover every profile.
A claim *bought* is no order and never moves a stage. Pure: `now` and the settings come in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.clock import seconds_of
from shared.profile import ProfileFacts

StageName = Literal["prospect", "new", "active", "lapsing", "win_back"]
ValueBand = Literal["top_5", "top_20", "rest", "none"]
STAGES: Final[tuple[StageName, ...]] = ("prospect", "new", "active", "lapsing", "win_back")
DAY_S: Final = 86_400

Days = Annotated[int, Field(ge=1, le=3650)]


class StageSettings(BaseModel):
    """When a stage begins, in whole days of 86,400 seconds; the shipped defaults are plays.md's."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    new_days: Days = 60
    lapsing_days: Days = 90
    win_back_days: Days = 365


@dataclass(frozen=True, slots=True)
class StageReason:
    """A fact that decided a stage: when it was (wire time, None for "no order yet"), how many whole days ago, where."""

    fact: Literal["no_order", "last_order", "first_order"]
    at: str | None = None
    days_ago: int | None = None
    store: str | None = None


@dataclass(frozen=True, slots=True)
class StageDecision:
    """The stage and the dates that decided it, the deciding one first."""

    stage: StageName
    because: tuple[StageReason, ...]


def decide_stage(facts: ProfileFacts, now_s: int, settings: StageSettings) -> StageDecision:
    """The lifecycle stage at `now_s` (UTC seconds). A date to come counts as now, an unreadable one as missing."""
    first_s, last_s = (seconds_of(at) if at else None for at in (facts.first_order_at, facts.last_order_at))
    if facts.orders <= 0 or last_s is None:
        return StageDecision("prospect", (StageReason("no_order"),))
    since_last_s = now_s - last_s
    last = _reason("last_order", facts.last_order_at, since_last_s, facts.last_order_store)
    if since_last_s > settings.win_back_days * DAY_S:
        return StageDecision("win_back", (last,))
    if since_last_s > settings.lapsing_days * DAY_S:
        return StageDecision("lapsing", (last,))
    if first_s is not None and now_s - first_s <= settings.new_days * DAY_S:
        return StageDecision("new", (_reason("first_order", facts.first_order_at, now_s - first_s), last))
    return StageDecision("active", (last,))


def _reason(
    fact: Literal["last_order", "first_order"], at: str | None, since_s: int, store: str | None = None
) -> StageReason:
    return StageReason(fact, at, max(0, since_s) // DAY_S, store)


def value_bands(revenue_minor: Mapping[str, int]) -> dict[str, ValueBand]:
    """Profile id -> net revenue of 24 months, one currency, to profile id -> value band, for a whole chain.

    The share is of the shoppers with revenue. Equal revenue gives an equal band, so the answer depends on the figures
    alone, never on their order: a shopper is in the top 5 % if fewer than 5 % have more.
    """
    earned = sorted((minor for minor in revenue_minor.values() if minor > 0), reverse=True)
    ahead: dict[int, int] = {}
    for position, minor in enumerate(earned):
        ahead.setdefault(minor, position)
    return {profile_id: _band(minor, ahead, len(earned)) for profile_id, minor in revenue_minor.items()}


def _band(minor: int, ahead: Mapping[int, int], earners: int) -> ValueBand:
    if minor <= 0:
        return "none"
    if ahead[minor] * 100 < 5 * earners:
        return "top_5"
    return "top_20" if ahead[minor] * 100 < 20 * earners else "rest"
