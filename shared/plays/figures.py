"""The figures of a store: how often each play was shown, held back, used and sold, by day. Pure, and the same on both
sides: HQ counts what it folded, a tablet its own journal.

A figure is a sum over distinct ops: neither order nor repetition changes it, a withdrawn op counts nothing, and a
correction stands in for its first. So a tablet can add to HQ's figures exactly those of its ops that HQ had not
counted (`not_counted`). Money is never added across currencies. A claim *bought* is no sale: only an order proves one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal, NamedTuple

from shared.documents import Document
from shared.wire.ops import Op

Figures = Counter[tuple[str, str, str]]
"""(day, play, what) -> how many; `what` is one of COUNTED."""

COUNTED: Final = ("shown", "would_show", "used", "bought", "proven")
KINDS: Final = ("impression_recorded", "outcome_recorded", "op_withdrawn")
"""The ops that figures are counted from."""
DAYS: Final = 7
"""How far the figures of a store look back: today and the six days before it."""
CONVERSIONS_LEAST: Final = 10
"""Under so many orders in either group a lift is not told: "not enough yet"."""
LOOKED_DAYS: Final = 14
"""How long before an order a look online still counts as having led to it."""
TOLD_LEAST: Final = 5
"""A figure over fewer shoppers or orders is not told: it would tell of single ones."""
LIFT_DAYS: Final = 14
"""How long after the first exposure an order still counts."""
_NOT_USED: Final = "not_mentioned"


class Moment(NamedTuple):
    """A play was shown or held back (no outcome), or something came of it, in a store. `showing`: the op of the showing
    that something came of, None where the outcome names none."""

    op_id: str
    at: str
    play_id: str
    arm: str
    outcome: str | None = None
    showing: str | None = None

    @property
    def used_as(self) -> tuple[str, str]:
        """What is used at most once: the play in one showing, or the outcome by itself."""
        return self.play_id, self.showing or self.op_id


class FigureRow(Document):
    """What one play did on one day. `proven`: claims *bought* that an order proves."""

    on: str
    play_id: str
    shown: int = 0
    would_show: int = 0
    used: int = 0
    bought: int = 0
    proven: int = 0


class DayRevenue(Document):
    """Net revenue of the orders that proved a claim of this day, in one currency."""

    on: str
    minor: int
    currency: str


class TabletRow(Document):
    """A tablet of the store as HQ last heard of it: how much it had unsent then, and which version of the app."""

    device_id: str
    name: str
    last_seen_at: str | None = None
    unsent: int | None = None
    app: str | None = None


class OnlineFirst(Document):
    """Members who bought in the store in the last DAYS days and agreed to be counted: how many had looked online in the
    LOOKED_DAYS before, and the net worth of the orders of both, in the store's currency."""

    members: int
    looked: int
    looked_orders: int = 0
    looked_minor: int = 0
    other_orders: int = 0
    other_minor: int = 0
    currency: str


class FiguresDocument(Document):
    """`figures/<store>` in the store's scope. `through_s`: up to which position of that feed HQ had taken ops in when
    it counted; what a tablet knows to be visible later is not in it."""

    store: str
    as_of: str
    through_s: int
    rows: tuple[FigureRow, ...] = ()
    revenue: tuple[DayRevenue, ...] = ()
    tablets: tuple[TabletRow, ...] = ()
    online_first: OnlineFirst | None = None
    """None where no member who agreed bought there."""


class LiftDocument(Document):
    """`lift/<play>` in scope all: shoppers first exposed in the present period of the play's holdout, in all stores,
    and those of them with an order within LIFT_DAYS. Differences in parts per million, with their 95 % interval.

    `state`: measured; few (under CONVERSIONS_LEAST in a group); uneven (the groups are not as they were drawn);
    unmeasured (HQ works out no intervals).
    """

    play_id: str
    period: int
    shown: int
    shown_orders: int
    held: int
    held_orders: int
    trigger_seen: int = 0
    """Of those held, on whose card the lines that would have triggered the play were opened: contamination."""
    state: Literal["measured", "few", "uneven", "unmeasured"]
    lift_ppm: int | None = None
    low_ppm: int | None = None
    high_ppm: int | None = None


def moments_of(ops: Iterable[Op]) -> Iterator[Moment]:
    """What ops of KINDS tell, after corrections and withdrawals among them; the same op twice tells it once."""
    distinct = {op.op_id: op for op in ops}
    withdrawn = {op.amends for op in distinct.values() if op.kind == "op_withdrawn"}
    newest: dict[str, Op] = {}
    for op in sorted(distinct.values(), key=lambda op: (op.occurred_at, op.op_id)):
        if op.amends and op.kind == "outcome_recorded":
            newest[op.amends] = op
    for op in distinct.values():
        if op.amends is None and op.op_id not in withdrawn:
            yield from _moments(op, newest.get(op.op_id, op))


def _moments(first: Op, newest: Op) -> Iterator[Moment]:
    """A first op, with the body of its last correction. A blanked body (erasure) tells nothing."""
    body = newest.body
    if first.kind == "impression_recorded":
        for shown in body.get("shown") or ():
            yield Moment(first.op_id, first.occurred_at, shown["play_id"], shown["arm"])
    elif first.kind == "outcome_recorded" and body.get("outcome"):
        came = (body["outcome"], body.get("impression_op_id"))
        yield Moment(first.op_id, first.occurred_at, body["play_id"], body["arm"], *came)


def count_moments(moments: Iterable[Moment], day_of: Callable[[str], str]) -> Figures:
    """Count distinct moments by the store's days. Held-out showings count apart and nothing came of them.

    A card opened again within its visit is one showing; two outcomes of it are one use, on the day of the first.
    """
    figures: Figures = Counter()
    used: dict[tuple[str, str], list[Moment]] = {}
    for moment in set(moments):
        if moment.outcome is None:
            what = "shown" if moment.arm == "shown" else "would_show"
            figures[day_of(moment.at), moment.play_id, what] += 1
        elif moment.arm == "shown" and moment.outcome != _NOT_USED:
            used.setdefault(moment.used_as, []).append(moment)
    for (play_id, _), came in used.items():
        on = day_of(min(moment.at for moment in came))
        figures[on, play_id, "used"] += 1
        figures[on, play_id, "bought"] += any(moment.outcome == "bought" for moment in came)
    return figures


def not_counted(own: Iterable[tuple[Op, bool]], day_of: Callable[[str], str]) -> Figures:
    """What a device's own ops change about figures that hold some of them: each op comes with whether they hold it.

    Not only more: the undo of an op that was counted takes it away again.
    """
    told = list(own)
    figures = count_moments(moments_of(op for op, _ in told), day_of)
    figures.subtract(count_moments(moments_of(op for op, is_counted in told if is_counted), day_of))
    return figures


def rows_of(figures: Figures) -> list[FigureRow]:
    """The figures as rows by day and play, without those in which nothing was counted."""
    cells: dict[tuple[str, str], dict[str, int]] = {}
    for (on, play_id, what), n in figures.items():
        if n:
            cells.setdefault((on, play_id), {})[what] = n
    return [FigureRow.model_validate({"on": on, "play_id": play, **cells[on, play]}) for on, play in sorted(cells)]


def figures_of(rows: Iterable[FigureRow]) -> Figures:
    """The figures that rows tell."""
    figures: Figures = Counter()
    for row in rows:
        for what in COUNTED:
            figures[row.on, row.play_id, what] += getattr(row, what)
    return figures


def by_play(figures: Figures, since_on: str) -> dict[str, Counter[str]]:
    """Play -> what -> how many, from a day on. A tablet with a wrong clock may take away where nothing is: never below
    zero."""
    plays: dict[str, Counter[str]] = {}
    for (on, play_id, what), n in figures.items():
        if on >= since_on:
            plays.setdefault(play_id, Counter())[what] += n
    return {play_id: Counter({what: max(0, n) for what, n in found.items()}) for play_id, found in plays.items()}


def add_revenue(totals: Mapping[tuple[str, str], int], since_on: str) -> dict[str, int]:
    """Currency -> minor units of the (day, currency) totals from a day on."""
    added: Counter[str] = Counter()
    for (on, currency), minor in totals.items():
        if on >= since_on:
            added[currency] += minor
    return dict(added)
