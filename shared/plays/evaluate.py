"""The one evaluator of conditions, for tablet and server. Flow step 4: condition + inputs -> met or not, with a trace.

What makes both sides agree: nothing is read but the inputs; times are integer UTC seconds and a window is
(now - from, now - to]; a missing value makes every comparison false, also `ne`; `none` negates a two-valued result; no
floats, no regular expressions, no locale. Every part is evaluated, so the trace is complete.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Container, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from shared.clock import seconds_of
from shared.plays.catalogue import HOUR_S, spelled_out
from shared.plays.condition import (
    Condition,
    Consent,
    EventCount,
    Group,
    Near,
    NotFollowed,
    PlayHistory,
    ProfileField,
    Recency,
    Segment,
    Stage,
    Stock,
    Where,
)
from shared.plays.inputs import (
    EvaluationInputs,
    ProductFacts,
    ShopperView,
    StockLevel,
    StoreFacts,
    TimedEvent,
    fold,
)
from shared.profile import RecentEvent, WantedLine

__all__ = [
    "Evaluation",
    "EvaluationInputs",
    "ProductFacts",
    "StockLevel",
    "StoreFacts",
    "Trace",
    "Witness",
    "evaluate",
    "is_birthday_within",
]

WITNESSES_MAX: Final = 20
_spelled_out: Final = lru_cache(maxsize=1024)(spelled_out)


class Witness(NamedTuple):
    """A line that made a leaf true: an event, a wanted thing, a stock level or an outcome."""

    at_s: int | None = None
    event: str | None = None
    sku: str | None = None
    title: str | None = None
    category: str | None = None
    quantity: int | None = None
    aisle: str | None = None
    offer_id: str | None = None
    query: str | None = None


class Trace(NamedTuple):
    """What one part of a condition answered and why.

    `n` is what was counted or measured (events, orders, metres), `at_s` the time that decided, `parts` a group's own.
    """

    part: Condition
    is_met: bool
    n: int | None = None
    at_s: int | None = None
    witnesses: tuple[Witness, ...] = ()
    parts: tuple[Trace, ...] = ()


class Evaluation(NamedTuple):
    """The answer and how it came about."""

    is_met: bool
    trace: Trace


class _Run(NamedTuple):
    """One evaluation: the prepared shopper, plays by tag, and whether claims count as orders (suppression only)."""

    view: ShopperView
    inputs: EvaluationInputs
    play_tags: Mapping[str, tuple[str, ...]]
    counts_claims: bool


NO_TAGS: Final[Mapping[str, tuple[str, ...]]] = {}


def evaluate(
    condition: Condition,
    inputs: EvaluationInputs,
    *,
    play_tags: Mapping[str, tuple[str, ...]] = NO_TAGS,
    counts_claims: bool = False,
) -> Evaluation:
    """Evaluate a condition. `play_tags` (play id -> tags) is the playbook's, for PlayHistory by tag.

    With `counts_claims` an associate's *bought* counts as an order at once; only suppression asks so.
    """
    trace = _trace(condition, _Run(inputs.view, inputs, play_tags, counts_claims))
    return Evaluation(trace.is_met, trace)


def _trace(part: Condition, run: _Run) -> Trace:
    return _EVALUATORS[type(part)](part, run)


def _group(group: Group, run: _Run) -> Trace:
    parts = tuple([_trace(part, run) for part in group.parts])
    if group.op == "all":
        is_met = all(part.is_met for part in parts)
    else:
        is_met = any(part.is_met for part in parts) is (group.op == "any")
    return Trace(group, is_met, parts=parts)


def _event_count(leaf: EventCount, run: _Run) -> Trace:
    newest_s = run.inputs.now_s - leaf.window.to_h * HOUR_S
    oldest_s = run.inputs.now_s - leaf.window.from_h * HOUR_S
    lines = run.view.lines(_spelled_out(leaf.events), counts_claims=run.counts_claims)
    found = [pair for pair in lines if oldest_s < pair[0] <= newest_s and _passes(leaf.where, pair[1], run)]
    if leaf.same is not None:
        out = {
            _key_of(line, leaf.same, run)
            for at_s, line in run.view.lines(_spelled_out(leaf.unless), counts_claims=run.counts_claims)
            if at_s > oldest_s
        }
        found = _fullest(found, leaf.same, out, run)
    n = _happenings(found)
    is_met = _COMPARE[leaf.cmp](n, leaf.n)
    at_s = found[0][0] if found else None
    return Trace(leaf, is_met, n, at_s, _witnesses(found, run) if is_met else ())


def _happenings(lines: list[TimedEvent]) -> int:
    orders = {(line.event, line.order_id) for _, line in lines if line.order_id is not None}
    return len(orders) + sum(1 for _, line in lines if line.order_id is None)


def _fullest(lines: list[TimedEvent], same: str, out: Container[str | None], run: _Run) -> list[TimedEvent]:
    groups: dict[str, list[TimedEvent]] = {}
    for pair in lines:
        if (key := _key_of(pair[1], same, run)) is not None and key not in out:
            groups.setdefault(key, []).append(pair)
    return max(groups.values(), key=lambda group: (_happenings(group), group[0][0]), default=[])


def _recency(leaf: Recency, run: _Run) -> Trace:
    names = _spelled_out(leaf.events)
    lines = run.view.lines(names, counts_claims=run.counts_claims)
    matching = [pair for pair in lines if _passes(leaf.where, pair[1], run)] if leaf.where else lines
    last_s = matching[0][0] if matching else None
    if not leaf.where:
        known = (run.view.last_known(name, counts_claims=run.counts_claims) for name in names)
        last_s = max((at for at in known if at is not None), default=None)
    is_met = _is_recency_met(leaf, last_s, run.inputs.now_s)
    return Trace(leaf, is_met, None, last_s, _witnesses(matching[:1], run) if is_met else ())


def _is_recency_met(leaf: Recency, last_s: int | None, now_s: int) -> bool:
    if leaf.cmp == "never":
        return last_s is None
    if last_s is None or leaf.hours is None:
        return False
    is_newer = last_s > now_s - leaf.hours * HOUR_S
    return is_newer if leaf.cmp == "newer_than" else not is_newer


def _not_followed(leaf: NotFollowed, run: _Run) -> Trace:
    newest_s = run.inputs.now_s - leaf.idle_h * HOUR_S
    oldest_s = run.inputs.now_s - leaf.window_h * HOUR_S
    answers: dict[str, int] = {}
    for at_s, line in run.view.lines(_spelled_out(leaf.then), counts_claims=run.counts_claims):
        if (key := _key_of(line, leaf.same, run)) is not None:
            answers.setdefault(key, at_s)
    open_ones: dict[str, TimedEvent] = {}
    for pair in run.view.lines((leaf.first,)):
        key = _key_of(pair[1], leaf.same, run)
        if key is not None and key not in open_ones and oldest_s < pair[0] <= newest_s:
            open_ones[key] = pair
    found = [pair for key, pair in open_ones.items() if answers.get(key, oldest_s) < pair[0]]
    return Trace(leaf, bool(found), len(found), found[0][0] if found else None, _witnesses(found, run))


def _key_of(line: RecentEvent, same: str | None, run: _Run) -> str | None:
    if same is None:
        return ""
    if same == "category":
        return run.view.category_of(line)
    return line.sku if same == "sku" else line.cart_id


def _segment(leaf: Segment, _run: _Run) -> Trace:
    """A document holds none (`segments.py`); one that was not written out is met by nobody."""
    return Trace(leaf, is_met=False)


def _stock(leaf: Stock, run: _Run) -> Trace:
    oldest_s = run.inputs.now_s - leaf.window_h * HOUR_S
    found: dict[str, Witness] = {}
    for source in leaf.source:
        for at_s, line in _wanted(source, run):
            level = run.inputs.stock.get(line.sku) if line.sku else None
            if level is not None and level.quantity >= leaf.min_qty and at_s > oldest_s:
                found.setdefault(str(line.sku), _witness(at_s, line, None, run, level))
    witnesses = tuple(found.values())[:WITNESSES_MAX]
    return Trace(leaf, bool(found), len(found), witnesses[0].at_s if witnesses else None, witnesses)


def _wanted(source: str, run: _Run) -> Iterable[tuple[int, RecentEvent | WantedLine]]:
    profile = run.inputs.profile
    if source == "viewed":
        return run.view.lines(("Product Viewed",))
    return run.view.wanted(profile.cart if source == "cart" else profile.wishlist)


def _stage(leaf: Stage, run: _Run) -> Trace:
    return Trace(leaf, run.view.stage.stage in leaf.stages)


def _consent(leaf: Consent, run: _Run) -> Trace:
    state = run.inputs.profile.consent.get(leaf.purpose)
    return Trace(leaf, state is not None and state.decision == leaf.state)


def _near(leaf: Near, run: _Run) -> Trace:
    distance = run.inputs.profile.facts.distance
    metres = distance.this_store_m if leaf.of == "this_store" else distance.home_store_m
    return Trace(leaf, metres is not None and metres <= leaf.max_m, metres)


def _play_history(leaf: PlayHistory, run: _Run) -> Trace:
    oldest_s = run.inputs.now_s - leaf.hours * HOUR_S
    found = [
        Witness(at_s, line.outcome)
        for at_s, line in run.view.outcomes
        if at_s > oldest_s
        and leaf.result in {"any", line.outcome}
        and (leaf.any or leaf.play == line.play_id or leaf.tag in run.play_tags.get(line.play_id, ()))
    ]
    is_met = _COMPARE[leaf.cmp](len(found), leaf.n)
    return Trace(leaf, is_met, len(found), found[0].at_s if found else None, tuple(found[:WITNESSES_MAX]))


def _profile_field(leaf: ProfileField, run: _Run) -> Trace:
    read = _FIELD_READERS.get(leaf.field)
    actual = read(run) if read is not None else None
    if leaf.op == "within_next_days":
        today = run.view.local_day(run.inputs.now_s)
        is_met = actual is not None and is_birthday_within(str(actual), leaf.value, today)
    else:
        is_met = _holds(leaf.op, actual, leaf.value)
    return Trace(leaf, is_met, actual if isinstance(actual, int) else None)


def is_birthday_within(birth_on: str, days: int, today: dt.date) -> bool:
    """Say whether a birthday is within so many days, today included; False for a text that is no day."""
    try:
        month, day = int(birth_on[5:7]), int(birth_on[8:10])
        years = range(today.year, min(today.year + 1, dt.MAXYEAR) + 1)
        ahead = [_anniversary(year, month, day) - today.toordinal() for year in years]
    except ValueError:
        return False
    return any(0 <= days_ahead <= days for days_ahead in ahead)


def _anniversary(year: int, month: int, day: int) -> int:
    """Ordinal of a birthday in a year; 29 February is kept on the 28th where there is none."""
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    kept_day = 28 if (month, day) == (2, 29) and not is_leap else day
    return dt.date(year, month, kept_day).toordinal()


def _witnesses(lines: list[TimedEvent], run: _Run) -> tuple[Witness, ...]:
    return tuple([_witness(at_s, line, line.event, run) for at_s, line in lines[:WITNESSES_MAX]])


def _witness(
    at_s: int, line: RecentEvent | WantedLine, event: str | None, run: _Run, level: StockLevel | None = None
) -> Witness:
    level = level or (run.inputs.stock.get(line.sku) if line.sku else None)
    return Witness(
        at_s,
        event,
        line.sku,
        run.view.title_of(line),
        run.view.category_of(line),
        level.quantity if level is not None else None,
        level.aisle if level is not None else None,
        line.offer_id if isinstance(line, RecentEvent) else None,
        line.query if isinstance(line, RecentEvent) else None,
    )


def _passes(tests: tuple[Where, ...], line: RecentEvent, run: _Run) -> bool:
    return all(_holds(test.op, _PROPERTY_READERS[test.prop](line, run), test.value) for test in tests)


def _holds(op: str, actual: Any, value: Any) -> bool:
    if op == "exists":
        return actual is not None
    if op == "missing":
        return actual is None
    return actual is not None and _OPERATIONS[op](actual, value)


_COMPARE: Final[dict[str, Callable[[int, int], bool]]] = {">=": operator.ge, "<=": operator.le, "==": operator.eq}

_OPERATIONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda actual, value: actual in value,
    "not_in": lambda actual, value: actual not in value,
    "between": lambda actual, value: value[0] <= actual <= value[1],
    "contains": lambda actual, value: value in actual,
    "starts_with": lambda actual, value: actual.startswith(value),
    "has_any": lambda actual, value: any(one in actual for one in value),
    "has_none": lambda actual, value: not any(one in actual for one in value),
}


def _folded(text: str | None) -> str | None:
    return None if text is None else fold(text)


def _brand_of(line: RecentEvent, run: _Run) -> str | None:
    if line.brand is not None or not line.sku:
        return _folded(line.brand)
    product = run.inputs.products.get(line.sku)
    return _folded(product.brand) if product is not None else None


def _price_of(line: RecentEvent, run: _Run) -> int | None:
    """Minor units in the store's currency; a price in another currency is missing, money is never converted."""
    return line.price.minor if line.price is not None and line.price.currency == run.inputs.store.currency else None


_PROPERTY_READERS: Final[dict[str, Callable[[RecentEvent, _Run], int | str | None]]] = {
    "category": lambda line, run: run.view.category_of(line),
    "sku": lambda line, run: _folded(line.sku),
    "brand": _brand_of,
    "price": _price_of,
    "store": lambda line, run: _folded(line.store),
    "offer_id": lambda line, run: _folded(line.offer_id),
    "channel": lambda line, run: _folded(line.channel),
}


def _net_revenue(run: _Run) -> int | None:
    rows = run.inputs.profile.facts.net_revenue
    return next((row.minor for row in rows if row.currency == run.inputs.store.currency), None)


def _day_of(at: str | None, run: _Run) -> str | None:
    at_s = seconds_of(at) if at else None
    return None if at_s is None else run.view.local_day(at_s).isoformat()


def _open_issue_day(run: _Run) -> str | None:
    issue = run.inputs.profile.open_issue
    return _day_of(issue.opened_at, run) if issue is not None else None


_FIELD_READERS: Final[dict[str, Callable[[_Run], Any]]] = {
    "orders": lambda run: run.inputs.profile.facts.orders,
    "refunds": lambda run: run.inputs.profile.facts.refunds,
    "points": lambda run: run.inputs.profile.points,
    "net_revenue_minor": _net_revenue,
    "tier": lambda run: _folded(run.inputs.profile.tier),
    "value_band": lambda run: run.inputs.profile.value_band,
    "first_order_on": lambda run: _day_of(run.inputs.profile.facts.first_order_at, run),
    "last_order_on": lambda run: _day_of(run.inputs.profile.facts.last_order_at, run),
    "last_order_store": lambda run: _folded(run.inputs.profile.facts.last_order_store),
    "home_store": lambda run: _folded(run.inputs.profile.facts.home_store),
    "open_issue_on": _open_issue_day,
    "language": lambda run: _folded(run.inputs.profile.language),
    "postcode": lambda run: _folded(run.inputs.profile.postcode),
    "birth_on": lambda run: run.inputs.profile.birth_on,
    "identifier_types": lambda run: {known.type for known in run.inputs.profile.identifiers},
    "channels_seen": lambda run: {fold(channel) for channel in run.inputs.profile.facts.last_seen},
    "offers_known": lambda run: {fold(known.offer_id) for known in run.inputs.profile.offers},
    "preferences": lambda run: {fold(f"{name}={value}") for name, value in run.inputs.profile.preferences.items()},
}

_EVALUATORS: Final[dict[type, Callable[[Any, _Run], Trace]]] = {
    Group: _group,
    EventCount: _event_count,
    Recency: _recency,
    NotFollowed: _not_followed,
    ProfileField: _profile_field,
    Stage: _stage,
    Consent: _consent,
    Near: _near,
    Stock: _stock,
    PlayHistory: _play_history,
    Segment: _segment,
}
