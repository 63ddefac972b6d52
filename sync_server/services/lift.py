"""Whether a play earns more than leaving it out: shoppers shown it against those held out, by intention to treat.

By their first exposure in the play's present holdout period, wherever that was; a success is an order in any channel
within 14 days. Who was exposed later is not counted yet, who has not agreed to analytics never. Told only with n and a
95 % interval (Newcombe, statsmodels'), from ten orders in a group on, and while the groups are as they were drawn.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from shared.clock import shift_at
from shared.fold import first_shown_key
from shared.plays.figures import CONVERSIONS_LEAST, LIFT_DAYS, LiftDocument
from shared.plays.playbook import Play, Playbook
from shared.projection import Reading, may_analyse
from sync_server.ports import CentralReader

_PPM: Final = 1_000_000
_UNEVEN_P: Final = 0.001
Interval = tuple[int, int, int]
"""Difference, low and high in parts per million."""


class LiftCount:
    """Shoppers and those with an order, by play and group."""

    def __init__(self, playbook: Playbook, chain_percent: int, now_at: str) -> None:
        self._plays = {play.id: play for play in playbook.plays if _held_percent(play, chain_percent)}
        self._keys = {first_shown_key(play.id, play.holdout.period): play.id for play in self._plays.values()}
        self._chain_percent, self._until_at = chain_percent, shift_at(now_at, days=-LIFT_DAYS)
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def add(self, reading: Reading, seen: Mapping[str, str]) -> None:
        """Count one shopper, if they agreed to analytics. `seen`: play -> when the lines behind it were opened last."""
        if not self._keys.keys() & reading.state.first_shown.keys() or not may_analyse(reading):
            return
        for key, (at, _, arm) in reading.state.first_shown.items():
            play_id = self._keys.get(key)
            if play_id is None or at > self._until_at:
                continue
            until_at = shift_at(at, days=LIFT_DAYS)
            self._counts[play_id, arm, "n"] += 1
            self._counts[play_id, arm, "seen"] += arm == "would_show" and seen.get(play_id, "") >= at
            self._counts[play_id, arm, "orders"] += any(at < order[0] <= until_at for order in reading.orders.values())

    def documents(self) -> Iterator[LiftDocument]:
        """What there is to tell of each play with a holdout that anybody met."""
        for play in self._plays.values():
            shown, shown_orders, held, held_orders = (
                self._counts[play.id, arm, what] for arm in ("shown", "would_show") for what in ("n", "orders")
            )
            if shown + held:
                counted = LiftDocument(
                    play_id=play.id,
                    period=play.holdout.period,
                    shown=shown,
                    shown_orders=shown_orders,
                    held=held,
                    held_orders=held_orders,
                    trigger_seen=self._counts[play.id, "would_show", "seen"],
                    state="few",
                )
                yield _judged(counted, _held_percent(play, self._chain_percent))


def triggers_seen(reader: CentralReader) -> dict[str, dict[str, str]]:
    """Profile -> play -> when an associate last opened the lines that would have triggered the play held back."""
    found: dict[str, dict[str, str]] = {}
    for row in reader.rows("fact", kind="trigger_seen", verdict="accepted"):
        if row["profile_id"] is not None and row["code"] is None:  # a blanked body (erasure) names no play
            plays, play_id = found.setdefault(row["profile_id"], {}), json.loads(row["body"])["play_id"]
            plays[play_id] = max(plays.get(play_id, ""), row["effective_at"])
    return found


def _held_percent(play: Play, chain_percent: int) -> float:
    """How many per cent both holdouts together keep from a play; the chain's keeps only selling plays."""
    chain = chain_percent if play.is_selling else 0
    return play.holdout.percent + chain - play.holdout.percent * chain / 100


def _judged(counted: LiftDocument, held_percent: float) -> LiftDocument:
    if min(counted.shown_orders, counted.held_orders) < CONVERSIONS_LEAST:
        return counted
    try:
        is_uneven = _is_uneven(counted.shown, counted.held, held_percent)
        found = interval_of(counted.shown_orders, counted.shown, counted.held_orders, counted.held)
    except ImportError:
        return counted.model_copy(update={"state": "unmeasured"})
    if is_uneven:
        return counted.model_copy(update={"state": "uneven"})
    lift_ppm, low_ppm, high_ppm = found
    told = {"state": "measured", "lift_ppm": lift_ppm, "low_ppm": low_ppm, "high_ppm": high_ppm}
    return counted.model_copy(update=told)


def _is_uneven(shown: int, held: int, held_percent: float) -> bool:
    """The sample-ratio check: chi-square against the shares that were drawn, alarm under one in a thousand."""
    from scipy.stats import chisquare

    expected = (shown + held) * held_percent / 100
    return bool(chisquare([shown, held], [shown + held - expected, expected]).pvalue < _UNEVEN_P)


def interval_of(orders: int, n: int, held_orders: int, held_n: int) -> Interval:
    """The difference of two shares and its 95 % Newcombe interval. Raises ImportError where HQ has no statistics."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(orders, n, held_orders, held_n, method="newcomb", compare="diff")
    lift = orders / n - held_orders / held_n
    return round(lift * _PPM), round(low * _PPM), round(high * _PPM)
