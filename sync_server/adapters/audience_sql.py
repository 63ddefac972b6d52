"""The SQL compiler of conditions: one expression over `audience_*`, with the evaluator's answer for every profile.

Every expression is two-valued, so that `none` may negate it: a missing value makes a comparison false, never NULL.
Values travel as parameters; columns are those of the field catalogue. What a window or a day means is worked out here
as UTC seconds, for the stores of one currency and time zone at a time. `tests/fuzz` compares both sides.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, cast, false, func, not_, or_, select, true, tuple_

from shared.clock import local_time
from shared.lifecycle import DAY_S
from shared.plays.catalogue import FIELDS, HOUR_S, spelled_out
from shared.plays.condition import (
    PARTS_MAX,
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
    walk,
)
from shared.plays.evaluate import is_birthday_within
from shared.plays.inputs import zone_of
from sync_server.adapters import audience_schema as tables
from sync_server.audience_ports import AudienceQuestion
from sync_server.ports import Store

Truth = ColumnElement[bool]
_EVENT, _MOMENT, _PRODUCT = tables.event.c, tables.moment.c, tables.product.c
_SHOPPER, _PLACE = tables.shopper.c, tables.place.c
_LEAP_YEAR: Final = 2000
_NEVER_S: Final = 2**53


class _Asked(NamedTuple):
    """One compilation: the question, its stores of one currency and time zone, and how this engine finds a text."""

    question: AudienceQuestion
    stores: tuple[Store, ...]
    find: Callable[[Any, str], Any]
    among: Select[Any] | None

    @property
    def now_s(self) -> int:
        return self.question.now_s

    @property
    def zone(self) -> dt.tzinfo:
        return zone_of(self.stores[0].timezone)

    def named(self, column: Any, names: Sequence[str]) -> Truth:
        """Rows of these names: by the index of names, but where only a few shoppers are asked about, by theirs."""
        found: Truth = (column if self.among is None else func.coalesce(column, "")).in_(names)
        return found

    def shelved(self, sku: Any, shelf: Any) -> Truth:
        """A line's article is the shelf's: from the shelf to its lines, but of a few shoppers from theirs to it."""
        found: Truth = (sku if self.among is None else func.coalesce(sku, "")) == shelf
        return found

    def only(self, n: Any) -> Truth:
        """The rows of those asked about."""
        return true() if self.among is None else n.in_(self.among)


def audience_query(question: AudienceQuestion, *, is_postgresql: bool) -> Select[Any]:
    """The `n` of everybody who meets the condition in one of the stores at least, each once."""
    among = None if question.among is None else _numbers(question.among, is_postgresql=is_postgresql)
    find = func.strpos if is_postgresql else func.instr
    met = []
    for stores in _alike(question):
        asked = _Asked(question, stores, find, among)
        met.append(and_(_PLACE.store.in_([store.code for store in stores]), _compile(question.condition, asked)))
    source = tables.place.join(tables.shopper, _PLACE.n == _SHOPPER.n)
    only = true() if among is None else _PLACE.n.in_(among)
    return select(_PLACE.n).distinct().select_from(source).where(only, or_(false(), *met))


def narrowing_part(condition: Condition) -> Condition | None:
    """What a condition asks of the shopper's own row and place, where everybody must meet it: answered by one walk over
    rows, and whoever does not meet it need not be asked the rest. None where that is nothing, or all of it."""
    parts = list(_all_of(condition))
    own = [part for part in parts if _reads_own_row(part)]
    if len(own) == len(parts) or all(isinstance(part, Consent) for part in own):  # most have agreed
        return None
    return Group.model_validate({"kind": "Group", "op": "all", "items": tuple(own[:PARTS_MAX])})


def _all_of(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, Group) and condition.op == "all":
        for part in condition.parts:
            yield from _all_of(part)
    else:
        yield condition


def _reads_own_row(part: Condition) -> bool:
    if isinstance(part, ProfileField):
        field = FIELDS.get(part.field)
        return field is not None and field.type != "text_set" and part.field != "net_revenue_minor"
    return isinstance(part, Near | Stage | Consent)


def _numbers(values: Iterable[int], *, is_postgresql: bool) -> Select[Any]:
    """Many numbers as one parameter."""
    text = ",".join(map(str, values))
    if is_postgresql:
        parts = func.unnest(func.string_to_array(text, ",")).column_valued("part")
        return select(cast(parts, _PLACE.n.type))
    return select(func.json_each(f"[{text}]").table_valued("value").c.value)


def _alike(question: AudienceQuestion) -> list[tuple[Store, ...]]:
    """The stores by what a rule may see of them besides their code: currency and time zone, where it asks for them."""
    by_money, by_zone = (any(map(reads, _leaves(question.condition))) for reads in (_reads_money, _reads_zone))
    found: dict[tuple[str | None, str | None], list[Store]] = {}
    for store in question.stores:
        key = (store.currency if by_money else None, store.timezone if by_zone else None)
        found.setdefault(key, []).append(store)
    return [tuple(stores) for stores in found.values()]


def _leaves(condition: Condition) -> list[Condition]:
    return [part for _, _, part in walk(condition) if not isinstance(part, Group)]


def _reads_money(part: Condition) -> bool:
    if isinstance(part, EventCount | Recency):
        return any(test.prop == "price" for test in part.where)
    return isinstance(part, ProfileField) and part.field == "net_revenue_minor"


def _reads_zone(part: Condition) -> bool:
    field = FIELDS.get(part.field) if isinstance(part, ProfileField) else None
    return field is not None and field.type in {"day", "birthday"}


def _compile(part: Condition, asked: _Asked) -> Truth:
    return _COMPILERS[type(part)](part, asked)


def _group(group: Group, asked: _Asked) -> Truth:
    parts = [_compile(part, asked) for part in group.parts]
    if group.op == "all":
        return and_(true(), *parts)
    met = or_(false(), *parts)
    return met if group.op == "any" else not_(met)


# events ---------------------------------------------------------------------------------------------------------------


def _lines(asked: _Asked, events: tuple[str, ...], tests: tuple[Where, ...], *, has_category: bool) -> Select[Any]:
    """Event lines of these names up to now that pass the tests; the catalogue is asked only where it is needed."""
    needs_product = has_category or any(test.prop in {"category", "brand"} for test in tests)
    source: FromClause = tables.event
    if needs_product:
        source = tables.event.outerjoin(tables.product, _EVENT.sku == _PRODUCT.sku)
    lines = select(_EVENT.n).select_from(source)
    lines = lines.where(asked.named(_EVENT.event, spelled_out(events)), _EVENT.at_s <= asked.now_s)
    lines = lines.where(asked.only(_EVENT.n))
    return lines.where(*(_holds(test.op, _property(test.prop, asked), test.value, asked) for test in tests))


def _property(prop: str, asked: _Asked) -> Any:
    if prop == "category":
        return func.coalesce(_EVENT.category, _PRODUCT.category)
    if prop == "brand":
        return func.coalesce(_EVENT.brand, _PRODUCT.brand)
    if prop == "price":
        return case((_EVENT.currency == asked.stores[0].currency, _EVENT.price_minor))
    return _EVENT["sku_folded" if prop == "sku" else prop]


def _key(same: str, asked: _Asked) -> Any:
    return _property("category", asked) if same == "category" else _EVENT[same]


def _event_count(leaf: EventCount, asked: _Asked) -> Truth:
    if leaf.same is not None and leaf.unless:
        return _counted(leaf.cmp, leaf.n, lambda n: _groups_without(leaf, n, asked))
    lines = _lines(asked, leaf.events, leaf.where, has_category=leaf.same == "category")
    newest_s, oldest_s = (asked.now_s - hours * HOUR_S for hours in (leaf.window.to_h, leaf.window.from_h))
    lines = lines.where(_EVENT.at_s > oldest_s, _EVENT.at_s <= newest_s)
    by: list[Any] = [_EVENT.n]
    if leaf.same is not None:
        key = _key(leaf.same, asked)
        lines, by = lines.where(key.is_not(None)), [_EVENT.n, key]
    acts = func.count(_EVENT.act.distinct())
    return _counted(leaf.cmp, leaf.n, lambda n: lines if n == 1 else lines.group_by(*by).having(acts >= n))


def _groups_without(leaf: EventCount, n: int, asked: _Asked) -> Select[Any]:
    """Those with so many of the events about one thing and, since the window began, none of `unless` about it."""
    newest_s, oldest_s = (asked.now_s - hours * HOUR_S for hours in (leaf.window.to_h, leaf.window.from_h))
    key = _key(str(leaf.same), asked)
    lines = _lines(asked, (*leaf.events, *leaf.unless), (), has_category=True)
    lines = lines.where(_EVENT.at_s > oldest_s, key.is_not(None)).group_by(_EVENT.n, key)
    tests = (_holds(test.op, _property(test.prop, asked), test.value, asked) for test in leaf.where)
    is_counted = and_(_EVENT.event.in_(spelled_out(leaf.events)), _EVENT.at_s <= newest_s, *tests)
    acts = func.count(case((is_counted, _EVENT.act)).distinct())
    ends = func.count(case((_EVENT.event.in_(spelled_out(leaf.unless)), 1)))
    return lines.having(acts >= n, ends == 0)


def _counted(cmp: str, n: int, at_least: Callable[[int], Select[Any]]) -> Truth:
    """A comparison of a count, from those who have at least so many."""

    def has(least: int) -> Truth:
        return true() if least <= 0 else _SHOPPER.n.in_(at_least(least))

    if cmp == ">=":
        return has(n)
    return and_(has(n) if cmp == "==" else true(), not_(has(n + 1)))


def _recency(leaf: Recency, asked: _Asked) -> Truth:
    """Newer: something after the bound. Older: something, and nothing after the bound."""

    def seen(after_s: int | None) -> Truth:
        lines = _lines(asked, leaf.events, leaf.where, has_category=False)
        if after_s is not None:
            lines = lines.where(_EVENT.at_s > after_s)
        found = _SHOPPER.n.in_(lines)
        if leaf.where:
            return found
        known = select(_MOMENT.n).where(asked.named(_MOMENT.event, spelled_out(leaf.events)), asked.only(_MOMENT.n))
        known = known.where(_MOMENT.at_s <= asked.now_s)
        if after_s is None:  # the first moment of every event is among these
            return _SHOPPER.n.in_(known)
        return or_(found, _SHOPPER.n.in_(known.where(_MOMENT.at_s > after_s)))

    if leaf.cmp == "never":
        return not_(seen(None))
    if leaf.hours is None:
        return false()
    newer = seen(asked.now_s - leaf.hours * HOUR_S)
    return newer if leaf.cmp == "newer_than" else and_(seen(None), not_(newer))


def _not_followed(leaf: NotFollowed, asked: _Asked) -> Truth:
    """By key: the newest first in the window is newer than the newest answer up to now."""
    newest_s, oldest_s = (asked.now_s - hours * HOUR_S for hours in (leaf.idle_h, leaf.window_h))
    then = spelled_out(leaf.then)
    lines = _lines(asked, (leaf.first, *then), (), has_category=leaf.same == "category").where(_EVENT.at_s > oldest_s)
    by: list[Any] = [_EVENT.n]
    if leaf.same is not None:
        key = _key(leaf.same, asked)
        lines, by = lines.where(key.is_not(None)), [_EVENT.n, key]
    first_s = func.max(case((and_(_EVENT.event == leaf.first, _EVENT.at_s <= newest_s), _EVENT.at_s)))
    answer_s = func.max(case((_EVENT.event.in_(then), _EVENT.at_s)))
    open_ones = lines.group_by(*by).having(first_s > func.coalesce(answer_s, oldest_s))
    return _SHOPPER.n.in_(open_ones)


def _stock(leaf: Stock, asked: _Asked) -> Truth:
    shelf, wish = tables.stock.c, tables.wanted.c
    oldest_s = asked.now_s - leaf.window_h * HOUR_S
    sources = [source for source in leaf.source if source != "viewed"]
    found = []
    if sources:
        joined = tables.wanted.join(tables.stock, asked.shelved(wish.sku, shelf.sku))
        of_source = asked.named(wish.source, sources)
        times = (wish.at_s > oldest_s, wish.at_s <= asked.now_s)
        found.append(select(shelf.store, wish.n).select_from(joined).where(of_source, *times, asked.only(wish.n)))
    if "viewed" in leaf.source:
        joined = tables.event.join(tables.stock, asked.shelved(_EVENT.sku, shelf.sku))
        viewed = (asked.named(_EVENT.event, ["Product Viewed"]), _EVENT.at_s > oldest_s, _EVENT.at_s <= asked.now_s)
        found.append(select(shelf.store, _EVENT.n).select_from(joined).where(*viewed, asked.only(_EVENT.n)))
    here = (shelf.store.in_([store.code for store in asked.stores]), shelf.quantity >= leaf.min_qty)
    return or_(*(tuple_(_PLACE.store, _PLACE.n).in_(lines.where(*here)) for lines in found))


def _play_history(leaf: PlayHistory, asked: _Asked) -> Truth:
    told = tables.outcome.c
    lines = select(told.n).where(told.at_s > asked.now_s - leaf.hours * HOUR_S, told.at_s <= asked.now_s)
    lines = lines.where(asked.only(told.n))
    if leaf.result != "any":
        lines = lines.where(told.outcome == leaf.result)
    if not leaf.any:
        tagged = [play_id for play_id, tags in asked.question.play_tags.items() if leaf.tag in tags]
        lines = lines.where(told.play_id.in_([leaf.play] if leaf.play is not None else tagged))
    return _counted(leaf.cmp, leaf.n, lambda n: lines if n == 1 else lines.group_by(told.n).having(func.count() >= n))


# the shopper ----------------------------------------------------------------------------------------------------------


def _stage(leaf: Stage, asked: _Asked) -> Truth:
    if not leaf.stages:
        return false()
    since_last_s, since_first_s = asked.now_s - _SHOPPER.last_order_on, asked.now_s - _SHOPPER.first_order_on
    days = asked.question.stages
    stage = case(
        (or_(_SHOPPER.orders <= 0, _SHOPPER.last_order_on.is_(None)), "prospect"),
        (since_last_s > days.win_back_days * DAY_S, "win_back"),
        (since_last_s > days.lapsing_days * DAY_S, "lapsing"),
        (and_(_SHOPPER.first_order_on.is_not(None), since_first_s <= days.new_days * DAY_S), "new"),
        else_="active",
    )
    return stage.in_(leaf.stages)


def _consent(leaf: Consent, _asked: _Asked) -> Truth:
    return _sure(_SHOPPER[f"consent_{leaf.purpose}"], operator.eq, leaf.state)


def _near(leaf: Near, _asked: _Asked) -> Truth:
    metres = _PLACE.this_store_m if leaf.of == "this_store" else _SHOPPER.home_store_m
    return _sure(metres, operator.le, leaf.max_m)


def _profile_field(leaf: ProfileField, asked: _Asked) -> Truth:
    sort = FIELDS[leaf.field].type if leaf.field in FIELDS else None
    if sort == "text_set":
        return _word(leaf, asked)
    if sort == "day":
        return _day(leaf.op, _SHOPPER[leaf.field], leaf.value, asked)
    if leaf.op == "within_next_days":
        return _birthday(leaf.value, asked)
    if leaf.field == "net_revenue_minor":
        return _money(leaf, asked)
    return false() if sort is None else _holds(leaf.op, _SHOPPER[leaf.field], leaf.value, asked)


def _word(leaf: ProfileField, asked: _Asked) -> Truth:
    told = tables.word.c
    known = select(told.n).where(asked.named(told.field, [leaf.field]), told.value.in_(leaf.value), asked.only(told.n))
    has_any = _SHOPPER.n.in_(known) if leaf.value else false()
    return has_any if leaf.op == "has_any" else not_(has_any)


def _money(leaf: ProfileField, asked: _Asked) -> Truth:
    told = tables.money.c
    rows = select(told.n).where(told.currency == asked.stores[0].currency, asked.only(told.n))
    if leaf.op == "missing":
        return not_(_SHOPPER.n.in_(rows))
    return _SHOPPER.n.in_(rows.where(_holds(leaf.op, told.net_revenue_minor, leaf.value, asked)))


def _birthday(days: int, asked: _Asked) -> Truth:
    today = local_time(asked.now_s, asked.zone).date()
    year = [dt.date(_LEAP_YEAR, 1, 1) + dt.timedelta(days=ahead) for ahead in range(366)]
    near = [day.month * 100 + day.day for day in year if is_birthday_within(day.isoformat(), days, today)]
    return and_(_SHOPPER.birth_on.is_not(None), _SHOPPER.birth_on.in_(near))


def _day(op: str, at_s: Any, value: Any, asked: _Asked) -> Truth:
    """Days of the store as bounds in UTC seconds: a day is from its first second to the first of the next."""
    if op in {"exists", "missing"}:
        return _holds(op, at_s, None, asked)
    first, last = (value[0], value[1]) if op == "between" else (value, value)
    begins_s, ends_s = day_starts_s(first, asked.zone), day_starts_s(last, asked.zone, days=1)
    truths = {
        "eq": and_(at_s >= begins_s, at_s < ends_s),
        "ne": or_(at_s < begins_s, at_s >= ends_s),
        "gt": at_s >= ends_s,
        "gte": at_s >= begins_s,
        "lt": at_s < begins_s,
        "lte": at_s < ends_s,
        "between": and_(at_s >= begins_s, at_s < ends_s),
    }
    return and_(at_s.is_not(None), truths[op])


def day_starts_s(day: str, zone: dt.tzinfo, days: int = 0) -> int:
    """The first UTC second of a local day (of the one so many days later); a day the zone skipped begins with the next.

    Searched, not calculated: whatever a zone does at midnight, this is where the evaluator's dates change.
    """
    ordinal = dt.date.fromisoformat(day).toordinal() + days
    if ordinal > dt.date.max.toordinal():  # what lies beyond the last day of all belongs to it
        return _NEVER_S
    noon_s = (ordinal - dt.date(1970, 1, 1).toordinal()) * DAY_S
    before_s, there_s = noon_s - 2 * DAY_S, noon_s + 2 * DAY_S
    while there_s - before_s > 1:
        middle_s = (before_s + there_s) // 2
        if local_time(middle_s, zone).toordinal() >= ordinal:
            there_s = middle_s
        else:
            before_s = middle_s
    return there_s


# comparing ------------------------------------------------------------------------------------------------------------


def _sure(column: Any, compare: Callable[[Any, Any], Any], value: Any) -> Truth:
    return and_(column.is_not(None), compare(column, value))


def _holds(op: str, column: Any, value: Any, asked: _Asked) -> Truth:
    if op in {"exists", "missing"}:
        return and_(column.is_not(None) if op == "exists" else column.is_(None))
    if op in {"in", "not_in"}:
        return _among(op, column, value)
    if op == "between":
        return and_(column.is_not(None), column >= value[0], column <= value[1])
    if op == "contains":
        return and_(column.is_not(None), asked.find(column, value) > 0 if value else true())
    if op == "starts_with":
        return and_(column.is_not(None), func.substr(column, 1, len(value)) == value)
    return _sure(column, _COMPARE[op], value)


def _among(op: str, column: Any, values: Sequence[Any]) -> Truth:
    if not values:
        return false() if op == "in" else column.is_not(None)
    return and_(column.is_not(None), column.in_(values) if op == "in" else column.not_in(values))


_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def _segment(_leaf: Segment, _asked: _Asked) -> Truth:
    return false()


_COMPILERS: Final[dict[type, Callable[[Any, _Asked], Truth]]] = {
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
